"""Proposals of nets, runs, keys, studies, teams and other names that Arena knows here. It imports neither torch nor typer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from arena.base.project import find_project
from arena.completion.files import complete_files, complete_folders
from arena.completion.proposal import Proposal, TypedLine
from cnn.config import EVERY_VARIANT
from cnn.nets import NETS

_CLASS = re.compile(r"^class (\w+)\(.*Module\)", re.MULTILINE)
_MOST_BYTES = 1_000_000  # a file of nets is smaller
_MOST_RUNS = 300  # that are read for their nets and names


def complete_variants(line: TypedLine, word: str) -> Iterator[Proposal]:
    return map(Proposal, EVERY_VARIANT)


def complete_nets(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose the shipped nets, the project's, and the classes of files in the folder at hand."""
    yield from (Proposal(name, f"{net.role}, {net.paper}") for name, net in NETS.items())
    yield from _list_own_nets(word)


def _list_own_nets(word: str) -> Iterator[Proposal]:
    for path in complete_files(".py")(TypedLine(), word.partition(".py:")[0]):
        file = Path(path.value).expanduser()
        if path.is_whole and file.stat().st_size < _MOST_BYTES:
            text = file.read_text(encoding="utf-8", errors="ignore")
            yield from (Proposal(f"{path.value}:{name}") for name in _CLASS.findall(text))
        elif not path.is_whole:
            yield path
    yield from (Proposal(net, "of arena.toml") for net in find_project().models)


def complete_sweeps(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose what a sweep is begun with: a file, or a net."""
    return chain(complete_files(".yaml", ".yml")(line, word), complete_nets(line, word))


def complete_sweep_run(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose what a sweep is begun with, or settings where --model or --all says it."""
    return complete_keys(line, word) if {"--model", "--all"} & line.options.keys() else complete_sweeps(line, word)


def complete_devices(line: TypedLine, word: str) -> Iterator[Proposal]:
    n_gpus = sum(name.removeprefix("nvidia").isdecimal() for name in os.listdir("/dev")) if os.path.isdir("/dev") else 0
    return map(Proposal, ("auto", "cpu", "cuda", *(f"cuda:{n}" for n in range(n_gpus))))


def complete_keys(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose `train.epochs=`, by its last part where that is typed, and behind it the values of a fixed choice."""
    from cnn.keys import find_keys, list_keys

    allowed = list_keys(" ".join(line.path))
    name, equals, _ = word.partition("=")
    if equals:
        for key in find_keys(name, allowed):
            values = NETS if key == "model.name" else allowed[key].choices
            yield from (Proposal(f"{name}={value}") for value in values)
        return
    for key, entry in allowed.items():
        last = key.rpartition(".")[2]
        name = last if word and last.startswith(word) and len(find_keys(last, allowed)) == 1 else key
        yield Proposal(f"{name}=", f"{entry.meaning}: {entry.values}", is_whole=False)


def complete_corpora_and_keys(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose further corpora, and settings."""
    yield from complete_folders(line, word)
    yield from complete_keys(line, word)


def complete_runs(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose `latest`, `best`, names, nets with their variants, digests, and paths."""
    from cnn.runs.folder import list_runs
    from cnn.runs.index import read_line
    from cnn.runs.marks import BEST, LATEST

    if "/" in word:
        yield from complete_folders(line, word)
        return
    runs = list_runs(line.locate("runs"))
    if runs:
        yield from (Proposal(LATEST, "the training that finished last"), Proposal(BEST, "by validation macro-F1"))
    lines = [read_line(run) for run in runs[:_MOST_RUNS]]
    for run in lines:
        score = "" if run.val_macro_f1 is None else f", validation macro-F1 {run.val_macro_f1:.3f}"
        description = f"{run.net}, {run.state}{score}"
        yield from (Proposal(reference, description) for reference in (run.name, run.digest) if reference)
    nets = {run.net for run in lines if run.state == "finished" and not run.is_trial}
    yield from (Proposal(net, "the newest of it") for net in sorted(nets - {""}))
    yield from (Proposal(run.digest) for run in runs[_MOST_RUNS:])


def complete_tags(line: TypedLine, word: str) -> Iterator[Proposal]:
    from cnn.runs.folder import list_runs
    from cnn.runs.marks import read_label

    tags = chain.from_iterable(read_label(run).tags for run in list_runs(line.locate("runs"))[:_MOST_RUNS])
    return map(Proposal, sorted(set(tags)))


def complete_states(line: TypedLine, word: str) -> Iterator[Proposal]:
    from cnn.runs.index import STATES

    return map(Proposal, STATES)


def complete_corpora(line: TypedLine, word: str) -> Iterator[Proposal]:
    from cnn.collect.catalogue import SOURCES
    from cnn.collect.picture_catalogue import PICTURE_CORPORA

    return (Proposal(source.name, source.title) for source in (*SOURCES, *PICTURE_CORPORA))


def complete_studies(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose the studies that are not on the line yet."""
    names = sorted(path.parent.name for path in line.locate("studies").glob("*/study.json"))
    return (Proposal(name) for name in names if name not in line.arguments)


def complete_teams(line: TypedLine, word: str) -> Iterator[Proposal]:
    """Propose the teams of a contest in a file; a database elsewhere is not asked."""
    from arena.command_line.defaults import locate_contest
    from leaderboard.team_list import read_team_names

    project = find_project()
    if team := project.text("contest.team"):
        yield Proposal(team, "of arena.toml")
    paths: Iterable[str] = line.options.get("--contest") or [os.environ.get("ARENA_CONTEST") or locate_contest(project)]
    for path in paths:
        yield from map(Proposal, read_team_names(path))


def complete_zones(line: TypedLine, word: str) -> Iterator[Proposal]:
    from zoneinfo import available_timezones

    return map(Proposal, sorted(available_timezones()))
