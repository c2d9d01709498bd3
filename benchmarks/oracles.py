"""Measurement of what a team gains from the numbers that a contest shows: a file made from the answers to its earlier ones.

    python -m benchmarks.oracles --n-seeds 40

A simulated net answers a balanced test: its probabilities are calibrated, so the attacker knows exactly what it does not know.
Ten classes, N rows, S speakers. Every attack is more than a student can do: rows by speaker and rows by class are known.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import coo_array

from arena.base.resamples import Resamples, Truth, resample_rows
from arena.base.scores import Counts, Indices, Mask, Values, accuracy, confusion_matrix, macro_f1

N_CLASSES = 10
_N_REPLICATES = 400  # of 2,000 in a contest: the attack is as good and faster
_N_ASKED = 10  # rows that one file asks about: 1,024 hypotheses
_SURE = 0.002  # largest probability of a class that a row is taken not to be
_DEAREST = -np.log(np.finfo(np.float64).eps)  # nats: the largest loss of one row


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Exam:
    """A test and the net's opinion on it."""

    truth: Indices  # (N,)
    speaker: Indices  # (N,)
    probabilities: Values  # (N, K)

    @property
    def answers(self) -> Indices:
        return self.probabilities.argmax(axis=1)

    def gain(self, labels: Indices) -> float:
        """Return how much more macro-F1 `labels` have than the net's own answers."""
        return self._score(labels) - self._score(self.answers)

    def _score(self, labels: Indices) -> float:
        return macro_f1(confusion_matrix(self.truth, labels, N_CLASSES))


def draw_test(seed: int, *, n_rows: int = 500, n_speakers: int = 10, sureness: float = 2.3, bias: float = 0.0) -> Exam:
    """Draw a test; a net of `sureness` 2.3 has a macro-F1 of about 0.76, one of 3.2 about 0.92.

    Args:
        bias: how much each odd digit sounds like the even one before it, which the net does not know of.
    """
    rng = np.random.default_rng(seed)
    truth = np.arange(n_rows) % N_CLASSES
    logits = rng.normal(size=(n_rows, N_CLASSES))
    logits[np.arange(n_rows), truth] += sureness
    logits[np.arange(n_rows), truth - truth % 2] += bias * (truth % 2)
    odds = np.exp(sureness * (logits - logits.max(axis=1, keepdims=True)))
    speaker = np.arange(n_rows) // N_CLASSES % n_speakers
    return Exam(truth=truth, speaker=speaker, probabilities=odds / odds.sum(axis=1, keepdims=True))


def group_rows(probabilities: Values) -> Indices:
    """Return a file that asks for labels and answers none: the net's second choice of each row as its label."""
    return np.argsort(probabilities, axis=1)[:, -2]


def balance(test: Exam) -> Indices:
    """Return the likeliest labels with as many rows of each class as the test has: known of a balanced one without asking."""
    places = np.sort(test.truth)
    rows, columns = linear_sum_assignment(-np.log(np.maximum(test.probabilities, 1e-12))[:, places])
    labels = np.empty_like(test.truth)
    labels[rows] = places[columns]
    return labels


