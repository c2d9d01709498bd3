"""The page warns of speakers who may be one person under several names, in its own language and on its first screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.facts.base import NoteKind
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.report_facts import SPLIT, make_config, write_run, write_tiles

APART = (
    " This split puts some of them into different parts: if they are one person, the voice that is tested is heard in training,"
    " and the scores are too good."
)
ALIKE = "Speakers who sound like one person: {}."


def warn(folder: Path, kind: str = "speaker", lang: str = "en", **doubts: Any) -> tuple[list[str], str]:
    """Return the warnings of a page on one training, tested on theo and yweweler, and the page."""
    run = write_run(folder / "runs", "a" * 16, make_config("lenet5", "raw", split={**SPLIT, "kind": kind}))
    write_tiles(folder / "tiles", run.config(), ["0_theo_0"], **doubts)
    facts = gather_facts(Sources(runs=folder / "runs", tiles=folder / "tiles", lang=lang))
    return [note.text for note in facts.notes if note.kind is NoteKind.WARNING], render_report(facts).decode()


@pytest.mark.parametrize(
    ("kind", "doubts", "text"),
    [
        ("speaker", {"alike": [["george", "theo"]]}, ALIKE.format("george and theo") + APART),
        ("speaker", {"alike": [["theo", "yweweler"]]}, ALIKE.format("theo and yweweler")),
        ("random", {"alike": [["george", "theo"]]}, ALIKE.format("george and theo")),
        (
            "speaker",
            {"alike": [[name + "1", name + "2"] for name in "abcde"]},
            ALIKE.format("a1 and a2; b1 and b2; c1 and c2; 2 more groups"),
        ),
        (
            "speaker",
            {"single_digit": ["theo"], "n_speakers": 6, "namesakes": [[f"ana-{n}" for n in range(6)]]},
            "1 of 6 speakers says one digit alone (theo): probably one person under several names. "
            "Names that may be of one person: ana-0, ana-1, ana-2, ana-3 and 2 more." + APART,
        ),
    ],
)
def test_doubtful_speakers_are_warned_of(kind: str, doubts: dict[str, Any], text: str, tmp_path: Path) -> None:
    warnings, page = warn(tmp_path, kind, **doubts)
    assert warnings == [text]
    assert f"<strong>Warning.</strong> {text}" in page


def test_the_warning_is_in_the_language_of_the_page(tmp_path: Path) -> None:
    _, page = warn(tmp_path, lang="es", alike=[["george", "theo"]])
    assert "<strong>Aviso.</strong> Hablantes que suenan como una misma persona: george y theo. Esta partición pone" in page


def test_without_doubts_nothing_is_said(tmp_path: Path) -> None:
    assert warn(tmp_path)[0] == []
