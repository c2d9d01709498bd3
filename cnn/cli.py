"""`arena train` and `arena predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_locks import require_posix
from arena_terminal import JSON_HELP, duration, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.predict import Answers
    from cnn.runs import EpochRow, RunFolder
    from cnn.trainings import Place

app = typer.Typer()

_N_SHOWN = 20  # recordings without an answer, by name

Overrides = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as train.epochs=5.")]
Tiles = Annotated[Path, typer.Option("--tiles", help="A folder of tiles, or one that holds a single such folder.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
Wandb = Annotated[str, typer.Option("--wandb", help="Mirror to W&B: auto (online when logged in), online, offline or off.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@app.command(epilog="Examples: `arena train --model lenet5 --variant raw+aug train.epochs=20` · `arena train --all`")
def train(
    overrides: Overrides = None,
    model: Annotated[str, typer.Option(help="A net of `arena models`, or file.py:ClassName.", show_default="lenet5")] = "",
    variant: Annotated[str, typer.Option(help="raw, bilateral, raw+aug or bilateral+aug.", show_default="raw")] = "",
    all_eight: Annotated[bool, typer.Option("--all", help="Both models on all four variants: eight trainings.")] = False,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    jobs: Annotated[int, typer.Option(min=0, help="Trainings at once; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    wandb: Wandb = "auto",
    keys: Annotated[bool, typer.Option("--keys", help="List every setting with its default, and stop.")] = False,
    json: Json = False,
) -> None:
    """Train a net, or all eight. The same settings again are answered from their run folder; a killed training goes on."""
    if keys:
        return _print_keys(model or "lenet5", json)
    require_posix("arena train")
    from cnn.config import default_config
    from cnn.overrides import override
    from cnn.tiles import find_tiles
    from cnn.trainings import Place, default_jobs, the_eight

    if all_eight and (model or variant):
        raise typer.BadParameter("--all trains both models on all variants: leave --model and --variant out")
    found = find_tiles(tiles, say)
    one = default_config(found.corpus, found.settings, model or "lenet5", variant or "raw")
    bases = the_eight(found) if all_eight else [one]
    configs = [override(base, overrides or []) for base in bases]
    place = Place(tiles=found.folder, runs=runs, device=device, wandb=wandb)
    folders = train_with_bar(configs, place, jobs or default_jobs(device, len(configs)))
    print_json([as_dict(folder) for folder in folders]) if json else print_runs(folders)


def train_with_bar(configs: list[RunConfig], place: Place, n_jobs: int) -> list[RunFolder]:
    """`cnn.trainings.train_all` with a progress bar over all epochs.

    Raises:
        CnnError: as there, or an unknown device or W&B mode.
    """
    from cnn.mirror import check_mode
    from cnn.runs import RunFolder
    from cnn.trainings import is_gpu, train_all

    check_mode(place.wandb)
    is_gpu(place.device)  # raises where the device is not here
    done = {config.digest: len(RunFolder(place.runs / config.digest).epochs()) for config in configs}
    total = sum(config.train.epochs for config in configs)
    with progress("training, epochs", total, sum(done.values())) as advance:

        def at(config: RunConfig, epoch: int, note: str = "") -> None:
            advance(epoch - done[config.digest], note)  # not 1: a kill may have left epochs.csv behind its checkpoint
            done[config.digest] = epoch

        def listen(config: RunConfig, row: EpochRow) -> None:
            at(config, row.epoch, f"{config.model.label} {config.variant} val F1 {row.val_macro_f1:.3f}")

        folders = train_all(configs, place, n_jobs, listen, say)
        for config, folder in zip(configs, folders, strict=True):
            at(config, len(folder.epochs()))
        return folders


def as_dict(folder: RunFolder) -> dict[str, object]:
    """One finished run for `--json`."""
    import dataclasses

    result = folder.result()
    assert result is not None
    return {"run": str(folder.path), "config": folder.config(), "result": dataclasses.asdict(result)}


def print_runs(folders: list[RunFolder]) -> None:
    """The table of finished runs, best validation score first as trained."""
    from cnn.plugin import label_of

    rows = []
    for folder in folders:
        config, result = folder.config(), folder.result()
        assert result is not None
        assert result.verdict is not None
        val, test = result.scores["val"], result.scores["test"]
        name = [label_of(config["model"]["name"]), config["variant"]]
        scores = [f"{val.macro_f1:.3f}", f"{test.macro_f1:.3f}", f"{test.accuracy:.3f}"]
        epochs = f"{result.best_epoch} of {result.n_epochs}"
        rows.append([*name, *scores, epochs, duration(result.wall_s), result.verdict.state, folder.digest])
    columns = ("model", "variant", "#val F1", "#test F1", "#test acc.", "#best epoch", "#time", "verdict", "run")
    print_table(columns, rows)
    if any(folder.config()["split"]["kind"] == "random" for folder in folders):
        say("split at random: the test speakers were heard in training, so these scores say nothing of a new voice")
    if any(folder.config()["split"].get("validation") == "takes" for folder in folders):
        say("validated on other takes of the training speakers: val F1 is optimistic and chooses nothing")


def _print_keys(model: str, as_json: bool) -> None:
    from cnn import config as cfg
    from cnn.nets import NETS
    from cnn.overrides import flatten, keys

    defaults = flatten(cfg.to_dict(cfg.default_config("", cfg.TileSettings(), model, "raw")))
    rows = [
        {"key": key, "default": defaults[key], "type": known.kind.__name__, "values": known.values, "meaning": known.meaning}
        for key, known in keys().items()
    ]
    if model in NETS:
        depth = next(row for row in rows if row["key"] == "model.depth")
        depth |= {"values": "{} to {}".format(*NETS[model].depths), "meaning": NETS[model].counts}
    if as_json:
        print_json(rows)
    else:
        table = [[str(row[column]) for column in ("key", "default", "values", "meaning")] for row in rows]
        print_table(("key", "default", "values", "meaning"), table)


@app.command(
    epilog="Examples: `arena predict RUN` · `arena predict RUN --clips new/ --out submission.csv` · "
    "`arena predict RUN one.wav two.flac` · `arena predict RUN folder` · `arecord -d 2 -f S16_LE | arena predict RUN -`"
)
def predict(
    run: Annotated[str, typer.Argument(help="A run folder, its digest, or the beginning of one.")],
    files: Annotated[
        list[str] | None, typer.Argument(help="Recordings, or folders of them, to answer here; - is stdin.")
    ] = None,
    split: Annotated[str, typer.Option(help="The run's own held-out clips: test or val.", show_default="test")] = "",
    clips: Annotated[Path | None, typer.Option(help="Recordings instead: a folder of wav or flac files of any name.")] = None,
    out: Annotated[Path | None, typer.Option(help="The CSV to write.", show_default="submission.csv")] = None,
    runs: Runs = Path("runs"),
    device: Device = "auto",
    json: Json = False,
) -> None:
    """What a finished run says: digit and probability of each recording given, or with --clips or --split a submission."""
    from cnn.outputs import is_replaced
    from cnn.predict import SUBMISSION_HEADER, finished_run

    if split not in ("", "test", "val"):
        raise typer.BadParameter(f"--split is test or val, not {split!r}")
    if bool(files) + bool(clips) + bool(split) > 1 or (files and out):
        law = "give files, --clips or --split"
        raise typer.BadParameter(f"{law}; answers on files and folders are printed: for --out give a folder with --clips")
    found = finished_run(run, runs)
    if files:
        answers = _answers_on_files(found, files, device)
        _print_answers(answers, json)
    else:
        out = out or Path("submission.csv")
        is_replacing = is_replaced(out, SUBMISSION_HEADER)
        answers = _answers(found, clips, split or "test", device)
        _submit(found, answers, out, json)
        if is_replacing:
            say(f"{out} was a submission before, which is replaced")
    if answers.unheard:
        raise typer.Exit(1)


def _answers_on_files(run: RunFolder, files: list[str], device: str) -> Answers:
    import sys

    from cnn.predict import answers_of_recordings
    from cnn.sources import sources_named

    with sources_named(files, sys.stdin.buffer) as sources, progress("predicting, clips", len(sources)) as advance:
        return answers_of_recordings(run, sources, device, advance)


def _answers(run: RunFolder, clips: Path | None, split: str, device: str) -> Answers:
    from cnn.predict import Answers, answers_of_recordings, answers_of_split
    from cnn.sources import sources_in

    if clips is None:
        return Answers(answers=tuple(answers_of_split(run, split)), unheard=())
    sources = sources_in(clips)
    with progress("predicting, clips", len(sources)) as advance:
        return answers_of_recordings(run, sources, device, advance)


def _print_answers(found: Answers, json: bool) -> None:
    import dataclasses

    _say_unheard(found)
    if json:
        answers = [{"file": a.id, "digit": a.label, "probabilities": a.by_digit()} for a in found.answers]
        return print_json({"answers": answers, "unheard": [dataclasses.asdict(one) for one in found.unheard]})
    rows = []
    for answer in found.answers:
        digit, second = sorted(answer.by_digit().items(), key=lambda item: -item[1])[:2]
        rows.append([answer.id, digit[0], f"{digit[1]:.3f}", second[0], f"{second[1]:.3f}"])
    if rows:
        print_table(("file", "#digit", "#probability", "#second best", "#probability"), rows)


def _submit(run: RunFolder, found: Answers, out: Path, json: bool) -> None:
    from cnn.errors import CorpusError
    from cnn.predict import write_submission

    n_clips, n_unheard = len(found.answers), len(found.unheard)
    _say_unheard(found)
    if not n_clips:
        raise CorpusError(f"none of {n_unheard} recordings can be used; nothing is written")
    write_submission(out, found.answers)
    if n_unheard:
        say(f"{out} lacks {n_unheard} of {n_clips + n_unheard} recordings: a contest that asks for them will refuse it")
    summary = {"submission": str(out), "n_clips": n_clips, "n_unheard": n_unheard, "run": str(run.path)}
    print_json(summary) if json else print(f"{out}: {n_clips} clips, from {run.path}")


def _say_unheard(found: Answers) -> None:
    for one in found.unheard[:_N_SHOWN]:
        say(f"no answer: {one.name if one.name.isprintable() else ascii(one.name)} {one.reason}")
    if len(found.unheard) > _N_SHOWN:
        say(f"no answer: {len(found.unheard) - _N_SHOWN} more")
