"""`arena eval`: cross-validation over speakers, printed, as JSON and as CSV."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.csv_export import format_csv
from arena.base.locks import require_posix
from arena.base.options import (
    ConfigPath,
    Device,
    Every,
    Json,
    Overrides,
    Runs,
    Tiles,
    Wandb,
    WandbMode,
    Wide,
    out_option,
    variant_option,
)
from arena.base.terminal import Column, Number, Prose, print_json, print_table, print_text, say
from cnn.cli.data import plural
from cnn.cli.options import Models, SplitName, TrainingJobs, split_option
from cnn.cli.train import train_with_bar

if TYPE_CHECKING:
    from cnn.runs.evaluation import Evaluation
    from cnn.runs.folds import Arm, EvaluationPlan
    from cnn.train.pool import TrainingPaths

    Results = list[tuple[Arm, Evaluation]]


app = typer.Typer()

_MOST_ROWS = 12  # speakers or folds listed without --all-speakers; of more only the worst
_N_WORST = 5
_MOST_SEEDS = 3  # scores in a line; of more seeds the least and the largest
_WIDTH = 80  # columns in a line of words
_NAMES_WIDTH = 18
_COLUMNS = ("model", "variant", "on", "fold", "seed", "speaker", "n_clips", "macro_f1", "run")


@app.command(
    "eval", epilog="Examples: `arena eval --folds loso --n-seeds 3` · `arena eval --folds 5 --model lenet5 --model resnet`"
)
def evaluate_folds(
    overrides: Overrides = None,
    config: ConfigPath = None,
    folds: Annotated[str, typer.Option(help="loso, becker (AudioMNIST's five), or a number of groups.")] = "loso",
    model: Models = None,
    variant: Annotated[list[str] | None, variant_option(show_default="raw+aug")] = None,
    every: Every = False,
    n_seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Trainings of each fold: train.seed is 0, 1, ..")] = 1,
    split: Annotated[SplitName, split_option()] = SplitName.TEST,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    jobs: TrainingJobs = 0,
    device: Device = "auto",
    wandb: Wandb = WandbMode.AUTO,
    out: Annotated[Path | None, out_option("A CSV to write: a row for each speaker and seed.")] = None,
    all_speakers: Annotated[
        bool, typer.Option("--all-speakers", help="List every speaker and fold, also where they are many.")
    ] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Hold every speaker out once: train and score all folds; macro-F1 per fold, per speaker and over all."""
    require_posix("arena eval")
    from cnn.files import check_output
    from cnn.overrides import parse_assignments, spell_out
    from cnn.project import choose_cells, open_project, select_settings, split_cell
    from cnn.runs.config_file import read_config_file
    from cnn.runs.folds import OPTIONS_OF_KEYS, EvaluationPlan
    from cnn.tiles.tile_set import find_tiles
    from cnn.train.pool import TrainingPaths

    is_replacing = out is not None and check_output(out, _COLUMNS)
    project, file = open_project(), read_config_file(config)
    typed, nets, cell_variants = split_cell(spell_out(overrides or ()), model or (), variant or ())
    cells = choose_cells(project, nets or file.models, cell_variants or file.variants, every=every, variant="raw+aug")
    models, variants = (tuple(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    without = tuple(OPTIONS_OF_KEYS)
    settings = (*select_settings(project, without), *file.list_settings(nets, without), *typed)
    plan = EvaluationPlan(folds=folds, models=models, variants=variants, n_seeds=n_seeds, on=split.value, overrides=settings)
    paths = TrainingPaths(tiles=find_tiles(tiles, say).folder, runs=runs, device=device, wandb=wandb)
    results = _evaluate(plan, paths, jobs, refused=() if every else parse_assignments(typed))
    print_json(_as_json(plan, results)) if json else print_evaluations(plan, results, every_speaker=all_speakers)
    if out:
        write_rows(out, results)
        say(f"{out}: a row for each speaker and seed" + (", in place of those before" if is_replacing else ""))


def _evaluate(plan: EvaluationPlan, paths: TrainingPaths, n_jobs: int, refused: Collection[str]) -> Results:
    from cnn.check.runs import check_own_nets
    from cnn.runs.evaluation import evaluate
    from cnn.runs.folds import check_folds, count_tested_speakers, make_arms
    from cnn.runs.reference import resolve_start
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.pool import default_jobs

    tiles = open_tiles(paths.tiles)
    arms = make_arms(plan, tiles.info, count_tested_speakers(plan, tiles.clips))
    configs = [config for arm in arms for seeds in arm.configs for config in seeds]
    check_folds(configs, tiles.clips)
    begun = [resolve_start(config, paths.runs) for config in configs]
    trained = check_own_nets(begun, paths.runs, say, refused)
    folders = dict(
        zip(configs, train_with_bar(trained, paths, n_jobs or default_jobs(paths.device, len(configs))), strict=True)
    )
    return [(arm, evaluate([[folders[config] for config in seeds] for seeds in arm.configs], plan.on)) for arm in arms]


def _as_json(plan: EvaluationPlan, results: Results) -> dict[str, object]:
    import dataclasses

    content = [{"model": arm.model, "variant": arm.variant, **dataclasses.asdict(scores)} for arm, scores in results]
    return {"folds": plan.folds, "on": plan.on, "overrides": list(plan.overrides), "evaluations": content}


def write_rows(path: Path, results: Results) -> None:
    """Write a CSV with a row for each speaker and seed."""
    from cnn.files import write_whole

    rows = (
        [arm.model, arm.variant, scores.on, s.fold, seed, s.speaker, s.n_clips, f"{f1:.9g}", scores.folds[s.fold].runs[seed]]
        for arm, scores in results
        for s in scores.speakers
        for seed, f1 in enumerate(s.by_seed)
    )
    write_whole(path, format_csv([_COLUMNS, *rows]).encode())


def print_evaluations(plan: EvaluationPlan, results: Results, *, every_speaker: bool) -> None:
    """Print the evaluations for a person, in 80 columns."""
    most_rows = sys.maxsize if every_speaker else _MOST_ROWS
    for arm, scores in results:
        seeds = f"{scores.n_seeds} seeds" if scores.n_seeds > 1 else "1 seed"
        kind = f"groups of {_nouns(scores)[1]}" if plan.folds.isdecimal() else plan.folds
        clips = f"{scores.n_clips:,} {scores.on} {_nouns(scores)[2]}"
        print_text(f"{arm.model} on {arm.variant}: {len(scores.folds)} folds ({kind}), {seeds}, {clips}\n")
        _print_scores(scores, most_rows)
        for name, text in _lines(scores):
            print(_wrap(name, text))
        print()
    if len(results) > 1:
        _print_comparison(results)
    if plan.on == "validation":
        noun = _nouns(results[0][1])[1]
        say(f"these are validation {noun}, good for choosing a recipe; the test {noun} were not looked at")


def _nouns(scores: Evaluation) -> tuple[str, str, str]:
    """Return what is held out as one, what as many, and the items that are scored."""
    return ("speaker", "speakers", "clips") if scores.kind == "sound" else ("group", "pictures", "pictures")


def _print_scores(scores: Evaluation, most_rows: int) -> None:
    """Print folds of several speakers, then the speakers; of more than `most_rows` the five worst."""
    if any(len(fold.speakers) > 1 for fold in scores.folds):
        folds = scores.folds if len(scores.folds) <= most_rows else sorted(scores.folds, key=lambda f: f.macro_f1)[:_N_WORST]
        rows = [[str(f.fold), _shorten(f.speakers), f"{f.n_clips:,}", f"{f.macro_f1:.3f}", _by_seed(f.by_seed)] for f in folds]
        columns = (Number("fold"), Prose("speakers"), Number("clips", 2), Number("macro-F1"), Column("by seed", 2))
        _print_table(columns, rows, scores)
    is_cut = len(scores.speakers) > most_rows
    rows = [
        [s.speaker, str(s.fold), f"{s.n_clips:,}", f"{s.macro_f1:.3f}", f"{s.recall:.3f}", _by_seed(s.by_seed)]
        for s in (scores.speakers[:_N_WORST] if is_cut else scores.speakers)
    ]
    name, _, items = _nouns(scores)
    names = (Prose(name), Number("fold", 4), Number(items, 3))
    _print_table((*names, Number("macro-F1"), Number("recall", 5), Column("by seed", 2)), rows, scores)
    if is_cut:
        print(_wrap("speakers", f"{_quantiles(scores)}. The {_N_WORST} worst stand above; --all-speakers lists all."))


def _quantiles(scores: Evaluation) -> str:
    from statistics import quantiles

    first, middle, third = quantiles((s.macro_f1 for s in scores.speakers), n=4, method="inclusive")
    best = scores.speakers[-1].macro_f1
    return (
        f"of {len(scores.speakers)} a quarter lie below {first:.3f}, half below {middle:.3f}, "
        f"three quarters below {third:.3f}; the best has {best:.3f}"
    )


def _print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], scores: Evaluation) -> None:
    n_columns = len(columns) if scores.n_seeds > 1 else -1  # the last column is by seed
    print_table(columns[:n_columns], [row[:n_columns] for row in rows])
    print()


