"""Data of every table and figure as CSV inside the page: data URIs by the name of the file that a click saves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arena.base.csv_export import format_csv
from arena.base.media import data_uri
from cnn.runs import DataKind
from leaderboard.standings import METRICS
from reports.facts.inspections import InspectionFacts
from reports.facts.report import ReportFacts, RunFacts
from reports.sweep_figures.history import slug
from sweeps.results import StudyFacts

Rows = Sequence[Sequence[object]]  # the first names the columns

_SCORE_HEAD = (
    *(
        "run",
        "model",
        "variant",
        "seed",
        "val_macro_f1",
        "test_macro_f1",
        "test_low",
        "test_high",
        "test_accuracy",
        "test_loss",
    ),
    *("choice_minus_this", "choice_minus_low", "choice_minus_high", "gap", "epochs", "kept_epoch", "seconds", "parameters"),
    *("multiply_adds", "verdict"),
)

_OF_PICTURES = {"spoken": "truth", "heard": "predicted", "clip": "picture", "clips": "pictures"}  # columns


def csv_tables(facts: ReportFacts) -> dict[str, str]:
    """Return a data URI for every table that has a row."""
    tables = {
        "scores": _scores(facts.runs),
        "effects": _effects(facts),
        "curves": _curves(facts.runs),
        "confusions": _confusions(facts.runs),
        "groups": _groups(facts),
        "mistakes": _mistakes(facts),
        "labels-to-check": _doubts(facts),
        "contest": _contest(facts),
        **{f"trials-{slug(sweep)}": _trials(sweep) for sweep in facts.sweeps or ()},
        **{f"embedding-{inspection.run}": _embedding(inspection) for inspection in facts.inspections},
        **{f"held-out-{number}": _held_out(facts, number - 1) for number in range(1, len(facts.evaluations) + 1)},
    }
    names = {} if facts.kind is DataKind.SOUND else _OF_PICTURES
    return {
        name: csv_uri([[names.get(str(column), column) for column in rows[0]], *rows[1:]])
        for name, rows in tables.items()
        if len(rows) > 1
    }


def csv_uri(rows: Rows) -> str:
    """Return the rows as a CSV file in a data URI."""
    return data_uri("text/csv", format_csv(rows).encode())


def _scores(runs: Sequence[RunFacts]) -> Rows:
    return [_SCORE_HEAD, *(_score_row(run) for run in runs)]


def _score_row(run: RunFacts) -> tuple[object, ...]:
    test, interval, behind = run.test, run.interval, run.behind_choice
    return (
        *(run.digest, run.model, run.variant, run.seed, run.val.macro_f1 if run.val else None),
        test.macro_f1 if test else None,
        *((interval.low, interval.high) if interval else (None, None)),
        *((test.accuracy, test.loss) if test else (None, None)),
        *((behind.value, behind.interval.low, behind.interval.high) if behind else (None, None, None)),
        *(run.gap, run.n_epochs, run.best_epoch, run.wall_s, run.n_parameters, run.n_multiply_adds, run.verdict),
    )


def _effects(facts: ReportFacts) -> Rows:
    """List the mean of each effect, then its single sets, then its speakers."""
    rows: list[tuple[object, ...]] = [("effect", "of", "difference", "low", "high", "unit", "n_units")]
    for effect in facts.effects:
        name, difference = " x ".join(effect.factors), effect.difference
        interval = difference.interval
        rows.append((name, "mean", difference.value, interval.low, interval.high, interval.unit, interval.n_units))
        rows += [(name, f"set: {part}", value, None, None, None, None) for part, value in difference.parts]
        rows += [(name, f"speaker: {speaker}", value, None, None, None, None) for speaker, value in difference.speakers]
    return rows


def _curves(runs: Sequence[RunFacts]) -> Rows:
    head = ("run", "model", "variant", "epoch", "train_loss", "val_loss", "train_macro_f1", "val_macro_f1")
    points = ((run, point) for run in runs for point in run.curve)
    return [
        head,
        *(
            (run.digest, run.model, run.variant, p.epoch, p.train_loss, p.val_loss, p.train_macro_f1, p.val_macro_f1)
            for run, p in points
        ),
    ]


def _confusions(runs: Sequence[RunFacts]) -> Rows:
    def rows() -> Iterator[tuple[object, ...]]:
        for run in runs:
            for truth, row in zip(run.labels, run.test.confusion if run.test else (), strict=False):
                for predicted, n in zip(run.labels, row, strict=True):
                    yield run.digest, run.model, run.variant, truth, predicted, n

    return [("run", "model", "variant", "spoken", "predicted", "clips"), *rows()]


def _groups(facts: ReportFacts) -> Rows:
    head = ("by", "group", "clips", "speakers", "macro_f1", "low", "high", "interval_over", "accuracy")
    rows: list[tuple[object, ...]] = [head]
    for grouping in facts.groupings:
        for group in grouping.groups:
            span = (group.interval.low, group.interval.high, group.interval.unit) if group.interval else (None, None, None)
            rows.append((grouping.kind, group.name, group.n_clips, group.n_speakers, group.macro_f1, *span, group.accuracy))
    return rows


def _mistakes(facts: ReportFacts) -> Rows:
    head = ("clip", "speaker", "split", "spoken", "predicted", "probabilities", "trainings_wrong", "trainings")
    return [
        head,
        *(
            (m.id, m.speaker, m.split, m.truth, m.predicted, _shares(m.probabilities), m.n_wrong, m.n_votes)
            for m in facts.mistakes
        ),
    ]


def _shares(probabilities: Sequence[tuple[str, float]]) -> str:
    return " ".join(f"{label}:{p:.4f}" for label, p in probabilities)


def _doubts(facts: ReportFacts) -> Rows:
    head = ("clip", "speaker", "split", "label", "heard", "mean_probability", "trainings_agree", "trainings")
    return [
        head,
        *((d.id, d.speaker, d.split, d.label, d.predicted, d.probability, d.n_agree, d.n_votes) for d in facts.doubts),
    ]


def _contest(facts: ReportFacts) -> Rows:
    metrics = [metric.key for metric in METRICS]
    head = (
        "rank",
        "rank_low",
        "rank_high",
        "groups",
        "team",
        "attempt",
        "counts",
        "macro_f1",
        *metrics,
        "low",
        "high",
        "arrived_at",
        "submission",
    )
    rows: list[tuple[object, ...]] = [head]
    for line in facts.contest.standings if facts.contest else ():
        for attempt in line.attempts:
            counts = attempt.number == line.best
            span = (line.interval.low, line.interval.high) if counts else (None, None)
            values = (
                attempt.macro_f1,
                *(attempt.metrics.get(key) for key in metrics),
                *span,
                attempt.arrived_at.isoformat(),
                attempt.digest,
            )
            ranks = ("baseline" if line.rank is None else line.rank, line.rank_low, line.rank_high, line.letters)
            rows.append((*ranks, line.team, attempt.number, int(counts), *values))
    return rows


def _trials(sweep: StudyFacts) -> Rows:
    names = [parameter.name for parameter in sweep.varied]
    costs = [name for name in sweep.costs if name != "seconds"]
    head = ("trial", "state", sweep.metric, "epochs", "seconds", *costs, "agent", "run", *names, "cause")
    return [
        head,
        *(
            (
                *(trial.number, trial.state, trial.value, len(trial.epochs), trial.seconds),
                *(*(trial.costs.get(name) for name in costs), trial.agent, trial.run),
                *(*(trial.params.get(name) for name in names), trial.cause),
            )
            for trial in sweep.trials
        ),
    ]


def _embedding(inspection: InspectionFacts) -> Rows:
    head = ("clip", "speaker", "spoken", "predicted", "x", "y")
    return [head, *((clip.id, clip.speaker, clip.truth, clip.label, clip.x, clip.y) for clip in inspection.embedding)]


def _held_out(facts: ReportFacts, number: int) -> Rows:
    group = facts.evaluations[number]
    rows: list[tuple[object, ...]] = [("model", "variant", "recipe", "speaker", "clips", "macro_f1", "by_seed")]
    for evaluation in group.evaluations:
        recipe = " ".join(f"{key}={value}" for key, value in evaluation.recipe)
        for line in evaluation.scores.speakers:
            by_seed = " ".join(f"{value:.6f}" for value in line.by_seed)
            rows.append((evaluation.model, evaluation.variant, recipe, line.speaker, line.n_clips, line.macro_f1, by_seed))
    return rows
