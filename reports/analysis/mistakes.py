"""Which clips are worth listening to: the surest mistakes of the shown run, and labels that the trainings doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.scores import Clips
from reports.facts.clips import DoubtFacts, MistakeFacts

MOST_MISTAKES = 12
MOST_DOUBTS = 8
_MOST_OF_A_PAIR = 2  # mistakes of one digit for one other
_N_SHOWN = 3  # probabilities
# Wrong labels are guessed from trainings that never saw the clip, as in Northcutt et al. 2021 (confident learning); so few
# trainings allow no threshold of their own for each class, hence these plain ones.
_FEWEST_VOTES = 3
_AGREE = 0.75  # of the trainings
_SURE = 0.7  # mean probability


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One training's answer to one clip; classes are numbers."""

    truth: int
    predicted: int
    probabilities: tuple[float, ...]
    speaker: str
    split: str


Answers = Mapping[str, Answer]  # by clip


def answers_of(parts: Mapping[str, Clips]) -> dict[str, Answer]:
    """Every answer of one run, by clip, from its clips by split."""
    return {
        clip: Answer(
            truth=int(rows.truth[n]),
            predicted=int(rows.predicted[n]),
            probabilities=tuple(rows.probabilities[n].tolist()),
            speaker=rows.speakers[n],
            split=split,
        )
        for split, rows in parts.items()
        for n, clip in enumerate(rows.ids)
    }


def mistakes_of(shown: Answers, all_runs: Sequence[Answers], labels: Sequence[str]) -> tuple[MistakeFacts, ...]:
    """The mistakes on test clips (on validation clips where there are none) in which the run was surest, at most twelve."""
    split = "test" if any(answer.split == "test" for answer in shown.values()) else "val"
    wrong = [(clip, one) for clip, one in shown.items() if one.predicted != one.truth and one.split == split]
    wrong.sort(key=lambda pair: (pair[1].probabilities[pair[1].truth] - pair[1].probabilities[pair[1].predicted], pair[0]))
    n_of_pair: Counter[tuple[int, int]] = Counter()
    found: list[MistakeFacts] = []
    for clip, one in wrong:
        n_of_pair[one.truth, one.predicted] += 1
        if n_of_pair[one.truth, one.predicted] <= _MOST_OF_A_PAIR and len(found) < MOST_MISTAKES:
            found.append(_mistake(clip, one, all_runs, labels))
    return tuple(found)


def _mistake(clip: str, one: Answer, all_runs: Sequence[Answers], labels: Sequence[str]) -> MistakeFacts:
    votes = [run[clip] for run in all_runs if clip in run and run[clip].truth == one.truth]
    order = sorted(range(len(labels)), key=lambda k: (-one.probabilities[k], k))
    shown = order[:_N_SHOWN] + [one.truth] * (one.truth not in order[:_N_SHOWN])
    return MistakeFacts(
        id=clip,
        speaker=one.speaker,
        split=one.split,
        truth=labels[one.truth],
        predicted=labels[one.predicted],
        probabilities=tuple((labels[k], one.probabilities[k]) for k in shown),
        n_wrong=sum(vote.predicted != one.truth for vote in votes),
        n_votes=len(votes),
    )


def doubts_of(all_runs: Sequence[Answers], labels: Sequence[str]) -> tuple[DoubtFacts, ...]:
    """Labels that three quarters of at least three trainings contradict with one digit at 0.7 or more; at most eight."""
    found = [doubt for clip in {clip: None for run in all_runs for clip in run} if (doubt := _doubt(clip, all_runs, labels))]
    return tuple(sorted(found, key=lambda doubt: (-doubt.probability, doubt.id))[:MOST_DOUBTS])


def _doubt(clip: str, all_runs: Sequence[Answers], labels: Sequence[str]) -> DoubtFacts | None:
    votes = [run[clip] for run in all_runs if clip in run]
    first = votes[0]
    if len(votes) < _FEWEST_VOTES or any(vote.truth != first.truth for vote in votes):
        return None
    (heard, n_agree), *_ = Counter(vote.predicted for vote in votes).most_common(1)
    probability = sum(vote.probabilities[heard] for vote in votes) / len(votes)
    if heard == first.truth or n_agree < _AGREE * len(votes) or probability < _SURE:
        return None
    return DoubtFacts(
        id=clip,
        speaker=first.speaker,
        split=first.split,
        label=labels[first.truth],
        heard=labels[heard],
        probability=probability,
        n_agree=n_agree,
        n_votes=len(votes),
    )
