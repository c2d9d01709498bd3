"""Run of a sent model on the given and on the hidden recordings, in one go: it cannot tell which it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from leaderboard.errors import ModelRefused
from leaderboard.files.solution import Solution
from leaderboard.store import Contest
from leaderboard.verification.hidden_part import HiddenPart, PredictedClasses, measure_drop
from leaderboard.verification.sent_models import SentModel, read_model_content
from leaderboard.verification.verify import (
    Limits,
    Samples,
    Verification,
    compare_answers,
    find_recordings,
    reject_model,
    run_model,
    write_samples,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TestSet:
    """Recordings that models are run on: those of the solution, and then those of the hidden part."""

    __test__ = False  # no test class of pytest

    solution: Solution
    hidden: Solution | None
    samples: Samples


@contextmanager
def prepare_test_set(solution: Solution, audio: Path, hidden: HiddenPart | None) -> Iterator[TestSet]:
    """Gather the recordings in a temporary file, which is removed at the end.

    Raises:
        ContestError: a recording is missing, or is not like the others.
    """
    paths = find_recordings(audio, solution.ids)
    paths += [] if hidden is None else find_recordings(hidden.folder, hidden.solution.ids)
    with TemporaryDirectory(prefix="arena-verify-") as folder:
        samples = write_samples(paths, Path(folder, "samples"))
        yield TestSet(solution=solution, hidden=None if hidden is None else hidden.solution, samples=samples)


def verify_model(contest: Contest, model: SentModel, test: TestSet, limits: Limits, n_most: int | None) -> Verification:
    """Run a model and compare its answers with the submission and with both solutions; `n_most` rows may differ."""
    content, n_given = read_model_content(contest, model.digest), len(test.solution.ids)
    try:
        answers = run_model(content, model.file_name, test.samples, test.solution.labels, limits)
    except ModelRefused as refusal:
        return reject_model(refusal, n_given)
    verification = compare_answers(answers[:n_given], model.predicted, test.solution.ids, n_most)
    rerun = PredictedClasses(solution=test.solution, predicted=answers[:n_given])
    verification = dataclasses.replace(verification, rerun=rerun.confusion())
    if test.hidden is None:
        return verification
    hidden = PredictedClasses(solution=test.hidden, predicted=answers[n_given:])
    drop = measure_drop(PredictedClasses(solution=test.solution, predicted=model.predicted), hidden)
    return dataclasses.replace(verification, hidden=hidden, drop=drop)
