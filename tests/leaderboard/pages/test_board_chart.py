"""The chart of the board over time: its steps, what it must not link, its labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.pages.board_cache import PublicBoard, read_public_board
from leaderboard.pages.board_chart import SIZES, draw_chart
from leaderboard.pages.publish import publish
from leaderboard.pages.texts import page_words
from leaderboard.store import Contest
from support.contests import NOW, made, send, solution

EN = page_words("en")


@pytest.fixture
def contest(tmp_path: Path) -> Iterator[Contest]:
    with made(str(tmp_path / "c.db"), solution(has_usage=True), "Alpha", "Beta", "Gamma") as contest:
        yield contest


def steps(board: PublicBoard) -> dict[str, list[tuple[int, float]]]:
    """Minutes and scores of each line, by public name."""
    return {line.name: [((step.at - NOW) // timedelta(minutes=1), step.score) for step in line.steps] for line in board.lines}


def test_a_line_rises_where_the_best_score_does(contest: Contest) -> None:
    send(contest, "Alpha", 0, 1, 2, 3, minute=1)
    send(contest, "Alpha", 0, 1, 2, 3, 4, 5, minute=2)  # worse: no step
    send(contest, "Alpha", 0, 1, minute=5)
    send(contest, "Beta", 0, minute=4)
    assert steps(read_public_board(contest)) == {"Beta": [(4, 0.95)], "Alpha": [(1, 0.8), (5, 0.9)]}


def test_public_scores_are_drawn_after_the_close_too(contest: Contest) -> None:
    send(contest, "Alpha", 0, 1, minute=1)
    send(contest, "Beta", 20, 22, minute=2)
    before = steps(read_public_board(contest))
    close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    assert {name: [minute for minute, _ in line] for name, line in before.items()} == {"Beta": [2], "Alpha": [1]}
    assert steps(read_public_board(contest)) == {"Alpha": [(1, pytest.approx(0.9, abs=1e-3))], "Beta": [(2, 1.0)]}


def test_no_step_of_another_name_stands_under_the_present_one(contest: Contest) -> None:
    send(contest, "Alpha", 0, 1, 2, 3, minute=1)
    send(contest, "Beta", 0, 1, 2, minute=1)
    contest.set_pseudonym(contest.team("Alpha"), "Nightjar", NOW + timedelta(minutes=3))
    assert steps(read_public_board(contest))["Nightjar"] == []
    send(contest, "Alpha", 0, 1, minute=6)
    assert steps(read_public_board(contest))["Nightjar"] == [(6, 0.9)]
    contest.set_pseudonym(contest.team("Alpha"), None, NOW + timedelta(minutes=8))
    assert steps(read_public_board(contest))["Alpha"] == []


def test_the_chart_has_a_description_a_table_and_labels_apart(contest: Contest) -> None:
    for minute, team in enumerate(("Alpha", "Beta", "Gamma"), start=1):
        send(contest, team, *range(minute), minute=minute)
    chart = draw_chart(read_public_board(contest), EN)
    assert chart is not None
    assert chart.description == (
        "Best public macro-F1 of the first 3 teams over time: Alpha from 0.950 to 0.950; Beta from 0.900 to 0.900; "
        "Gamma from 0.850 to 0.850."
    )
    assert [(name, score) for name, _, score in chart.rows] == [("Alpha", 0.95), ("Beta", 0.9), ("Gamma", 0.85)]
    for drawing, size in zip(chart.drawings, SIZES, strict=True):
        heights = [line.label_y for line in drawing.lines]
        assert all(after - before >= 16.9 for before, after in pairwise(heights))
        assert [tick.text for tick in drawing.scores] == ["0.85", "0.9", "0.95"]
        assert drawing.right == size.width - size.right


def test_equal_ends_have_labels_one_below_the_other(contest: Contest) -> None:
    for minute, team in enumerate(("Alpha", "Beta", "Gamma"), start=1):
        send(contest, team, 0, minute=minute)
    chart = draw_chart(read_public_board(contest), EN)
    assert chart is not None
    heights = [line.label_y for line in chart.drawings[0].lines]
    assert [after - before for before, after in pairwise(heights)] == pytest.approx([17, 17])
    assert all(0 < height < chart.drawings[0].height for height in heights)


def test_one_moment_is_no_chart(contest: Contest) -> None:
    assert draw_chart(read_public_board(contest), EN) is None
    send(contest, "Alpha", 0)
    assert draw_chart(read_public_board(contest), EN) is None


def test_published_pages_have_the_chart_in_both_languages(contest: Contest, tmp_path: Path) -> None:
    send(contest, "Alpha", 0, minute=1)
    send(contest, "Beta", 1, 2, minute=2)
    publish(contest, tmp_path / "out", NOW)
    english, spanish = ((tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("index.html", "index.es.html"))
    assert english.count('role="img" aria-label="Best public macro-F1 of the first 2 teams over time') == 2
    assert "El gráfico como tabla" in spanish
    assert english.count("<script") == spanish.count("<script")
    assert "style=" not in english[english.index('class="chart"') :]
