"""Every number of the section on evaluations as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

TEST, VALIDATION = "test", "validation"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerFacts:
    """One speaker's clips, answered by nets that never heard them; means over the seeds."""

    speaker: str
    n_clips: int
    macro_f1: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfusedFacts:
    """A digit taken for another, over all folds and seeds."""

    truth: str
    predicted: str
    n: int
    n_truth: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationFacts:
    """One model on one variant with one recipe, over the folds that are finished."""

    model: str
    variant: str
    recipe: tuple[tuple[str, object], ...]  # what tells it from others of this model and variant; mostly empty
    n_folds: int  # that there should be
    folds: tuple[int, ...]  # that are shown
    seeds: tuple[int, ...]  # that have all of these
    n_missing: int  # trainings
    command: str  # trains these
    n_clips: int
    mean: float  # macro-F1, over folds and seeds
    fold_sd: float | None  # of the folds' means; None with one fold
    seed_sd: float | None  # of the mean over folds; None with one seed
    pooled: float  # macro-F1 of all clips together, mean over seeds
    low: float  # the interval of `pooled`
    high: float
    level: float
    n_replicates: int
    speakers: tuple[SpeakerFacts, ...]  # the worst first
    confused: tuple[ConfusedFacts, ...]  # the most frequent first
    notes: tuple[str, ...]

    @property
    def has_all_folds(self) -> bool:
        return len(self.folds) == self.n_folds

    @property
    def worst(self) -> SpeakerFacts:
        return self.speakers[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationGroup:
    """Evaluations on the same folds of the same clips: the only ones whose numbers may be compared."""

    kind: str  # loso, becker or folds
    n_folds: int
    on: str  # test or validation
    corpus: str
    evaluations: tuple[EvaluationFacts, ...]

    @property
    def recipes(self) -> tuple[tuple[tuple[str, object], ...], ...]:
        """The different ones, in the order of the table."""
        return tuple(dict.fromkeys(evaluation.recipe for evaluation in self.evaluations))

    @property
    def n_seeds(self) -> int:
        """Of the evaluation with most."""
        return max(len(evaluation.seeds) for evaluation in self.evaluations)

    def of_recipe(self, recipe: tuple[tuple[str, object], ...]) -> tuple[EvaluationFacts, ...]:
        return tuple(evaluation for evaluation in self.evaluations if evaluation.recipe == recipe)
