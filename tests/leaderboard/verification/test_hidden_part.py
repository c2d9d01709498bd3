"""A table of answers is told from a net by recordings that nobody was given, and a contest may rank by these."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from leaderboard.actions import submit as entry
from leaderboard.actions.host import HostDecision, close_contest, reopen_contest
from leaderboard.classes.gradebook import build_winner_gradebook
from leaderboard.database.create import ContestSettings
from leaderboard.errors import ContestError
from leaderboard.files.pack_files import check_hidden, read_pack_files
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.hosts import Role
from leaderboard.pages.board_cache import format_standings_csv, read_public_board
from leaderboard.rules import RankBy
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.standings import ModelState, Part
from leaderboard.store import create_contest, open_contest
from leaderboard.verification.hidden_part import SPEAKER_SPREAD, PredictedClasses, measure_drop
from leaderboard.verification.sent_models import attach_model
from support.contests import run
from support.onnx_models import LABELS, RATE_HZ, first_samples, lookup, model_of
from support.service import host_token_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
N_CLIPS, N_SAMPLES, N_SPEAKERS = 120, 60, 6


def write_clips(folder: Path, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Recordings of noise whose first three samples say their label, and `solution.csv`."""
    random = np.random.default_rng(seed)
    labels = np.arange(N_CLIPS) % len(LABELS)
    waves = random.uniform(-0.1, 0.1, (N_CLIPS, N_SAMPLES))
    waves[:, :3] = 0
    waves[np.arange(N_CLIPS), labels] = 0.5
    folder.mkdir(parents=True)
    for number, wave in enumerate(waves):
        soundfile.write(folder / f"{name}{number}.wav", wave, RATE_HZ, subtype="PCM_16")
    return waves, labels


def write_table(path: Path, name: str, wrong: int = 0) -> bytes:
    """The true labels with speakers, or as a submission the first ones wrong."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "Group"])
        for number in range(N_CLIPS):
            writer.writerow([f"{name}{number}", LABELS[number % 3], f"s{number // 3 % N_SPEAKERS}"])
    rows = [f"{name}{number},{LABELS[(number + (number < wrong)) % 3]}" for number in range(N_CLIPS)]
    return "\n".join(["id,label", *rows]).encode()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack with a hidden part, and in models/ a net that hears the labels and a table that has learnt them by heart."""
    folder = tmp_path / "pack"
    waves, labels = write_clips(folder / "students" / "test", "given", seed=1)
    write_clips(folder / "host" / "hidden", "hidden", seed=2)
    (folder / "host" / "pack.json").write_text(f'{{"format": {{"rate_hz": {RATE_HZ}, "n_bytes": 2}}}}')
    write_table(folder / "host" / "solution.csv", "given")
    write_table(folder / "host" / "hidden" / "solution.csv", "hidden")
    (folder / "table.onnx").write_bytes(model_of(lookup(waves, labels)))
    return folder


def make_contest(place: str, pack: Path, rank_by: RankBy = RankBy.HIDDEN, *, with_models: bool = True) -> str:
    """Table's answers are all right, Net's but the first; Silent sends no model, and nobody does without `with_models`."""
    path = pack / "host" / "solution.csv"
    solution = parse_solution(path.read_bytes(), path.name)
    files = read_pack_files(path)
    settings = ContestSettings(rank_by=rank_by, hidden=files.hidden, rate_hz=files.rate_hz)
    with create_contest(place, solution=solution, name="Digits", now=NOW, settings=settings) as contest:
        for name, model, n_wrong in (
            ("Table", (pack / "table.onnx").read_bytes(), 0),
            ("Net", model_of(first_samples()), 1),
            ("Silent", None, 2),
        ):
            team = contest.add_team(name, NOW)
            entry.submit(contest, name, write_table(pack / "unused.csv", "given", n_wrong), f"{name}.csv", NOW)
            if model is not None and with_models:
                attach_model(contest, team, 1, (model, "model.onnx"), NOW)
    return place


def verify(place: str, pack: Path, *words: object) -> tuple[int, list[dict[str, object]]]:
    code, lines = run(place, "verify", "--all-teams", "--audio", pack / "students" / "test", *words, "--json")
    return code, lines


