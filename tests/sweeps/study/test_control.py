"""An agent that is paused, resumed, stopped or out of memory, or whose trials fail; scripts replace the trainings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnn.runs.folder import EpochRow
from support.studies import BAYES, call, claimed, finished, make_study, open_engine
from sweeps.agents import agent
from sweeps.agents.agent import sort_by_share
from sweeps.agents.run import run_agent
from sweeps.errors import StudyError, SweepError
from sweeps.pool.agent_options import OUT_OF_MEMORY, AgentOptions, AgentSignals
from sweeps.pool.slots import Slot, parse_gpus, spread_over_gpus
from sweeps.results import read_outline
from sweeps.study.control import Command, read_command, write_command
from sweeps.study.lease import utc_now
from sweeps.training import trial
from sweeps.training.trial import Step, Task, TrialContext, TrialResult, TrialState

N_EPOCHS = 4
Script = Callable[[Task, int], None]


def row(epoch: int) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        train_loss=1.0,
        train_accuracy=0.5,
        train_macro_f1=0.5,
        val_loss=1.0,
        val_accuracy=0.5,
        val_macro_f1=0.1 * epoch,
        learning_rate=0.1,
        seconds=1.0,
    )


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], None]:
    """Replace trainings: epochs are reported, and after each the script runs."""
    done: dict[str, int] = {}

    def use(script: Script) -> None:
        def run_trial(context: TrialContext, task: Task, hooks: trial.TrialHooks) -> TrialResult:
            run = f"{context.study}/{task.number}"
            try:
                while done.get(run, 0) < N_EPOCHS:
                    done[run] = done.get(run, 0) + 1
                    script(task, done[run])
                    if hooks.on_epoch(row(done[run])) is Step.PAUSE:
                        return TrialResult(state=TrialState.PAUSED)
            except MemoryError:
                return TrialResult(state=TrialState.FAILED, cause="out of memory", out_of_memory=True)
            except ZeroDivisionError as error:
                return TrialResult(state=TrialState.FAILED, cause=str(error))
            return TrialResult(state=TrialState.FINISHED, epochs={n: 0.1 * n for n in range(1, N_EPOCHS + 1)})

        monkeypatch.setattr(trial, "run_trial", run_trial)
        monkeypatch.setattr(trial, "check_context", lambda _context: None)

    return use


def states(studies: Path, name: str = "lenet5.raw") -> list[tuple[str, int]]:
    return [(facts.state, len(facts.epochs)) for facts in read_outline(studies, name).trials]


def options(studies: Path, *names: str, **more: object) -> AgentOptions:
    return AgentOptions(studies_dir=studies, names=names or ("lenet5.raw",), **more)  # type: ignore[arg-type]


def test_a_paused_study_is_given_up_after_the_epoch_and_goes_on_when_resumed(
    tmp_path: Path, train: Callable[[Script], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_study(tmp_path, budget=2)
    seen: list[list[tuple[str, int]]] = []
    messages: list[str] = []

    def pause(task: Task, epoch: int) -> None:
        if (task.number, epoch) == (0, 2):
            write_command(folder, Command.PAUSE, utc_now())

    def while_waiting(_seconds: float) -> None:
        seen.append(states(tmp_path))
        if len(seen) == 3:
            write_command(folder, Command.RUN, utc_now())

    train(pause)
    monkeypatch.setattr(agent.time, "sleep", while_waiting)
    assert run_agent(options(tmp_path), AgentSignals(), messages.append) == 0
    assert seen == [[("interrupted", 2)]] * 3
    assert states(tmp_path) == [("finished", 4), ("finished", 4)]
    assert messages == ["study lenet5.raw is paused; `arena sweep resume lenet5.raw` lets it go on"]


def test_a_stopped_study_is_left_after_the_epoch_while_others_go_on(tmp_path: Path, train: Callable[[Script], None]) -> None:
    folder = make_study(tmp_path, budget=3)
    make_study(tmp_path, budget=3, name="other")
    train(lambda task, epoch: write_command(folder, Command.STOP, utc_now()))
    messages: list[str] = []
    assert run_agent(options(tmp_path, "lenet5.raw", "other"), AgentSignals(), messages.append) == 0
    assert states(tmp_path) == [("interrupted", 1)]
    assert states(tmp_path, "other") == [("finished", 4)] * 3
    assert messages == ["study lenet5.raw is stopped; `arena sweep resume lenet5.raw` undoes it"]
    train(lambda task, epoch: None)
    assert run_agent(options(tmp_path), AgentSignals(), messages.append) == 0
    assert states(tmp_path) == [("interrupted", 1)]
    write_command(folder, Command.RUN, utc_now())
    assert run_agent(options(tmp_path), AgentSignals(), messages.append) == 0
    assert states(tmp_path) == [("finished", 4)] * 3


def test_the_commands_are_written_and_a_misspelt_name_writes_none(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    where = ("--studies", str(tmp_path))
    for name, command in (("pause", Command.PAUSE), ("stop", Command.STOP), ("resume", Command.RUN)):
        messages = call(name, "lenet5.raw", *where)
        assert ("`arena sweep resume lenet5.raw`" in messages) is (command is not Command.RUN)
        assert read_command(folder) is command
    assert not (folder.path / "control.json").exists()
    call("pause", "lenet5.raw", "lenet5.row", *where, code=1)
    assert read_command(folder) is Command.RUN
    (folder.path / "control.json").write_text("{")
    with pytest.raises(StudyError, match=r"control\.json is damaged .*`arena sweep resume lenet5\.raw` makes it anew"):
        read_command(folder)


def fall_short(task: Task, epoch: int) -> None:
    if task.number == 0 and epoch == 2:
        raise MemoryError


def test_out_of_memory_beside_others_gives_the_trial_up_for_the_pool_to_try_again(
    tmp_path: Path, train: Callable[[Script], None]
) -> None:
    make_study(tmp_path, budget=2)
    train(fall_short)
    assert run_agent(options(tmp_path), AgentSignals(is_alone=False), print) == OUT_OF_MEMORY
    assert states(tmp_path) == [("interrupted", 1)]


def test_out_of_memory_alone_is_recorded_and_its_point_never_tried_again(
    tmp_path: Path, train: Callable[[Script], None]
) -> None:
    text = BAYES.replace("train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}\n  ", "")
    make_study(tmp_path, text.replace("bayes", "grid"), budget=3)
    train(fall_short)
    messages: list[str] = []
    assert run_agent(options(tmp_path), AgentSignals(), messages.append) == 0
    first, *rest = read_outline(tmp_path, "lenet5.raw").trials
    cause = "out of memory, alone on the device: this point is not tried again"
    assert (first.state, first.cause) == ("failed", cause)
    assert [facts.state for facts in rest] == ["finished", "finished"]
    assert first.run not in {facts.run for facts in rest}
    assert messages == [
        f"study lenet5.raw: trial 0 failed: {cause}",
        "study lenet5.raw: every point of its space has been tried, before its budget was reached",
    ]


@pytest.mark.parametrize(
    ("most", "rule"), [(1, "a trial of lenet5.raw failed: no"), (2, "2 trials in a row failed, the last of")]
)
def test_an_agent_stops_after_so_many_failures_in_a_row(
    tmp_path: Path, train: Callable[[Script], None], most: int, rule: str
) -> None:
    def fail(task: Task, _epoch: int) -> None:
        if task.number != 1 or most == 1:
            raise ZeroDivisionError("no")

    make_study(tmp_path, budget=9)
    train(fail)
    with pytest.raises(StudyError, match=rule):
        run_agent(options(tmp_path, max_failures=most), AgentSignals(), print)
    expected = [("failed", 0)] if most == 1 else [("failed", 0), ("finished", 4), ("failed", 0), ("failed", 0)]
    assert states(tmp_path) == expected


def test_studies_take_turns_by_the_share_of_their_budgets(tmp_path: Path) -> None:
    budgets = {"a": 2, "b": 4, "c": 8}
    for name, budget in budgets.items():
        make_study(tmp_path, budget=budget, name=name)
    engines = [open_engine(tmp_path, name) for name in budgets]
    turns = []
    for _ in range(sum(budgets.values())):
        engine = sort_by_share(engines)[0]
        turns.append(engine.spec.name)
        engine.finish(claimed(engine), finished(0.5))  # type: ignore[arg-type]
        done = {name: turns.count(name) for name in budgets}
        shares = [done[name] / budgets[name] for name in budgets]
        assert max(shares) - min(shares) <= 1 / min(budgets.values())
    assert sorted(turns[:7]) == list("abbcccc")
    assert {name: turns.count(name) for name in budgets} == budgets


def test_agents_are_dealt_to_gpus_in_turns() -> None:
    slots = spread_over_gpus(("0", "3"), 2)
    assert [slot.gpu for slot in slots] == ["0", "3", "0", "3"]
    assert {slot.device for slot in slots} == {"cuda"}
    assert [slot.label for slot in (*slots[:2], Slot(device="cpu"))] == ["GPU 0", "GPU 3", "device cpu"]


def test_numbers_of_gpus_count_in_what_a_cluster_has_left_visible() -> None:
    assert parse_gpus("1,0", {"CUDA_VISIBLE_DEVICES": "4,GPU-ab12"}) == ("GPU-ab12", "4")


@pytest.mark.parametrize(
    ("text", "visible", "rule"),
    [
        ("0,x", "0", "--gpus takes numbers such as 0 or 0,1, not '0,x'"),
        ("1,1", "0,1", "--gpus names GPU 1 twice"),
        ("2", "0,1", "there is no GPU 2 here, only 0, 1"),
        ("0", "", "this machine has no GPU that NVIDIA's driver knows"),
    ],
)
def test_a_gpu_that_is_not_here_is_refused_in_one_line(text: str, visible: str, rule: str) -> None:
    with pytest.raises(SweepError) as caught:
        parse_gpus(text, {"CUDA_VISIBLE_DEVICES": visible})
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--per-gpu", "2"], "--per-gpu needs --gpus"),
        (["--gpus", "0", "--agents", "2"], "not both"),
        (["--gpus", "0", "--device", "cpu"], "--gpus chooses the devices"),
    ],
)
def test_flags_that_exclude_each_other_are_wrong_usage(words: list[str], rule: str) -> None:
    assert rule in call("run", "lenet5", "--variant", "raw", *words, code=2)
