"""What people ask of a study while it runs: pause, go on, stop. One small file in its folder, or an attribute in its
database, which agents heed every epoch.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from cnn.errors import RunError
from cnn.files import write_json
from sweeps.errors import StudyError, UnreachableError
from sweeps.study.folder import StudyFolder

WISH = "arena_wish"  # attribute of a study in a database


class Wish(StrEnum):
    """What a study is asked to do."""

    RUN = "run"
    PAUSE = "pause"  # agents give their trials up after the epoch, and wait
    STOP = "stop"  # agents give their trials up after the epoch, and leave


def wish_of(folder: StudyFolder) -> Wish:
    """What was asked last; `run` where nothing was.

    Raises:
        StudyError: the file is damaged.
    """
    database = folder.database()
    if database is not None:
        try:
            return Wish(database.attribute(folder.name, WISH) or Wish.RUN)
        except UnreachableError:  # whoever writes next waits for it
            return Wish.RUN
    path = folder.path / "control.json"
    try:
        return Wish(json.loads(path.read_bytes())["wish"])
    except FileNotFoundError:
        return Wish.RUN
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged ({error!r}); `arena sweep resume {folder.name}` makes it anew") from error


def ask(folder: StudyFolder, wish: Wish, now: datetime) -> None:
    """Leave `wish` for all agents of the study.

    Raises:
        StudyError: there is no such study, or its folder cannot be written.
    """
    folder.spec()
    database = folder.database()
    if database is not None:
        with folder.locked():
            database.set_attribute(folder.name, WISH, wish.value)
        return
    path = folder.path / "control.json"
    try:
        if wish is Wish.RUN:
            path.unlink(missing_ok=True)
        else:
            write_json(path, {"wish": wish.value, "asked_at": now.isoformat(timespec="seconds")})
    except (OSError, RunError) as error:
        raise StudyError(f"study {folder.name}: {error}") from error
