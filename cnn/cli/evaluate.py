"""`arena eval`: every fold trained and scored, and what they say together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.csv_export import format_csv
from arena.base.locks import require_posix
from arena.base.terminal import print_json, print_table, say
from cnn.cli.options import Device, Json, Overrides, Runs, Tiles, Wandb
from cnn.cli.train import train_with_bar

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs.evaluation import Evaluation
    from cnn.runs.folds import Arm, EvaluationPlan
    from cnn.train.pool import Place

    Evaluated = list[tuple[Arm, Evaluation]]


app = typer.Typer()

_MOST_ROWS = 12  # speakers or folds that are listed unasked; of more the worst are
_N_WORST = 5
_MOST_SEEDS = 3  # whose scores stand in a line; of more the least and the largest
_WIDTH = 80  # of a line of words
_NAMES_WIDTH = 18
_COLUMNS = ("model", "variant", "on", "fold", "seed", "speaker", "n_clips", "macro_f1", "run")


@app.command(
    "eval", epilog="Examples: `arena eval --folds loso --seeds 3` · `arena eval --folds 5 --model lenet5 --model resnet`"
)
def evaluate_folds(
    overrides: Overrides = None,
    folds: Annotated[str, typer.Option(help="loso, becker (AudioMNIST's five), or a number of groups of speakers.")] = "loso",
    model: Annotated[list[str] | None, typer.Option(help="May be given several times.", show_default="lenet5")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="May be given several times.", show_default="raw+aug")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each fold: train.seed is 0, 1, ..")] = 1,
    on: Annotated[str, typer.Option(help="test, or validation: to choose a recipe without a look at the test.")] = "test",
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    jobs: Annotated[int, typer.Option(min=0, help="Trainings at once; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    wandb: Wandb = "auto",
    out: Annotated[Path | None, typer.Option(help="A CSV to write: a row for each speaker and seed.")] = None,
    speakers: Annotated[
        bool, typer.Option("--speakers", help="List every speaker and fold, also where they are many.")
    ] = False,
    json: Json = False,
) -> None:
    """Hold every speaker out once: train and score all folds; macro-F1 per fold, per speaker and over all."""
    require_posix("arena eval")
    from cnn.outputs import is_replaced
    from cnn.runs.folds import EvaluationPlan
    from cnn.tiles.tile_set import find_tiles
    from cnn.train.pool import Place

    is_replacing = out is not None and is_replaced(out, _COLUMNS)
    models, variants = tuple(model or ("lenet5",)), tuple(variant or ("raw+aug",))
    settings = tuple(overrides or ())
    asked = EvaluationPlan(folds=folds, models=models, variants=variants, n_seeds=seeds, on=on, overrides=settings)
    place = Place(tiles=find_tiles(tiles, say).folder, runs=runs, device=device, wandb=wandb)
    evaluated = _evaluated(asked, place, jobs)
    print_json(_as_json(asked, evaluated)) if json else print_evaluations(asked, evaluated, every_speaker=speakers)
    if out:
        write_rows(out, evaluated)
        say(f"{out}: a row for each speaker and seed" + (", in place of those before" if is_replacing else ""))


def _evaluated(asked: EvaluationPlan, place: Place, n_jobs: int) -> Evaluated:
    from cnn.runs.evaluation import evaluate
    from cnn.runs.folder import RunFolder
    from cnn.runs.folds import check_folds, make_arms
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.pool import default_jobs

    tiles = open_tiles(place.tiles)
    arms = make_arms(asked, tiles.corpus, tiles.settings, len({clip.speaker for clip in tiles.clips}))
    configs = [config for arm in arms for seeds in arm.configs for config in seeds]
    check_folds(configs, tiles.clips)
    _check_nets(configs, place)
    train_with_bar(configs, place, n_jobs or default_jobs(place.device, len(configs)))
    return [
        (arm, evaluate([[RunFolder(place.runs / config.digest) for config in seeds] for seeds in arm.configs], asked.on))
        for arm in arms
    ]


def _check_nets(configs: Sequence[RunConfig], place: Place) -> None:
    """Raises ModelError: a plug-in net that cannot be trained; said once, and not by every fold."""
    from cnn.config import LABELS
    from cnn.runs.folder import RunFolder, RunState

    checked = set()
    for config in configs:
        folder = RunFolder(place.runs / config.digest)
        if config.model.is_plugin and config.model not in checked and folder.state() is not RunState.FINISHED:
            from cnn.models.check import check
            from cnn.models.own import at_hand

            check(at_hand(config.model, folder.path), config.tiles.size, len(LABELS))
            checked.add(config.model)


def _as_json(asked: EvaluationPlan, evaluated: Evaluated) -> dict[str, object]:
    import dataclasses

    found = [{"model": arm.model, "variant": arm.variant, **dataclasses.asdict(what)} for arm, what in evaluated]
    return {"folds": asked.folds, "on": asked.on, "overrides": list(asked.overrides), "evaluations": found}


def write_rows(path: Path, evaluated: Evaluated) -> None:
    """Write a CSV with a row for each speaker and seed."""
    from cnn.files import write_whole

    rows = (
        [arm.model, arm.variant, what.on, s.fold, seed, s.speaker, s.n_clips, f"{f1:.9g}", what.folds[s.fold].runs[seed]]
        for arm, what in evaluated
        for s in what.speakers
        for seed, f1 in enumerate(s.by_seed)
    )
    write_whole(path, format_csv([_COLUMNS, *rows]).encode())


def print_evaluations(asked: EvaluationPlan, evaluated: Evaluated, *, every_speaker: bool) -> None:
    """Print the evaluations for a person, in 80 columns."""
    most_rows = sys.maxsize if every_speaker else _MOST_ROWS
    for arm, what in evaluated:
        seeds = f"{what.n_seeds} seeds" if what.n_seeds > 1 else "1 seed"
        kind = "groups of speakers" if asked.folds.isdecimal() else asked.folds
        print(f"{arm.model} on {arm.variant}: {len(what.folds)} folds ({kind}), {seeds}, {what.n_clips:,} {what.on} clips\n")
        _print_scores(what, most_rows)
        for name, text in _lines(what):
            print(_wrapped(name, text))
        print()
    if len(evaluated) > 1:
        _print_comparison(evaluated)
    if asked.on == "validation":
        say("these are validation speakers, good for choosing a recipe; the test speakers were not looked at")


def _print_scores(what: Evaluation, most_rows: int) -> None:
    """Folds of several speakers, then the speakers; where they are more than `most_rows` the five worst of them."""
    if any(len(fold.speakers) > 1 for fold in what.folds):
        folds = sorted(what.folds, key=lambda f: f.macro_f1)[:_N_WORST] if len(what.folds) > most_rows else what.folds
        rows = [[str(f.fold), _few(f.speakers), f"{f.n_clips:,}", f"{f.macro_f1:.3f}", _by_seed(f.by_seed)] for f in folds]
        _print_table(("#fold", "speakers", "#clips", "#macro-F1", "by seed"), rows, what)
    is_cut = len(what.speakers) > most_rows
    scores = [
        [s.speaker, str(s.fold), f"{s.n_clips:,}", f"{s.macro_f1:.3f}", f"{s.recall:.3f}", _by_seed(s.by_seed)]
        for s in (what.speakers[:_N_WORST] if is_cut else what.speakers)
    ]
    _print_table(("speaker", "#fold", "#clips", "#macro-F1", "#recall", "by seed"), scores, what)
    if is_cut:
        print(_wrapped("speakers", f"{_quantiles(what)}. The {_N_WORST} worst stand above; --speakers lists all."))


def _quantiles(what: Evaluation) -> str:
    from statistics import quantiles

    first, middle, third = quantiles((s.macro_f1 for s in what.speakers), n=4, method="inclusive")
    best = what.speakers[-1].macro_f1
    return (
        f"of {len(what.speakers)} a quarter lie below {first:.3f}, half below {middle:.3f}, three quarters below {third:.3f}; "
        f"the best has {best:.3f}"
    )


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], what: Evaluation) -> None:
    n_columns = len(columns) if what.n_seeds > 1 else -1  # the last is of the seeds
    print_table(columns[:n_columns], [row[:n_columns] for row in rows])


def _lines(what: Evaluation) -> list[tuple[str, str]]:
    worst, interval = what.speakers[0], what.interval
    spreads = f"standard deviation over folds {what.fold_sd:.3f}" if what.fold_sd is not None else "a single fold"
    if what.seed_sd is not None:
        spreads += f", of the mean over seeds {what.seed_sd:.3f}"
    confused = (f"{c.truth} as {c.predicted}: {c.n:,} of {c.n_truth:,} ({c.n / c.n_truth:.1%})" for c in what.confused)
    return [
        ("mean over folds", f"{what.mean_macro_f1:.3f}; {spreads}"),
        ("worst speaker", f"{worst.speaker} {worst.macro_f1:.3f}"),
        (
            "pooled",
            f"{what.pooled_macro_f1:.3f}, {interval.level:.0%} interval {interval.low:.3f} to {interval.high:.3f} "
            f"({interval.n_units} speakers drawn with replacement, {interval.n_replicates:,} times)",
        ),
        ("taken for", " · ".join(text.replace(" ", "\u00a0") for text in confused) or "no digit for another"),
        *(("note", note) for note in what.notes),
    ]


def _wrapped(name: str, text: str) -> str:
    """Words beside a name, in lines of 80 columns."""
    import textwrap

    lines = textwrap.wrap(text, _WIDTH - 17, break_long_words=False, break_on_hyphens=False)
    return f"{name:<17}" + ("\n" + " " * 17).join(lines).replace("\u00a0", " ")


def _print_comparison(evaluated: Evaluated) -> None:
    rows = [
        [
            arm.model,
            arm.variant,
            f"{what.mean_macro_f1:.3f}",
            "" if what.seed_sd is None else f"{what.seed_sd:.3f}",
            f"{what.speakers[0].macro_f1:.3f}",
            f"{what.interval.low:.3f} to {what.interval.high:.3f}",
        ]
        for arm, what in evaluated
    ]
    print_table(("model", "variant", "#mean", "#seed sd", "#worst", "#pooled interval"), rows)


def _few(speakers: Sequence[str]) -> str:
    """As many names as a column holds, at least one, and how many more."""
    shown = [name for n, name in enumerate(speakers) if n == 0 or len(", ".join(speakers[: n + 1])) <= _NAMES_WIDTH]
    more = len(speakers) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _by_seed(scores: Sequence[float]) -> str:
    if len(scores) > _MOST_SEEDS:
        return f"{min(scores):.3f} to {max(scores):.3f}"
    return " ".join(f"{score:.3f}" for score in scores)
