"""`arena train` and `arena predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_terminal import JSON_HELP, duration, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs import RunFolder

app = typer.Typer()

Overrides = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as train.epochs=5.")]
Tiles = Annotated[Path, typer.Option("--tiles", help="A folder of tiles, or one that holds a single such folder.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@app.command(epilog="Examples: `arena train --model lenet5 --variant raw+aug train.epochs=20` · `arena train --all`")
def train(
    overrides: Overrides = None,
    model: Annotated[str, typer.Option(help="lenet5 (Model A) or resnet (Model B).", show_default="lenet5")] = "",
    variant: Annotated[str, typer.Option(help="raw, bilateral, raw+aug or bilateral+aug.", show_default="raw")] = "",
    all_eight: Annotated[bool, typer.Option("--all", help="Both models on all four variants: eight trainings.")] = False,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    jobs: Annotated[int, typer.Option(min=0, help="Trainings at once; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    wandb: Annotated[str, typer.Option(help="Mirror to W&B: auto (online when logged in), online, offline or off.")] = "auto",
    keys: Annotated[bool, typer.Option("--keys", help="List every setting with its default, and stop.")] = False,
    json: Json = False,
) -> None:
    """Train a net, or all eight. The same settings again are answered from their run folder; a killed training goes on."""
    from cnn.tiles import find_tiles
    from cnn.trainings import Place, default_jobs

    if keys:
        return _print_keys(model or "lenet5")
    if all_eight and (model or variant):
        raise typer.BadParameter("--all trains both models on all variants: leave --model and --variant out")
    found = find_tiles(tiles)
    configs = _configs(found.corpus, found.settings, model, variant, all_eight, overrides or [])
    place = Place(tiles=found.folder, runs=runs, device=device, wandb=wandb)
    folders = _train(configs, place, jobs or default_jobs(device, len(configs)))
    print_json([as_dict(folder) for folder in folders]) if json else print_runs(folders)


def _configs(corpus: str, settings: object, model: str, variant: str, all_eight: bool, overrides: list[str]) -> list[RunConfig]:
    from cnn.config import MODELS, VARIANTS, TileSettings, default_config
    from cnn.overrides import override

    assert isinstance(settings, TileSettings)
    models, variants = (MODELS, VARIANTS) if all_eight else ((model or "lenet5",), (variant or "raw",))
    return [override(default_config(corpus, settings, m, v), overrides) for m in models for v in variants]


def _train(configs: list[RunConfig], place: object, n_jobs: int) -> list[RunFolder]:
    from cnn.device import resolve
    from cnn.mirror import check_mode
    from cnn.runs import RunFolder
    from cnn.trainings import Place, check_split, train_all

    assert isinstance(place, Place)
    check_mode(place.wandb)
    resolve(place.device)
    check_split(configs, place)
    done = {config.digest: len(RunFolder(place.runs / config.digest).epochs()) for config in configs}
    total = sum(config.train.epochs for config in configs)
    with progress("training, epochs", total) as advance:
        advance(sum(done.values()))
        return train_all(
            configs,
            place,
            n_jobs,
            lambda config, row: advance(1, f"{config.model.name} {config.variant} val F1 {row.val_macro_f1:.3f}"),
            say,
        )


def as_dict(folder: RunFolder) -> dict[str, object]:
    """One finished run for `--json`."""
    import dataclasses

    result = folder.result()
    assert result is not None
    return {"run": str(folder.path), "config": folder.config(), "result": dataclasses.asdict(result)}


def print_runs(folders: list[RunFolder]) -> None:
    """The table of finished runs, best validation score first as trained."""
    rows = []
    for folder in folders:
        config, result = folder.config(), folder.result()
        assert result is not None
        assert result.verdict is not None
        val, test = result.scores["val"], result.scores["test"]
        name = [config["model"]["name"], config["variant"]]
        scores = [f"{val.macro_f1:.3f}", f"{test.macro_f1:.3f}", f"{test.accuracy:.3f}"]
        epochs = f"{result.best_epoch} of {result.n_epochs}"
        rows.append([*name, *scores, epochs, duration(result.wall_s), result.verdict.state, folder.digest])
    columns = ("model", "variant", "#val F1", "#test F1", "#test acc.", "#best epoch", "#time", "verdict", "run")
    print_table(columns, rows)
    if any(folder.config()["split"]["kind"] == "random" for folder in folders):
        say("split at random: the test speakers were heard in training, so these scores say nothing of a new voice")


def _print_keys(model: str) -> None:
    from cnn import config as cfg
    from cnn.overrides import flatten, keys

    defaults = flatten(cfg.to_dict(cfg.default_config("", cfg.TileSettings(), model, "raw")))
    print_table(("key", "default", "type"), [[key, str(defaults[key]), kind.__name__] for key, kind in keys().items()])


@app.command(epilog="Examples: `arena predict RUN` · `arena predict RUN --clips new/ --out submission.csv`")
def predict(
    run: Annotated[str, typer.Argument(help="A run folder, its digest, or the beginning of one.")],
    split: Annotated[str, typer.Option(help="The run's own held-out clips: test or val.")] = "test",
    clips: Annotated[Path | None, typer.Option(help="Recordings instead: a folder of wav or flac files of any name.")] = None,
    out: Annotated[Path, typer.Option(help="The CSV to write.")] = Path("submission.csv"),
    runs: Runs = Path("runs"),
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Write a submission: what a finished run says of its held-out clips, or of a folder of recordings."""
    from cnn.predict import answers_of_recordings, answers_of_split, find_run, recordings_in, write_submission

    if split not in ("test", "val"):
        raise typer.BadParameter(f"--split is test or val, not {split!r}")
    found = find_run(run, runs)
    if clips is None:
        answers = answers_of_split(found, split)
    else:
        paths = recordings_in(clips)
        with progress("predicting, clips", len(paths)) as advance:
            answers = answers_of_recordings(found, clips, paths, device, advance)
    write_submission(out, answers)
    summary = {"submission": str(out), "n_clips": len(answers), "run": str(found.path)}
    said = f"{out}: {len(answers)} clips, from {found.path}"
    print_json(summary) if json else print(said)
