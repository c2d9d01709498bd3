"""The GraphQL root fields that the loopback server has, under W&B's names and with W&B's argument names."""

# ruff: noqa: N802, N803 (field and argument names are the protocol's)

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote

import yaml

from support.wandb_server.graphql import GraphQLError
from support.wandb_server.nodes import Memory, Node, connection, project_node, run_node, sweep_node
from support.wandb_server.state import Agent, Artifact, Run, Sweep, global_id, hyperband_stops

_RUN_FIELDS = {"displayName": "display_name", "tags": "tags", "notes": "notes", "groupName": "group", "jobType": "job_type"}
FEATURES = ("SWEEPS_LOCAL_SCHEDULER",)


class Roots:
    """Each public method is a root field."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._agents: dict[str, Agent] = {}
        self._artifacts: dict[str, Artifact] = {}
        self._n_manifests = 0

    @property
    def all_artifacts(self) -> list[Artifact]:
        return list(self._artifacts.values())

    def stopped_by_us(self, run: str) -> bool:
        return any(run in agent.told_to_stop for agent in self._agents.values())

    def store(self, artifact: str, name: str, content: bytes) -> None:
        self._artifacts[artifact].files[name] = content

    def viewer(self) -> Node:
        name = self._memory.entity
        teams = connection([{"name": name, "id": global_id("Entity", name)}])
        return {"id": global_id("User", 1), "entity": name, "username": name, "name": "Tester", "flags": "{}", "teams": teams}

    def serverInfo(self) -> Node:
        features = [{"name": name, "isEnabled": True} for name in FEATURES]
        return {"cliVersionInfo": {"max_cli_version": "99.0.0", "min_cli_version": "0.0.1"}, "features": features}

    def organization(self, **_: Any) -> Node:
        return {"name": "loopback", "featureFlags": lambda **_: []}

    def entity(self, name: str = "", **_: Any) -> Node:
        return {"id": global_id("Entity", name), "name": name, "isTeam": False}

    def project(self, name: str | None = None, entityName: str | None = None, **_: Any) -> Node:
        return project_node(self._memory, entityName or self._memory.entity, name or "uncategorized")

    model = project  # what a project was called, and still is when a run is resumed

    def upsertBucket(self, input: Node) -> Node:
        known = next((run for run in self._memory.runs.values() if input.get("id") == run.id), None)
        name = input.get("name") or uuid.uuid4().hex[:8]
        where = input.get("entityName"), input.get("modelName")
        is_new = known is None and self._memory.run(*where, name) is None
        key = where[0] or self._memory.entity, where[1], name
        if known is None and key in self._memory.deleted:
            raise GraphQLError(f"run {'/'.join(key)} was previously created and deleted; try a new run name", 409)
        run = known or self._memory.make_run(*where, name)
        run.state = "running"
        run.config.update(json.loads(input.get("config") or "{}"))
        run.summary.update(json.loads(input.get("summaryMetrics") or "{}"))
        for theirs, ours in _RUN_FIELDS.items():
            if input.get(theirs):
                setattr(run, ours, input[theirs])
        sweep = self._memory.sweeps.get(input.get("sweep") or "")
        if sweep and not run.sweep:
            run.sweep = sweep.name
            sweep.runs.append(run)
        return {"bucket": run_node(self._memory, run), "inserted": is_new}

    def deleteRun(self, input: Node) -> Node:
        for key, run in list(self._memory.runs.items()):
            if run.id == input["id"]:
                del self._memory.runs[key]
                self._memory.deleted.add(key)
        return {"clientMutationId": None}

    def stopRun(self, input: Node) -> Node:
        for run in self._memory.runs.values():
            run.stop_asked = run.stop_asked or run.id == input["id"]
        return {"success": True}

    def createRunFiles(self, input: Node) -> Node:
        base = f"{self._memory.url}/storage/runs/{input['entityName']}/{input['projectName']}/{input['runName']}"
        files = [{"name": name, "uploadUrl": f"{base}/{quote(name)}"} for name in input["files"]]
        return {"runID": global_id("Run", input["runName"]), "uploadHeaders": [], "files": files}

    def createArtifact(self, input: Node) -> Node:
        made = Artifact(
            id=global_id("Artifact", len(self._artifacts)),
            type=input["artifactTypeName"],
            collections=list(input["artifactCollectionNames"] or []),
            digest=input["digest"],
        )
        self._artifacts[made.id] = made
        sequence = {"id": global_id("Sequence", made.id), "latestArtifact": None}
        return {"artifact": {"id": made.id, "state": made.state, "artifactSequence": sequence}}

    def createArtifactManifest(self, input: Node) -> Node:
        self._n_manifests += 1
        return self._manifest(global_id("Manifest", self._n_manifests))

    def updateArtifactManifest(self, input: Node) -> Node:
        return self._manifest(input["artifactManifestID"])

    def _manifest(self, manifest: str) -> Node:
        url = f"{self._memory.url}/storage/manifests/{manifest}"
        return {"artifactManifest": {"id": manifest, "file": {"id": manifest, "uploadUrl": url, "uploadHeaders": []}}}

    def createArtifactFiles(self, input: Node) -> Node:
        base = f"{self._memory.url}/storage/artifacts"
        return {
            "files": connection(self._artifact_file(base, one["artifactID"], one["name"]) for one in input["artifactFiles"])
        }

    def _artifact_file(self, base: str, artifact: str, name: str) -> Node:
        return {
            "storagePath": f"wandb_artifacts/{artifact}/{name}",
            "uploadUrl": f"{base}/{artifact}/{quote(name)}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": artifact},
        }

    def commitArtifact(self, input: Node) -> Node:
        artifact = self._artifacts[input["artifactID"]]
        artifact.state = "COMMITTED"
        return {"artifact": {"id": artifact.id, "digest": artifact.digest}}

    def upsertSweep(self, input: Node) -> Node:
        known = next((sweep for sweep in self._memory.sweeps.values() if input.get("id") == sweep.id), None)
        if known:
            if input.get("config") and yaml.safe_load(input["config"]) != known.config:
                if known.runs or known.state != "PENDING":
                    raise GraphQLError("cannot reconfigure sweep which has already started")
                known.config = yaml.safe_load(input["config"])
            known.state = input.get("state") or known.state
            return {"sweep": sweep_node(self._memory, known), "configValidationWarnings": []}
        project, entity = input.get("projectName") or "uncategorized", input.get("entityName") or self._memory.entity
        if entity != self._memory.entity:
            raise GraphQLError(f"permission denied: no entity {entity!r}", 403)
        if set(project) & set("/\\#?%:"):
            raise GraphQLError("invalid project name: cannot contain characters /,\\,#,?,%,:", 400)
        made = Sweep(entity, project, uuid.uuid4().hex[:8], yaml.safe_load(input["config"]), input.get("displayName"))
        names = [one["name"] for one in json.loads(input.get("priorRunsFilters") or '{"$or": []}')["$or"]]
        made.prior_runs = [run for name in names if (run := self._memory.run(entity, project, name))]
        self._memory.sweeps[made.name] = made
        return {"sweep": sweep_node(self._memory, made), "configValidationWarnings": []}

    def enqueueSweepRun(self, input: Node) -> Node:
        sweep = next(one for one in self._memory.sweeps.values() if one.id == input["id"])
        values = {
            key: one.get("value", one) if isinstance(one, dict) else one for key, one in json.loads(input["config"]).items()
        }
        run = self._schedule(sweep, values)
        sweep.queue.append(run)
        return {"id": run.name, "runQueueItemId": global_id("Queued", run.name)}  # the name: the scheduler looks runs up by it

    def createAgent(self, input: Node) -> Node:
        sweep = self._memory.sweeps.get(input["sweep"])
        if sweep is None:
            raise GraphQLError("sweep not found", 404)
        agent = Agent(id=global_id("Agent", uuid.uuid4().hex), sweep=sweep.name, host=input["host"])
        self._agents[agent.id] = agent
        if sweep.state == "PENDING":
            sweep.state = "RUNNING"
        return {"agent": {"id": agent.id}}

    def agentHeartbeat(self, input: Node) -> Node:
        agent = self._agents.get(input["id"])
        if agent is None or agent.sweep not in self._memory.sweeps:
            raise GraphQLError("agent not found", 404)
        held = set(json.loads(input.get("runState") or "{}"))
        return {"agent": {"id": agent.id}, "commands": json.dumps(self._commands(agent, held))}

    def _commands(self, agent: Agent, held: set[str]) -> list[Node]:
        sweep = self._memory.sweeps[agent.sweep]
        asked = [run.name for run in sweep.runs if run.stop_asked]
        for name in (*asked, *hyperband_stops(sweep)):
            if name in held - agent.told_to_stop:
                agent.told_to_stop.add(name)
                return [{"type": "stop", "run_id": name}]
        if held or sweep.state == "PAUSED":
            return []
        run = self._next(sweep)
        if run is None:
            return [] if sweep.is_scheduled_outside and sweep.state == "RUNNING" else [{"type": "exit"}]
        kind = "resume" if run.state == "preempted" else "run"
        args = {name: dict(value) for name, value in run.config.items()}  # a resumed run gives all that it has, `_wandb` too
        return [{"type": kind, "run_id": run.name, "args": args, "program": sweep.config.get("program"), "logs": []}]

    def _next(self, sweep: Sweep) -> Run | None:
        while sweep.queue and sweep.state == "RUNNING":
            if (run := sweep.queue.pop(0)).state in ("pending", "preempted"):
                return run
        if sweep.is_scheduled_outside:
            return None
        point = None if sweep.is_over else sweep.draw_point()
        if point is None:
            sweep.state = "FINISHED"
            return None
        return self._schedule(sweep, point)

    def _schedule(self, sweep: Sweep, point: dict[str, Any]) -> Run:
        run = self._memory.make_run(sweep.entity, sweep.project, uuid.uuid4().hex[:8])
        run.sweep, run.state = sweep.name, "pending"
        run.config = {name: {"value": value} for name, value in point.items()}
        sweep.runs.append(run)
        return run
