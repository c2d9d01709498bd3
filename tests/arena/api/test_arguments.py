"""Settings as keywords, and names that are loaded on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import arena
from arena.api.arguments import format_settings
from support.paths import ROOT

SECTIONS = ("split", "augment", "model", "train")


def test_a_keyword_is_the_last_part_of_a_key_or_section_and_part() -> None:
    settings = {"epochs": 8, "learning_rate": 3e-3, "split_seed": 1, "test_speakers": ["ann", "bob"], "model.depth": 3}
    expected = ["train.epochs=8", "train.learning_rate=0.003", "split.seed=1", "split.test_speakers=ann,bob", "model.depth=3"]
    assert format_settings(settings, SECTIONS) == expected
    assert format_settings({"lr": 0.1}, SECTIONS) == ["train.learning_rate=0.1"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("seed", "'seed' could be split.seed or train.seed; write split_seed=.. or train_seed=.."),
        ("epoch", "unknown setting 'epoch'; did you mean train.epochs?"),
        ("size", "unknown setting 'size'; that is set by: arena data prepare CORPUS tiles.size"),
    ],
)
def test_a_keyword_that_is_no_key_or_two_is_refused(name: str, line: str) -> None:
    with pytest.raises(arena.Error) as error:
        format_settings({name: 1}, SECTIONS)
    assert str(error.value) == line


def test_importing_is_light_and_every_name_is_there() -> None:
    heavy = ("torch", "pandas", "numpy", "matplotlib", "typer", "cnn.config")
    program = f"import sys, arena; print([n for n in {heavy} if n in sys.modules], set(arena.__all__) - set(dir(arena)))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed == "[] set()\n"
    assert [name for name in arena.__all__ if not getattr(arena, name).__doc__] == []
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = arena.trian  # type: ignore[attr-defined]


def test_every_package_says_that_it_is_typed() -> None:
    for package in ("arena", "cnn", "sweeps", "leaderboard", "reports"):
        assert Path(ROOT / package / "py.typed").is_file()
