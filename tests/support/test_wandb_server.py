"""The loopback server knows what the installed client asks for, and W&B's rules for points and early stopping."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import wandb

from support.wandb_server.graphql import Execution, UnknownFieldError, root_fields
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


def test_filters_of_the_public_api() -> None:
    run = {"state": "finished", "config": {"train.seed": {"value": 3}}, "displayName": "a"}
    assert matches(run, {"$and": [{"display_name": "a"}, {"state": {"$in": ["finished", "failed"]}}]})
    assert not matches(run, {"$or": [{"state": "running"}, {"display_name": {"$ne": "a"}}]})
