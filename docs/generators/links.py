"""Links from a command, a key or a Python name in the text of any page to its place in the reference."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform

from arena.base.project import KEYS
from cnn.overrides import keys
from generators import commands, python

_COMMAND = re.compile(r"arena(?: [a-z-]+)*")


class ReferenceLinks(SphinxTransform):
    """Make a link of the first `arena train`, `train.epochs` or `arena.train()` of each section."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        linked: set[tuple[int, str]] = set()
        for literal in list(self.document.findall(nodes.literal)):
            target = find_target(literal.astext())
            section = next((node for node in _list_parents(literal) if isinstance(node, nodes.section)), self.document)
            is_linked = any(isinstance(node, nodes.reference | pending_xref | nodes.title) for node in _list_parents(literal))
            if target is None or is_linked or (id(section), target[1]) in linked:
                continue
            linked.add((id(section), target[1]))
            role, name = target
            domain, kind = role.split(":")
            link = pending_xref("", refdomain=domain, reftype=kind, reftarget=name, refexplicit=True, refwarn=True, refdoc=self.env.docname)
            literal.replace_self(link)
            link += literal


def find_target(text: str) -> tuple[str, str] | None:
    """Return role and target of a text in code; None where it is no command, key or name."""
    if text in keys():
        return "std:setting", text
    if text in KEYS:
        return "std:project-key", text
    if (name := re.sub(r"\(.*", "", text).removeprefix("arena.")) != text and name in python.list_names():
        return "py:obj", f"arena.{name}"
    words = (match[0] if (match := _COMMAND.match(text)) else "").split()
    for n_words in range(len(words), 1, -1):
        command = " ".join(words[:n_words])
        if command in commands.list_commands() and (n_words == 2 or commands.is_runnable(commands.list_commands()[command])):
            return "std:ref", commands.anchor(command)
    return None


def _list_parents(node: nodes.Node) -> list[nodes.Node]:
    parents = []
    while node.parent is not None:
        node = node.parent
        parents.append(node)
    return parents
