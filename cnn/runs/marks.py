"""Marks of runs, which never enter a digest: trial.json, the trial that made one; label.json, its name and tags.

Standard library only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from arena.base.locks import describe_holder, hold_lock, open_locked, sign_lock
from arena.base.terminal import say
from cnn.errors import RunError
from cnn.files import read_json, write_json
from cnn.runs.folder import RunFolder, RunState

LATEST, BEST = "latest", "best"
_WORD = re.compile(r"[^\W_][\w-]{0,39}")
_locks = threading.local()  # run folders that this thread holds
_DIGEST = re.compile("[0-9a-f]{4,}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialMark:
    """trial.json: the sweep's trial that made a run."""

    study: str
    number: int
    is_chosen: bool = False  # trained since, or used as a training is: shown as one, with its test part

    def __str__(self) -> str:
        return f"trial {self.number} of {self.study}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLabel:
    """label.json: a name, which no other run of the folder has, and tags."""

    name: str = ""
    tags: tuple[str, ...] = ()


@contextlib.contextmanager
def lock_run(folder: RunFolder, on_wait: Callable[[str], None] = say) -> Iterator[None]:
    """Lock the run folder; reentrant within a thread. The lock ends with its process.

    Args:
        on_wait: called with one line on the process that is waited for.

    Raises:
        RunError: the folder cannot be made or written.
    """
    path = folder.path.absolute()
    held: set[Path] = _locks.__dict__.setdefault("held", set())
    if path in held:
        yield
        return
    file = RunFolder(path).lock_file
    try:
        lock = open_locked(file, lambda: on_wait(f"{folder.path} is in use by {describe_holder(file)}; waiting until it ends"))
    except OSError as error:
        raise RunError(f"cannot write the run folder {folder.path}: {error.strerror}; choose another with --runs") from error
    with lock:
        sign_lock(lock)
        held.add(path)
        try:
            yield
        finally:
            held.remove(path)


def mark_trial(folder: RunFolder, mark: TrialMark) -> None:
    """Record that a trial makes this run, unless it is finished or of another trial.

    Raises:
        RunError: the folder cannot be made or written.
    """
    with lock_run(folder):
        if not folder.trial_file.exists() and folder.state() is not RunState.FINISHED:
            write_json(folder.trial_file, dataclasses.asdict(mark))


def choose_trial(folder: RunFolder) -> None:
    """Record that a trial's recipe was chosen, so that the run counts as a training; the caller holds its lock."""
    if (mark := read_trial_mark(folder)) and not mark.is_chosen:
        write_json(folder.trial_file, dataclasses.asdict(dataclasses.replace(mark, is_chosen=True)))


def read_trial_mark(folder: RunFolder) -> TrialMark | None:
    """Read the trial that made this run; None for a training.

    Raises:
        RunError: trial.json is damaged.
    """
    if not folder.trial_file.exists():
        return None
    content = read_json(folder.trial_file)
    return TrialMark(
        study=str(content.get("study", "")), number=int(content.get("number", 0)), is_chosen=bool(content.get("is_chosen"))
    )


def check_name(name: str) -> None:
    """Check that `name` can name a run and be no other reference to one.

    Raises:
        RunError: it cannot.
    """
    _check_word("name", name)
    if _DIGEST.fullmatch(name):
        raise RunError(f"a name is no hexadecimal text of four or more, which begins a digest, and {name!r} is; choose another")
    if name.lower() in (LATEST, BEST):
        raise RunError(f"{LATEST} and {BEST} name the last finished and the best training; choose another name than {name!r}")


def _check_word(kind: str, word: str) -> None:
    if not _WORD.fullmatch(word):
        raise RunError(f"a {kind} is up to 40 letters, digits, - or _ and begins with a letter or digit, not {word!r}")


def read_label(folder: RunFolder) -> RunLabel:
    """Read the name and tags of a run; empty where it has none.

    Raises:
        RunError: label.json is damaged.
    """
    path = folder.path / "label.json"
    if not path.exists():
        return RunLabel()
    try:
        content = read_json(path)
        return RunLabel(name=str(content["name"]), tags=tuple(map(str, content["tags"])))
    except (RunError, LookupError, TypeError) as error:
        raise RunError(f"{path} is damaged; delete it, and name the run again") from error


def label_run(folder: RunFolder, name: str = "", tags: Iterable[str] = ()) -> RunLabel:
    """Give a run, begun or not, the `name` if there is one, and `tags` beside those it has; return both.

    Raises:
        RunError: not a name or a tag, another run has the name, or the folder cannot be written. Nothing is changed then.
    """
    if name:
        check_name(name)
    for tag in tags:
        _check_word("tag", tag)
    with _lock_names(folder):
        before = read_label(folder)
        if name:
            _check_free(name, folder)
        after = RunLabel(name=name or before.name, tags=tuple(dict.fromkeys((*before.tags, *tags))))
        folder.path.mkdir(exist_ok=True)
        _write(folder, after)
    return after


def remove_name(folder: RunFolder) -> str:
    """Take a run's name away and return it; empty where it has none."""
    with _lock_names(folder):
        label = read_label(folder)
        _write(folder, dataclasses.replace(label, name=""))
    return label.name


def remove_tags(folder: RunFolder, tags: Iterable[str]) -> RunLabel:
    """Take tags away from a run, and return its name and the others."""
    with _lock_names(folder):
        label = read_label(folder)
        after = dataclasses.replace(label, tags=tuple(tag for tag in label.tags if tag not in set(tags)))
        _write(folder, after)
    return after


@contextlib.contextmanager
def _lock_names(folder: RunFolder) -> Iterator[None]:
    try:
        with hold_lock(folder.path.parent / ".names.lock"):
            yield
    except OSError as error:
        raise RunError(f"cannot write the run folder {folder.path}: {error.strerror}; choose another with --runs") from error


def _check_free(name: str, folder: RunFolder) -> None:
    for path in folder.path.parent.glob("*/label.json"):
        holder = RunFolder(path.parent)
        if holder.digest == folder.digest or read_label(holder).name != name:
            continue
        if (holder.path / "config.json").exists():
            raise RunError(
                f"a name belongs to one run, and {name!r} is {holder.digest}'s; choose another, "
                f"or free it with `arena runs name {name} --remove`"
            )
        _write(holder, dataclasses.replace(read_label(holder), name=""))  # its training never began


def _write(folder: RunFolder, label: RunLabel) -> None:
    if label != read_label(folder):
        write_json(folder.path / "label.json", dataclasses.asdict(label))
