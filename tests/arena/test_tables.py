"""The tables of all commands at three widths, as they stand in tables.txt; WRITE_TABLES=1 writes it anew, to be looked at."""

from __future__ import annotations

import ast
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.doctor import Finding, print_findings
from cnn.cli.evaluate import print_evaluations
from cnn.cli.inspect import print_inspections
from cnn.cli.models import print_costs, print_layers
from cnn.cli.predict import print_answers
from cnn.cli.train import print_runs
from cnn.config import TilesInfo
from cnn.inference.inspect import Inspection
from cnn.inference.predict import Answer, Answers
from cnn.runs.evaluation import evaluate
from cnn.runs.folder import RunFolder, RunState
from cnn.runs.folds import EvaluationPlan, make_arms
from cnn.runs.marks import TrialMark, label_run, mark_trial
from cnn.settings.data import DIGITS
from cnn.summary.costs import Cost
from cnn.summary.layers import LayerSummary
from leaderboard.actions.host import HostDecision, assign_pseudonym, disqualify, grant_attempts
from leaderboard.cli.verify import print_verdicts
from leaderboard.standings import Part
from reports.cli.report import print_pairs, print_summary
from reports.reading.compare import compare_runs
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import english
from support import contests
from support.evaluations import CORPUS, write_evaluation
from support.paths import ROOT
from support.report_facts import OWN, eight_sweeps, make_study, write_eight
from support.run_folders import make_result, write_run
from support.studies import make_study as make_study_folder
from sweeps.cli.tables import Status, print_best, print_point, print_studies, print_trials
from sweeps.engines.counts import BestTrial, StudyCounts
from sweeps.study.control import Command

GOLDEN = Path(__file__).with_name("tables.txt")
WIDTHS = (80, 100, 160)
LONG = "nets.py:MyMobileNetWithSqueeze"
TEAMS = ("Los Formantes de la Universidad Politécnica", "声学实验室与频谱图", "Mel Street", "zero-crossing")

Scene = Callable[[], None]


def call(*words: str) -> Scene:
    def print_it() -> None:
        result = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False)
        print(result.output, end="")

    return print_it


def make_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    yield from training_scenes(folder)
    yield from sweep_scenes(folder / "studies")
    yield from contest_scenes(folder)
    yield from report_scenes(folder)


