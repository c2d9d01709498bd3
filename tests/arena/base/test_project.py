"""arena.toml: found from below, checked, and never a place for a secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arena.base.project import Project, ProjectError, find_project, format_project, read_project

FULL = """
corpus = "recordings"
variants = ["raw", "raw+aug"]
install = "git+https://git.example.org/arena"

[models]
A = "nets.py:MyLeNet"
B = "resnet"

[settings]
train.epochs = 5
split.test_speakers = ["ann", "bob"]

[sweep]
A = "sweep-a.yaml"
budget = 12

[contest]
address = "https://digits.example.org"
team = "Formantes"

[folders]
runs = "/mnt/drive/runs"
"""


def write(folder: Path, text: str) -> Path:
    (folder / "arena.toml").write_text(text, encoding="utf-8")
    return folder / "arena.toml"


def test_a_project_is_found_from_below_and_its_paths_are_read_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FULL)
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "deep")
    project = find_project()
    assert project.folder == tmp_path
    assert project.models == ("../../nets.py:MyLeNet", "resnet")
    assert project.text("corpus") == "../../recordings"
    assert project.sweep_files == ("../../sweep-a.yaml", "")
    assert project.text("folders.runs") == "/mnt/drive/runs"
    assert project.settings == {"train.epochs": 5, "split.test_speakers": ["ann", "bob"]}
    assert (project.variants, project.budget) == (("raw", "raw+aug"), 12)
    assert (project.page, project.contest) == ("https://digits.example.org", "")
    monkeypatch.chdir(tmp_path)
    assert find_project().models == ("nets.py:MyLeNet", "resnet")


def test_without_a_file_the_project_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = find_project()
    assert (project, project.exists) == (Project(folder=tmp_path), False)
    assert (project.models, project.variants, project.settings, project.budget, project.text("corpus")) == (
        (),
        (),
        {},
        None,
        "",
    )


def test_a_contest_is_a_page_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = read_project(write(tmp_path, '[contest]\naddress = "term/contest.db"'))
    assert (file.page, file.contest) == ("", "term/contest.db")
    database = read_project(write(tmp_path, '[contest]\naddress = "postgresql://host@db/digits"'))
    assert (database.page, database.text("contest.address")) == ("", "postgresql://host@db/digits")


@pytest.mark.parametrize("name", ['a "quoted" \\ folder', "grabación del lunes", "tab\there", "\x7f"])
def test_what_is_written_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    project = read_project(write(tmp_path, format_project(name, ("nets.py:A", "resnet"))))
    assert (project.text("corpus"), project.models) == (name, ("nets.py:A", "resnet"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('corpora = "x"', "unknown key 'corpora'; did you mean corpus?"),
        ("[sweep]\nbuget = 3", "unknown key 'sweep.buget'; did you mean sweep.budget?"),
        ('team = "F"', "unknown key 'team'; did you mean contest.team?"),
        ("qqq = 1", "unknown key 'qqq'; known are corpus, variants, install, models.A, models.B, "),
        ('[models]\nA = "lenet5"', "names one model, and the comparison has two; add B to [models]"),
        ("[sweep]\nbudget = 0", "sweep.budget is a whole number of 1 or more, not 0"),
        ("[sweep]\nbudget = true", "sweep.budget is a whole number of 1 or more, not True"),
        ('variants = "raw"', "variants is a list of texts, not 'raw'"),
        ("corpus = 3", "corpus is a text in quotes, not 3"),
        ("[settings]\ntrain.epochs = 2020-01-01", "settings.train.epochs takes a number or a text"),
        ('[contest]\ntoken = "s3cret"', "contest.token holds a secret, and the file is shared; delete it there"),
        ('[contest]\naddress = "postgresql://me:s3cret@db/x"', "contest.address holds a secret"),
        ("corpus = recordings", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ('corpus = "a\\u0000b"', "corpus has the character '\\x00', and its text is one line"),
        ('variants = ["raw", "\\u001b[2J"]', "variants has the character '\\x1b'"),
        ('[folders]\nruns = "~nobody-here/runs"', "begins with the home folder of a user who is not here"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_never_shows_a_secret(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ProjectError) as error:
        read_project(file)
    assert str(error.value).startswith(str(file))
    assert message in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_folder_that_the_user_may_not_look_into_has_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`runuser -u arena -- arena contest standings` in the administrator's folder."""
    (tmp_path / "arena.toml").write_text('corpus = "recordings"\n')
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    os.seteuid(65534)
    try:
        project = find_project(tmp_path)
    finally:
        os.seteuid(0)
    assert project == Project(folder=tmp_path)