def test_a_table_of_answers_is_not_called_verified_without_its_hidden_score(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack)
    code, lines = verify(place, pack)
    table, net = (next(line for line in lines if line["team"] == name) for name in ("Table", "Net"))
    assert code == 1
    assert (table["given"], table["rerun"], table["is_verified"], table["is_suspicious"]) == (1, 1, True, True)
    assert table["hidden"] == pytest.approx(1 / 3, abs=0.15)
    assert (net["rerun"], net["hidden"], net["is_verified"], net["is_suspicious"]) == (1, 1, True, False)
    assert (net["n_given"], net["n_hidden"]) == (N_CLIPS, N_CLIPS)
    with open_contest(place) as contest:
        states = {line.team: line.model and line.model.state for line in contest.board().lines}
        assert states == {"Table": ModelState.DOUBTED, "Net": ModelState.VERIFIED, "Silent": None}
    again, text = run(place, "verify", "Table", "--audio", pack / "students" / "test", "--again")
    assert again == 1
    assert "SUSPICIOUS" in text


def test_teams_see_neither_hidden_scores_nor_a_rank_by_them_before_the_end(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack)
    verify(place, pack)
    lines = run(place, "standings", "--private", "--json")[1]
    assert [(line["team"], line["rank"]) for line in lines] == [("Net", 1), ("Table", 2), ("Silent", 3)]
    assert (lines[0]["score"], lines[2]["score"]) == (1, 0)
    with open_contest(place) as contest:
        board = contest.board()
        assert (board.part, [line.team for line in board.lines]) == (Part.PUBLIC, ["Table", "Net", "Silent"])
        seen = [line.model for line in board.lines if line.model] + [
            a.model for a in contest.shown_attempts(contest.team("Net"))
        ]
        assert {(model.rerun_score, model.hidden_score) for model in seen if model} == {(None, None)}
        close_contest(contest, HostDecision(reason="the end", decided_at=NOW))
        board = contest.board()
        assert (board.part, [(line.rank, line.team) for line in board.lines]) == (
            Part.HIDDEN,
            [(1, "Net"), (2, "Table"), (3, "Silent")],
        )
        first, second, last = board.lines
        assert (first.score, last.score) == (1, 0)
        assert second.model is not None
        assert second.score == second.model.hidden_score
        assert second.interval.low <= second.score <= second.interval.high
        assert first.interval.unit == "speakers"
        public = read_public_board(contest)
        assert (public.final_part, public.lines[0].score, public.lines[-1].final) == (
            Part.HIDDEN,
            pytest.approx(0.992, abs=0.001),
            0,
        )
        assert "public macro-F1,hidden macro-F1,hidden macro-F1 low" in format_standings_csv(public)


NOT_RUN = (
    "the final rank is by hidden scores, and the models of 2 teams were not run on the hidden recordings, which gives them 0; "
    "run `arena contest verify --all-teams` first (without any model: Silent)"
)


def test_a_close_asks_before_it_gives_0_to_models_that_were_not_run(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack)
    why = ("--reason", "the end")
    assert run(place, "close", *why) == (1, f"{NOT_RUN}; add --yes if it is meant so")
    assert run(place, "verify", "Net", "--audio", pack / "students" / "test")[0] == 0
    assert "the model of 1 team was not run" in run(place, "close", *why)[1]
    with open_contest(place) as contest:
        assert not contest.rules().is_closed
    verify(place, pack)
    code, text = run(place, "close", *why)  # Silent's missing model is said and does not block
    assert (code, text.startswith("Digits is closed and ranks by the hidden scores")) == (0, True)


def test_a_close_asks_where_no_team_has_sent_a_model(tmp_path: Path, pack: Path) -> None:
    place = make_contest(str(tmp_path / "none.db"), pack, with_models=False)
    code, text = run(place, "close", "--reason", "the end")
    assert (code, "no team has sent a model, so all would have 0" in text) == (1, True)
    assert run(place, "close", "--reason", "the end", "--yes")[0] == 0
    with open_contest(place) as contest:
        assert [(line.rank, line.score, line.luck) for line in contest.board().lines] == [(1, 0, None)] * 3


def test_a_close_with_0_for_models_that_were_not_run_is_possible_where_it_is_meant(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack)
    assert run(place, "close", "--yes", "--reason", "the end")[0] == 0
    with open_contest(place) as contest:
        assert [line.score for line in contest.board().lines] == [0, 0, 0]


def test_a_close_of_a_contest_that_ranks_by_score_waits_for_no_model(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack, RankBy.SCORE)
    assert run(place, "close", "--reason", "the end")[0] == 0


