"""The documentation site: `make docs` builds it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from importlib.metadata import version as read_version  # noqa: E402

from generators import write_reference  # noqa: E402
from generators.links import ReferenceLinks, adapt_links  # noqa: E402

project = "Arena"
version = release = read_version("arena-spoken-digits")
copyright = "the authors of Arena; MIT licence"

extensions = ["myst_parser"]
exclude_patterns = ["_build", "generators"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!arena\.).*")]  # types of other libraries
myst_enable_extensions = ["colon_fence", "fieldlist"]
myst_heading_anchors = 4
toc_object_entries = False
highlight_language = "none"
smartquotes = False  # --all stays --all

html_theme = "furo"
html_title = "Arena"
html_static_path = ["_static"]
html_css_files = ["arena.css"]
html_js_files = ["arena.js"]
html_copy_source = False
html_show_sphinx = False


def describe_page(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give screen readers the language of the page, and the level of the sidebar's captions that Furo leaves out."""
    context["language"] = "es" if page == "tutorial/estudiante" else "en"
    context["furo_navigation_tree"] = context["furo_navigation_tree"].replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Any) -> None:
    """Write the generated reference before the pages are read, and link every page to it."""
    app.add_object_type("setting", "setting", objname="key of a training")
    app.add_object_type("project-key", "project-key", objname="key of arena.toml")
    app.add_transform(ReferenceLinks)
    app.connect("source-read", adapt_links)
    app.connect("html-page-context", describe_page, priority=900)  # after Furo's own
    write_reference(DOCS / "reference" / "generated")
