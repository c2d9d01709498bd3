"""Unknown commands: the error that names the right one, looked for in the whole tree and among other tools' words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations

from arena.base.errors import UsageError
from arena.base.suggest import nearest
from arena.command_line.aliases import ALIASES, replace_aliases
from arena.command_line.hints import HINTS, format_hint

_TOOLS = ("kaggle", "wandb", "optuna", "gh", "hydra", "python", "arena")
_MOST_MATCHES = 4
_SHORTEST = 5  # letters of another tool's word whose misspelling is recognized
_SIBLING_CUTOFF, _TREE_CUTOFF, _SHORT_CUTOFF = 0.75, 0.8, 0.85

Path = tuple[str, ...]


def explain_command(tree: Sequence[Path], path: Path, words: Sequence[str]) -> UsageError:
    """Return the error of a command line whose first `words` is no command of the group `path`."""
    text = " ".join((*path, words[0]))
    error = f"no command {text!r}"
    if not path and (hint := _explain_shape(words)):
        return UsageError(f"{error}; {hint}")
    try:
        matches = _find_matches(tree, path, [word for word in words if not word.startswith("-")])
    except UsageError as hint_error:  # a word of another tool, spelt otherwise
        return hint_error
    if matches:
        return UsageError(
            f"{error}; did you mean: {', '.join(' '.join(('arena', *match)) for match in matches[:_MOST_MATCHES])}"
        )
    children = [command[-1] for command in tree if command[:-1] == path]
    return UsageError(f"{error}; {' '.join(('arena', *path))} has {', '.join(children)}: `{' '.join(('arena', *path))} --help`")


def _explain_shape(words: Sequence[str]) -> str:
    word = words[0]
    if "=" in word:
        return f"did you mean: arena train {word}"
    if word.endswith(".py") or ".py:" in word:
        return "a net of your own is trained by: arena train --model FILE.py:CLASS"
    if word.endswith((".yaml", ".yml")):
        return f"did you mean: arena sweep run {word}"
    return f"did you mean: arena submit {word}, arena contest submit {word}" if word.endswith(".csv") else ""


def _find_matches(tree: Sequence[Path], path: Path, words: Sequence[str]) -> list[Path]:
    """Return the commands meant, surest first; empty where nothing is near enough to be right.

    Raises:
        UsageError: the words have a hint.
    """
    word = words[0].lower().replace("_", "-")
    siblings = {command[len(path)]: command for command in tree if command[:-1] == path}
    if word in siblings:
        return [siblings[word]]
    if path == () and word in _TOOLS and len(words) > 1:
        return _find_matches(tree, (), words[1:])
    spellings = [" ".join(words[:n]) for n in (3, 2)] + [*_permute(words[:2]), word, *_permute(word.split("-"))]
    for spelling in spellings:
        if match := _read(tree, (*path, *spelling.split())) or _read(tree, tuple(spelling.split())):
            return [match]
    if (text := " ".join((*path, word))) in HINTS:
        raise UsageError(format_hint(text))
    if same := [command for command in tree if command[-1] == word]:
        return same
    return _find_similar(tree, path, word)


def _find_similar(tree: Sequence[Path], path: Path, word: str) -> list[Path]:
    siblings = {command[len(path)]: command for command in tree if command[:-1] == path}
    prefix = "".join(f"{name} " for name in path)
    others = {text.removeprefix(prefix) for text in (*ALIASES, *HINTS) if text.startswith(prefix)}
    words = [*siblings, *(text for text in others if len(text) >= _SHORTEST)]
    near = nearest(word, [*siblings, *others], _SHORT_CUTOFF) or nearest(word, words, _SIBLING_CUTOFF)
    if near in siblings:
        return [siblings[near]]
    if near:
        if f"{prefix}{near}" in HINTS:
            raise UsageError(format_hint(f"{prefix}{near}", f"{prefix}{word}"))
        return [tuple(replace_aliases((*path, *near.split())))]
    near = None if path else nearest(word, [command[-1] for command in tree], _TREE_CUTOFF)
    return [command for command in tree if command[-1] == near]


def _permute(words: Iterable[str]) -> list[str]:
    words = list(words)
    return [" ".join(order) for order in permutations(words)] if 1 < len(words) <= 3 else []


def _read(tree: Sequence[Path], words: Path) -> Path | None:
    """Return the command that `words` are another spelling of, with its options; raises UsageError where they have a hint."""
    line = tuple(replace_aliases(words))
    return line if tuple(word for word in line if not word.startswith("-")) in tree else None
