"""GraphQL without a schema: a request's root fields are called with their arguments, the answer is cut to its selection.

Dispatch is by root field, not by operation name: the client renames operations and variables between releases, fields seldom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import parse, value_from_ast_untyped
from graphql.language import ast


class GraphQLError(Exception):
    """An answer with `errors`; W&B sends most with status 200, and 404 for an agent whose sweep is gone."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


class UnknownFieldError(GraphQLError):
    """A root field that the server does not have. 400 and never 5xx, which the client would try again for hours."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the loopback server has no root field {field!r}", 400)
        self.field = field


def operation_of(document: ast.DocumentNode, name: str | None) -> ast.OperationDefinitionNode:
    """The one that is to be executed."""
    operations = [one for one in document.definitions if isinstance(one, ast.OperationDefinitionNode)]
    return next(one for one in operations if not name or (one.name and one.name.value == name))


def root_fields(text: str) -> set[str]:
    """The root fields that a document asks for."""
    document = parse(text)
    operations = [one for one in document.definitions if isinstance(one, ast.OperationDefinitionNode)]
    return {
        field.name.value for one in operations for field in one.selection_set.selections if isinstance(field, ast.FieldNode)
    }


class Execution:
    """One request: fields of `root` are methods; below them are dicts, with functions where fields take arguments."""

    def __init__(self, root: object, text: str, name: str | None, variables: Mapping[str, Any]) -> None:
        document = parse(text)
        self.operation = operation_of(document, name)
        self._fragments = {one.name.value: one for one in document.definitions if isinstance(one, ast.FragmentDefinitionNode)}
        self._variables = dict(variables)
        for one in self.operation.variable_definitions or ():
            if one.default_value is not None:
                self._variables.setdefault(one.variable.name.value, value_from_ast_untyped(one.default_value))
        self._root = root

    def run(self) -> dict[str, Any]:
        """The `data` of the answer."""
        answer: dict[str, Any] = {}
        for field in self._fields(self.operation.selection_set):
            method = getattr(self._root, field.name.value, None)
            if method is None:
                raise UnknownFieldError(field.name.value)
            answer[_key(field)] = self._cut(field, method(**self._arguments(field)))
        return answer

    def _select(self, selection: ast.SelectionSetNode, value: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for field in self._fields(selection):
            found = value.get(field.name.value)  # a field that is not modelled is null, as for a server without a value
            if callable(found):
                found = found(**self._arguments(field))
            answer[_key(field)] = self._cut(field, found)
        return answer

    def _cut(self, field: ast.FieldNode, value: Any) -> Any:
        if field.selection_set is None or value is None:
            return value
        if isinstance(value, list):
            return [self._cut(field, one) for one in value]
        return self._select(field.selection_set, value)

    def _fields(self, selection: ast.SelectionSetNode) -> Iterator[ast.FieldNode]:
        for one in selection.selections:
            if not self._is_included(one):
                continue
            if isinstance(one, ast.FieldNode):
                yield one
            elif isinstance(one, ast.FragmentSpreadNode):
                yield from self._fields(self._fragments[one.name.value].selection_set)
            else:
                assert isinstance(one, ast.InlineFragmentNode)
                yield from self._fields(one.selection_set)

    def _is_included(self, node: ast.SelectionNode) -> bool:
        for directive in node.directives or ():
            condition = bool(value_from_ast_untyped(directive.arguments[0].value, self._variables))
            if condition != (directive.name.value == "include"):
                return False
        return True

    def _arguments(self, field: ast.FieldNode) -> dict[str, Any]:
        return {one.name.value: value_from_ast_untyped(one.value, self._variables) for one in field.arguments or ()}


def _key(field: ast.FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value
