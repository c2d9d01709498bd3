"""`arena predict`: digits of recordings, classes of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, Device, Json, Runs, Tiles, Wide, out_option
from arena.base.project import find_project
from arena.base.terminal import Column, Number, print_json, print_table, progress, say
from cnn.cli.options import SplitName, recordings_option, say_run, split_option

if TYPE_CHECKING:
    from cnn.inference.predict import Answers
    from cnn.runs.folder import RunFolder

app = typer.Typer()

_N_SHOWN = 20  # recordings without an answer, by name


@app.command(
    epilog="Examples: `arena predict RUN` · `arena predict RUN --recordings new/ --out submission.csv` · "
    "`arena predict RUN one.wav two.flac` · `arena predict RUN a.png b.jpg` · `arena predict RUN folder` · "
    "`arecord -d 2 -f S16_LE | arena predict RUN -`"
)
def predict(
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECORDING", help="Recordings, pictures, or folders of them, to answer here; - is stdin."),
    ] = None,
    split: Annotated[SplitName | None, split_option()] = None,
    recordings: Annotated[Path | None, recordings_option(show_default="contest.clips of arena.toml")] = None,
    out: Annotated[Path | None, out_option("The CSV to write.", show_default="submission.csv")] = None,
    runs: Runs = Path("runs"),
    tiles: Tiles = Path("tiles"),
    device: Device = "auto",
    strings: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of strings: each file is cut into digits.", show_default=False),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="True strings, as `arena data strings` writes: score.", show_default=False),
    ] = None,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Predict with a finished run: class and probability of each file, or with --recordings or --split a submission."""
    from cnn.corpus.recordings import count_skipped
    from cnn.files import check_output
    from cnn.inference.predict import choose_files, complete_trial, find_classifier
    from cnn.runs.evaluation import read_labels
    from cnn.runs.folder import PREDICTION_HEAD
    from cnn.runs.folds import PARTS

    if bool(files) + bool(recordings) + bool(split) + bool(strings) > 1 or (files and out):
        rule = "give files, --recordings, --split or --strings"
        raise typer.BadParameter(f"{rule}; answers on files are printed: for --out give their folder with --recordings")
    if truth and not strings:
        raise typer.BadParameter("--truth scores strings; name their folder with --strings")
    folder = find_classifier(run, runs)
    say_run(run, folder)
    if strings:
        return _answer_strings(folder, strings, _StringFiles(out=out, truth=truth), device, json=json)
    if not (files or recordings or split) and (clips := find_project().text("contest.clips")):
        recordings = Path(clips)
    kind = choose_files(folder)
    kinds = count_skipped(files or ([recordings] if recordings else ()), kind)
    if files:
        answers = _answer_files(folder, files, device)
        print_answers(answers, kind.answer, json, kinds)
    else:
        out = out or Path("submission.csv")
        is_replacing = check_output(out, (*PREDICTION_HEAD, *read_labels([folder])))
        if not recordings and split is not SplitName.VALIDATION:
            complete_trial(folder, tiles, device)
        answers = _answer_split(folder, recordings, PARTS[split or SplitName.TEST], device)
        _submit(folder, answers, out, json, kinds)
        if is_replacing:
            say(f"{out} was a submission before, which is replaced")
    if answers.skipped:
        raise typer.Exit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _StringFiles:
    """The CSV to write, and the one with the true strings; None for none."""

    out: Path | None
    truth: Path | None