def training_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    eight = write_eight(folder / "eight")
    own_nets = write_eight(folder / "own", models=(LONG,))
    yield "train --all", lambda: print_runs(eight)
    yield "train --all, own nets", lambda: print_runs(own_nets)
    old = dataclasses.replace(make_result(20), finished_at="2024-11-20T08:00:00+00:00")
    for digest, net in (("a012af4d9fdd1af7", "lenet5"), ("634754bcebdb7597", LONG)):
        write_run(folder / "runs", digest, old, model__name=net, variant="bilateral+aug")
    yield "runs", call("runs", "--runs", str(folder / "runs"))
    failed = dataclasses.replace(old, state=RunState.FAILED, cause="the loss is not a number in epoch 3")
    label_run(write_run(folder / "marked", "e828b87f2d405aad", old, split__kind="random"), "the-baseline-of-november", ["wide"])
    write_run(folder / "marked", "771e58a0cfeb9051", failed, model__name=LONG, variant="raw+aug")
    mark_trial(RunFolder(folder / "marked" / "771e58a0cfeb9051"), TrialMark(study="wide", number=12))
    yield "runs, marked", call("runs", "--runs", str(folder / "marked"))
    yield (
        "runs rm --state failed --dry-run",
        call(
            "runs",
            "rm",
            "--state",
            "failed",
            "--dry-run",
            "--runs",
            str(folder / "marked"),
            "--studies",
            str(folder / "studies"),
        ),
    )
    plan = EvaluationPlan(folds="becker", models=("lenet5", LONG), variants=("bilateral+aug",), n_seeds=3)
    speakers = tuple(f"{n:02d}" for n in range(1, 21))
    write_evaluation(folder / "folds", plan, speakers=speakers)
    arms = make_arms(plan, TilesInfo(corpus=CORPUS), len(speakers))
    runs = [[[RunFolder(folder / "folds" / c.digest) for c in seeds] for seeds in arm.configs] for arm in arms]
    results = [(arm, evaluate(by_fold, "test")) for arm, by_fold in zip(arms, runs, strict=True)]
    yield "eval --folds becker --seeds 3", lambda: print_evaluations(plan, results, every_speaker=False)
    inspected = [
        Inspection(run=run, n_layers=9, n_clips=4, n_wrong=2, n_placed=1000, size_bytes=412_345, is_new=True)
        for run in own_nets
    ]
    yield "inspect", lambda: print_inspections(inspected)
    digits = tuple(n / 45 for n in range(10))
    files = ("one.wav", "recordings of november/speaker-17/7_17_0003.flac")
    answers = Answers(
        labels=DIGITS, answers=tuple(Answer(id=name, label="9", probabilities=digits) for name in files), skipped=()
    )
    yield "predict RUN folder", lambda: print_answers(answers, "digit", json=False, kinds={})
    costs = [
        Cost(
            name=name,
            role=role,
            paper=paper,
            depth=2,
            depths=(1, 4),
            counts="blocks in stages 1 and 2; 3 and 4 have twice",
            n_parameters=674_190,
            n_multiply_adds=13_632_680,
        )
        for name, role, paper in (("lenet5", "Model A", "LeCun et al. 1998"), (LONG, "own", "of the file's own"))
    ]
    yield "models", lambda: print_costs(costs, 64)
    layers = [
        LayerSummary(
            number=1,
            name=name,
            kind=kind,
            shape=(64, 16, 16),
            kernel=(3, 3),
            stride=(2, 1),
            dilation=(2, 2),
            field=(64, 64),
            n_parameters=36_928,
            n_multiply_adds=9_437_184,
        )
        for name, kind in (("features.0.conv", "Conv2d"), ("stages.2.blocks.1.squeeze.excite.0", "AdaptiveAvgPool2d"))
    ]
    yield "models NET --layers", lambda: print_layers(layers)
    findings = [
        Finding(what="python", state="ok", detail="3.11.7"),
        Finding(what="espeakng-loader", state="optional", detail="not installed", remedy='pip install -e "/home/ana[tts]"'),
        Finding(what="device", state="optional", detail="cpu; no GPU found", remedy="none needed: one process a core"),
        Finding(what="torch", state="missing", detail=f"2.11.0 does not load: {'libcudart.so.13: cannot open ' * 3}"),
    ]
    yield "doctor", lambda: print_findings(findings)
    yield "data get --list", call("data", "get", "--list")
    yield "sweep lint lenet5", call("sweep", "lint", "lenet5")


def sweep_scenes(studies: Path) -> Iterator[tuple[str, Scene]]:
    counts = StudyCounts(finished=12, pruned=3, running=1, interrupted=2, failed=1, duplicate=4)
    best = BestTrial(number=1, value=0.8734, run="8c91fa7ae0d834b1", params={})
    names = ("lenet5.raw", "MyMobileNetWithSqueeze.bilateral+aug")
    specs = [make_study_folder(studies, name=name).read_spec() for name in names]
    new, old = (Status(spec=spec, counts=StudyCounts(), command=Command.RUN, end="") for spec in specs)
    old = dataclasses.replace(old, counts=dataclasses.replace(counts, best=best), command=Command.PAUSE)
    yield "sweep status", lambda: print_studies([new, old])
    facts = make_study(LONG.partition(":")[2], "bilateral+aug", 20)
    yield "sweep run", lambda: print_best([*eight_sweeps(20)[:2], facts])
    four_trials = dataclasses.replace(facts, trials=facts.trials[14:18])
    yield "sweep trials", lambda: print_trials(four_trials)
    assert facts.best
    point = facts.best
    yield "sweep best", lambda: print_point(point, facts.importances)


