"""A contest.yaml: what it makes, what it refuses with line and key, and how it changes a running contest."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from leaderboard.actions.host import HostDecision
from leaderboard.actions.submit import submit
from leaderboard.contest_file.changes import apply_changes, find_changes
from leaderboard.contest_file.create import create_from_file, read_solution
from leaderboard.contest_file.current import read_current
from leaderboard.contest_file.keys import KEYS
from leaderboard.contest_file.read import ContestFile, read_contest_file
from leaderboard.contest_file.write import read_example, write_contest_file
from leaderboard.database.create import ContestSettings
from leaderboard.errors import ContestError, ContestFileError, NameRefused
from leaderboard.rules import DetailsFrom, RankBy, Ties
from leaderboard.store import Contest, open_contest
from support.contests import DEADLINE, NOW, predictions, run, solution

BASE = "name: Digits\nsolution: solution.csv\n"
METRIC = "def score(solution, submission, name):\n    return float((solution.label != submission.label).mean())\n"
DECISION = HostDecision(reason="the rules name the licence", decided_at=NOW)


def write(folder: Path, text: str, name: str = "contest.yaml") -> ContestFile:
    (folder / "solution.csv").write_bytes(solution().content)
    (folder / name).write_text(text, encoding="utf-8")
    return read_contest_file(folder / name)


def create(folder: Path, text: str) -> Contest:
    file = write(folder, text)
    return create_from_file(file, read_solution(file), folder / "contest.db", NOW)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ContestFileError) as caught:
        write(folder, text)
    return str(caught.value)


def test_a_file_makes_the_contest_that_it_says(tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text("# Rules\n\nNo labels by ear.\n", encoding="utf-8")
    (tmp_path / "data.zip").write_bytes(b"recordings")
    (tmp_path / "errors.py").write_text(METRIC)
    more = (
        f"deadline: {DEADLINE.isoformat()}\nmetric: errors.py\nlower_is_better: true\nties: earlier\nrefusals: 5\nbonus: 2.5\n"
        "details: during\nrank: score\nwebhook: https://hooks.example.org/x\nteams: [Eco, Ruido]\n"
        "pages: {task: Which digit, rules: rules.md, address: 'https://digits.example.org'}\n"
        "downloads: {data.zip: All of it}\n"
    )
    with create(tmp_path, BASE + more) as contest:
        rules = contest.rules()
        assert (rules.name, rules.deadline, rules.metric_name, rules.is_lower_better) == ("Digits", DEADLINE, "errors", True)
        assert (rules.ties, rules.n_refusals_per_hour, rules.bonus) == (Ties.EARLIER, 5, 2.5)
        assert (rules.details, rules.rank_by, rules.webhook) == (
            DetailsFrom.DURING,
            RankBy.SCORE,
            "https://hooks.example.org/x",
        )
        assert rules.overview == {
            "task": "Which digit",
            "rules": "# Rules\n\nNo labels by ear.",
            "address": "https://digits.example.org",
        }
        assert [team.name for team in contest.teams()] == ["Eco", "Ruido"]
        (download,) = read_current(contest)["downloads"]
        assert (download.name, download.description) == ("data.zip", "All of it")
        assert contest.read_file(download.digest) == b"recordings"


def test_every_key_that_is_a_column_is_a_field_of_the_settings() -> None:
    fields = {field.name for field in dataclasses.fields(ContestSettings)} | {"name", "deadline"}
    assert {key.column for key in KEYS.values() if key.column} <= fields


def test_a_contest_ranks_by_the_hidden_part_beside_its_solution_and_by_none_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ContestError, match="needs a hidden part"):
        create(tmp_path, BASE + "rank: hidden\n")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "solution.csv").write_text("id,label\nx,0\ny,1\n")
    with create(tmp_path, BASE + "rank: hidden\n") as contest:
        assert contest.rules().rank_by is RankBy.HIDDEN
        assert contest.hidden_part is not None
        assert contest.hidden_part.ids == ("x", "y")


def test_the_example_makes_a_contest_and_names_every_key(tmp_path: Path) -> None:
    text = read_example()
    with create(tmp_path, text) as contest:
        assert [team.name for team in contest.teams()] == ["Formantes", "Mel Street"]
    assert [key for key in KEYS if f"{key.split('.')[-1]}:" not in text] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam: x\n", "contest.yaml line 1: key 'nam' is unknown; did you mean 'name'?"),
        ("name: x\npages:\n  rulez: x\n", "contest.yaml line 3: key 'rulez' is unknown; did you mean 'rules'?"),
        ("name: a\nname: b\n", "contest.yaml line 2: key 'name' stands in line 1 already; keep one of the two"),
        (
            "attempts: 5\n",
            "contest.yaml line 1: key 'attempts': three attempts are the rule of every contest and no key changes it; "
            "`arena contest grant TEAM --reason TEXT` gives a team one more; delete the line",
        ),
        ("ties: earlyer\n", "contest.yaml line 1: key 'ties' is one of share, earlier, not 'earlyer'; did you mean 'earlier'?"),
        ("ladder: maybe\n", "contest.yaml line 1: key 'ladder' is true or false, not 'maybe'"),
        ("refusals: 0\n", "contest.yaml line 1: key 'refusals' is a whole number from 1 to 1000000, not '0'"),
        (
            "bonus: 1,5\n",
            "contest.yaml line 1: key 'bonus' is a number from 0 to 1000, not '1,5'; write a decimal with a point",
        ),
        ("name:\n", "contest.yaml line 1: key 'name' is empty and always has a value; write one, or delete the line"),
        (
            "name: [a]\n",
            "contest.yaml line 1: key 'name' takes one value, not a list or further keys; write it behind the colon",
        ),
        (
            "deadline: 2026-12-11T18:00\n",
            "contest.yaml line 1: key 'deadline' a deadline carries its offset and '2026-12-11T18:00' has none; "
            "write it as 2026-12-01T18:00+01:00",
        ),
        (
            "webhook: ftp://x\n",
            "contest.yaml line 1: key 'webhook' a webhook is an address without a password such as "
            "https://hooks.slack.com/services/..., or smtps://user@mail.example.org?to=ana@example.org; write one of these",
        ),
        ("teams: [Eco, ECO]\n", "contest.yaml line 1: key 'teams' names 'Eco' twice; keep one of them"),
        (
            "- a\n",
            "contest.yaml line 1: a contest's file has lines of `key: value`; "
            "`arena contest config --example` prints one to start from",
        ),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_missing_file_a_tab_and_all_faults_at_once_are_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, "pages:\n  rules: no.md\n") == (
        f"contest.yaml line 2: key 'pages.rules' names {tmp_path}/no.md: "
        "the file cannot be read (No such file or directory); check its path"
    )
    assert refusal(tmp_path, "name: x\n\tties: share\n").startswith("contest.yaml line 2: not valid YAML: ")
    with pytest.raises(ContestFileError) as caught:
        write(tmp_path, "nam: x\nties: no\nbonus: -1\n")
    assert [fault.line for fault in caught.value.others] == [2, 3]


def test_a_contest_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ContestFileError, match=r"contest.yaml: key 'solution' is missing, and a new contest needs it"):
        create(tmp_path, "name: Digits\n")
    with pytest.raises(ContestFileError, match=r"line 3: key 'downloads' would give everybody the solution, as solution.csv"):
        create(tmp_path, BASE + "downloads: [solution.csv]\n")
    assert not (tmp_path / "contest.db").exists()


def test_a_printed_contest_changes_nothing_and_its_edit_one_key(tmp_path: Path) -> None:
    text = BASE + f"deadline: {DEADLINE.isoformat()}\npages: {{rules: '- a\n\n\n  - b'}}\nteams: [Eco]\n"
    with create(tmp_path, text) as contest:
        printed = write_contest_file(read_current(contest))
        assert find_changes(write(tmp_path, printed, "back.yaml"), contest) == []
        edited = write(tmp_path, printed.replace("bonus: 10", "bonus: 12"), "back.yaml")
        assert [change.words for change in find_changes(edited, contest)] == [("bonus", "10", "12")]


def changed(contest: Contest, folder: Path, text: str) -> list[Any]:
    return [change.key for change in apply_changes(write(folder, text, "next.yaml"), contest, DECISION)]


def test_each_changed_key_is_a_line_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"recordings")
    with create(tmp_path, BASE + f"deadline: {DEADLINE.isoformat()}\nteams: [Eco]\n") as contest:
        text = "name: Digits 2\ndeadline: 2026-11-23T09:00+01:00\npages: {task: New}\ndownloads: [data.zip]\nteams: [Ruido]\n"
        assert changed(contest, tmp_path, text) == ["name", "deadline", "pages.task", "downloads.data.zip", "teams"]
        assert [(entry.action, entry.change) for entry in contest.log()] == [
            ("apply", "name: Digits → Digits 2"),
            ("extend", "2026-11-22 08:00 UTC → 2026-11-23 08:00 UTC"),
            ("apply", "pages.task: — → New"),
            ("apply", f"downloads.data.zip: — → data.zip ({read_current(contest)['downloads'][0].digest[:8]})"),
            ("apply", "teams: — → Ruido"),
        ]
        assert [team.name for team in contest.teams()] == ["Eco", "Ruido"]
        assert changed(contest, tmp_path, "pages: {task: }\ndownloads: []\n") == ["pages.task", "downloads.data.zip"]
        assert contest.rules().overview is None
        for address, change in (
            ("https://a.example/secret", "— → set"),
            ("https://b.example/x", "set → changed"),
            ("", "set → removed"),
        ):
            assert changed(contest, tmp_path, f"webhook: {address}\n") == ["webhook"]
            assert contest.log()[-1].change == f"webhook: {change}"
        assert ".example" not in repr([entry.details for entry in contest.log()])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ties: earlier\n", "key 'ties' stands from the first attempt on, and is earlier here and share in the contest"),
        ("metric: errors.py\n", "key 'metric' stands from the first attempt on"),
        ("rank: hidden\n", "key 'rank' stands from the first attempt on"),
        ("solution: other.csv\n", "`arena contest rescore FILE --reason TEXT` changes it; use that"),
        ("deadline: 2026-11-21T10:00+00:00\n", "2026-11-21 10:00 UTC is not after 2026-11-22 08:00 UTC; write a later one"),
        ("deadline:\n", "a deadline is extended, never shortened or taken away"),
        ("downloads: [solution.csv]\n", "would give everybody the solution"),
    ],
)
def test_a_running_contest_refuses_what_would_change_its_scores(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "errors.py").write_text(METRIC)
    (tmp_path / "other.csv").write_bytes(solution(flipped=(1,)).content)
    with create(tmp_path, BASE + f"deadline: {DEADLINE.isoformat()}\nteams: [Eco]\n") as contest:
        submit(contest, "Eco", predictions(1), "a.csv", NOW)
        before = read_current(contest)
        file = write(tmp_path, f"bonus: 3\n{text}", "next.yaml")
        for act in (lambda: find_changes(file, contest), lambda: apply_changes(file, contest, DECISION)):
            with pytest.raises(ContestFileError) as caught:
                act()
            assert message in str(caught.value)
        assert read_current(contest) == before


def test_before_the_first_attempt_the_metric_may_change(tmp_path: Path) -> None:
    (tmp_path / "errors.py").write_text(METRIC)
    with create(tmp_path, BASE) as contest:
        assert changed(contest, tmp_path, "metric: errors.py\nlower_is_better: true\n") == ["metric", "lower_is_better"]
        assert (contest.rules().metric_name, contest.rules().is_lower_better) == ("errors", True)
        with pytest.raises(ContestFileError, match="key 'metric' does not fit: a higher macro-F1 is better"):
            changed(contest, tmp_path, "metric:\n")


def test_a_failed_change_leaves_all_as_it_was(tmp_path: Path) -> None:
    with create(tmp_path, BASE + "teams: [Eco]\n") as contest:
        contest.set_pseudonym(contest.team("Eco"), "Owl", NOW)
        with pytest.raises(NameRefused):
            changed(contest, tmp_path, "bonus: 3\nteams: [Owl]\n")
        assert (contest.rules().bonus, len(contest.log())) == (10.0, 1)


def test_the_commands_create_show_ask_and_change(tmp_path: Path) -> None:
    write(tmp_path, BASE + "teams: [Eco]\n")
    path, where = tmp_path / "contest.yaml", str(tmp_path / "contest.db")
    code, text = run(where, "init", path)
    assert (code, text.split(" holds ")[-1]) == (0, "40 ids, labels 0, 1, 1 team; no deadline\n")
    path.write_text("bonus: 4\n")
    shown = "key     now   then\n──────────────────\nbonus   10    4\n"
    assert run(where, "apply", path, "--dry-run") == (0, shown)
    assert run(where, "apply", path, "--reason", "r")[1] == (
        "`arena contest apply` asks before it changes, and this is no terminal; add --yes, or --dry-run"
    )
    assert "every act of a host has a reason" in run(where, "apply", path, "--yes")[1]
    assert run(where, "config")[1].count("bonus: 10\n") == 1
    assert run(where, "apply", path, "--reason", "r", "--yes")[0] == 0
    assert run(where, "config")[1].count("bonus: 4\n") == 1
    assert run(where, "init", path, "--ladder")[0] == 2


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contest.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContestFileError, match="the file is not UTF-8; save it so"):
        read_contest_file(tmp_path / "contest.yaml")


def test_a_class_list_makes_teams_and_again_adds_who_is_new(tmp_path: Path) -> None:
    where, path, people = str(tmp_path / "contest.db"), tmp_path / "contest.yaml", tmp_path / "class.csv"
    people.write_text("name,email,team\nAna,ana@x.example,Eco\nLuis,luis@x.example,Ruido\n")
    write(tmp_path, BASE + "teams: class.csv\n")
    assert run(where, "init", path)[1].endswith("2 teams; no deadline\n")
    assert run(where, "apply", path, "--dry-run") == (0, "")
    people.write_text(people.read_text() + "Eva,eva@x.example,Nieve\n")
    assert run(where, "apply", path, "--reason", "she joined", "--yes")[0] == 0
    with open_contest(where) as contest:
        assert [team.name for team in contest.teams()] == ["Eco", "Nieve", "Ruido"]
    people.write_text("nothing,of,this\n1,2,3\n")
    before = run(where, "config")[1]
    assert "class.csv" in run(where, "apply", path, "--reason", "r", "--yes")[1]
    assert run(where, "config")[1] == before


def test_a_copy_of_a_contest_has_its_files_and_texts(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"recordings")
    where, copy = str(tmp_path / "contest.db"), tmp_path / "copy.db"
    with create(tmp_path, BASE + "pages: {task: Which digit}\ndownloads: [data.zip]\n") as contest:
        printed = write_contest_file(read_current(contest))
    assert run(where, "backup", copy)[0] == 0
    with open_contest(copy) as contest:
        assert write_contest_file(read_current(contest)) == printed
        assert contest.read_file(read_current(contest)["downloads"][0].digest) == b"recordings"


def test_a_contest_written_to_a_folder_makes_the_same_contest(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"recordings")
    (tmp_path / "errors.py").write_text(METRIC)
    where, folder = str(tmp_path / "contest.db"), tmp_path / "next"
    more = (
        "metric: errors.py\nlower_is_better: true\npages: {task: Which digit}\ndownloads: {data.zip: All of it}\nteams: [Eco]\n"
    )
    create(tmp_path, BASE + more).close()
    assert run(where, "config", "--out", folder)[0] == 0
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")) == [
        *("contest.yaml", "downloads/data.zip", "errors.py", "solution.csv")
    ]
    assert (folder / "solution.csv").stat().st_mode & 0o077 == 0
    file = read_contest_file(folder / "contest.yaml")
    with create_from_file(file, read_solution(file), tmp_path / "again.db", NOW) as again, open_contest(where) as contest:
        assert read_current(again) == read_current(contest)
        assert find_changes(file, contest) == []
    assert "choose a new folder" in run(where, "config", "--out", folder)[1]


def test_the_hidden_part_of_a_pack_goes_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "solution.csv").write_text("id,label\n" + "".join(f"hidden_{n},{n % 2}\n" for n in range(6)))
    (tmp_path / "pack.json").write_text('{"format": {"rate_hz": 8000}}')
    create(tmp_path, BASE + "rank: hidden\n").close()
    assert run(str(tmp_path / "contest.db"), "config", "--out", tmp_path / "next")[0] == 0
    file = read_contest_file(tmp_path / "next" / "contest.yaml")
    with create_from_file(file, read_solution(file), tmp_path / "again.db", NOW) as again:
        assert (again.rules().rank_by, again.rules().rate_hz) == (RankBy.HIDDEN, 8000)
        assert again.hidden_part is not None
        assert len(again.hidden_part.ids) == 6
