"""Unknown commands: the error that names the right one, looked for in the whole tree and among other tools' words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import permutations

from arena.base.errors import UsageError
from arena.base.suggest import nearest
from arena.command_line.aliases import ALIASES, is_known, replace_aliases
from arena.command_line.hints import HINTS, format_hint
from cnn.nets import NETS

_TOOLS = ("kaggle", "wandb", "optuna", "gh", "hydra", "python", "arena")
_MOST_MATCHES = 4
_DIGEST = re.compile(r"latest|best|[0-9a-f]{4,16}")
_SHORTEST = 5  # letters of another tool's word whose misspelling is recognized
_SIBLING_CUTOFF, _TREE_CUTOFF, _SHORT_CUTOFF = 0.75, 0.8, 0.85

Path = tuple[str, ...]


def explain_command(tree: Sequence[Path], path: Path, words: Sequence[str]) -> UsageError:
    """Return the error of a command line whose first `words` is no command of the group `path`."""
    error = f"no command {' '.join((*path, words[0]))!r}"
    if hint := _explain_shape(path, words[0]):
        return UsageError(f"{error}; did you mean: {hint}")
    try:
        matches = _find_matches(tree, path, [word for word in words if not word.startswith("-")])
    except UsageError as hint_error:  # a word of another tool, spelt otherwise
        return hint_error
    if matches:
        lines = (" ".join(("arena", *match)) for match in matches[:_MOST_MATCHES])
        return UsageError(f"{error}; did you mean: {', '.join(lines)}")
    group, children = " ".join(("arena", *path)), [command[-1] for command in tree if command[:-1] == path]
    return UsageError(f"{error}; {group} has {', '.join(children)}: `{group} --help`")


def _explain_shape(path: Path, word: str) -> str:
    """Return the line for a word that is no command at all, but a file, a setting, a net or a run; else an empty text."""
    is_sweep = word.endswith((".yaml", ".yml"))
    is_net = word.partition(":")[0].endswith(".py") or word in NETS
    match path:
        case () if "=" in word:
            return f"arena train {word}"
        case () if is_net:
            return f"arena train --model {word if word in NETS or ':' in word else word + ':CLASS'}"
        case () if word.endswith(".csv"):
            return f"arena contest submit {word} --team TEAM, arena contest validate {word}"
        case () | ("sweep",) if is_sweep:
            return f"arena sweep run {word}"
        case ("sweep",) if is_net:
            return f"arena sweep run --model {word}"
        case ("runs",) if _DIGEST.fullmatch(word):
            return f"arena runs show {word}"
        case ("contest",) if word.endswith(".csv"):
            return f"arena contest submit {word} --team TEAM, arena contest validate {word}"
    return ""


def _find_matches(tree: Sequence[Path], path: Path, words: Sequence[str]) -> list[Path]:
    """Return the commands meant, surest first; empty where nothing is near enough to be right.

    Raises:
        UsageError: the words have a hint.
    """
    word = words[0].strip().lower().replace("_", "-") if words else ""
    if not word:
        return []
    if (*path, word) in tree:
        return [(*path, word)]
    if path == () and word in _TOOLS and len(words) > 1:
        return _find_matches(tree, (), words[1:])
    spellings = [" ".join(words[:n]) for n in (3, 2)] + [*_permute(words[:2]), word, *_permute(word.split("-"))]
    for spelling in spellings:
        for line in ((*path, *spelling.split()), tuple(spelling.split())):
            is_general = path and len(line) == 1 and line[0] in HINTS  # a hint of the first word says too little of a group
            if not is_general and (line in tree or is_known(" ".join(line))):
                return [_read(line, (*path, word))]
    if matches := [command for command in tree if command[-1] == word] or _find_below(word):
        return matches
    return _find_similar(tree, path, word)


def _find_below(word: str) -> list[Path]:
    """Return the commands for which a group has the alias `word`."""
    return [tuple(line.split()) for line in dict.fromkeys(line for text, line in ALIASES.items() if text.split()[1:] == [word])]


def _find_similar(tree: Sequence[Path], path: Path, word: str) -> list[Path]:
    prefix = "".join(f"{name} " for name in path)
    siblings = [command[-1] for command in tree if command[:-1] == path]
    others = {text.removeprefix(prefix) for text in (*ALIASES, *HINTS) if text.startswith(prefix)}
    long = [text for text in others if len(text) >= _SHORTEST]
    near = find_misspelt(word, [*siblings, *others], _SHORT_CUTOFF) or find_misspelt(word, [*siblings, *long], _SIBLING_CUTOFF)
    if near:
        return [(*path, near) if near in siblings else _read((*path, *near.split()), (*path, word))]
    near = None if path else find_misspelt(word, [command[-1] for command in tree], _TREE_CUTOFF)
    return [command for command in tree if command[-1] == near]


def find_misspelt(word: str, choices: Iterable[str], cutoff: float) -> str | None:
    """Return the choice of which `word` is the beginning, the end of a longer one, or a misspelling of a letter or two."""
    choices = list(choices)
    for text in choices:
        is_longer = len(word) >= _SHORTEST - 1 and (text.startswith(word) or word.startswith(f"{text}-"))
        if sorted(text) == sorted(word) or is_longer:
            return text
    return nearest(word, [text for text in choices if text[0] == word[0] and abs(len(text) - len(word)) <= 1], cutoff)


def _permute(words: Sequence[str]) -> list[str]:
    return [" ".join(order) for order in permutations(words)] if 1 < len(words) <= 3 else []


def _read(words: Path, typed: Path) -> Path:
    """Return the command that `words` are another spelling of, with its options; raises UsageError where they have a hint."""
    text = " ".join(words)
    if text in HINTS:
        raise UsageError(format_hint(text, " ".join(typed)))
    return tuple(replace_aliases(words))
