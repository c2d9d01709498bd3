"""Reference of `import arena`, from signatures and docstrings."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

import arena

_SECTION = re.compile(r"^(Args|Raises):$", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+(?:, \w+)*): ", re.MULTILINE)


@functools.cache
def list_names() -> list[str]:
    """Return every public name: `train`, `Run`, `Run.plot_curves`."""
    names = []
    for name in arena.__all__:
        names.append(name)
        if inspect.isclass(value := getattr(arena, name)):
            names += [f"{name}.{member}" for member in _list_members(value)]
    return names


def write_page() -> str:
    """Return the page of all public functions and classes."""
    lines = [
        "# Python",
        "",
        "`import arena` has these names and no others. A `Location` is a text or a path, a `Setting` a number, a text or "
        "several texts. Settings are [keys of a training](settings.md), with their section where two end alike: "
        "`learning_rate=0.003`, `train_seed=1`. What a user can mend is raised as `arena.Error`, with one line.",
        "",
    ]
    functions = [name for name in arena.__all__ if inspect.isfunction(getattr(arena, name))]
    classes = [name for name in arena.__all__ if name not in functions]
    for title, names in (("Functions", functions), ("Classes", classes)):
        lines += [f"## {title}", ""]
        for name in names:
            lines += [f"### {name}", "", *_write_object(name, getattr(arena, name))]
    return "\n".join(lines)


def _list_members(value: type) -> list[str]:
    return [] if issubclass(value, BaseException) else [name for name in vars(value) if not name.startswith("_")]


def _write_object(name: str, value: Any) -> list[str]:
    if inspect.isfunction(value):
        return [f"::::{{py:function}} arena.{name}{_format_signature(value)}", _format_docstring(value), "::::", ""]
    kind = "exception" if issubclass(value, BaseException) else "class"
    is_made_by_users = "__init__" in vars(value) and bool(value.__init__.__doc__)
    signature = _format_signature(value) if is_made_by_users else ""
    members = [line for member in _list_members(value) for line in _write_member(member, value)]
    return [f"::::{{py:{kind}}} arena.{name}{signature}", _format_docstring(value), "", *members, "::::", ""]


def _write_member(name: str, owner: type) -> list[str]:
    member = vars(owner)[name]
    if inspect.isfunction(member):
        return [f":::{{py:method}} {name}{_format_signature(member, is_method=True)}", _format_docstring(member), ":::", ""]
    if inspect.ismemberdescriptor(member):  # a field of a dataclass
        kind, text = owner.__annotations__[name], ""
    else:
        getter = getattr(member, "fget", None) or member.func
        kind, text = getter.__annotations__["return"], _format_docstring(member)
    return [f":::{{py:attribute}} {name}", f":type: {kind}", "", text, ":::", ""]


class _Annotation:
    """An annotation that is written in a signature without the quotes of a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _format_signature(value: Any, *, is_method: bool = False) -> str:
    signature = inspect.signature(value)
    parameters = list(signature.parameters.values())[is_method:]
    plain = [parameter.replace(annotation=_Annotation(parameter.annotation)) for parameter in parameters]
    result = _Annotation(signature.return_annotation) if inspect.isfunction(value) else signature.empty
    return str(signature.replace(parameters=plain, return_annotation=result))


def _format_docstring(value: Any) -> str:
    """Return a docstring as Markdown, with arguments and errors as a list."""
    before, *parts = _SECTION.split(inspect.getdoc(value) or "")
    lines = [before.strip(), ""]
    for section, text in zip(parts[::2], parts[1::2], strict=True):
        names = _ENTRY.split(text.strip("\n"))[1:]
        for name, words in zip(names[::2], names[1::2], strict=True):
            label = ", ".join(f"`{word}`" for word in name.split(", ")) if section == "Args" else f"Raises `arena.{name}`"
            lines += [f"- {label}: {' '.join(words.split())}"]
    return "\n".join(lines)
