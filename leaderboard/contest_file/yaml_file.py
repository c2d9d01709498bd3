"""YAML text as entries with their lines: two levels of keys, scalars as they are written."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from arena.base.suggest import did_you_mean
from leaderboard.contest_file.keys import KEYS, N_ATTEMPTS_RULE, PAGES
from leaderboard.files.csv_table import Problems

_NULL = "tag:yaml.org,2002:null"
_TOP = (*dict.fromkeys(key.split(".")[0] for key in KEYS),)
_PAGES = tuple(key.removeprefix(PAGES) for key in KEYS if key.startswith(PAGES))


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlEntry:
    """The value of a key, and the line of the key from 1."""

    line: int
    node: yaml.Node

    @property
    def is_empty(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and (self.node.tag == _NULL or not self.node.value.strip())

    @property
    def text(self) -> str | None:
        """Return a scalar as it is written; None for a list or a mapping."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else None


def read_entries(text: str, problems: Problems) -> dict[str, YamlEntry]:
    """Return the entries by key, `pages.rules` for one below `pages`; unknown and repeated keys are reported.

    Raises:
        FileError: the text is no YAML, or no mapping.
    """
    node = _compose(text, problems)
    if not isinstance(node, yaml.MappingNode):
        problems.fail(
            1, "a contest's file has lines of `key: value`; `arena contest config --example` prints one to start from"
        )
    entries: dict[str, YamlEntry] = {}
    for key, entry in _list_entries(node, problems, _TOP):
        if key != "pages":
            entries[key] = entry
        elif isinstance(entry.node, yaml.MappingNode):
            entries |= {PAGES + name: inner for name, inner in _list_entries(entry.node, problems, _PAGES)}
        elif not entry.is_empty:
            problems.add(entry.line, f"key 'pages' has lines of `key: value` below it: {', '.join(_PAGES)}; write one of these")
    return entries


def _compose(text: str, problems: Problems) -> yaml.Node | None:
    try:
        return yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join((error.problem or error.context or "cannot be read").split())
        problems.fail(
            mark.line + 1 if mark else None, f"not valid YAML: {problem}; check indentation, colons and quotes around this line"
        )
    except (yaml.YAMLError, RecursionError):
        problems.fail(None, "not valid YAML; write it as plain text in UTF-8")


def _list_entries(node: yaml.MappingNode, problems: Problems, known: tuple[str, ...]) -> list[tuple[str, YamlEntry]]:
    entries: dict[str, YamlEntry] = {}
    for key_node, value in node.value:
        line, key = key_node.start_mark.line + 1, str(key_node.value)
        if key == "attempts":
            problems.add(line, f"key 'attempts': {N_ATTEMPTS_RULE}; delete the line")
        elif key not in known:
            problems.add(line, f"key {key[:40]!r} is unknown{did_you_mean(key, known)}")
        elif key in entries:
            problems.add(line, f"key {key!r} stands in line {entries[key].line} already; keep one of the two")
        else:
            entries[key] = YamlEntry(line=line, node=value)
    return list(entries.items())
