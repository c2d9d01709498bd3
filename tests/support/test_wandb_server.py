"""The loopback server knows what the installed client asks for, and W&B's rules for points and early stopping."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb

from support.wandb_server.graphql import Execution, GraphQLError, UnknownFieldError, root_fields
from support.wandb_server.http import LoopbackServer
from support.wandb_server.nodes import Memory, matches
from support.wandb_server.roots import Roots
from support.wandb_server.state import Run, Sweep, hyperband_stops

# Root fields of the client's core that no command of Arena's leads to.
NOT_OURS = {
    *("artifact", "clientIDMapping", "linkArtifact", "useArtifact", "updateArtifact", "completeMultipartUploadArtifact"),
    *("createCustomChart", "createDefaultResourceConfig", "createRunQueue", "upsertRunQueue"),
    *("markRunFilesUploaded", "notifyScriptableRunAlert", "rewindRun"),
}
_BEGIN = re.compile(rb"\b(?:query|mutation) \w+ ?[({]")
# Of a sweep's agents; these documents are in the client's Python.
_OF_AGENTS = {"upsertSweep", "createAgent", "agentHeartbeat"}


def documents(code: bytes) -> Iterator[str]:
    """Every GraphQL operation in a file: from its keyword to the brace that closes its selection."""
    for found in _BEGIN.finditer(code):
        depth, rounds = 0, 0
        for place in range(found.end() - 1, min(found.start() + 20_000, len(code))):
            sign = code[place : place + 1]
            rounds += (sign == b"(") - (sign == b")")
            depth += (sign == b"{") - (sign == b"}")
            if sign == b"}" and depth == 0 and rounds == 0:
                yield code[found.start() : place + 1].decode()
                break


def test_the_server_knows_every_root_field_of_the_installed_client() -> None:
    core = Path(inspect.getfile(wandb)).parent / "bin" / "wandb-core"
    asked = {field for text in documents(core.read_bytes()) for field in root_fields(text)}
    known = {name for name in dir(Roots) if not name.startswith("_")}
    assert len(asked) > 20
    assert asked - known - NOT_OURS == set(), "a new wandb asks for these: teach loopback_roots.py, or say why not"
    assert NOT_OURS - asked == set(), "wandb asks for these no more"
    python = (Path(inspect.getfile(wandb)).parent / "apis" / "public" / "sweeps.py").read_text()
    assert all(f"{field}(input:" in python and field in known for field in _OF_AGENTS)


def test_an_unknown_root_field_is_refused_by_name() -> None:
    with pytest.raises(UnknownFieldError, match="no root field 'teleport'"):
        Execution(Roots(Memory("tester")), "query Q { teleport { id } }", None, {}).run()


def test_an_answer_is_cut_to_its_selection_with_aliases_fragments_and_directives() -> None:
    text = """
    query Q($with: Boolean = false) {
      me: viewer { ...Name teams @include(if: $with) { totalCount } username @skip(if: $with) }
    }
    fragment Name on User { entity }
    """
    assert Execution(Roots(Memory("ann")), text, "Q", {}).run() == {"me": {"entity": "ann", "username": "ann"}}
    assert Execution(Roots(Memory("ann")), text, "Q", {"with": True}).run() == {
        "me": {"entity": "ann", "teams": {"totalCount": 1}}
    }


def run_with(name: str, *values: float, state: str = "running") -> Run:
    run = Run("tester", "p", name, state=state)
    run.lines["wandb-history.jsonl"] = {n: f'{{"val_loss": {value}}}' for n, value in enumerate(values)}
    return run


def test_hyperband_stops_running_runs_outside_of_the_best_share_at_a_band() -> None:
    config = {
        "method": "random",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
        "parameters": {},
    }
    sweep = Sweep("tester", "p", "s", config)
    sweep.runs = [
        run_with("best", 3.0, 1.0),
        run_with("worse", 2.0, 2.0),
        run_with("over", 9.0, 9.0, state="finished"),
        run_with("young", 9.0),
    ]
    assert hyperband_stops(sweep) == []  # two of three go on
    sweep.runs.append(run_with("weak", 5.0, 5.0))
    sweep.runs.append(run_with("good", 1.0, 1.5))
    assert hyperband_stops(sweep) == ["weak"]


def make_sweep(server: LoopbackServer, **config: object) -> Sweep:
    parameters = {"lr": {"values": [0.1, 0.2]}}
    text = json.dumps({"method": "grid", "metric": {"name": "f1", "goal": "maximize"}, "parameters": parameters, **config})
    answer = server.roots.upsertSweep({"config": text, "projectName": "p", "entityName": "tester"})
    return server.sweep(answer["sweep"]["name"])


def command(server: LoopbackServer, sweep: Sweep) -> dict[str, Any]:
    """What an agent that trains nothing is told first."""
    agent = server.roots.createAgent({"sweep": sweep.name, "host": "here"})["agent"]["id"]
    return dict(json.loads(server.roots.agentHeartbeat({"id": agent, "runState": "{}"})["commands"])[0])


def end(server: LoopbackServer, run: Run, **body: object) -> None:
    stream = json.dumps({"complete": True, **body}).encode()
    server.answer("POST", f"/files/{run.entity}/{run.project}/{run.name}/file_stream", stream, "")


def test_a_sweep_that_has_started_changes_its_state_but_not_its_configuration() -> None:
    """github.com/wandb/wandb/issues/12415; a finished one may be resumed: pull 5901."""
    server = LoopbackServer()
    sweep = make_sweep(server)
    server.roots.upsertSweep({"id": sweep.id, "config": json.dumps({**sweep.config, "run_cap": 1})})
    assert command(server, sweep)["type"] == "run"
    with pytest.raises(GraphQLError, match="cannot reconfigure sweep which has already started"):
        server.roots.upsertSweep({"id": sweep.id, "config": json.dumps({**sweep.config, "run_cap": 2})})
    assert (command(server, sweep)["type"], sweep.state) == ("exit", "FINISHED")  # at its cap: pull 5998
    server.roots.upsertSweep({"id": sweep.id, "state": "RUNNING"})
    assert sweep.state == "RUNNING"


def test_a_preempted_run_is_handed_out_again_with_all_of_its_configuration() -> None:
    """github.com/wandb/wandb/issues/4237; with exit code 0 it counts as finished: issue 9568."""
    server = LoopbackServer()
    sweep = make_sweep(server)
    for _ in range(2):
        command(server, sweep)
    preempted, over = sweep.runs
    preempted.config["_wandb"] = {"value": {"cli_version": "0.31.0"}}
    end(server, over, preempting=True, exitcode=0)
    end(server, preempted, preempting=True, exitcode=1)
    assert (preempted.state, over.state) == ("preempted", "finished")
    again = command(server, sweep)
    assert (again["type"], again["run_id"], again["args"]) == ("resume", preempted.name, preempted.config)


def test_a_grid_hands_out_what_no_run_of_it_has_in_its_configuration() -> None:
    """A client that changes a value gets it again: issue 1379. A deleted run is made again: 4283. Prior runs too: 2783."""
    server = LoopbackServer()
    sweep = make_sweep(server)
    rates = [command(server, sweep)["args"]["lr"]["value"] for _ in range(2)]
    sweep.runs[1].config["lr"] = {"value": "0.2"}
    rates.append(command(server, sweep)["args"]["lr"]["value"])
    del sweep.runs[0]
    rates.append(command(server, sweep)["args"]["lr"]["value"])
    assert (rates, command(server, sweep)["type"]) == ([0.1, 0.2, 0.2, 0.1], "exit")


def test_a_sweep_whose_metric_has_its_target_is_finished() -> None:
    server = LoopbackServer()
    sweep = make_sweep(server, metric={"name": "f1", "goal": "maximize", "target": 0.9})
    run = server.memory.make_run("tester", "p", command(server, sweep)["run_id"])
    run.lines["wandb-history.jsonl"] = {0: '{"f1": 0.8}', 1: '{"f1": 0.9}'}
    assert (command(server, sweep)["type"], sweep.state) == ("exit", "FINISHED")


def test_filters_of_the_public_api() -> None:
    run = {"state": "finished", "config": {"train.seed": {"value": 3}}, "displayName": "a"}
    assert matches(run, {"$and": [{"display_name": "a"}, {"state": {"$in": ["finished", "failed"]}}]})
    assert not matches(run, {"$or": [{"state": "running"}, {"display_name": {"$ne": "a"}}]})
