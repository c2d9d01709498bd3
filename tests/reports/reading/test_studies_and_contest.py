"""Studies as sweeps stores them and the contest as the leaderboard stores it, to the facts of the page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import optuna
import pytest

from leaderboard.actions.submit import submit
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest, open_contest
from reports.errors import SourceError
from reports.facts.sweeps import AgentFacts
from reports.page.render import render_report
from reports.reading.contest import read_contest
from reports.reading.gather import Sources, gather_facts
from reports.reading.studies import read_sweeps, summarise_agents
from support.report_facts import write_eight
from support.report_stores import NOW, make_contest, write_study
from sweeps.results import TrialFacts, read_study


@pytest.fixture(autouse=True)
def quiet_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def test_a_study_is_read_as_it_was_stored(tmp_path: Path) -> None:
    expected = write_study(tmp_path, "raw", 20)
    (sweep,), notes = read_sweeps(tmp_path)
    assert notes == ()
    assert (sweep.name, sweep.model, sweep.variant, sweep.metric, sweep.goal) == (
        "lenet5-raw",
        "lenet5",
        "raw",
        "val_macro_f1",
        "maximize",
    )
    assert [(trial.number, trial.state, trial.value) for trial in sweep.trials] == [
        (trial.number, trial.state, trial.value) for trial in expected.trials
    ]
    assert sweep.best
    assert expected.best
    assert (sweep.best.number, sweep.best.value) == (expected.best.number, expected.best.value)
    assert sweep.total_s == 40.0


def test_varied_parameters_come_with_their_importance_and_constants_do_not(tmp_path: Path) -> None:
    write_study(tmp_path, "raw", 20)
    (sweep,), _ = read_sweeps(tmp_path)
    stated = read_study(tmp_path, "lenet5-raw").importances
    assert sweep.importances == stated
    assert [parameter.name for parameter in sweep.varied] == sorted(stated, key=lambda name: -stated[name].share)
    assert [parameter.name for parameter in sweep.varied if parameter.log] == ["train.learning_rate"]


def test_studies_come_in_the_order_of_the_trainings_and_make_a_page(tmp_path: Path) -> None:
    for variant in ("raw+aug", "bilateral", "raw"):
        write_study(tmp_path / "studies", variant, 6)
    facts = gather_facts(Sources(studies=tmp_path / "studies"))
    assert facts.sweeps
    assert [sweep.variant for sweep in facts.sweeps] == ["raw", "bilateral", "raw+aug"]
    assert "3 studies" in render_report(facts).decode()


def test_a_trial_that_shares_its_folder_with_a_training_does_not_hide_it(tmp_path: Path) -> None:
    write_eight(tmp_path / "runs")
    write_study(tmp_path / "studies", "raw", 8, first_run=0xA1)  # the folders of write_eight
    facts = gather_facts(Sources(runs=tmp_path / "runs", studies=tmp_path / "studies"))
    assert len(facts.runs) == 8
    assert [note.text for note in facts.notes if "trial" in note.text] == []


def test_a_damaged_study_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    write_study(tmp_path, "raw", 6)
    write_study(tmp_path, "bilateral", 6)
    (tmp_path / "lenet5-raw" / "study.json").write_text("{")
    sweeps, notes = read_sweeps(tmp_path)
    assert [sweep.variant for sweep in sweeps] == ["bilateral"]
    assert [note.kind for note in notes] == ["error"]
    assert "lenet5-raw" in notes[0].text


def test_standings_are_the_contests_own(tmp_path: Path) -> None:
    make_contest(tmp_path / "c.db")
    sweep = read_contest(str(tmp_path / "c.db"))
    with open_contest(tmp_path / "c.db") as contest:
        stated = contest.board().lines
    assert [(line.rank, line.team, line.macro_f1, line.metrics, line.best) for line in sweep.standings] == [
        (line.rank, line.team, line.macro_f1, {}, line.best) for line in stated
    ]
    assert [line.interval and (line.interval.low, line.interval.high) for line in sweep.standings] == [
        (line.interval.low, line.interval.high) for line in stated
    ]
    assert (sweep.name, sweep.n_waiting) == ("Digits", 1)


def test_what_is_no_contest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("no database")
    with pytest.raises(SourceError, match=r"c\.db"):
        read_contest(str(tmp_path / "c.db"))


def test_each_agent_has_its_trials_time_and_device(tmp_path: Path) -> None:
    write_eight(tmp_path / "runs")
    done = {"number": 0, "state": "finished", "params": {}, "value": 0.5, "epochs": {1: 0.5}, "cause": ""}
    trial = TrialFacts(**done, run=f"{0xA1:016x}", seconds=2.0, agent="one")
    trials = [
        trial,
        dataclasses.replace(trial, number=1, agent="two", run="gone", seconds=None),
        dataclasses.replace(trial, number=2, state="failed", run="", seconds=1.0),
        dataclasses.replace(trial, number=3, agent=""),
    ]
    assert summarise_agents(trials, tmp_path / "runs") == (
        AgentFacts(name="one", device="cpu", counts={"failed": 1, "finished": 1}, seconds=3.0),
        AgentFacts(name="two", device="", counts={"finished": 1}, seconds=0.0),
    )


def test_private_scores_come_only_when_they_are_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"c{n},{n % 3},{'Private' if n % 2 else 'Public'}\n" for n in range(30))
    solution = parse_solution(f"id,label,Usage\n{rows}".encode(), "s.csv")
    with create_contest(tmp_path / "c.db", solution=solution, name="Digits", now=NOW) as contest:
        contest.add_team("ann", NOW)
        arguments = "".join(f"c{n},{0 if n % 2 else n % 3}\n" for n in range(30))  # right on the public rows alone
        submit(contest, "ann", f"id,label\n{arguments}".encode(), "p.csv", NOW)
    public, private = read_contest(str(tmp_path / "c.db")), read_contest(str(tmp_path / "c.db"), private=True)
    assert (public.standings[0].macro_f1, public.is_private) == (1.0, False)
    assert private.is_private
    assert private.standings[0].macro_f1 < 0.5
    facts = gather_facts(Sources(contest=str(tmp_path / "c.db")))
    assert "Private scores" not in render_report(facts).decode()
    assert "Private scores" in render_report(gather_facts(Sources(contest=str(tmp_path / "c.db"), private=True))).decode()


def test_private_scores_of_a_contest_without_any_are_refused(tmp_path: Path) -> None:
    make_contest(tmp_path / "c.db")
    with pytest.raises(SourceError, match="Usage"):
        read_contest(str(tmp_path / "c.db"), private=True)
