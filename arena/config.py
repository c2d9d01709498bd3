"""`arena config`: what holds in a project, and where each value comes from."""

from __future__ import annotations

import os

from arena.base.options import CONTEST_FILE, Json, Wide
from arena.base.project import FILE_NAME, FOLDERS, KEYS, SETTINGS, Project
from arena.base.terminal import Column, print_json, print_table, say

_DEFAULTS = {
    "sweep.A": "the net's own",
    "sweep.B": "the net's own",
    "sweep.budget": "the file's run_cap",
    "contest.address": CONTEST_FILE,
    "wandb.project": "arena",
    **{f"folders.{name}": name for name in FOLDERS},
}
VARIABLES = {
    "contest.address": ("ARENA_ADDRESS", "ARENA_CONTEST"),
    "contest.team": ("ARENA_TEAM",),
    "wandb.project": ("WANDB_PROJECT",),
    "wandb.entity": ("WANDB_ENTITY",),
}


def config(wide: Wide = False, as_json: Json = False) -> None:
    """Print what holds here, and where each value comes from: arena.toml, the environment, or Arena's default.

    The command line wins over all of them. `arena train --keys` has the settings of trainings with their defaults.
    """
    from cnn.project import open_project

    project = open_project()
    rows = list_values(project)
    if as_json:
        return print_json({"file": str(project.file) if project.exists else None, "values": rows})
    columns = (Column("key"), Column("value"), Column("from", 2))
    print_table(columns, [[str(row[column.name]) for column in columns] for row in rows])
    if not project.exists:
        say(f"no {FILE_NAME} here or above; `arena new FOLDER` makes a project")


def list_values(project: Project) -> list[dict[str, object]]:
    """Return each key of arena.toml with its value, the origin of that, and its meaning."""
    from cnn.config import VARIANTS
    from cnn.nets import PAIR

    defaults: dict[str, object] = {**_DEFAULTS, "variants": list(VARIANTS), "models.A": PAIR[0], "models.B": PAIR[1]}
    rows: list[dict[str, object]] = []
    for key, (_, meaning) in KEYS.items():
        value = project.values.get(key, defaults.get(key, ""))
        origin = project.file.name if key in project.values else "default"
        for variable in VARIABLES.get(key, ()):
            if os.environ.get(variable, project.text(key)) != project.text(key):
                value, origin = os.environ[variable], variable
        if origin == "default" and not value:
            origin = "not set"
        text = ", ".join(value) if isinstance(value, list) else value
        rows.append({"key": key, "value": text, "from": origin, "meaning": meaning})
    settings = [(key, value) for key, value in project.values.items() if key.startswith(SETTINGS)]
    return rows + [
        {"key": key, "value": value, "from": project.file.name, "meaning": "setting of trainings"} for key, value in settings
    ]
