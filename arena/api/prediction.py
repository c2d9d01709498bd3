"""Answers of a trained net to recordings or pictures, as a pandas table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from arena.api.arguments import Location, choose_folder
from arena.base.terminal import progress, say
from cnn.corpus.listing import describe_kinds
from cnn.corpus.recordings import RECORDINGS, RecordedSamples, Source, count_skipped, open_recordings
from cnn.decoding.flags import describe_flags
from cnn.errors import CorpusError

if TYPE_CHECKING:
    import pandas as pd

    from cnn.inference.predict import Answers

Samples = npt.NDArray[np.floating | np.int16]
_INT16 = 32768.0


def predict(
    run: Location,
    recordings: Location | Sequence[Location] | Samples,
    rate_hz: int | None = None,
    *,
    runs: Location | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Return a row for each recording or picture: file, digit or class, probability, that of each class, why it has none.

    Args:
        run: a Run, or what names one, such as `best`.
        recordings: files or folders of recordings, or of pictures, or the samples (S,) of one recording, -1 to 1 or int16.
        rate_hz: samples a second, with samples alone.
        runs: the folder of runs; the project's if none is given.
        device: auto, cpu, cuda, cuda:1.

    Raises:
        Error: no such run or file, or samples that cannot be used.
    """
    from cnn.inference.predict import choose_files, find_classifier, predict_recordings

    folder = find_classifier(os.fspath(run), choose_folder("runs", runs))
    if rate_hz is not None or isinstance(recordings, np.ndarray):
        source = _check_samples(recordings, rate_hz)
        return _to_table(predict_recordings(folder, [source], device, lambda n: None), [source], RECORDINGS.answer)
    kind = choose_files(folder)
    names = [recordings] if isinstance(recordings, str | os.PathLike) else recordings
    if others := [name for name in names if not isinstance(name, str | os.PathLike)]:
        rule = "recordings are files, folders, or a numpy array of samples with rate_hz=..."
        raise CorpusError(f"{rule}, not a list of {type(others[0]).__name__}")
    with (
        open_recordings([os.fspath(name) for name in names], sys.stdin.buffer, kind) as sources,
        progress("predicting, clips", len(sources)) as advance,
    ):
        if formats := count_skipped((os.fspath(name) for name in names), kind):
            say(describe_kinds(formats))
        answers = predict_recordings(folder, sources, device, advance)
        for note in describe_flags(answers.flagged):
            say(note)
        return _to_table(answers, sources, kind.answer)


def _check_samples(recording: object, rate_hz: int | None) -> RecordedSamples:
    samples = np.asarray(recording)
    if samples.dtype.kind not in "fi" or (samples.dtype.kind == "i" and samples.dtype != np.int16):
        raise CorpusError(f"a rate belongs to samples, floats from -1 to 1 or int16, not {samples.dtype}; files have their own")
    if rate_hz is None:
        raise CorpusError("samples need their rate; give it, such as rate_hz=16000")
    if samples.ndim != 1:
        raise CorpusError(f"samples are mono, of shape (S,), not {samples.shape}; take one channel, or their mean")
    scale = _INT16 if samples.dtype == np.int16 else 1.0
    return RecordedSamples(name="the recording", samples=(samples / scale).astype(np.float32), rate_hz=rate_hz)


def _to_table(result: Answers, sources: Sequence[Source], column: str) -> pd.DataFrame:
    import pandas as pd

    problems = {clip.name: clip.reason for clip in result.skipped}
    if not result.answers:
        name, reason = next(iter(problems.items()))
        raise CorpusError(f"{name} {reason}")
    answers, rows = iter(result.answers), list[dict[str, object]]()
    for source in sources:
        if source.label in problems:
            rows.append({"file": source.name, "problem": problems[source.label]})
        else:
            answer = next(answers)
            rows.append({"file": source.name, column: answer.label, "probability": max(answer.probabilities)})
            rows[-1] |= result.probabilities(answer)
    return pd.DataFrame(rows, columns=["file", column, "probability", *result.labels, "problem"]).fillna({"problem": ""})