def test_the_hosts_page_and_programs_close_without_hidden_scores_only_when_told_so(pack: Path, tmp_path: Path) -> None:
    place = make_contest(str(tmp_path / "c.db"), pack)
    with open_contest(place) as contest:
        token = host_token_of(contest)
        with TestClient(create_app(ServiceSettings(where=place)), follow_redirects=False) as client:
            headers, path = {"Authorization": f"Bearer {token}"}, "/api/v1/host/acts/close"
            answer = client.post(path, json={"reason": "the end"}, headers=headers)
            assert (answer.status_code, answer.json()["message"]) == (422, f"{NOT_RUN}; send yes: true if it is meant so")
            login = read_fields(client.get("/login").text)
            client.post("/login", data=login | {"token": token})
            form = client.get("/host/acts/close").text
            assert 'name="yes"' not in form
            answer = client.post("/host/acts/close", data=read_fields(form) | {"reason": "the end"})
            assert (answer.status_code, NOT_RUN in answer.text, 'name="yes"' in answer.text) == (409, True, True)
            assert not contest.rules().is_closed
            client.post("/host/acts/close", data=read_fields(answer.text) | {"reason": "the end", "yes": "on"})
            assert contest.rules().is_closed
            reopen_contest(contest, HostDecision(reason="too early", decided_at=NOW))
            assert client.post(path, json={"reason": "the end", "yes": True}, headers=headers).status_code == 200


def test_the_host_sees_hidden_scores_before_the_close_and_an_assistant_does_not(pack: Path, tmp_path: Path) -> None:
    place = make_contest(str(tmp_path / "c.db"), pack)
    verify(place, pack)
    with open_contest(place) as contest, TestClient(create_app(ServiceSettings(where=place)), follow_redirects=False) as client:
        for role, expected in ((Role.HOST, {"Net": 1.0, "Silent": None}), (Role.ASSISTANT, {"Net": None, "Silent": None})):
            token = host_token_of(contest, f"Ana, {role.value}", role)
            teams = client.get("/api/v1/host", headers={"Authorization": f"Bearer {token}"}).json()["teams"]
            assert {team["name"]: team["hidden"] for team in teams if team["name"] != "Table"} == expected
            client.cookies.clear()
            client.post("/login", data=read_fields(client.get("/login").text) | {"token": token})
            page = client.get("/host").text
            assert (">Net</a>" in page, '<th scope="col" class="n">hidden</th>' in page) == (True, role is Role.HOST)


def read_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page))


def test_without_a_hidden_part_a_table_of_answers_is_nowhere_called_verified(contest_place: str, pack: Path) -> None:
    (pack / "host" / "hidden").rename(pack / "host" / "later")
    place = make_contest(contest_place, pack, RankBy.SCORE)
    code, text = run(place, "verify", "Table", "--audio", pack / "students" / "test")
    assert (code, "same answers" in text, "verified" in text) == (0, True, False)
    for words in (("standings", "--wide"), ("attempts", "Table", "--wide")):
        text = run(place, *words)[1]
        assert ("re-run: same answers" in text, "verified" in text) == (True, False)
    assert run(place, "standings", "--json")[1][0]["model"]["state"] == "same"
    with open_contest(place) as contest:
        assert '"verified"' not in build_winner_gradebook(contest)
        token = contest.new_token(contest.team("Table"), NOW)
        with TestClient(create_app(ServiceSettings(where=place)), follow_redirects=False) as client:
            for language, words in (("en", "re-run: same answers"), ("es", "al repetir: mismas respuestas")):
                headers = {"Accept-Language": language, "Authorization": f"Bearer {token}"}
                page = client.get("/standings", headers=headers).text
                assert (words in page, "verifi" in page) == (True, False)
            attempt = client.get("/api/v1/attempts/1", headers=headers).json()
            assert attempt["attempt"]["model"]["state"] == "same"


def test_a_model_in_doubt_has_its_word_in_the_gradebook_and_no_points_by_hidden_scores(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack)
    verify(place, pack)
    with open_contest(place) as contest:
        close_contest(contest, HostDecision(reason="the end", decided_at=NOW))
        rows = list(csv.DictReader(build_winner_gradebook(contest).removeprefix("\ufeff").splitlines()))
    assert {row["team"]: (row["model"], float(row["points"]) > 0) for row in rows} == {
        "Net": ("verified", True),
        "Silent": ("no model", False),
        "Table": ("in doubt", False),
    }


