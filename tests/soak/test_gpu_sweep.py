"""The whole sweep of the GPU's benchmark at a tiny size, by the command line of `arena sweep run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.gpu_sweep import main


def test_a_whole_sweep_of_eight_studies_is_measured_and_not_trained_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    words = ["whole", "--tiny", "--folder", str(tmp_path / "folder"), "--out", str(tmp_path / "whole.md")]
    for _ in range(2):
        main(words)
        text = (tmp_path / "whole.md").read_text(encoding="utf-8")
        assert "| epochs | 16 of 16 in " in text
        assert "| trials finished | 16 |" in text
    record_property("trials", 16)
