"""Choice of the clips to inspect: the surest mistakes, each beside a correct clip of the same digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnn.runs.folder import Prediction


def choose_split(rows: Sequence[Prediction]) -> str:
    """Return `test`, or `val` where nothing was tested."""
    return "test" if any(row.split == "test" for row in rows) else "val"


def choose_clips(rows: Sequence[Prediction], n: int) -> list[Prediction]:
    """Return at most `n` clips: mistakes, each followed by a correct counterpart; without mistakes, one clip of each digit.

    A counterpart is the surest clip of the same digit, of the same speaker if there is one. Mistakes come surest first, other
    confusions before the same one again. Where there are clips of both kinds there is one of each at least.
    """
    right = sorted((row for row in rows if row.label == row.truth), key=_surest)
    chosen = _pairs([row for row in rows if row.label != row.truth], right, n)
    if right and not any(row in right for row in chosen):  # no digit has both kinds
        chosen = [*chosen[: n - 1], right[0]]
    digits = {row.truth for row in chosen}
    others = [row for row in _vary_confusions(right) if row not in chosen]
    return [*chosen, *sorted(others, key=lambda row: row.truth in digits)][:n]


def _pairs(wrong: Sequence[Prediction], right: Sequence[Prediction], n: int) -> list[Prediction]:
    chosen: list[Prediction] = []
    for mistake in _vary_confusions(wrong):
        same_digit = [row for row in right if row.truth == mistake.truth and row not in chosen]
        match = next((row for row in same_digit if row.speaker == mistake.speaker), next(iter(same_digit), None))
        chosen += [mistake] if match is None else [mistake, match]
        if len(chosen) >= n:
            break
    return chosen[:n]


def _surest(row: Prediction) -> tuple[float, str]:
    return -max(row.probabilities), row.id


def _vary_confusions(rows: Sequence[Prediction]) -> Iterator[Prediction]:
    """Yield the rows surest first, but each pair of truth and answer once before any comes again."""
    remaining = sorted(rows, key=_surest)
    while remaining:
        pairs: set[tuple[str, str]] = set()
        repeats = []
        for row in remaining:
            if (row.truth, row.label) in pairs:
                repeats.append(row)
            else:
                pairs.add((row.truth, row.label))
                yield row
        remaining = repeats
