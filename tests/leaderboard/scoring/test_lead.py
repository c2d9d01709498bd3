"""The sentence on who is really first."""

from __future__ import annotations

import dataclasses

import pytest

from leaderboard.scoring.lead import describe_lead
from leaderboard.standings import Evidence, Standing
from support.report_facts import make_contest_facts

TWENTY = Evidence(unit="speakers", n_units=20, n_speakers=20)
LINE = make_contest_facts().standings[0]


def board(*lines: tuple[str, float, bool]) -> list[Standing]:
    return [
        dataclasses.replace(LINE, shown_as=name, score=score, rank_low=1 if could else 2, could_be_first=could)
        for name, score, could in lines
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "No team has an attempt yet."),
        ([("Alpha", 0.9, True)], "Alpha is the only team with an attempt."),
        (
            [("Alpha", 0.9, True), ("Beta", 0.85, False)],
            "Alpha is first: its lead of 0.050 over Beta is more than chance explains (95 %, over 20 speakers).",
        ),
        (
            [("Alpha", 0.9, True), ("Beta", 0.89, True), ("Gamma", 0.5, False)],
            "Alpha and Beta cannot be told apart: with other speakers any of them could be first.",
        ),
        ([("Alpha", 0.9, True), ("Beta", 0.9, True)], "Alpha and Beta share the first place with the same score."),
        (
            [(f"T{n}", 0.9 - n / 1000, True) for n in range(9)],
            "T0, T1, T2, T3, T4 and 4 more cannot be told apart: with other speakers any of them could be first.",
        ),
        (
            [("Alpha", 0.9, True), ("Beta", 0.89, False), ("Gamma", 0.88, True)],
            "Alpha and Gamma cannot be told apart: with other speakers any of them could be first.",
        ),
    ],
)
def test_a_sentence_says_who_is_really_first(lines: list[tuple[str, float, bool]], expected: str) -> None:
    assert describe_lead(board(*lines), TWENTY) == expected


@pytest.mark.parametrize(
    ("evidence", "few"),
    [
        (Evidence(unit="speakers", n_units=8, n_speakers=8), "8 speakers"),
        (Evidence(unit="clips", n_units=500, n_speakers=3), "3 speakers"),
        (Evidence(unit="clips", n_units=9, n_speakers=0), "9 rows"),
    ],
)
def test_few_speakers_name_no_single_leader_and_the_sentence_says_why(evidence: Evidence, few: str) -> None:
    lines = board(("Alpha", 0.9, True), ("Beta", 0.5, True))
    expected = f"Alpha and Beta could be first: {few} are too few to name one team, which takes 10."
    assert describe_lead(lines, evidence) == expected
