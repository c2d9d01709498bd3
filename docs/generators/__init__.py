"""Reference pages made from Arena itself when the site is built, and links to them from every other page."""

from __future__ import annotations

from pathlib import Path

from generators import commands, keys, python
from generators.links import REPOSITORY_PAGES


def write_reference(folder: Path) -> None:
    """Write the generated pages that changed, and remove those that are no more."""
    pages = {
        **{f"commands/{name}.md": text for name, text in commands.write_pages().items()},
        "settings.md": keys.write_settings(),
        "sweep-file.md": keys.write_sweep_fields(),
        "project.md": keys.write_project_keys(),
        "python.md": python.write_page(),
    }
    root = Path(__file__).parents[2]
    for name, page in REPOSITORY_PAGES.items():
        pages[f"{page}.md"] = (root / name).read_text(encoding="utf-8").replace("](docs/", "](/")
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
