"""YAML text as plain values with their lines, for messages, and their places in the text, for edits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from cnn.yaml_scalars import explain_misreading
from sweeps.sweepfile.faults import Edit, Faults, Unreadable

_MAX_NODES = 10_000  # aliases of aliases can unfold a few lines into gigabytes
_MAX_DEPTH = 50
_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_TABS = re.compile(r"^[ \t]*\t[ \t]*(?=\S)", re.MULTILINE)
# 0,001 and 10,000 in a list, or 0,5 beside commas with a space
_DECIMAL_COMMA = re.compile(r"(?<![\d.])(\d,0\d|\d{1,3},000\b|\d,\d.*, )|, (.*[^\d.])?\d,\d")
_TAB_WIDTH = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A value and its line, from 1; for an entry of a mapping, the line of its key."""

    value: object  # str, int, float, bool, None, a list of nodes or a dict of nodes
    line: int
    span: tuple[int, int] = field(compare=False, default=(0, 0))  # the value's first character, and the one behind its last
    key: tuple[int, int] = field(compare=False, default=(0, 0))  # the same of the key
    is_flow: bool = False  # written in brackets or braces
    is_broken: bool = False  # holds a value that cannot be read


def read_tree(text: str, faults: Faults) -> Node | None:
    """Read the only document in `text`; None where there is none.

    Raises:
        Unreadable: it is no valid YAML, or has constructs that a sweep file cannot; the fault is reported.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return None if node is None else _Builder(loader, text, faults).build(node, 0)
    except yaml.MarkedYAMLError as error:
        _refuse_syntax(text, error, faults)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = chr(error.character) if isinstance(error.character, int) else error.character
        edits = [Edit(error.position, error.position + 1, "")] if text[error.position : error.position + 1] == character else []
        faults.fail(f"character {character!r} is not allowed in YAML; remove it", line, edits)
    except RecursionError:
        faults.fail("nested too deeply; a sweep file needs about four levels", None)


def _refuse_syntax(text: str, error: yaml.MarkedYAMLError, faults: Faults) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    if "another document" in (error.problem or ""):
        faults.fail("a second document begins here, and a file holds one sweep; put it into a file of its own", line)
    problem = " ".join((error.problem or error.context or "cannot be read").split())
    if "'\\t'" in problem and (edits := _spell_out_tabs(text)):
        faults.fail("a tab indents this line, and YAML takes spaces alone; write two spaces for each tab", line, edits)
    faults.fail(f"not valid YAML: {problem}; check indentation, colons and brackets around this line", line)


def _spell_out_tabs(text: str) -> list[Edit]:
    """Return the edits that write spaces for the tabs that indent lines; none where that would not be valid YAML either."""
    edits = [Edit(*match.span(), match[0].replace("\t", " " * _TAB_WIDTH)) for match in _TABS.finditer(text)]
    try:
        yaml.compose(_TABS.sub(lambda match: match[0].replace("\t", " " * _TAB_WIDTH), text), yaml.SafeLoader)
    except yaml.YAMLError:
        return []
    return edits


class _Builder:
    def __init__(self, loader: yaml.SafeLoader, text: str, faults: Faults) -> None:
        self._loader = loader
        self._text = text
        self._faults = faults
        self._n_left = _MAX_NODES

    def build(self, node: yaml.Node, depth: int) -> Node:
        self._n_left -= 1
        if self._n_left < 0 or depth > _MAX_DEPTH:
            self._fail(node, "too large or nested too deeply for a sweep file; remove aliases (&, *) and levels")
        line, start = node.start_mark.line + 1, node.start_mark.index
        span = (start, start + len(self._text[start : node.end_mark.index].rstrip()))  # a block ends before its line break
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line, span)
        if node.tag not in _TAGS:
            self._fail(node, f"tag {node.tag!r} has no place in a sweep file; remove it")
        if isinstance(node, yaml.SequenceNode):
            if self._refuse_commas(node, span):
                return Node(
                    value=[Node(value="", line=line, is_broken=True)], line=line, span=span, is_flow=True, is_broken=True
                )
            items = [self.build(item, depth + 1) for item in node.value]
            is_broken = any(item.is_broken for item in items)
            return Node(value=items, line=line, span=span, is_flow=bool(node.flow_style), is_broken=is_broken)
        assert isinstance(node, yaml.MappingNode)
        entries = self._mapping(node, depth)
        is_broken = any(entry.is_broken for entry in entries.values())
        return Node(value=entries, line=line, span=span, is_flow=bool(node.flow_style), is_broken=is_broken)

    def _refuse_commas(self, node: yaml.SequenceNode, span: tuple[int, int]) -> bool:
        """Report a list whose commas may be decimal ones, and return whether it is such a list."""
        text = " ".join(self._text[slice(*span)].split())
        is_plain = all(isinstance(item, yaml.ScalarNode) and "," not in item.value for item in node.value)
        if not (node.flow_style and is_plain and _DECIMAL_COMMA.search(text)):
            return False
        rule = f"{text[:60]} is read as {len(node.value)} values, since each comma ends one"
        fix = "write a decimal with a point, such as 0.001, and a space behind each comma"
        self._faults.add(f"{rule}; {fix}", node.start_mark.line + 1)
        return True

    def _scalar(self, node: yaml.ScalarNode, line: int, span: tuple[int, int]) -> Node:
        try:
            value, is_broken = self._construct(node)
        except Unreadable:
            value, is_broken = node.value, True
        return Node(value=value, line=line, span=span, is_broken=is_broken)

    def _construct(self, node: yaml.ScalarNode) -> tuple[object, bool]:
        """Return the value, as it looks, and whether no more is to be said of it."""
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError, KeyError):  # such as !!int abc, or a number of 5,000 digits
            self._fail(node, f"{node.value[:40]!r} cannot be read as a value; write it plainly")
        if value is not None and not isinstance(value, str | int | float):
            self._fail(node, f"{node.value!r} is read as a {type(value).__name__}; put it in quotes if it is text")
        misreading = explain_misreading(node.tag, node.value, value)
        if misreading is None:
            return value, False
        edits = [Edit(node.start_mark.index, node.end_mark.index, misreading.better)] if misreading.better else []
        self._faults.add(misreading.message, node.start_mark.line + 1, edits)
        return (int(misreading.better), False) if misreading.better else (value, True)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        self._refuse_repetition(node)
        self._loader.flatten_mapping(node)  # `<<` merges
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = self._construct(key_node)[0] if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                is_decimal = bool(node.flow_style) and isinstance(key, int | float)
                fix = "write a decimal with a point, 0.1 and not 0,1" if is_decimal else "put it in quotes"
                self._fail(key_node, f"a key must be text, such as method or train.learning_rate; {fix}")
            value = self.build(value_node, depth + 1)
            entries[key] = Node(
                value=value.value,
                line=key_node.start_mark.line + 1,
                span=value.span,
                key=(key_node.start_mark.index, key_node.end_mark.index),
                is_flow=value.is_flow,
                is_broken=value.is_broken,
            )
        return entries

    def _refuse_repetition(self, node: yaml.MappingNode) -> None:
        keys: set[object] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in keys:
                    message = f"{key_node.value!r} stands here a second time; keep one of them"
                    self._faults.add(message, key_node.start_mark.line + 1)
                keys.add(key_node.value)

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        self._faults.fail(message, node.start_mark.line + 1)
