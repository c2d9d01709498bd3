"""Templates of a team's files, and their words in each language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from arena.base.texts import Words

TEXTS = Path(__file__).parent / "texts"
TEMPLATES = Path(__file__).parent / "templates"


def list_texts(words: Words) -> dict[str, str]:
    """Return the texts as templates name them: `$nets_depth` is the text `nets.depth`."""
    return {key.replace(".", "_"): forms[0] for key, forms in words.table.items()}


def list_section(words: Words, name: str) -> dict[str, str]:
    """Return the texts of a section and those in common, without the section's name: `$title` is the text `mlp.title`."""
    sections = (words.section("common"), words.section(name))
    return {key: forms[0] for section in sections for key, forms in section.table.items()}


def fill_template(name: str, values: Mapping[str, str]) -> str:
    """Return the template of that name with `values` in it."""
    return Template((TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")).substitute(values)