def _lines(scores: Evaluation) -> list[tuple[str, str]]:
    worst, interval, (name, noun, items) = scores.speakers[0], scores.interval, _nouns(scores)
    spreads = f"standard deviation over folds {scores.fold_sd:.3f}" if scores.fold_sd is not None else "a single fold"
    if scores.seed_sd is not None:
        spreads += f", of the mean over seeds {scores.seed_sd:.3f}"
    confused = (f"{c.truth} as {c.predicted}: {c.n:,} of {c.n_truth:,} ({c.n / c.n_truth:.1%})" for c in scores.confused)
    return [
        ("mean over folds", f"{scores.mean_macro_f1:.3f}; {spreads}"),
        (
            f"worst {name}",
            f"{worst.speaker} {worst.macro_f1:.3f}" + (f", of {plural(worst.n_clips, items[:-1])}" if worst.is_rough else ""),
        ),
        (
            "pooled",
            f"{scores.pooled_macro_f1:.3f}, {interval.level:.0%} interval {interval.low:.3f} to {interval.high:.3f} "
            f"({interval.n_units:,} {noun} drawn with replacement, {interval.n_replicates:,} times)",
        ),
        ("taken for", " · ".join(text.replace(" ", "\u00a0") for text in confused) or "no class for another"),
        *(("note", note) for note in scores.notes),
    ]