def test_a_contest_that_ranks_by_score_shows_hidden_scores_beside_it_after_the_end(contest_place: str, pack: Path) -> None:
    place = make_contest(contest_place, pack, RankBy.SCORE)
    verify(place, pack)
    with open_contest(place) as contest:
        close_contest(contest, HostDecision(reason="the end", decided_at=NOW))
        lines = contest.board().lines
    assert [line.team for line in lines] == ["Table", "Net", "Silent"]
    assert [line.model and line.model.hidden_score for line in lines][1:] == [1, None]


def test_another_hidden_part_is_refused_and_a_missing_one_is_asked_for(contest_place: str, pack: Path, tmp_path: Path) -> None:
    place = make_contest(contest_place, pack)
    write_clips(tmp_path / "other", "other", seed=3)
    write_table(tmp_path / "other" / "solution.csv", "other")
    audio = pack / "students" / "test"
    text = run(place, "verify", "--all-teams", "--audio", audio, "--hidden", tmp_path / "other")[1]
    assert "is not the hidden part of this contest" in text
    (pack / "host" / "hidden" / "solution.csv").unlink()
    assert "give it with --hidden" in run(place, "verify", "--all-teams", "--audio", audio)[1]


def test_a_contest_without_a_hidden_part_takes_the_first_and_runs_verified_models_again(contest_place: str, pack: Path) -> None:
    hidden = (pack / "host" / "hidden").rename(pack / "host" / "later")
    place = make_contest(contest_place, pack, RankBy.SCORE)
    code, lines = verify(place, pack)
    assert (code, [line["hidden"] for line in lines]) == (0, [None, None])
    code, lines = verify(place, pack, "--hidden", hidden)
    assert (code, {line["team"]: line["is_suspicious"] for line in lines}) == (1, {"Table": True, "Net": False})
    with open_contest(place) as contest:
        assert [line.action for line in contest.log()] == ["hidden part"]


def test_ranking_by_a_hidden_part_needs_one(pack: Path, tmp_path: Path) -> None:
    (pack / "host" / "hidden" / "solution.csv").unlink()
    words = ("init", pack / "host" / "solution.csv", "--name", "Digits", "--rank", "hidden")
    assert "needs a hidden part" in run(str(tmp_path / "c.db"), *words)[1]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id,label\nx,0\ny,1\n", "has the contest's labels, and this one has 0, 1 and not 0..2"),
        ("id,label,Usage\nx,0,Public\ny,1,Public\nz,2,Public\n", "this one has a Usage column"),
        ("id,label\nx,0\ngiven0,1\nz,2\n", "'given0' is in both"),
    ],
)
def test_a_hidden_part_that_does_not_fit_is_refused(pack: Path, text: str, fault: str) -> None:
    path = pack / "host" / "solution.csv"
    (pack / "host" / "hidden" / "solution.csv").write_text(text)
    hidden = read_pack_files(path).hidden
    assert hidden is not None
    with pytest.raises(ContestError, match=fault):
        check_hidden(hidden, parse_solution(path.read_bytes(), path.name))


def answers(names: tuple[str, ...], share: float) -> PredictedClasses:
    """Answers of which a share is right, evenly over the speakers."""
    rows = [f"{names[0]}{n},{n % 2},{names[n // 2 % len(names)]}" for n in range(400)]
    solution: Solution = parse_solution("\n".join(["id,label,Group", *rows]).encode(), "solution.csv")
    wrong = np.random.default_rng(0).permutation(400) >= share * 400
    return PredictedClasses(solution=solution, predicted=solution.truth ^ wrong)


def test_a_drop_that_other_speakers_explain_is_not_suspicious() -> None:
    same, other, many = ("a", "b"), ("c", "d"), tuple("efghijkl")
    within = measure_drop(answers(same, 0.95), answers(same, 0.8))
    between = measure_drop(answers(same, 0.95), answers(other, 0.8))
    assert (within.is_suspicious, between.is_suspicious) == (True, False)
    assert between.error > SPEAKER_SPREAD
    assert measure_drop(answers(same, 1.0), answers(other, 0.5)).is_suspicious
    assert not measure_drop(answers(many, 0.9), answers(many, 0.88)).is_suspicious
    assert measure_drop(answers(many, 0.9), answers(many, 0.7)).is_suspicious