def fit_matrices(probabilities: Values, files: list[Indices], matrices: list[Counts]) -> Indices:
    """Return the likeliest labels that have these matrices (row: truth) with these files, by linear programming."""
    n, k = probabilities.shape
    rows, columns, totals = [np.repeat(np.arange(n), k)], [np.arange(n * k)], [np.ones(n)]
    start = n
    for labels, matrix in zip(files, matrices, strict=True):
        rows.append(start + (labels[:, None] * k + np.arange(k)).ravel())
        columns.append(np.arange(n * k))
        totals.append(matrix.T.ravel().astype(np.float64))  # by answer, then truth
        start += k * k
    places = (np.concatenate(rows), np.concatenate(columns))
    constraints = coo_array((np.ones(len(places[0])), places), shape=(start, n * k)).tocsr()
    cost = -np.log(np.maximum(probabilities, 1e-12)).ravel()
    result = linprog(cost, A_eq=constraints, b_eq=np.concatenate(totals), bounds=(0, 1), method="highs")
    assert result.x is not None, "the truth fits its own matrices"
    return result.x.reshape(n, k).argmax(axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Decimals of the numbers that a team is shown; None: it is not shown."""

    name: str
    score: int
    interval: int | None = None
    accuracy: int | None = None


EXACT = 15
SETTINGS = (
    Setting(name="score 3, interval 2 (a contest that runs)", score=3, interval=2),
    Setting(name="score 4", score=4),
    Setting(name="score 4, interval 4", score=4, interval=4),
    Setting(name="score 4, interval 4, accuracy 4", score=4, interval=4, accuracy=4),
    Setting(name="all digits of score and interval", score=EXACT, interval=EXACT),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Question:
    """A file that asks in which of a few rows the net is right; the others are surely wrong and only weigh, or say 0."""

    rows: Indices  # (Q,) each with the net's answer
    labels: Indices  # (N,)


def ask(test: Exam, skipped: set[int]) -> Question:
    """Return a question on the rows with the likeliest second choices, whose classes weigh as unlike as can be."""
    p = test.probabilities
    worth = np.where((test.answers == 0) | (p[:, 0] > _SURE), 0, np.sort(p, axis=1)[:, -2])
    chosen = [row for row in np.argsort(-worth).tolist() if row not in skipped][:_N_ASKED]
    labels = np.zeros_like(test.answers)
    labels[chosen] = test.answers[chosen]
    classes = list(dict.fromkeys(labels[chosen].tolist()))
    free = np.setdiff1d(np.flatnonzero((p[:, 0] < _SURE) & (p.max(axis=1) > 1 - _SURE)), chosen)
    sizes = np.geomspace(4, max(5, len(free) / 2), len(classes)).astype(int)
    for k, size in zip(classes, sizes, strict=True):
        weights = [row for row in free.tolist() if test.answers[row] != k and labels[row] == 0][:size]
        labels[weights] = k
    return Question(rows=np.array(chosen), labels=labels)


def answer(test: Exam, draws: Resamples, labels: Indices) -> Values:
    """Return what a contest computes of a file: score, low, high, accuracy."""
    confusion = confusion_matrix(test.truth, labels, N_CLASSES)
    interval = draws.interval(draws.macro_f1(labels[None])[:, 0])
    return np.array([macro_f1(confusion), interval.low, interval.high, accuracy(confusion)])


def predict_answers(test: Exam, draws: Resamples, question: Question) -> Values:
    """Return (H, 4) answers to a question under each of the 2 ** Q hypotheses on which rows are right."""
    classes, speakers = question.labels[question.rows], test.speaker[question.rows]
    guessed = np.stack([_count(test, question.labels == k) for k in range(N_CLASSES)])  # (K, S)
    actual = np.stack([_count(test, test.truth == k) for k in range(N_CLASSES)])  # known: the design is balanced
    hypotheses = (np.arange(2 ** len(question.rows))[:, None] >> np.arange(len(question.rows))) & 1  # (H, Q)
    weights = np.vstack([np.ones(draws.weights.shape[1]), draws.weights])  # (1 + R, S): the test itself, then its resamples
    factor = 2 / N_CLASSES / (weights @ (guessed + actual).T)  # (1 + R, K)
    base = weights @ actual[0] * factor[:, 0]
    each = weights[:, speakers] * factor[:, classes]  # (1 + R, Q)
    scores = base + hypotheses @ each.T  # (H, 1 + R)
    low, high = np.quantile(scores[:, 1:], [0.025, 0.975], axis=1)
    hits = (actual[0].sum() + hypotheses.sum(axis=1)) / len(test.truth)
    return np.stack([scores[:, 0], low, high, hits], axis=1)


def _count(test: Exam, mask: Mask) -> Values:
    return np.bincount(test.speaker[mask], minlength=test.speaker.max() + 1).astype(np.float64)


def learn(test: Exam, draws: Resamples, question: Question, setting: Setting) -> Values:
    """Return the (Q,) probabilities that the net is right in the rows asked about, after the numbers shown."""
    predicted, seen = predict_answers(test, draws, question), answer(test, draws, question.labels)
    fits = np.zeros(len(predicted))
    for column, digits in enumerate((setting.score, setting.interval, setting.interval, setting.accuracy)):
        if digits is not None:
            step = max(10.0**-digits, 1e-7)  # float32 resamples
            fits += np.abs(np.round(predicted[:, column] / step) - np.round(seen[column] / step))
    prior = test.probabilities[question.rows, test.answers[question.rows]]
    hypotheses = (np.arange(len(fits))[:, None] >> np.arange(len(prior))) & 1
    chance = np.where(hypotheses, prior, 1 - prior).prod(axis=1) * (fits == fits.min())
    return np.asarray((chance[:, None] * hypotheses).sum(axis=0) / chance.sum())


def climb(test: Exam, draws: Resamples, setting: Setting, n_questions: int = 2) -> Indices:
    """Return the file after `n_questions` files that ask: the net's answers, corrected where the second choice is likelier."""
    labels, asked = test.answers.copy(), set[int]()
    for _ in range(n_questions):
        question = ask(test, asked)
        asked |= set(question.rows.tolist())
        p = test.probabilities[question.rows].copy()
        first = test.answers[question.rows]
        right = learn(test, draws, question, setting)
        p *= ((1 - right) / (1 - p[np.arange(len(first)), first]))[:, None]
        p[np.arange(len(first)), first] = right
        labels[question.rows] = p.argmax(axis=1)
    return labels


def read_log_loss(test: Exam, digits: int, n_questions: int = 2) -> Indices:
    """Return the file after `n_questions` files whose probabilities make of one log loss the answers to many questions.

    Row i costs 2 ** -i of the dearest mistake where the net is wrong (Whitehill 2018, "Climbing the Kaggle leaderboard by
    exploiting the log-loss oracle"); all other rows cost the same whatever is true.
    """
    n_bits = int(np.log2(_DEAREST / len(test.truth) * 10.0**digits))
    order = np.argsort(-np.sort(test.probabilities, axis=1)[:, -2])
    rows = order[: n_bits * n_questions]
    labels = test.answers.copy()
    wrong = rows[test.truth[rows] != test.answers[rows]]  # the bits of the sum, largest first
    labels[wrong] = np.argsort(test.probabilities[wrong], axis=1)[:, -2]
    return labels


def vary(test: Exam, n_files: int = 2) -> Indices:
    """Return the best of the net's answers and of files that each give one class's least sure rows their second choice."""
    order = np.argsort(test.probabilities, axis=1)
    least_sure = test.probabilities.max(axis=1) < np.median(test.probabilities.max(axis=1))
    pairs = np.bincount(test.answers[least_sure] * N_CLASSES + order[least_sure, -2], minlength=N_CLASSES**2)
    best = test.answers
    for pair in np.argsort(-pairs, kind="stable")[:n_files]:
        first, second = divmod(int(pair), N_CLASSES)
        labels = best.copy()
        labels[least_sure & (test.answers == first) & (order[:, -2] == second)] = second
        best = labels if round(test.gain(labels), 3) > round(test.gain(best), 3) else best
    return best


def read_matrices(test: Exam) -> Indices:
    """Return the third file of a team that sees matrices: the likeliest labels that fit those of two files."""
    files = [test.answers, group_rows(test.probabilities)]
    return fit_matrices(test.probabilities, files, [confusion_matrix(test.truth, file, N_CLASSES) for file in files])


def resample(test: Exam) -> Resamples:
    """Return the draws that a contest makes of the test."""
    return resample_rows(Truth(classes=test.truth, groups=test.speaker, n_classes=N_CLASSES), n_replicates=_N_REPLICATES)


def describe(name: str, gains: list[float]) -> str:
    mean, error = float(np.mean(gains)), float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    return f"| {name} | {mean:+.4f} | {error:.4f} | {max(gains):+.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-seeds", type=int, default=40)
    parser.add_argument("--n-rows", type=int, default=500)
    parser.add_argument("--sureness", type=float, default=2.3)
    parser.add_argument("--bias", type=float, default=0.0)
    options = parser.parse_args()
    size = {"n_rows": options.n_rows, "sureness": options.sureness, "bias": options.bias}
    tests = [draw_test(seed, **size) for seed in range(options.n_seeds)]
    scores = [macro_f1(confusion_matrix(test.truth, test.answers, N_CLASSES)) for test in tests]
    spread = [float(np.std(resample(test).macro_f1(test.answers[None])[:, 0])) for test in tests]
    print(f"net: macro-F1 {np.mean(scores):.3f}, standard error of one score {np.mean(spread):.4f}\n")
    print("| shown | mean gain | its standard error | largest |\n|---|---|---|---|")
    for setting in SETTINGS:
        for n in (2, 5):
            gains = [test.gain(climb(test, resample(test), setting, n)) for test in tests]
            print(describe(f"{setting.name}, {n + 1} attempts", gains), flush=True)
    for digits in (2, 4, EXACT):
        gains = [test.gain(read_log_loss(test, digits)) for test in tests]
        print(describe(f"log loss, {digits} decimals", gains), flush=True)
    print(describe("nothing: as many of each class", [test.gain(balance(test)) for test in tests]), flush=True)
    print(describe("score 3, best of three variants", [test.gain(vary(test)) for test in tests]), flush=True)
    print(describe("confusion matrices", [test.gain(read_matrices(test)) for test in tests]), flush=True)


if __name__ == "__main__":
    main()