def contest_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    path = str(folder / "contest.db")
    decision = HostDecision(reason="they asked for it because their name is not one for a class", decided_at=contests.NOW)
    with contests.made(path, contests.solution(has_usage=True, n_speakers=5), *TEAMS) as contest:
        for n, team in enumerate(TEAMS[:3]):
            contests.send(contest, team, *range(n, 3 * n), minute=n)
        contests.send(contest, TEAMS[0], 1, 3, 5, minute=9)
        assign_pseudonym(contest, contest.team(TEAMS[0]), "Nightjar", decision)
        grant_attempts(contest, contest.team(TEAMS[2]), 2, decision)
        disqualify(contest, contest.team(TEAMS[3]), decision)
        assert contest.standings(Part.PRIVATE)
    on = ("--contest", path)
    reason = ("--reason", "two of them left", "--dry-run")
    corrected = folder / "corrected.csv"
    rows = "".join(f"{name},{n % 2},{'Public' if n < 20 else 'Private'}\n" for n, name in enumerate(contests.IDS))
    corrected.write_text(f"id,label,Usage\n{rows}".replace("clip_03,1", "clip_03,0"))
    yield "contest standings --private", call("contest", "standings", "--private", *on)
    yield "contest team list", call("contest", "team", "list", *on)
    yield "contest attempts", call("contest", "attempts", TEAMS[0], *on)
    yield "contest attempts, none", call("contest", "attempts", TEAMS[3], *on)
    yield "contest attempt", call("contest", "attempt", TEAMS[0], "1", *on)
    yield "contest log", call("contest", "log", *on)
    yield "contest merge --dry-run", call("contest", "merge", TEAMS[1], "--into", TEAMS[0], *reason, *on)
    yield "contest rescore --dry-run", call("contest", "rescore", str(corrected), *reason, *on)
    lines = [
        {"team": team, "attempt": 2, "is_verified": team == TEAMS[2], "seconds": 71.5, "remark": remark}
        | {"is_suspicious": False, "given": 0.9466, "rerun": 0.9466, "hidden": 0.9312, "n_given": 300, "n_hidden": 300}
        for team, remark in (
            (TEAMS[0], "12 of 300 labels differ from the file that was sent, more than the 1 that is tolerated"),
            (TEAMS[2], "it answers what was sent"),
        )
    ]
    yield "contest verify", lambda: print_verdicts(lines)


def report_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    facts = gather_facts(Sources(runs=folder / "eight", studies=folder / "none", tiles=folder / "tiles"))
    yield "report build", lambda: print_summary(facts, Path("report.html"))
    write_eight(folder / "before", models=OWN)
    sources = Sources(runs=folder / "eight", title="", lang="en", models=("lenet5", "columns"))
    pairs = compare_runs(folder / "eight", folder / "eight", sources, english()).pairs
    yield "report compare", lambda: print_pairs(pairs, english(), title="A is runs-before, B is runs")


def read_calls() -> dict[tuple[Path, str], ast.FunctionDef]:
    """Every function of the command lines, by file and name."""
    others = ("arena/doctor.py", "arena/config.py", "cnn/collect/import_page.py")
    files = [*ROOT.glob("*/cli/*.py"), *(ROOT / file for file in others)]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    return {(file, node.name): node for file, tree in trees.items() for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_command_has_wide_if_it_prints_a_table_and_no_other_has() -> None:
    functions = read_calls()
    printing = {"print_table"}
    n_before = 0
    while len(printing) > n_before:
        n_before = len(printing)
        for (file, name), node in functions.items():
            words = {ast.unparse(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
            if words & printing or {f"{file} {word}" for word in words} & printing:
                printing.add(f"{file} {name}" if name.startswith("_") else name)
    commands = {
        name: "wide" in [argument.arg for argument in node.args.args]
        for (file, name), node in functions.items()
        if any("command" in ast.unparse(line) or "callback" in ast.unparse(line) for line in node.decorator_list)
        or (file.parent.name == "arena" and name == file.stem)
    }
    assert sum(commands.values()) >= 25
    assert {name for name, has_wide in commands.items() if has_wide} == set(commands) & printing


def test_every_table_is_as_it_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text("class MyMobileNetWithSqueeze: ...\n")
    captures = []
    for name, scene in make_scenes(Path()):
        for width in WIDTHS:
            monkeypatch.setenv("COLUMNS", str(width))
            scene()
            captures.append(f"$ arena {name} ({width} columns)\n{''.join(capsys.readouterr())}")
    text = "\n".join(captures)
    if os.environ.get("WRITE_TABLES"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
