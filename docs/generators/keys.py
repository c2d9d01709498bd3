"""Reference of keys: settings of a training, fields of a sweep file, and keys of arena.toml."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from pathlib import Path

from arena.base.project import KEYS, Project
from arena.config import VARIABLES, list_values
from cnn.config import RunConfig, TilesInfo, config_to_dict, default_config
from cnn.keys import SHORT, Key, find_keys, keys
from cnn.nets import NETS
from cnn.overrides import flatten
from cnn.runs.folder import METRICS
from sweeps.linting.checks import explain_fixed
from sweeps.sweepfile import sweep
from sweeps.sweepfile.parameters import TAKES
from sweeps.sweepfile.settings import COST_NAMES, MOST_SEEDS
from sweeps.sweepfile.stopping import DEFAULT_P

_KINDS = {int: "whole number", float: "number", str: "text", tuple: "names, with commas between"}


def write_settings() -> str:
    """Return the page of all keys that `arena train --keys` lists."""
    lines = [
        "# Keys of a training",
        "",
        "A training is its settings. Each is a key: `arena train train.epochs=8` sets one on the command line, `[settings]` in "
        "`arena.toml` for a whole project, `parameters` in a sweep file for a search. `arena train --keys` prints this list.",
    ]
    section = None
    for key, entry in keys().items():
        if key.rpartition(".")[0] != section:
            section = key.rpartition(".")[0]
            lines += ["", f"## {section or 'variant'}", "", _describe_section(section)]
        lines += ["", f":::{{setting}} {key}", entry.meaning, "", _describe(key, entry), ":::"]
    return "\n".join([*lines, ""])


def _describe_section(section: str) -> str:
    if not section:
        return "Tiles and augmentation of a training."
    text = str(typing.get_type_hints(RunConfig)[section].__doc__)
    return " ".join(text.split())


def _describe(key: str, entry: Key) -> str:
    swept = "no: " + explain_fixed(key) if explain_fixed(key) else "yes"
    if key == "model.name":
        swept = "as a constant: one study tunes one net"
    names = [name for name in (*SHORT, key.rpartition(".")[2]) if name != key and find_keys(name, keys()) == [key]]
    short = f"\n:Short: {_join(names)}" if names else ""
    return (
        f":Type: {_KINDS[entry.kind]}\n:Values: {entry.values}\n:Default: {_describe_default(key)}\n:In a sweep: {swept}{short}"
    )


def _describe_default(key: str) -> str:
    """Return the default; where the nets have different ones, that of each."""
    defaults: dict[str, list[str]] = {}
    for net in NETS:
        value = flatten(config_to_dict(default_config(TilesInfo(), net, "raw")))[key]
        defaults.setdefault(f"`{value}`" if value not in ("", []) else "none", []).append(net)
    if len(defaults) == 1 or key == "model.name":
        return next(iter(defaults))
    return "; ".join(f"{value} of {', '.join(nets)}" for value, nets in defaults.items())


def write_sweep_fields() -> str:
    """Return the page of the fields of a sweep file."""
    return _SWEEP_FILE.format(
        fields="\n".join(f"| `{key}` | {meaning} |" for key, meaning in sweep.KEYS.items()),
        methods=_join(list(sweep.Method)),
        metrics=_join(METRICS),
        p=DEFAULT_P,
        most_seeds=MOST_SEEDS,
        costs=_join(COST_NAMES),
        distributions="\n".join(f"| `{name}` | {_join(needed)} | {_join(more)} |" for name, (needed, more) in TAKES.items()),
    )


_SWEEP_FILE = """# Fields of a sweep file

The schema is W&B's own; `arena sweep lint FILE` refuses what would search something else than it reads;
`--fix` mends what has one answer.

## Top level

| Field | Meaning |
|---|---|
{fields}

`method` is one of {methods}; `metric.name` one of {metrics}.

## Parameters

A parameter is a [key of a training](settings.md). Without a `distribution` it is read from the fields, as W&B does:
`value` is a constant, `values` a choice; whole `min` and `max` are whole numbers, others any number between.

| Distribution | Needs | May have |
|---|---|---|
{distributions}

## Early termination

| `type` | Fields | Rule |
|---|---|---|
| `hyperband` | `min_iter`, `eta` (3), `strict` (true) | the best `1/eta` go on, at epoch `min_iter`, `min_iter * eta`, ... |
| `hyperband` | `max_iter`, `s`, `eta` (3), `strict` (true) | at `s` epochs: `max_iter / eta`, `max_iter / eta^2`, ... |
| `median` | `min_iter` (1), `startup_trials` (4) | ends a trial worse than the median of the finished ones at that epoch |
| `wilcoxon` | `p` ({p}) | with folds or seeds: ends a trial worse than the best, training by training |

## Arena's own

| Field of `arena` | Meaning |
|---|---|
| `folds` (1) | groups of speakers, those of test left out, who validate in turn: trainings of a trial |
| `seeds` (1) | trainings on each fold, with `train.seed` and the seeds after it; at most {most_seeds} |
| `paired` (false) | the studies of a sweep draw the same points |
| `objectives` (none) | costs beside the metric, such as `{{multiply_adds: minimize}}`: {costs} |
| `constraints` (none) | the most of a cost that the best may have, such as `{{parameters: 100000}}` |
"""


def _join(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def write_project_keys() -> str:
    """Return the page of the keys of arena.toml."""
    lines = [
        "# Keys of arena.toml",
        "",
        "`arena new` writes the file with every key. A command finds it in its folder or above. What is typed wins over it, "
        "and so does a variable of the environment. `arena config` shows what holds.",
    ]
    for row in list_values(Project(folder=Path())):
        key = str(row["key"])
        variables = [f":Environment: {', '.join(f'`{name}`' for name in VARIABLES[key])}"] if key in VARIABLES else []
        default = f"`{row['value']}`" if row["value"] else "none"
        lines += ["", f":::{{project-key}} {key}", str(row["meaning"]), "", f":Type: {KEYS[key][0]}", f":Default: {default}"]
        lines += [*variables, ":::"]
    settings = "any [key of a training](settings.md) below `[settings]`, such as `train.epochs = 8`"
    return "\n".join([*lines, "", ":::{project-key} settings", settings, ":::", ""])
