"""Commands to the agents of a running study: pause, go on, stop. One small file in its folder, or an attribute in its
database, which agents read every epoch.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from cnn.errors import RunError
from cnn.files import write_json
from sweeps.errors import StudyError, UnreachableError
from sweeps.study.folder import StudyFolder

ATTRIBUTE = "arena_wish"  # attribute of a study in a database


class Command(StrEnum):
    """Command to all agents of a study."""

    RUN = "run"
    PAUSE = "pause"  # agents give their trials up after the epoch, and wait
    STOP = "stop"  # agents give their trials up after the epoch, and leave


def read_command(folder: StudyFolder) -> Command:
    """Return the last command; RUN where there was none.

    Raises:
        StudyError: the file is damaged.
    """
    database = folder.find_database()
    if database is not None:
        try:
            return Command(database.read_attribute(folder.name, ATTRIBUTE) or Command.RUN)
        except UnreachableError:  # the next writer waits for it
            return Command.RUN
    path = folder.path / "control.json"
    try:
        return Command(json.loads(path.read_bytes())["wish"])
    except FileNotFoundError:
        return Command.RUN
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged ({error!r}); `arena sweep resume {folder.name}` makes it anew") from error


def write_command(folder: StudyFolder, command: Command, now: datetime) -> None:
    """Write `command` for all agents of the study.

    Raises:
        StudyError: there is no such study, or its folder cannot be written.
    """
    folder.read_spec()
    database = folder.find_database()
    if database is not None:
        with folder.lock():
            database.set_attribute(folder.name, ATTRIBUTE, command.value)
        return
    path = folder.path / "control.json"
    try:
        if command is Command.RUN:
            path.unlink(missing_ok=True)
        else:
            write_json(path, {"wish": command.value, "asked_at": now.isoformat(timespec="seconds")})
    except (OSError, RunError) as error:
        raise StudyError(f"study {folder.name}: {error}") from error
