"""Documents name files that are there."""

from __future__ import annotations

import re

import pytest

from support.paths import ROOT

FOLDERS = ("arena", "benchmarks", "cnn", "docs", "leaderboard", "reports", "sweeps", "tests")
_PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`")


PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if not {"_build", "generated"} & set(path.parts)]


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md", *(str(path.relative_to(ROOT)) for path in PAGES)])
def test_every_path_of_a_document_is_there(name: str) -> None:
    named = set(_PATH.findall((ROOT / name).read_text(encoding="utf-8")))
    assert {path for path in named if not any(ROOT.glob(path))} == set()
    assert named or name != "CONTRIBUTING.md"
