"""Clips worth listening to: the surest mistakes of a run, and labels that most trainings contradict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.scores import ClipAnswers
from reports.facts.clips import DoubtFacts, MistakeFacts

MOST_MISTAKES = 12
MOST_DOUBTS = 8
_MOST_OF_A_PAIR = 2  # mistakes of one digit for one other
_N_SHOWN = 3  # probabilities
# Wrong labels are guessed from trainings that never saw the clip, as in Northcutt et al. 2021 (confident learning); so few
# trainings allow no threshold of their own for each class, hence these plain ones.
_FEWEST_VOTES = 3
_AGREE = 0.75  # share of the trainings
_SURE = 0.7  # mean probability


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    """One training's answer to one clip; classes are numbers."""

    truth: int
    predicted: int
    probabilities: tuple[float, ...]
    speaker: str
    split: str


Votes = Mapping[str, Vote]  # by clip


def collect_votes(parts: Mapping[str, ClipAnswers]) -> dict[str, Vote]:
    """Return all answers of one run by clip, from its answers by split."""
    return {
        clip: Vote(
            truth=int(rows.truth[n]),
            predicted=int(rows.predicted[n]),
            probabilities=tuple(rows.probabilities[n].tolist()),
            speaker=rows.speakers[n],
            split=split,
        )
        for split, rows in parts.items()
        for n, clip in enumerate(rows.ids)
    }


def rank_mistakes(run: Votes, all_runs: Sequence[Votes], labels: Sequence[str]) -> tuple[MistakeFacts, ...]:
    """Return the run's surest mistakes on test clips (on validation clips where there are none), at most twelve."""
    split = "test" if any(vote.split == "test" for vote in run.values()) else "val"
    wrong = [(clip, vote) for clip, vote in run.items() if vote.predicted != vote.truth and vote.split == split]
    wrong.sort(key=lambda pair: (pair[1].probabilities[pair[1].truth] - pair[1].probabilities[pair[1].predicted], pair[0]))
    n_by_pair: Counter[tuple[int, int]] = Counter()
    mistakes: list[MistakeFacts] = []
    for clip, vote in wrong:
        n_by_pair[vote.truth, vote.predicted] += 1
        if n_by_pair[vote.truth, vote.predicted] <= _MOST_OF_A_PAIR and len(mistakes) < MOST_MISTAKES:
            mistakes.append(_mistake(clip, vote, all_runs, labels))
    return tuple(mistakes)


def _mistake(clip: str, mistake: Vote, all_runs: Sequence[Votes], labels: Sequence[str]) -> MistakeFacts:
    votes = [run[clip] for run in all_runs if clip in run and run[clip].truth == mistake.truth]
    order = sorted(range(len(labels)), key=lambda k: (-mistake.probabilities[k], k))
    listed = order[:_N_SHOWN] + [mistake.truth] * (mistake.truth not in order[:_N_SHOWN])
    return MistakeFacts(
        id=clip,
        speaker=mistake.speaker,
        split=mistake.split,
        truth=labels[mistake.truth],
        predicted=labels[mistake.predicted],
        probabilities=tuple((labels[k], mistake.probabilities[k]) for k in listed),
        n_wrong=sum(vote.predicted != mistake.truth for vote in votes),
        n_votes=len(votes),
    )


def find_doubtful_labels(all_runs: Sequence[Votes], labels: Sequence[str]) -> tuple[DoubtFacts, ...]:
    """Return labels that three quarters of at least three trainings contradict with one digit at 0.7 or more; at most eight."""
    doubts = [doubt for clip in {clip: None for run in all_runs for clip in run} if (doubt := _doubt(clip, all_runs, labels))]
    return tuple(sorted(doubts, key=lambda doubt: (-doubt.probability, doubt.id))[:MOST_DOUBTS])


def _doubt(clip: str, all_runs: Sequence[Votes], labels: Sequence[str]) -> DoubtFacts | None:
    votes = [run[clip] for run in all_runs if clip in run]
    first = votes[0]
    if len(votes) < _FEWEST_VOTES or any(vote.truth != first.truth for vote in votes):
        return None
    (predicted, n_agree), *_ = Counter(vote.predicted for vote in votes).most_common(1)
    probability = sum(vote.probabilities[predicted] for vote in votes) / len(votes)
    if predicted == first.truth or n_agree < _AGREE * len(votes) or probability < _SURE:
        return None
    return DoubtFacts(
        id=clip,
        speaker=first.speaker,
        split=first.split,
        label=labels[first.truth],
        predicted=labels[predicted],
        probability=probability,
        n_agree=n_agree,
        n_votes=len(votes),
    )
