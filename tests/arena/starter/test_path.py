"""From an empty folder to report, notebook and paper, by the commands that a team types."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from support.tones import write_tones
from support.warm_python import WarmPython

QUICK = {
    "train.epochs = 20": "train.epochs = 1\nmodel.width = 0.25\ntiles.size = 32\nmodel.dropout = 0",
    "budget = 16": "budget = 1",
}


def test_ten_commands_lead_from_recordings_to_a_report_a_notebook_and_a_paper_on_the_teams_own_nets(
    tmp_path: Path, warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tones(tmp_path / "recordings", 2)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    team = tmp_path / "team"

    def run(words: str, folder: Path = team) -> str:
        done = warm_python.run("-m", "arena", *shlex.split(words), cwd=folder)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    run("new team --corpus recordings --team Formantes --contest contest.db", tmp_path)
    text = (team / "arena.toml").read_text()
    for slow, quick in QUICK.items():
        text = text.replace(slow, quick)
    (team / "arena.toml").write_text(text)
    run("data prepare")
    run("data solution --out solution.csv")
    run("contest init solution.csv --name Digits")
    run("contest team add Formantes")

    trained = run("train --all")
    assert [trained.count(net) for net in ("MyLeNet", "MyMobileNet")] == [4, 4]
    assert run("sweep run --all --variant raw+aug").count("1 of 1") == 2  # two of eight: all take four times as long
    assert "submission.csv: 20 clips" in run("predict best")
    assert "attempt 1" in run("contest submit submission.csv")
    run("report build")
    run("report notebook")
    run("report paper")

    documents = {name: (team / name).read_text(encoding="utf-8") for name in ("report.html", "story.ipynb", "paper.md")}
    for name, document in documents.items():
        assert re.findall(r"(?i)\b(lenet5|resnet)\b", document) == [], name
        assert "MyLeNet" in document
    assert "Main effects and interactions with intervals" in documents["report.html"]
