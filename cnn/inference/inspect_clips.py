"""Which clips of a run are looked into: the surest mistakes, each beside a clip of the same digit that was heard right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnn.runs.folder import Prediction


def split_of(rows: Sequence[Prediction]) -> str:
    """`test`, or `val` where nothing was tested."""
    return "test" if any(row.split == "test" for row in rows) else "val"


def telling_clips(rows: Sequence[Prediction], n: int) -> list[Prediction]:
    """At most `n` clips: a mistake, its counterpart heard right, the next mistake, and so on; of a net without mistakes, one
    clip of each digit. Where there are clips of both kinds there is one of each at least.

    A counterpart is of the same digit, of the same speaker if there is one, and the surest of those. Mistakes come surest
    first, other confusions before the same one again.
    """
    right = sorted((row for row in rows if row.label == row.truth), key=_surest)
    chosen = _pairs([row for row in rows if row.label != row.truth], right, n)
    if right and not any(row in right for row in chosen):  # no digit was heard both ways
        chosen = [*chosen[: n - 1], right[0]]
    digits = {row.truth for row in chosen}
    others = [row for row in _varied(right) if row not in chosen]
    return [*chosen, *sorted(others, key=lambda row: row.truth in digits)][:n]


def _pairs(wrong: Sequence[Prediction], right: Sequence[Prediction], n: int) -> list[Prediction]:
    chosen: list[Prediction] = []
    for mistake in _varied(wrong):
        here = [row for row in right if row.truth == mistake.truth and row not in chosen]
        match = next((row for row in here if row.speaker == mistake.speaker), next(iter(here), None))
        chosen += [mistake] if match is None else [mistake, match]
        if len(chosen) >= n:
            break
    return chosen[:n]


def _surest(row: Prediction) -> tuple[float, str]:
    return -max(row.probabilities), row.id


def _varied(rows: Sequence[Prediction]) -> Iterator[Prediction]:
    """Surest first, but each pair of truth and answer once before any comes again."""
    left = sorted(rows, key=_surest)
    while left:
        seen: set[tuple[str, str]] = set()
        again = []
        for row in left:
            if (row.truth, row.label) in seen:
                again.append(row)
            else:
                seen.add((row.truth, row.label))
                yield row
        left = again
