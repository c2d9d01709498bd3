"""Pairs of trainings with and without a start, from all run folders: equal in all else, epochs and seed included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder, list_runs
from reports.analysis.paired_bootstrap import Contrast, have_same_clips, resample_runs
from reports.analysis.scores import ClipAnswers
from reports.errors import SourceError
from reports.facts.starts import StartFacts
from reports.reading.run import read_run

Runs = dict[int, RunFolder]  # by seed


def read_starts(runs_dir: Path | None) -> tuple[StartFacts, ...]:
    """Return the trainings with a start whose like without one is there; unfinished and damaged ones are left out."""
    fresh: dict[str, Runs] = defaultdict(dict)  # by the digest of the settings without start and seed
    tuned: dict[RunConfig, Runs] = defaultdict(dict)  # by the settings without seed
    for run, config in _list_trainings(runs_dir) if runs_dir else ():
        shared = replace(config, train=replace(config.train, seed=0))
        if config.train.start:
            tuned[shared][config.train.seed] = run
        else:
            fresh[shared.digest][config.train.seed] = run
    pairs = ((config, runs, fresh.get(_drop_start(config).digest, {})) for config, runs in tuned.items())
    return tuple(facts for config, runs, others in pairs if (facts := _compare(config, runs, others)))


def _list_trainings(runs_dir: Path) -> Iterator[tuple[RunFolder, RunConfig]]:
    for run in list_runs(runs_dir):
        try:
            if run.is_whole:
                yield run, config_from_dict(run.config())
        except (CnnError, ValueError, KeyError, TypeError):
            continue  # the page's notes name what is damaged


def _drop_start(config: RunConfig) -> RunConfig:
    return replace(config, train=replace(config.train, start="", start_digest="", start_labels=(), frozen=0))


def _compare(config: RunConfig, tuned: Runs, fresh: Runs) -> StartFacts | None:
    pairs = [(_read_test(tuned[seed]), _read_test(fresh[seed])) for seed in sorted(tuned.keys() & fresh.keys())]
    answers = {f"{arm} {number}": clips for number, pair in enumerate(pairs) for arm, clips in enumerate(pair) if clips}
    first = next(iter(answers.values()), None)
    if first is None or len(answers) < 2 * len(pairs) or not all(have_same_clips(first, clips) for clips in answers.values()):
        return None
    resampled = resample_runs(answers)
    contrasts = [Contrast(name="", terms=((1.0, f"0 {n}"), (-1.0, f"1 {n}"))) for n in range(len(pairs))]
    with_start, without = (fmean(resampled.values[f"{arm} {n}"] for n in range(len(pairs))) for arm in (0, 1))
    return StartFacts(
        model=config.model.label,
        variant=config.variant,
        start=Path(config.train.start).name,
        n_frozen=config.train.frozen,
        epochs=config.train.epochs,
        n_seeds=len(pairs),
        n_clips=len(first.ids),
        with_start=with_start,
        without=without,
        difference=resampled.mean(contrasts),
    )


def _read_test(run: RunFolder) -> ClipAnswers | None:
    try:
        return read_run(run).test
    except SourceError:
        return None
