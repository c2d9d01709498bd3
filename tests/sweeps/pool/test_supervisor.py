"""A supervisor over processes that play agents: order of starts, and consequences of ends."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from typer.main import get_command

from sweeps.cli import agent as agent_cli
from sweeps.errors import StudyError
from sweeps.pool import agent_process as process
from sweeps.pool.agent_options import AUTO, AgentOptions, parse_fuse
from sweeps.pool.slots import Slot, spread_over_gpus
from sweeps.pool.supervisor import Supervisor

_PLAYER = """
import os, sys
from pathlib import Path
words = sys.argv[1:]
here = Path(words[words.index("--studies") + 1])
role = (here / "role").read_text()
def note(text):
    with (here / "notes").open("a") as file:
        file.write(text + "\\n")
if "--smoke" in words and role == "broken":
    print("a line before\\nerror: the net is broken", flush=True)
    sys.exit(76)
if "--smoke" in words:
    note("tried")
os.write(int(words[words.index("--ready") + 1]), b".")
assert sys.stdin.readline() == "go\\n"
note("begun on " + os.environ.get("CUDA_VISIBLE_DEVICES", "-") + (" beside others" if "--shared" in words else " alone"))
if role == "short of memory" and "--shared" in words:
    try:
        (here / "first").touch(exist_ok=False)
        sys.exit(75)
    except FileExistsError:
        assert sys.stdin.readline() == "alone\\n"
        note("told to be alone")
        sys.exit(75 if (here / "both").exists() else 0)
"""


@pytest.mark.parametrize(
    "options",
    [
        AgentOptions(names=("lenet5.raw",)),
        AgentOptions(
            studies_dir=Path("/my studies"),
            names=("lenet5.raw", "resnet.raw+aug"),
            device="cuda:1",
            max_failures=7,
            wandb="offline",
            fuse=AUTO,
            smoke=True,
            shared=True,
        ),
        AgentOptions(names=("s",), fuse=12),
    ],
)
def test_options_come_back_from_the_command_line_that_they_make(options: AgentOptions) -> None:
    argv = options.to_argv()
    assert AgentOptions.from_argv(argv) == options
    parsed = get_command(agent_cli.app).make_context("agent", argv[2:]).params
    fields = {**parsed, "studies_dir": Path(parsed["studies"]), "fuse": parse_fuse(parsed["fuse"])}
    fields["names"] = tuple(parsed["names"])
    assert AgentOptions(**{field.name: fields[field.name] for field in dataclasses.fields(AgentOptions)}) == options


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "player.py"
    script.write_text(_PLAYER)
    monkeypatch.setattr(process, "_ARENA", script)
    return tmp_path


def play(stage: Path, role: str, slots: tuple[Slot, ...], *, smoke: bool) -> tuple[list[str], list[str]]:
    """Return the sorted notes of the players and the messages of the supervisor."""
    (stage / "role").write_text(role)
    messages: list[str] = []
    options = AgentOptions(names=("s",), studies_dir=stage, smoke=smoke)
    deadline = time.monotonic() + 60
    with Supervisor(options, slots, messages.append) as supervisor:
        while supervisor.is_working:
            assert time.monotonic() < deadline
            supervisor.poll(is_stopping=False)
            time.sleep(0.01)
    return sorted((stage / "notes").read_text().splitlines()), messages


def test_nobody_begins_before_the_smoke_trial_is_over(stage: Path) -> None:
    notes, messages = play(stage, "good", spread_over_gpus(("0", "1"), 1), smoke=True)
    assert (stage / "notes").read_text().splitlines()[0] == "tried"
    assert notes == ["begun on 0 alone", "begun on 1 alone", "tried"]
    assert messages == []
    assert not list(stage.glob("agent-*.log"))


def test_a_smoke_trial_that_fails_ends_the_pool_with_its_cause(stage: Path) -> None:
    with pytest.raises(StudyError) as caught:
        play(stage, "broken", spread_over_gpus(("0",), 3), smoke=True)
    assert str(caught.value) == "the net is broken"
    assert not (stage / "notes").exists()


def test_out_of_memory_takes_one_agent_from_its_device_and_the_last_is_told(stage: Path) -> None:
    notes, messages = play(stage, "short of memory", spread_over_gpus(("7",), 2), smoke=False)
    assert notes == ["begun on 7 beside others", "begun on 7 beside others", "told to be alone"]
    (line,) = messages
    assert line.endswith(" ran out of memory on GPU 7: 1 agent there now, and its trial is tried again")


def test_a_device_that_all_agents_left_for_want_of_memory_gets_one_anew(stage: Path) -> None:
    (stage / "both").touch()
    notes, messages = play(stage, "short of memory", spread_over_gpus(("7",), 2), smoke=False)
    assert notes == ["begun on 7 alone", "begun on 7 beside others", "begun on 7 beside others", "told to be alone"]
    assert [line.partition(" ran out")[2] for line in messages] == [
        " of memory on GPU 7: 1 agent there now, and its trial is tried again"
    ] * 2