def _answer_strings(run: RunFolder, folder: Path, files: _StringFiles, device: str, *, json: bool) -> None:
    """Print the answers to a folder of strings, or write them; score them where the true strings are given."""
    from cnn.files import check_output
    from cnn.strings.answer import answer_strings, find_strings, write_strings
    from cnn.strings.draw import SOLUTION_HEADER
    from cnn.strings.score import read_strings, score_strings

    if files.out is not None:
        check_output(files.out, SOLUTION_HEADER)
    truth = None if files.truth is None else read_strings(files.truth)
    paths = find_strings(run, folder)
    with progress("reading strings", len(paths)) as advance:
        answers = answer_strings(run, paths, device, advance)
    for line in answers:
        if line.problem or not line.string:
            say(f"no digit: {line.id} {line.problem or 'shows none'}; its answer is empty")
    score = None if truth is None else score_strings({a.id: a.string for a in answers}, truth)
    if files.out is not None:
        write_strings(files.out, answers)
    if json:
        rows = [{"file": a.id, "string": a.string, "probability": a.probability, "problem": a.problem} for a in answers]
        return print_json({"answers": rows, "score": None if score is None else asdict(score), "run": str(run.path)})
    if files.out is not None:
        print(f"{files.out}: {len(answers)} strings, from {run.path}")
    elif score is None:
        columns = (Column("file"), Column("string"), Number("least sure"))
        print_table(columns, [[a.id, a.string, f"{a.probability:.3f}"] for a in answers])
    if score is not None:
        print(f"exact match {score.exact_match:.3f}, digit error rate {score.digit_error_rate:.3f}, {score.n} strings")


def _answer_files(run: RunFolder, files: list[str], device: str) -> Answers:
    import sys

    from cnn.corpus.recordings import open_recordings
    from cnn.inference.predict import choose_files, predict_recordings

    kind = choose_files(run)
    with (
        open_recordings(files, sys.stdin.buffer, kind) as sources,
        progress(f"predicting, {kind.noun}s", len(sources)) as advance,
    ):
        return predict_recordings(run, sources, device, advance)


def _answer_split(run: RunFolder, clips: Path | None, split: str, device: str) -> Answers:
    from cnn.corpus.recordings import find_recordings
    from cnn.inference.predict import choose_files, predict_recordings, read_answers

    if clips is None:
        return read_answers(run, split)
    kind = choose_files(run)
    sources = find_recordings(clips, kind)
    with progress(f"predicting, {kind.noun}s", len(sources)) as advance:
        return predict_recordings(run, sources, device, advance)


def print_answers(result: Answers, name: str, json: bool, kinds: Mapping[str, int]) -> None:
    """Print the answers, which are called `name`, or as JSON also the files that were left out, counted by `kinds`."""
    import dataclasses

    _say_skipped(result, kinds)
    if json:
        answers = [{"file": a.id, name: a.label, "probabilities": result.probabilities(a)} for a in result.answers]
        unheard = [dataclasses.asdict(clip) for clip in result.skipped]
        return print_json({"answers": answers, "unheard": unheard, "not_read": kinds})
    rows = []
    for answer in result.answers:
        best, second = sorted(result.probabilities(answer).items(), key=lambda item: -item[1])[:2]
        rows.append([answer.id, best[0], f"{best[1]:.3f}", second[0], f"{second[1]:.3f}"])
    if rows:
        kind = Number if name == "digit" else Column
        columns = (kind(name), Number("probability"), kind("second best", 2), Number("probability", 2))
        print_table((Column("file"), *columns), rows)


def _submit(run: RunFolder, result: Answers, out: Path, json: bool, kinds: Mapping[str, int]) -> None:
    from cnn.errors import CorpusError
    from cnn.inference.predict import write_submission

    n_clips, n_skipped = len(result.answers), len(result.skipped)
    _say_skipped(result, kinds)
    if not n_clips:
        raise CorpusError(f"none of {n_skipped} recordings can be used; nothing is written")
    write_submission(out, result)
    if n_skipped:
        say(f"{out} lacks {n_skipped} of {n_clips + n_skipped} recordings: a contest that asks for them will refuse it")
    summary = {"submission": str(out), "n_clips": n_clips, "n_unheard": n_skipped, "not_read": kinds, "run": str(run.path)}
    print_json(summary) if json else print(f"{out}: {n_clips} clips, from {run.path}")


def _say_skipped(result: Answers, kinds: Mapping[str, int]) -> None:
    from cnn.corpus.listing import describe_kinds
    from cnn.decoding.flags import describe_flags

    if kinds:
        say(describe_kinds(kinds))
    for clip in result.skipped[:_N_SHOWN]:
        say(f"no answer: {clip.name if clip.name.isprintable() else ascii(clip.name)} {clip.reason}")
    if len(result.skipped) > _N_SHOWN:
        say(f"no answer: {len(result.skipped) - _N_SHOWN} more")
    for line in describe_flags(result.flagged):
        say(line)
