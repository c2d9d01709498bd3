"""The documentation site: `make docs` builds it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from importlib.metadata import version as read_version  # noqa: E402

from generators import write_reference  # noqa: E402
from generators.links import ReferenceLinks  # noqa: E402

project = "Arena"
version = release = read_version("arena-spoken-digits")
copyright = "the authors of Arena; MIT licence"

extensions = ["myst_parser"]
exclude_patterns = ["_build", "generators"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!arena\.).*")]  # types of other libraries
suppress_warnings = ["myst.strikethrough"]
myst_enable_extensions = ["colon_fence", "fieldlist"]
myst_heading_anchors = 4
toc_object_entries = False

html_theme = "furo"
html_title = "Arena"
html_static_path = ["_static"]
html_css_files = ["arena.css"]
html_favicon = "_static/arena.svg"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0a6b5a",
        "color-brand-content": "#0a6b5a",
        "color-background-primary": "#fcfcfa",
        "color-background-border": "#e3e1db",
        "color-foreground-primary": "#1d1d1b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#63c9b4",
        "color-brand-content": "#63c9b4",
        "color-background-primary": "#171716",
        "color-background-border": "#34332f",
        "color-foreground-primary": "#e9e7e1",
    },
}


def setup(app: Any) -> None:
    """Write the generated reference before the pages are read, and link every page to it."""
    app.add_object_type("setting", "setting", objname="key of a training")
    app.add_object_type("project-key", "project-key", objname="key of arena.toml")
    app.add_transform(ReferenceLinks)
    write_reference(DOCS / "reference" / "generated")
