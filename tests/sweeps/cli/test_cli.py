"""`arena sweep`: what its commands print, refuse and return."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.project import Project
from cnn.errors import RunError
from cnn.tiles.tile_set import TileSet
from support.own_nets import format_net, write_net
from support.paths import ARENA
from support.studies import call, claim_and_die, claimed, finished, make_study, open_engine
from support.warm_python import WarmPython
from sweeps.errors import OptionError, StudyError, SweepError
from sweeps.pool.agent_options import AgentOptions
from sweeps.pool.plan import Locations, Search, SweepRequest, choose_studies, open_studies, plan
from sweeps.pool.slots import default_agents
from sweeps.study.limits import Limits


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """One study of budget 3 with a finished and a running trial."""
    make_study(tmp_path, budget=3)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.25, 0.75))
    claimed(engine)
    return tmp_path


def test_lint_says_what_a_file_means() -> None:
    out = lines(call("lint", "resnet"))
    assert out[2] == ["13", "model.name", "constant", "resnet"]
    assert out[3] == ["15", "train.learning_rate", "log_uniform_values", "0.0002", "to", "0.02"]
    assert " ".join(out[-1]) == "resnet.yaml is good: bayes over a continuous space will maximize val_macro_f1, 16 trials"
    content = json.loads(call("lint", "resnet", "--json"))
    assert (content["method"], content["n_points"], len(content["parameters"])) == ("bayes", None, 4)


def test_status_counts_every_study_and_shows_the_trials_of_one(studies: Path) -> None:
    table = lines(call("status", "--studies", str(studies)))
    assert table[0] == ["study", "method", "budget", "finished", "running", "metric", "best"]
    assert table[2] == ["lenet5.raw", "bayes", "3", "1", "1", "val_macro_f1", "0.7500"]
    assert lines(call("status", "lenet5.raw", "--studies", str(studies))) == table
    trials = lines(call("trials", "lenet5.raw", "--studies", str(studies)))
    assert trials[0] == ["lenet5.raw:", "1", "of", "3", "trials,", "bayes"]
    assert trials[3][:6] == ["0", "finished", "0.7500", "2", "1.5", "s"]
    assert trials[3][-1] == "best"
    assert trials[4][:3] == ["1", "running", "0"]
    content = json.loads(call("status", "--studies", str(studies), "--json"))
    assert [(study["name"], study["budget"], study["settled"], study["running"]) for study in content] == [
        ("lenet5.raw", 3, 1, 1)
    ]
    rows = json.loads(call("trials", "lenet5.raw", "--studies", str(studies), "--json"))
    assert [(row["number"], row["state"], row["value"]) for row in rows] == [(0, "finished", 0.75), (1, "running", None)]


def test_a_trial_whose_agent_is_gone_is_interrupted(studies: Path, warm_python: WarmPython) -> None:
    claim_and_die(studies, warm_python)
    content = json.loads(call("trials", "lenet5.raw", "--studies", str(studies), "--json"))
    assert [trial["state"] for trial in content] == ["finished", "running", "interrupted"]
    assert lines(call("status", "--studies", str(studies)))[2][3:6] == ["1", "1", "1"]


def test_best_prints_the_command_that_trains_it(studies: Path) -> None:
    out = call("best", "lenet5.raw", "--studies", str(studies))
    content = json.loads(call("best", "lenet5.raw", "--studies", str(studies), "--json"))
    assert content["best"]["value"] == 0.75
    assert content["command"].startswith("arena train --model lenet5 --variant raw --tiles ")
    assert out.splitlines()[-2:] == [content["command"], content["retraining_command"]]
    assert content["retraining_command"] == f"arena sweep best lenet5.raw --studies {studies} --train"
    assert content["retraining"] is None
    assert out.splitlines()[0] == f"lenet5.raw: trial 0, val_macro_f1 0.7500, run {content['best']['run']}"
    assert content["importances"] == {}
    assert content["importances_note"] == out.splitlines()[-3]
    assert content["importances_note"].startswith("importances need 12 trials, finished or pruned; this study has ")


def test_best_of_a_study_without_a_finished_trial_says_so(tmp_path: Path) -> None:
    make_study(tmp_path)
    result = CliRunner().invoke(arena.cli.app, ["sweep", "best", "lenet5.raw", "--studies", str(tmp_path)])
    assert isinstance(result.exception, SweepError)
    assert str(result.exception) == ("study 'lenet5.raw' has no finished trial yet; run it with `arena sweep agent lenet5.raw`")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "lenet5"], "choose what to train on with --variant"),
        (["run"], "choose what to tune"),
        (["run", "a.yaml", "b.yaml", "--variant", "raw"], "not a.yaml, b.yaml"),
        (["run", "lenet5", "--model", "resnet", "--variant", "raw"], "not lenet5, resnet"),
        (["run", "lenet5", "--variant", "raw", "--budget", "0"], "--budget"),
    ],
)
def test_wrong_usage_is_answered_with_exit_code_2(words: list[str], message: str) -> None:
    assert message in call(*words, code=2)


@pytest.mark.parametrize(
    "command", ["run", "agent", "status", "trials", "best", "pause", "resume", "stop", "dashboard", "lint"]
)
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert f"arena sweep {command}" in call(command, "--help")


def test_a_mistake_is_one_line_on_stderr_and_exit_code_1(tmp_path: Path, warm_python: WarmPython) -> None:
    (tmp_path / "s.yaml").write_text("method: random\nparameters:\n  model.dropout: {values: [0.1, 1.5]}\n")
    done = warm_python.run(ARENA, "sweep", "lint", "s.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: s.yaml line 3: model.dropout lies between 0 and 0.9, not 1.5\n"


def request(tiles: TileSet, *, runs: Path = Path("runs"), options: AgentOptions | None = None, **search: Any) -> SweepRequest:
    return SweepRequest(
        search=Search(**{"files": ("lenet5",), "variants": ("raw",), **search}),
        locations=Locations(tiles=tiles.folder, runs=runs),
        options=options or AgentOptions(),
    )


def test_all_means_eight_studies_named_by_model_and_variant(tiles: TileSet) -> None:
    files, variants = choose_studies(Project(folder=tiles.folder), [], [], [], every=True)
    specs, notes = plan(request(tiles, files=files, variants=variants, budget=4, overrides=("train.epochs=2",)))
    assert notes == [
        f"note: {file}.yaml line 8: early_terminate never ends a trial: it looks first at epoch 3, and trials have 2; "
        "lower min_iter, raise train.epochs, or remove it"
        for file in ("lenet5", "columns")
    ]
    assert [spec.name for spec in specs] == [
        f"{model}.{variant}" for model in ("lenet5", "columns") for variant in ("raw", "bilateral", "raw+aug", "bilateral+aug")
    ]
    assert {(spec.budget, spec.base["train"]["epochs"]) for spec in specs} == {(4, 2)}
    assert all(spec.model in spec.name and spec.name.endswith(f".{spec.variant}") for spec in specs)
    named, _ = plan(request(tiles, variants=("raw", "bilateral"), name="night"))
    assert [spec.name for spec in named] == ["night.lenet5.raw", "night.lenet5.bilateral"]
    assert [spec.name for spec in plan(request(tiles, name="night"))[0]] == ["night"]


RATE = "  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}\n"


def write_sweep(folder: Path, more: str = "", top: str = "") -> str:
    path = folder / "my.yaml"
    path.write_text(f"method: random\nrun_cap: 4\n{top}parameters:\n{RATE}{more}")
    return str(path)


def test_the_target_of_the_metric_ends_a_study_unless_the_command_line_has_another(tiles: TileSet, tmp_path: Path) -> None:
    file = write_sweep(tmp_path, top="metric: {name: val_macro_f1, goal: maximize, target: 0.95}\n")
    limits = [plan(request(tiles, files=(file,), **more))[0][0].limits for more in ({}, {"limits": Limits(until=0.9)})]
    assert [limit.until for limit in limits] == [0.95, 0.9]


def test_keys_of_wandb_are_noted_where_they_are_idle_alone(tiles: TileSet, tmp_path: Path) -> None:
    file = write_sweep(tmp_path, top="metric: {name: val_macro_f1, goal: maximize, impute: best}\nproject: speech\n")
    _, notes = plan(request(tiles, files=(file,)))
    assert [note.split(": ")[2].split(" ")[0] for note in notes if file in note][:2] == ["metric.impute", "project"]
    assert not any("--engine wandb" in note for note in plan(request(tiles, files=(file,), engine="wandb"))[1])


def test_the_files_name_is_the_studys_unless_the_command_line_names_it(tiles: TileSet, tmp_path: Path) -> None:
    file = write_sweep(tmp_path, top="name: first-try\n")
    names = [
        [spec.name for spec in plan(request(tiles, files=(file,), **more))[0]]
        for more in ({}, {"name": "second"}, {"variants": ("raw", "bilateral")})
    ]
    assert names == [["first-try"], ["second"], ["first-try.lenet5.raw", "first-try.lenet5.bilateral"]]
    other = tmp_path / "other"
    other.mkdir()
    files = (file, write_sweep(other, top="name: first-try\n"))
    with pytest.raises(SweepError, match=r"^two studies would be called 'first-try\.lenet5\.raw'"):
        plan(request(tiles, files=files))


@pytest.mark.parametrize(
    ("more", "overrides", "message"),
    [
        (
            "  train.patience: {values: [0, 5]}\n",
            ("split.validation=takes",),
            "my.yaml line 5: no training can take train.patience=5: train.patience needs split.validation=speakers",
        ),
        (
            "  augment.noise_db: {values: [20, 30]}\n",
            (),
            "my.yaml line 5: augment.noise_db changes nothing on raw, which has no augmentation; give --variant raw+aug",
        ),
        ("  train.epochs: {value: 032}\n  zzz: {value: 1}\n", (), "my.yaml line 5: 032 is read as 26 (base 8); write 32"),
    ],
)
def test_what_no_trial_could_search_is_refused_before_the_first(
    tiles: TileSet, tmp_path: Path, more: str, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SweepError) as caught:
        plan(request(tiles, files=(write_sweep(tmp_path, more),), overrides=overrides))
    assert message in str(caught.value)


def test_a_net_of_ones_own_has_a_sweep_and_a_projects_settings_give_way_to_what_it_tunes(
    tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = "a net.py:Net"
    write_net(tmp_path, format_net("return self.last(x.flatten(1))", "self.last = nn.Linear(size**2, 10)"), "a net.py")
    project = Project(folder=tmp_path, values={"models.A": net, "models.B": "resnet", "sweep.B": "b.yaml"})
    assert choose_studies(project, [], [], [], every=True)[0] == (net, "b.yaml")
    settings = ("train.batch_size=32", "train.epochs=4", "model.depth=3")
    (spec,), notes = plan(request(tiles, files=(net,), settings=settings, budget=2))
    assert notes == [
        "Net does not read model.depth: its trials run without model.depth=3",
        "note: the sweep of Net has train.batch_size, so train.batch_size=32 of arena.toml or --config does not hold",
    ]
    assert (spec.name, spec.overrides) == ("Net.raw", ("train.epochs=4",))
    assert [parameter.name for parameter in spec.sweep.parameters] == ["model.name", "train.learning_rate", "train.batch_size"]
    assert spec.base["train"]["batch_size"] == 64


def test_a_net_beside_a_sweep_file_is_told_to_stand_in_it() -> None:
    with pytest.raises(OptionError, match=r"not mine.yaml, resnet; a file names .*, `model.name: \{value: resnet\}`$"):
        choose_studies(Project(folder=Path()), ["mine.yaml"], ["resnet"], ["raw"], every=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"overrides": ("train.batch_size=3",)},
            "train.batch_size is tuned by lenet5.yaml line 19, so it cannot be set here; drop one of them",
        ),
        ({"variants": ("raw", "raw")}, "two studies would be called 'lenet5.raw'; give each variant and each model once"),
        (
            {"variants": ("row",)},
            "variant is one of raw, bilateral, raw+aug, bilateral+aug, denoised, denoised+aug, not 'row'; did you mean 'raw'?",
        ),
        (
            {"options": AgentOptions(device="mps")},
            "--device mps is not supported: it has no float64, which scores are computed in; use --device cpu",
        ),
        ({"options": AgentOptions(device="meta")}, "--device is auto, cpu, cuda or cuda:1, not 'meta'"),
        ({"limits": Limits(until=95)}, "--until 95 is out of reach: val_macro_f1 lies from 0 to 1; write 0.95"),
        ({"overrides": ("train.epoch=3",)}, "unknown key 'train.epoch'; did you mean train.epochs=3?"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_anything_is_written(
    tiles: TileSet, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception) as caught:
        plan(request(tiles, **changes))
    assert str(caught.value) == message


def test_no_more_agents_than_trials() -> None:
    assert default_agents("cpu", 1) == 1
    assert 1 <= default_agents("cpu", 1000) <= 8


def test_a_study_is_not_made_where_its_runs_cannot_be_written(tiles: TileSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options = AgentOptions(studies_dir=tmp_path / "studies")
    with pytest.raises(RunError, match=r"^cannot write run folders in .*: Not a directory; choose another with --runs$"):
        open_studies(request(tiles, options=options, runs=tmp_path / "file" / "runs"), print)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_written_where_one_of_several_studies_cannot_go_on(tiles: TileSet, tmp_path: Path) -> None:
    where: dict[str, Any] = {"options": AgentOptions(studies_dir=tmp_path / "studies"), "runs": tmp_path / "runs", "budget": 4}
    open_studies(request(tiles, variants=("bilateral",), seed=1, name="lenet5.bilateral", **where), print)
    with pytest.raises(StudyError, match=r"^study 'lenet5.bilateral' exists with another seed \(1, not 0\)"):
        open_studies(request(tiles, variants=("raw", "bilateral"), **where), print)
    assert [path.name for path in (tmp_path / "studies").iterdir()] == ["lenet5.bilateral"]


def test_a_budget_below_the_trials_that_are_done_is_said_and_takes_none_back(tiles: TileSet, tmp_path: Path) -> None:
    where: dict[str, Any] = {"options": AgentOptions(studies_dir=tmp_path / "studies"), "runs": tmp_path / "runs"}
    open_studies(request(tiles, budget=4, **where), print)
    engine = open_engine(tmp_path / "studies")
    for _ in range(3):
        engine.finish(claimed(engine), finished(0.5))
    messages: list[str] = []
    (spec,) = open_studies(request(tiles, budget=2, **where), messages.append)
    assert spec.budget == 3
    assert messages == [
        "study lenet5.raw: 3 trials are done, more than --budget 2; none is taken back",
        "study lenet5.raw goes on, its budget now 3 instead of 4",
    ]
