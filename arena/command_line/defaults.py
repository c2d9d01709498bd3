"""Defaults that a project's arena.toml sets, those of the command line in click's own form: what is typed wins over them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from arena.base.options import CONTEST_FILE
from arena.base.project import FOLDERS, Project


def locate_contest(project: Project) -> str:
    """Return the file or database of the project's contest: contest.db beside arena.toml where it names none."""
    return project.contest or str(project.locate(CONTEST_FILE))


def is_there(location: str) -> bool:
    """Return True for a database's URL, and for a path that exists."""
    return "://" in location or Path(location).exists()


def export_wandb(project: Project) -> None:
    """Set W&B's project and entity in the environment, which the processes of trainings read, where it has none."""
    for variable, key in (("WANDB_PROJECT", "wandb.project"), ("WANDB_ENTITY", "wandb.entity")):
        if value := project.text(key):
            os.environ.setdefault(variable, value)


def build_defaults(command: Any, project: Project) -> dict[str, Any]:
    """Return click's `default_map` for a command and those below it; empty without a project."""
    if not project.exists:
        return {}
    by_name = {name: str(project.locate_folder(name)) for name in FOLDERS} | {"contest": locate_contest(project)}
    return _build(command, by_name, _by_command(project))


def _by_command(project: Project) -> dict[str, dict[str, str]]:
    """Return the values of single commands, by their words and their parameters' names; empty where there is none."""
    corpus, runs, team = project.text("corpus"), str(project.locate_folder("runs")), project.text("contest.team")
    return {
        "data scan": {"folder": corpus},
        "data prepare": {"folder": corpus},
        "data card": {"corpus": corpus},
        "runs": {"folder": runs},
        "wandb sync": {"folder": runs},
        "wandb view": {"folder": runs},
        "submit": {"address": project.page, "team": team},
        "contest submit": {"team": team},
        "pseudonym": {"address": project.page},
    }


def _build(command: Any, by_name: dict[str, str], by_command: dict[str, dict[str, str]], words: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {name: value for name, value in by_command.get(words, {}).items() if value}
    for parameter in command.params:
        value = by_name.get(parameter.name, "")
        if value and (parameter.default is not None or (parameter.name not in ("tiles", "runs") and is_there(value))):
            values[parameter.name] = value
    for name, below in getattr(command, "commands", {}).items():
        values[name] = _build(below, by_name, by_command, f"{words} {name}".strip())
    return values
