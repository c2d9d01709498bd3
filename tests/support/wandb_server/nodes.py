"""Runs, projects and sweeps as the public API reads them: dicts whose entries are called where a field takes arguments."""

# ruff: noqa: N803 (argument names are the protocol's)

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import yaml

from support.wandb_server.state import Run, Sweep, global_id, now

Node = dict[str, Any]

_ALIASES = {"display_name": "displayName", "summary_metrics": "summaryMetrics"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda x, y: bool(x == y),
    "$ne": lambda x, y: bool(x != y),
    "$in": lambda x, y: x in y,
    "$nin": lambda x, y: x not in y,
    "$gt": lambda x, y: x is not None and x > y,
    "$lt": lambda x, y: x is not None and x < y,
    "$exists": lambda x, y: (x is not None) == y,
}


class Memory:
    """Everything that the server knows."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.url = ""
        self.runs: dict[tuple[str, str, str], Run] = {}
        self.deleted: set[tuple[str, str, str]] = set()  # their names are never free again
        self.sweeps: dict[str, Sweep] = {}

    def run(self, entity: str | None, project: str | None, name: str) -> Run | None:
        return self.runs.get((entity or self.entity, project or "uncategorized", name))

    def make_run(self, entity: str | None, project: str | None, name: str) -> Run:
        key = (entity or self.entity, project or "uncategorized", name)
        return self.runs.setdefault(key, Run(*key, display_name=name))


def connection(nodes: Iterable[Node]) -> Node:
    """A page that holds all of `nodes`."""
    edges = [{"node": node, "cursor": str(place)} for place, node in enumerate(nodes)]
    return {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}, "totalCount": len(edges)}


def run_node(memory: Memory, run: Run) -> Node:
    files = f"{memory.url}/storage/runs/{run.entity}/{run.project}/{run.name}"
    return {
        "id": run.id,
        "name": run.name,
        "displayName": run.display_name,
        "config": json.dumps(run.config),
        "summaryMetrics": json.dumps(run.summary),
        "systemMetrics": "{}",
        "state": run.state,
        "exitcode": run.exit_code,
        "shouldStop": run.stop_asked,
        "stopped": run.stop_asked,
        "failed": run.state == "failed",
        "running": run.state == "running",
        "tags": run.tags,
        "notes": run.notes,
        "group": run.group,
        "jobType": run.job_type,
        "sweepName": run.sweep or None,
        "sweep": lambda **_: sweep_node(memory, memory.sweeps[run.sweep]) if run.sweep in memory.sweeps else None,
        "createdAt": run.created,
        "heartbeatAt": now(),
        "readOnly": False,
        "user": {"name": "Tester", "username": memory.entity},
        "projectId": 1,
        "internalId": global_id("RunInternal", run.name),
        "project": lambda **_: project_node(memory, run.entity, run.project),
        "wandbConfig": lambda **_: json.dumps((run.config.get("_wandb") or {}).get("value", {})),
        **_history_fields(run),
        "fileCount": len(run.files),
        "files": lambda **_: connection(_file_node(files, name, content) for name, content in run.files.items()),
    }


def _history_fields(run: Run) -> Node:
    rows = run.history
    names = {name for row in rows for name in row}
    types = {"typeCounts": [{"type": "number", "count": len(rows)}], "monotonic": False}
    tail = run.lines.get("wandb-events.jsonl", {})
    return {
        "historyLineCount": len(rows),
        "eventsLineCount": len(tail),
        "logLineCount": len(run.lines.get("output.log", {})),
        "historyTail": json.dumps([json.dumps(row) for row in rows[-1:]]),
        "eventsTail": json.dumps([line for _, line in sorted(tail.items())[-1:]]),
        "historyKeys": {"keys": dict.fromkeys(names, types), "lastStep": rows[-1]["_step"] if rows else -1, "sets": []},
        "history": lambda minStep=0, maxStep=10**9, **_: [json.dumps(r) for r in rows if minStep <= r["_step"] < maxStep],
        "parquetHistory": lambda **_: {"liveData": rows, "parquetUrls": []},
        "sampledHistory": lambda specs=(), **_: [
            _sampled(rows, spec) for spec in ([specs] if isinstance(specs, str) else specs)
        ],
    }


def _sampled(rows: list[dict[str, Any]], spec: str) -> list[dict[str, Any]]:
    keys = json.loads(spec).get("keys", [])
    return [{key: row[key] for key in keys} if keys else row for row in rows if all(key in row for key in keys)]


def _file_node(base: str, name: str, content: bytes) -> Node:
    url = f"{base}/{quote(name)}"
    return {
        "id": global_id("File", name),
        "name": name,
        "url": url,
        "directUrl": url,
        "sizeBytes": len(content),
        "updatedAt": now(),
    }


def project_node(memory: Memory, entity: str, project: str) -> Node:
    def runs(filters: str | None = None, **_: Any) -> Node:
        wanted = json.loads(filters) if filters else {}
        nodes = ((run, run_node(memory, run)) for run in memory.runs.values() if (run.entity, run.project) == (entity, project))
        return connection(node for run, node in nodes if matches({**node, "config": run.config, "sweep": run.sweep}, wanted))

    def run(name: str, **_: Any) -> Node | None:
        found = memory.run(entity, project, name)
        return run_node(memory, found) if found else None

    def sweep(sweepName: str, **_: Any) -> Node | None:
        found = memory.sweeps.get(sweepName)
        return sweep_node(memory, found) if found else None

    return {
        "id": global_id("Project", "v1", project, entity),
        "internalId": global_id("ProjectInternal", project),
        "name": project,
        "entityName": entity,
        "entity": {"id": global_id("Entity", entity), "name": entity},
        "createdAt": now(),
        "readOnly": False,
        "runs": runs,
        "runCount": lambda filters=None, **_: runs(filters)["totalCount"],
        "run": run,
        "bucket": run,
        "sweep": sweep,
    }


def sweep_node(memory: Memory, sweep: Sweep) -> Node:
    return {
        "__typename": "Sweep",
        "id": sweep.id,
        "name": sweep.name,
        "displayName": sweep.display_name,
        "state": sweep.state,
        "method": sweep.config["method"],
        "config": yaml.safe_dump(sweep.config),
        "controller": "{}",
        "scheduler": "{}",
        "createdAt": now(),
        "heartbeatAt": now(),
        "updatedAt": now(),
        "runCount": len(sweep.runs),
        "runs": lambda **_: connection(run_node(memory, run) for run in sweep.runs),
        "priorRuns": lambda **_: connection(run_node(memory, run) for run in sweep.prior_runs),
        "agents": lambda **_: connection([]),
        "project": lambda **_: project_node(memory, sweep.entity, sweep.project),
    }


def matches(document: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """The part of Mongo's filters that the client sends."""
    for key, condition in wanted.items():
        if key == "$and":
            holds = all(matches(document, one) for one in condition)
        elif key == "$or":
            holds = not condition or any(matches(document, one) for one in condition)
        else:
            found = _at(document, key)
            tests = condition if isinstance(condition, dict) else {"$eq": condition}
            holds = all(_COMPARE[name](found, value) for name, value in tests.items())
        if not holds:
            return False
    return True


def _at(document: Mapping[str, Any], path: str) -> Any:
    head, *rest = path.split(".")
    found: Any = document.get(_ALIASES.get(head, head))
    for name in rest:
        found = found.get(name) if isinstance(found, dict) else None
    return found
