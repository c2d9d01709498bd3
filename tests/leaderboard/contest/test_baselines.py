"""Baselines of the host: shown in the order of scores, out of rank, bonus, letters and the teams that could be first."""

from __future__ import annotations

import re
from pathlib import Path

from leaderboard.pages.publish import publish
from support.contests import NOW, made, run, send, solution


def test_a_baseline_stands_by_its_score_and_out_of_rank(tmp_path: Path) -> None:
    where = str(tmp_path / "c.db")
    with made(where, solution(n_speakers=10), "Alpha", "Beta") as contest:
        assert run(where, "team", "add", "MFCC", "--baseline") == (0, "MFCC is a baseline of Digits\n")
        for minute, (team, wrong) in enumerate((("Alpha", [0, 1]), ("MFCC", []), ("Beta", range(9)))):
            send(contest, team, *wrong, minute=minute)
        lines = contest.board().lines
        assert [(line.team, line.rank, line.rank_low, line.letters, line.could_be_first) for line in lines] == [
            ("MFCC", None, None, "", False),
            ("Alpha", 1, 1, lines[1].letters, True),
            ("Beta", 2, lines[2].rank_low, lines[2].letters, lines[2].could_be_first),
        ]
        assert lines[1].letters
        assert "MFCC" not in contest.board().sentence
        assert send(contest, "MFCC", 3, minute=5).rank is None
        publish(contest, tmp_path / "out", NOW)
    page, spanish = ((tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("index.html", "index.es.html"))
    assert re.findall(r'<td class="n">(?:<span class="tag soft">)?(\w+)', page)[:1] == ["baseline"]
    assert '<span class="tag soft">referencia</span>' in spanish
    assert "MFCC" not in re.findall(r"<h1>(.*?)</h1>", page)[0]
    assert (tmp_path / "out" / "standings.csv").read_text(encoding="utf-8").splitlines()[1].startswith("baseline,,,,MFCC,")
    assert re.search(r"baseline +MFCC", run(where, "standings")[1])


def test_a_board_of_baselines_alone_has_no_leader(tmp_path: Path) -> None:
    with made(str(tmp_path / "c.db"), solution()) as contest:
        contest.add_team("MFCC", NOW, is_baseline=True)
        send(contest, "MFCC", 1)
        assert contest.board().sentence == "No team has an attempt yet."
        assert [line.rank for line in contest.board().lines] == [None]
