"""The checks of an exercise on a student's notebook: those of this version of Arena, whatever became of those in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.errors import ArenaError
from arena.base.texts import list_languages, read_words
from arena.exercises.notebook import NAMES, TEXTS, read_locked

_LIMIT_S = 300


class ExerciseError(ArenaError):
    """A file that cannot be checked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer to a question of an exercise, judged."""

    question: str  # a check's id; `notebook` where the file cannot be checked
    is_right: bool
    message: str  # empty where the answer is right


def check_exercise(path: Path) -> list[Verdict]:
    """Run the notebook's code in a process of its own, with the rights of this one, and return a verdict for each question.

    A file that cannot be checked has one verdict, which says so.
    """
    try:
        return _check(path)
    except ExerciseError as error:
        return [Verdict(question="notebook", is_right=False, message=str(error))]


def _check(path: Path) -> list[Verdict]:
    cells, questions = read_student(path)
    words = [sys.executable, "-P", "-m", "arena.exercises.runner"]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    folder = path.resolve().parent
    try:
        ended = subprocess.run(
            words, input=json.dumps(cells), capture_output=True, text=True, cwd=folder, env=environment, timeout=_LIMIT_S
        )
        outcomes = dict(json.loads(ended.stdout.splitlines()[-1]))
        return [Verdict(question=name, is_right=not outcomes[name], message=str(outcomes[name])) for name in questions]
    except subprocess.TimeoutExpired as error:
        raise ExerciseError(f"its code ran for {_LIMIT_S} s and was stopped; look for a loop that never ends") from error
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise ExerciseError("its code ended Python before its checks; run it in Jupyter to see where") from error


def read_student(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the code cells to run, by id, and the ids of the checks among them.

    Raises:
        ExerciseError: no exercise of Arena's.
    """
    try:
        notebook = json.loads(path.read_bytes())
        about = notebook["metadata"]["arena"]
        name, language = about["exercise"], about["language"]
        blocks = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        cells = [(_read_id(cell) or f"cell {n}", "".join(cell["source"])) for n, cell in enumerate(blocks, start=1)]
    except OSError as error:
        raise ExerciseError(f"it cannot be read: {error.strerror}; name a notebook of `arena exercise`") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExerciseError("it is no exercise of Arena's; `arena exercise xor` writes one") from error
    if name not in NAMES or language not in list_languages(TEXTS):
        raise ExerciseError(f"it is the exercise {name!r} in {language!r}, which this version of Arena lacks")
    locked = read_locked(name, read_words(TEXTS, language))
    setup, *questions = locked
    texts = dict(cells)
    missing = [name for name in questions if name not in texts]
    order = [setup, *(name for name, _ in cells if name != setup), *missing]
    return [(name, locked.get(name, texts.get(name, ""))) for name in order], questions


def _read_id(cell: dict[str, Any]) -> str:
    return str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))
