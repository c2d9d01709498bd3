"""Values of the section on evaluations as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from cnn.runs.evaluation import Evaluation, SpeakerScore

TEST, VALIDATION = "test", "validation"


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationFacts:
    """One model on one variant with one recipe, over its finished folds."""

    model: str
    variant: str
    recipe: tuple[tuple[str, object], ...]  # settings that differ from others of this model and variant; mostly empty
    n_folds: int  # finished and missing
    folds: tuple[int, ...]  # finished in all `seeds`
    seeds: tuple[int, ...]
    n_missing: int  # trainings
    command: str  # trains the missing folds
    scores: Evaluation

    @property
    def has_all_folds(self) -> bool:
        return len(self.folds) == self.n_folds

    @property
    def mean(self) -> float:
        """Return the macro-F1 over folds and seeds."""
        return self.scores.mean_macro_f1

    @property
    def worst(self) -> SpeakerScore:
        return self.scores.speakers[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationGroup:
    """Evaluations on the same folds of the same clips: the only ones whose numbers may be compared."""

    kind: str  # loso, becker or folds
    n_folds: int
    on: str  # test or validation
    corpus: str
    tested_corpus: str  # where tiles have several, the one whose speakers are held out
    evaluations: tuple[EvaluationFacts, ...]

    @property
    def recipes(self) -> tuple[tuple[tuple[str, object], ...], ...]:
        """Return the distinct recipes, in the order of the table."""
        return tuple(dict.fromkeys(evaluation.recipe for evaluation in self.evaluations))

    @property
    def n_seeds(self) -> int:
        """Return the largest number of seeds of an evaluation."""
        return max(len(evaluation.seeds) for evaluation in self.evaluations)

    def select(self, recipe: tuple[tuple[str, object], ...]) -> tuple[EvaluationFacts, ...]:
        return tuple(evaluation for evaluation in self.evaluations if evaluation.recipe == recipe)
