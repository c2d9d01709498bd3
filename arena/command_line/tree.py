"""The words that may follow `arena`, and the modules of their commands; only those asked for are imported."""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from typer.models import CommandInfo

from arena.command_line.root import build_root
from arena.command_line.strict_command import make_strict
from arena.command_line.summaries import SUMMARIES
from arena.command_line.unknown_command import explain_command

Path = tuple[str, ...]
START, DATA, TRAIN, TUNE, CONTEST, REPORT = "Start", "Data", "Train", "Tune", "Contest", "Report"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A word after `arena`: a command, or a group of commands."""

    word: str
    panel: str  # heading in `arena --help`
    summary: str  # line there
    sources: Path  # module, or module:name: a typer app that has the command, or its function; of a group, all its apps
    is_group: bool = False
    epilog: str | None = None  # shown below the help of a function


TREE = (
    Entry(
        word="demo",
        panel=START,
        summary="Run everything once, on synthetic voices or your own.",
        sources=("arena.demo:demo",),
        epilog="Examples: `arena demo` · `arena demo --corpus ~/recordings`",
    ),
    Entry(
        word="new",
        panel=START,
        summary="Make a team's folder, with two nets to change.",
        sources=("arena.starter.commands:new",),
        epilog="Examples: `arena new team --corpus recordings` · `arena new . --lang es --team Formantes`",
    ),
    Entry(
        word="doctor",
        panel=START,
        summary="Check this machine: packages, devices, disk, login.",
        sources=("arena.doctor:doctor",),
        epilog="Examples: `arena doctor` · `arena doctor --deep`",
    ),
    Entry(
        word="config",
        panel=START,
        summary="Print the settings that hold here, and their origin.",
        sources=("arena.config:config",),
        epilog="Examples: `arena config` · `arena config --json`",
    ),
    Entry(
        word="data",
        panel=DATA,
        summary="Recordings and pictures: get, import, prepare, show.",
        sources=("cnn.cli.data", "cnn.cli.data_collect", "cnn.cli.data_tiles"),
        is_group=True,
    ),
    Entry(word="train", panel=TRAIN, summary="Train a net, or two nets on all variants.", sources=("cnn.cli.train",)),
    Entry(
        word="eval", panel=TRAIN, summary="Train and test by folds: every speaker is new once.", sources=("cnn.cli.evaluate",)
    ),
    Entry(
        word="runs",
        panel=TRAIN,
        summary="List trainings; show, name, tag, delete them.",
        sources=("cnn.cli.runs",),
        is_group=True,
    ),
    Entry(
        word="predict", panel=TRAIN, summary="Tell the digits of recordings; write a submission.", sources=("cnn.cli.predict",)
    ),
    Entry(
        word="inspect", panel=TRAIN, summary="Look into trained nets: filters, maps, mistakes.", sources=("cnn.cli.inspect",)
    ),
    Entry(word="export", panel=TRAIN, summary="Write a trained net as ONNX.", sources=("cnn.cli.export",)),
    Entry(word="models", panel=TRAIN, summary="List the nets; try one of your own.", sources=("cnn.cli.models",)),
    Entry(
        word="sweep",
        panel=TUNE,
        summary="Tune learning rate, batch size, depth: run, watch, stop.",
        sources=("sweeps.cli.run", "sweeps.cli.agent", "sweeps.cli.status", "sweeps.cli.lint", "sweeps.cli.control"),
        is_group=True,
    ),
    Entry(
        word="wandb",
        panel=TUNE,
        summary="Send runs to W&B; work for its sweeps.",
        sources=("cnn.cli.wandb", "sweeps.cli.wandb"),
        is_group=True,
    ),
    Entry(
        word="contest",
        panel=CONTEST,
        summary="Hold a contest: teams, three attempts each, standings.",
        sources=(
            "leaderboard.cli.contest",
            "leaderboard.cli.contest_file",
            "leaderboard.cli.team",
            "leaderboard.cli.token",
            "leaderboard.cli.standings",
            "leaderboard.cli.host",
            "leaderboard.cli.announce",
            "leaderboard.cli.backup",
            "leaderboard.cli.verify",
            "cnn.cli.pack",
            "leaderboard.cli.serve",
            "leaderboard.cli.publish",
            "leaderboard.cli.submissions",
        ),
        is_group=True,
    ),
    Entry(
        word="submit",
        panel=CONTEST,
        summary="Send a file to a contest's page as your team.",
        sources=("leaderboard.cli.remote",),
    ),
    Entry(
        word="pseudonym", panel=CONTEST, summary="Hide your team's name from the others.", sources=("leaderboard.cli.remote",)
    ),
    Entry(
        word="report",
        panel=REPORT,
        summary="Write the report: one HTML file that compares it all.",
        sources=("reports.cli.report", "reports.cli.documents"),
        is_group=True,
    ),
    Entry(
        word="notebook",
        panel=REPORT,
        summary="Write a notebook: a lesson to run, or your project.",
        sources=("arena.starter.commands", "arena.lessons.commands"),
        is_group=True,
    ),
    Entry(
        word="exercise",
        panel=REPORT,
        summary="Write an exercise with a checker; check its answers.",
        sources=("arena.exercises.commands",),
        is_group=True,
    ),
)


@functools.cache
def build_app() -> typer.Typer:
    """Return the whole command line."""
    return _build(TREE)


def select_app(words: Sequence[str]) -> typer.Typer:
    """Return the command line with the command or group alone that is the first of `words`.

    Before an option, as in `arena --help`, the commands are lines of the help and no more.

    Raises:
        UsageError: no command is called so.
    """
    if not words or words[0].startswith("-"):
        app = build_root()
        for entry in TREE:
            app.command(entry.word, short_help=entry.summary, rich_help_panel=entry.panel)(lambda: None)
        make_strict(app, list_commands)
        return app
    entries = [entry for entry in TREE if entry.word == words[0]]
    if not entries:
        raise explain_command(list_commands(), (), words)
    return _build(entries)


def list_commands() -> list[Path]:
    """List the words of all commands and groups, such as ("contest", "init")."""
    return _list_commands(build_app(), ())


def _list_commands(app: typer.Typer, path: Path) -> list[Path]:
    words = [(*path, _name(command)) for command in app.registered_commands if not command.hidden]
    for group in app.registered_groups:
        below = path
        if isinstance(group.name, str):
            below = (*path, group.name)
            words.append(below)
        if group.typer_instance:
            words += _list_commands(group.typer_instance, below)
    return words


def _build(entries: Iterable[Entry]) -> typer.Typer:
    app = build_root()
    for entry in entries:
        sources = [_load(source) for source in entry.sources]
        if entry.is_group:
            group = _join(entry.word, sources)
            app.add_typer(group, name=entry.word, short_help=entry.summary, rich_help_panel=entry.panel)
        else:
            app.registered_commands.append(_find_command(entry, sources[0]))
    make_strict(app, list_commands)
    return app


def _join(word: str, sources: list[Any]) -> typer.Typer:
    """Return the first of `sources` with the commands of all, under the headings of the group's help."""
    group: typer.Typer = copy.copy(sources[0])
    commands = {_name(command): copy.copy(command) for source in sources for command in source.registered_commands}
    groups = {str(below.name): copy.copy(below) for source in sources for below in source.registered_groups}
    for heading, summaries in SUMMARIES[word].items():
        for name, summary in summaries.items():
            info = commands.get(name) or groups[name]
            info.short_help, info.rich_help_panel = summary, heading
    order = [name for summaries in SUMMARIES[word].values() for name in summaries]
    group.registered_commands = sorted(commands.values(), key=lambda command: order.index(_name(command)))
    group.registered_groups = list(groups.values())
    return group


def _load(source: str) -> Any:
    module, _, name = source.partition(":")
    return getattr(importlib.import_module(module), name or "app")


def _find_command(entry: Entry, source: Any) -> CommandInfo:
    if isinstance(source, typer.Typer):
        command = copy.copy(next(command for command in source.registered_commands if _name(command) == entry.word))
    else:
        command = CommandInfo(entry.word, callback=source, epilog=entry.epilog)
    command.short_help, command.rich_help_panel = entry.summary, entry.panel
    return command


def _name(command: CommandInfo) -> str:
    return command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
