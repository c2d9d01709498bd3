"""`arena predict`: digits of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.terminal import print_json, print_table, progress, say
from cnn.cli.options import Device, Json, Runs

if TYPE_CHECKING:
    from cnn.inference.predict import Answers
    from cnn.runs.folder import RunFolder

app = typer.Typer()

_N_SHOWN = 20  # recordings without an answer, by name


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
    from cnn.inference.predict import SUBMISSION_HEADER, finished_run
    from cnn.outputs import is_replaced

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

    from cnn.corpus.recordings import open_recordings
    from cnn.inference.predict import answers_of_recordings

    with open_recordings(files, sys.stdin.buffer) as sources, progress("predicting, clips", len(sources)) as advance:
        return answers_of_recordings(run, sources, device, advance)


def _answers(run: RunFolder, clips: Path | None, split: str, device: str) -> Answers:
    from cnn.corpus.recordings import find_recordings
    from cnn.inference.predict import Answers, answers_of_recordings, answers_of_split

    if clips is None:
        return Answers(answers=tuple(answers_of_split(run, split)), unheard=())
    sources = find_recordings(clips)
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
    from cnn.inference.predict import write_submission

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
