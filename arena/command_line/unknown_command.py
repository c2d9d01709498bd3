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
_SHORTEST, _LONG = 4, 8  # letters of a word whose misspelling is recognized, and of one that may have two faults

Path = tuple[str, ...]


def explain_command(tree: Sequence[Path], path: Path, words: Sequence[str]) -> UsageError:
    """Return the error of a command line whose first `words` is no command of the group `path`."""
    error = f"no command {' '.join((*path, words[0]))!r}"
    if hint := _explain_shape(path, words[0]):
        return UsageError(f"{error}; did you mean: {hint}")
    typed = [word for word in words if not word.startswith("-")]
    try:
        matches = _find_matches(tree, path, typed)
    except UsageError as hint_error:  # a word of another tool, spelt otherwise
        return hint_error
    if matches:
        return UsageError(f"{error}; did you mean: {_format(matches)}")
    group, children = " ".join(("arena", *path)), [command[-1] for command in tree if command[:-1] == path]
    others = _find_elsewhere(tree, typed[0].lower()) if path and typed else []
    elsewhere = f"; elsewhere there is {_format(others)}" if others else ""
    return UsageError(f"{error}; {group} has {', '.join(children)}: `{group} --help`{elsewhere}")


def _format(commands: Sequence[Path]) -> str:
    return ", ".join(" ".join(("arena", *command)) for command in commands[:_MOST_MATCHES])


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
            is_of_path = not path or line[:1] == path[:1] or len(line) > 1
            if is_of_path and (line in tree or is_known(" ".join(line))):
                return [_read(line, (*path, word))]
    if not path and (matches := _find_elsewhere(tree, word)):
        return matches
    return _find_similar(tree, path, word)


def _find_elsewhere(tree: Sequence[Path], word: str) -> list[Path]:
    """Return the commands of any group that are called `word`; else those for which it is an alias."""
    aliases = dict.fromkeys(line for text, line in ALIASES.items() if text.split()[1:] == [word])
    return [command for command in tree if command[-1] == word] or [tuple(line.split()) for line in aliases]


def _find_similar(tree: Sequence[Path], path: Path, word: str) -> list[Path]:
    prefix = "".join(f"{name} " for name in path)
    siblings = [command[-1] for command in tree if command[:-1] == path]
    aliases, hints = ([text.removeprefix(prefix) for text in table if text.startswith(prefix)] for table in (ALIASES, HINTS))
    near = find_misspelt(word, siblings) or find_beginning(word, [*siblings, *aliases])
    if near := near or find_misspelt(word, (text for text in (*aliases, *hints) if len(text) > _SHORTEST)):
        return [(*path, near) if near in siblings else _read((*path, *near.split()), (*path, word))]
    near = None if path else find_misspelt(word, [command[-1] for command in tree])
    return [command for command in tree if command[-1] == near]


def find_beginning(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that begins with `word`, or with which a longer word begins, such as `resume-all`."""
    is_long = len(word) >= _SHORTEST
    return next((text for text in choices if is_long and (text.startswith(word) or word.startswith(f"{text}-"))), None)


def find_misspelt(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice of which `word` is a misspelling: one letter is wrong, or two exchanged; in long words two are."""
    most = 1 if len(word) < _LONG else 2
    near = [text for text in choices if len(word) >= _SHORTEST and _count_edits(word, text) <= most]
    return nearest(word, [text for text in near if text[0] == word[0] or sorted(text) == sorted(word)])


def _count_edits(a: str, b: str) -> int:
    """Return the letters added, left out, changed, or exchanged with the next one (optimal string alignment)."""
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other)))
            if i > 1 and j > 1 and (letter, a[i - 2]) == (b[j - 2], other):
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]


def _permute(words: Sequence[str]) -> list[str]:
    return [" ".join(order) for order in permutations(words)] if 1 < len(words) <= 3 else []


def _read(words: Path, typed: Path) -> Path:
    """Return the command that `words` are another spelling of, with its options; raises UsageError where they have a hint."""
    text = " ".join(words)
    if text in HINTS:
        raise UsageError(format_hint(text, " ".join(typed)))
    return tuple(replace_aliases(words))
