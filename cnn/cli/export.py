"""`arena export`: a finished run as one ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, Json, Runs, out_option
from arena.base.terminal import print_json, say
from cnn.cli.options import recordings_option, say_run

if TYPE_CHECKING:
    from cnn.inference.onnx_export import Export
    from cnn.tiles.front_end import Samples


app = typer.Typer()

_MOST_CLIPS = 200


@app.command(
    "export", epilog="Examples: `arena export RUN` · `arena export RUN --out model.onnx --rate-hz 48000 --recordings test/`"
)
def export_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    out: Annotated[Path, out_option("The file to write.")] = Path("model.onnx"),
    rate_hz: Annotated[
        int, typer.Option(min=0, help="Of the samples that it takes.", show_default="that of the run's tiles")
    ] = 0,
    recordings: Annotated[Path | None, recordings_option(show_default="made-up sounds to check it on")] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Write a run's net as ONNX, from samples (or pictures) to probabilities, with the tiles and the views of its training.

    It is checked in onnxruntime against the net itself before anything is written.
    """
    import dataclasses

    from cnn.inference.onnx_export import export_run
    from cnn.inference.onnx_file import check_onnx_packages
    from cnn.inference.predict import find_classifier
    from cnn.overrides import config_from_dict

    check_onnx_packages()
    folder = find_classifier(run, runs)
    say_run(run, folder)
    own_hz = config_from_dict(folder.config()).tiles.rate_hz
    say("tracing the net and checking what was written (about ten seconds) ...")
    exported = export_run(folder, out, rate_hz, _read_samples(recordings, rate_hz or own_hz) if recordings else ())
    print_json(dataclasses.asdict(exported) | {"path": str(out)}) if json else print(_describe(exported))


def _read_samples(folder: Path, rate_hz: int) -> list[Samples]:
    """Read the samples of the first recordings of a folder."""
    from cnn.corpus.listing import describe_kinds
    from cnn.corpus.recordings import count_skipped, find_recordings, read_recording
    from cnn.errors import CorpusError

    sources = find_recordings(folder)
    if kinds := count_skipped([folder]):
        say(describe_kinds(kinds))
    if len(sources) > _MOST_CLIPS:
        say(f"checked on {_MOST_CLIPS} of {len(sources):,} recordings")
    recordings = []
    for source in sources[:_MOST_CLIPS]:
        try:
            samples, rate = read_recording(source)
        except CorpusError as error:
            raise CorpusError(f"{source.path} {error}") from error
        if rate != rate_hz:
            raise CorpusError(
                f"--recordings are of the rate that the file takes, {rate_hz} Hz, and {source.path} has {rate} Hz; "
                f"give --rate-hz {rate}"
            )
        recordings.append(samples)
    return recordings


def _describe(exported: Export) -> str:
    labels = "all labels equal" if not exported.n_labels else f"{exported.n_labels} labels differ"
    inputs = f"samples at {exported.rate_hz} Hz" if exported.rate_hz else "tiles of pictures"
    noun = "clips" if exported.rate_hz else "pictures"
    return (
        f"{exported.path}: {exported.size_bytes / 1e6:.1f} MB, takes {inputs}; in onnxruntime, on {exported.n_clips} {noun}, "
        f"probabilities differ from the trained net's by at most {exported.difference:.1g} "
        f"({exported.net_difference:.1g} on equal pictures), {labels}"
    )
