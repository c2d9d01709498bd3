"""Markdown of the host as HTML that is safe on a page of teams: no HTML of its own, no pictures, no script in a link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_FIRST_LEVEL = 3  # level of headings: a page's own are above
_LAST_LEVEL = 6


@lru_cache(maxsize=64)
def render_markdown(text: str) -> Markup:
    """Return CommonMark with tables as HTML; headings begin at the third level, links leave without a referrer."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in _walk(tokens):
        if token.type in ("heading_open", "heading_close"):
            level = min(_LAST_LEVEL, int(token.tag[1]) + _FIRST_LEVEL - 1)
            token.tag = f"h{level}"
        elif token.type == "link_open":
            token.attrSet("rel", "noreferrer nofollow")
    return Markup(parser.renderer.render(tokens, parser.options, {}))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": False}).enable("table").disable("image")


def _walk(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or ())
