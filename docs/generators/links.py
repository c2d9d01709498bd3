"""Links from a command, a key or a Python name in the text of any page to its place in the reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform

from arena.base.project import KEYS
from cnn.keys import find_keys, keys
from generators import commands, python

REPOSITORY_PAGES = {"CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}  # files beside docs that are pages too
_COMMAND = re.compile(r"arena(?: [a-z-]+)*")


class ReferenceLinks(SphinxTransform):
    """Make a link of the first `arena train`, `train.epochs` or `arena.train()` of each section."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        linked: set[tuple[int, str]] = set()
        for literal in list(self.document.findall(nodes.literal)):
            parents = _list_parents(literal)
            section = next((node for node in parents if isinstance(node, nodes.section)), self.document)
            target = find_target(literal.astext())
            is_linked = any(isinstance(node, nodes.reference | pending_xref | nodes.title) for node in parents)
            if target is None or is_linked or (id(section), target.name) in linked:
                continue
            linked.add((id(section), target.name))
            link = self._build_link(target)
            literal.replace_self(link)
            link += literal

    def _build_link(self, target: Target) -> nodes.Element:
        if target.page:
            address = self.app.builder.get_relative_uri(self.env.docname, target.page)
            return nodes.reference("", "", internal=True, refuri=f"{address}#{target.name}")
        options = {"refdomain": target.domain, "reftype": target.role, "reftarget": target.name, "refdoc": self.env.docname}
        return pending_xref("", **options, refexplicit=True, refwarn=True)


def adapt_links(app: Any, page: str, source: list[str]) -> None:
    """Lead links to files outside of docs/ to their pages; where there is none, leave the words alone."""

    def replace(match: re.Match[str]) -> str:
        text, name, anchor = match.groups()
        return f"[{text}](/reference/generated/{REPOSITORY_PAGES[name]}.md{anchor})" if name in REPOSITORY_PAGES else text

    up = re.escape("../" * (page.count("/") + 1))
    source[0] = re.sub(rf"\[([^\]]+)\]\({up}([^)#]+)((?:#[^)]*)?)\)", replace, source[0])


@dataclass(frozen=True, slots=True)
class Target:
    """A place in the reference: an object of Sphinx, or an anchor of a page."""

    name: str
    domain: str = "std"
    role: str = ""
    page: str = ""


def find_target(text: str) -> Target | None:
    """Return the place of a text in code; None where it is no command, key or name."""
    name, equals, _ = text.partition("=")
    matches = find_keys(name, keys()) if equals or "." in name else []
    if len(matches) == 1:
        return Target(matches[0], role="setting")
    if text in KEYS:
        return Target(text, role="project-key")
    if (name := text.partition("(")[0].removeprefix("arena.")) in python.list_names() and text.startswith("arena."):
        return Target(f"arena.{name}", "py", "obj")
    words = (match[0] if (match := _COMMAND.match(text)) else "").split()
    for n_words in range(len(words), 1, -1):
        name = " ".join(words[:n_words])
        command = commands.list_commands().get(name)
        if command is not None and (n_words == 2 or commands.is_runnable(command)):
            return Target(commands.anchor(name), page=f"reference/generated/commands/{commands.choose_page(name)}")
    return None


def _list_parents(node: nodes.Node) -> list[nodes.Node]:
    parents = []
    while node.parent is not None:
        node = node.parent
        parents.append(node)
    return parents