def _wrap(name: str, text: str) -> str:
    """Wrap words beside a name, in lines of 80 columns."""
    import textwrap

    lines = textwrap.wrap(text, _WIDTH - 17, break_long_words=False, break_on_hyphens=False)
    return f"{name:<17}" + ("\n" + " " * 17).join(lines).replace("\u00a0", " ")


def _print_comparison(results: Results) -> None:
    rows = [
        [
            arm.model,
            arm.variant,
            f"{scores.mean_macro_f1:.3f}",
            "" if scores.seed_sd is None else f"{scores.seed_sd:.3f}",
            f"{scores.speakers[0].macro_f1:.3f}",
            f"{scores.interval.low:.3f} to {scores.interval.high:.3f}",
        ]
        for arm, scores in results
    ]
    names = (Column("model"), Column("variant"))
    print_table((*names, Number("mean"), Number("seed sd", 2), Number("worst", 3), Number("pooled interval", 2)), rows)


def _shorten(speakers: Sequence[str]) -> str:
    """Return as many names as the column holds, at least one, and the count of the rest."""
    names = [name for n, name in enumerate(speakers) if n == 0 or len(", ".join(speakers[: n + 1])) <= _NAMES_WIDTH]
    more = len(speakers) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _by_seed(scores: Sequence[float]) -> str:
    if len(scores) > _MOST_SEEDS:
        return f"{min(scores):.3f} to {max(scores):.3f}"
    return " ".join(f"{score:.3f}" for score in scores)
