"""YAML text as plain values with line numbers for error messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import yaml

from sweeps.errors import SweepFileError

_MAX_NODES = 10_000  # aliases of aliases can unfold a few lines into gigabytes
_MAX_DEPTH = 50
_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A value and its line, from 1; for an entry of a mapping, the line of its key."""

    value: object  # str, int, float, bool, None, a list of nodes or a dict of nodes
    line: int


def read_tree(text: str, file: str) -> Node | None:
    """Read the only document in `text`; None where there is none.

    Raises:
        SweepFileError: it is no valid YAML, or has constructs that a sweep file cannot.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return None if node is None else _Builder(loader, file).build(node, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        raise SweepFileError(_one_line(problem), file=file, line=mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = chr(error.character) if isinstance(error.character, int) else error.character
        message = f"character {character!r} is not allowed in YAML; remove it"
        raise SweepFileError(message, file=file, line=line) from error
    except RecursionError as error:
        raise SweepFileError("nested too deeply; a sweep file needs about four levels", file=file) from error


def _one_line(problem: str) -> str:
    return f"not valid YAML: {' '.join(problem.split())}; check indentation, colons and brackets around this line"


class _Builder:
    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self._loader = loader
        self._file = file
        self._n_left = _MAX_NODES

    def build(self, node: yaml.Node, depth: int) -> Node:
        self._n_left -= 1
        if self._n_left < 0 or depth > _MAX_DEPTH:
            self._fail(node, "too large or nested too deeply for a sweep file; remove aliases (&, *) and levels")
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return Node(value=self._scalar(node), line=line)
        if node.tag not in _TAGS:
            self._fail(node, f"tag {node.tag!r} has no place in a sweep file; remove it")
        if isinstance(node, yaml.SequenceNode):
            return Node(value=[self.build(item, depth + 1) for item in node.value], line=line)
        assert isinstance(node, yaml.MappingNode)
        return Node(value=self._mapping(node, depth), line=line)

    def _scalar(self, node: yaml.ScalarNode) -> object:
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError, KeyError):  # such as !!int abc, or a number of 5,000 digits
            self._fail(node, f"{node.value[:40]!r} cannot be read as a value; write it plainly")
        if value is not None and not isinstance(value, str | int | float):
            self._fail(node, f"{node.value!r} is read as a {type(value).__name__}; put it in quotes if it is text")
        return value

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        keys: set[object] = set()
        for key_node, _ in node.value:
            if key_node.value in keys and isinstance(key_node, yaml.ScalarNode):
                self._fail(key_node, f"{key_node.value!r} stands here a second time; keep one of them")
            if isinstance(key_node, yaml.ScalarNode):
                keys.add(key_node.value)
        self._loader.flatten_mapping(node)  # `<<` merges
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self._fail(key_node, "a key must be text, such as method or train.learning_rate; put it in quotes")
            entries[key] = Node(value=self.build(value_node, depth + 1).value, line=key_node.start_mark.line + 1)
        return entries

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise SweepFileError(message, file=self._file, line=node.start_mark.line + 1)
