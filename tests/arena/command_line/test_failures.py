"""Errors for machines: whatever a command with `--json` refuses, stdout is one JSON document, and stderr keeps its line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from arena.__main__ import main
from arena.cli import walk_commands
from arena.command_line.failures import report_failure

WITH_JSON = [words for words, command in walk_commands() if any("--json" in parameter.opts for parameter in command.params)]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARENA_CONTEST", raising=False)


def fail(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    """Return the document on stdout and the text on stderr of a command that fails."""
    monkeypatch.setattr(sys, "argv", ["arena", *words, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["exit_code"] == ended.value.code
    return document, printed.err


@pytest.mark.parametrize("words", WITH_JSON)
def test_an_unknown_option_is_a_document(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document, line = fail((*words.split(), "--nonsense"), monkeypatch, capsys)
    assert document["exit_code"] == 2
    assert "--nonsense" in document["error"]
    assert "--nonsense" in line


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("trian", 2),
        ("runs shwo", 2),
        ("predict", 2),
        ("runs --state asleep", 2),
        ("train --name a --name b", 2),
        ("contest attempt Alpha one", 2),
        ("data scan nowhere", 1),
        ("train", 1),
        ("train train.epochs=many", 1),
        ("runs show latest", 1),
        ("sweep lint nowhere.yaml", 1),
        ("sweep best none", 1),
        ("contest standings", 1),
        ("submit nowhere.csv --address http://127.0.0.1:9 --team Alpha", 3),
    ],
)
def test_a_refusal_is_a_document_with_the_line_of_stderr(
    words: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARENA_TOKEN", "secret")
    document, lines = fail(tuple(words.split()), monkeypatch, capsys)
    assert document == {"error": document["error"], "exit_code": code}
    assert f"error: {document['error']}\n" in lines


@pytest.mark.parametrize(
    ("words", "error", "usage"),
    [
        ("data scan", "CORPUS is missing", "data scan CORPUS [CORPUS ...]; arena data scan --help"),
        ("contest pack a b --out c", "too many arguments: b", "contest pack CORPUS --out OUT; arena contest pack --help"),
        ("contest submit a.csv", "--team is missing", "contest submit SUBMISSION --team TEAM; arena contest submit --help"),
        ("runs show a --runs", "option '--runs' requires an argument", "runs show RUN; arena runs show --help"),
        ("train --jobs x", "--jobs: input should be a valid integer, not 'x'", "train [KEY=VALUE ...]; arena train --help"),
        ("eval --split x", "--split: 'x' is not one of 'test', 'validation'", "eval [KEY=VALUE ...]; arena eval --help"),
        (
            "models a b --layers",
            "--layers: it takes one net: `arena models lenet5 --layers`",
            "models [NET ...]; arena models --help",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_by_an_error_and_the_usage(
    words: str, error: str, usage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["arena", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, *capsys.readouterr()) == (2, "", f"error: {error}\nusage: arena {usage}\n")


def test_a_broken_project_file_is_a_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("arena.toml").write_text("corpus = [")
    document, line = fail(("runs",), monkeypatch, capsys)
    assert line == f"error: {document['error']}\n"


def test_further_lines_of_a_file_are_details(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("true.csv").write_text("id,label\na,1\nb,2\n")
    Path("answers.csv").write_text("id,label\nc,11\nd,x\n")
    monkeypatch.setattr(sys, "argv", ["arena", "contest", "init", "true.csv", "--name", "Digits"])
    with pytest.raises(SystemExit):
        main()
    capsys.readouterr()
    document, lines = fail(("contest", "validate", "answers.csv"), monkeypatch, capsys)
    assert lines == f"error: {document['error']}\n" + "".join(f"  {detail}\n" for detail in document["details"])
    assert len(document["details"]) > 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 1, "out of memory; choose a smaller train.batch_size or fewer --jobs"),
        (KeyboardInterrupt(), 130, "interrupted; nothing is lost: the same command goes on where it stopped"),
        (typer.Abort(), 1, "aborted"),
        (RuntimeError("of Arena"), 1, "RuntimeError: of Arena"),
        (ModuleNotFoundError("No module named 'optuna'", name="optuna"), 1, "this needs the package optuna"),
    ],
)
def test_other_ends_are_documents_too(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, as_json=True) == code
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["error"].startswith(message)
    assert document["exit_code"] == code
    assert message in printed.err


def test_without_json_stdout_stays_empty(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["arena", "train"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == ""
