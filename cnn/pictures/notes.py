"""Lines on what an import of pictures came upon: sizes, duplicates, and pictures that are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cnn.errors import CorpusError
from cnn.pictures.fit import scale_side

_N_REASONS = 3


def describe_left_out(problems: Sequence[CorpusError], n_rows: int) -> list[str]:
    """Return a line on pictures that cannot be read, with the first reasons; none if there are none."""
    if not problems:
        return []
    reasons = "; ".join(map(str, problems[:_N_REASONS]))
    more = f"; and {len(problems) - _N_REASONS:,} more" if len(problems) > _N_REASONS else ""
    return [f"warning: {len(problems):,} of {n_rows:,} pictures are left out: {reasons}{more}"]


def describe_shapes(shapes: Mapping[tuple[int, ...], int], size: int) -> list[str]:
    """Return a line that says how pictures (H, W) became tiles of size x size."""
    sizes = [min(shapes), max(shapes)] if len(shapes) > 1 else list(shapes)
    text = " to ".join(f"{height} x {width}" for height, width in sizes)
    n_smaller = sum(n for shape, n in shapes.items() if max(shape) > size)
    n_repeated = sum(n for shape, n in shapes.items() if scale_side(1, max(shape), size) > 1)
    total = sum(shapes.values())
    how = []
    if n_smaller:
        how.append(f"{_count(n_smaller, total)} made smaller by area")
    if n_repeated:
        how.append(f"{_count(n_repeated, total)} made larger, each cell repeated")
    if any(scale_side(side, max(shape), size) < size for shape in shapes for side in shape):
        how.append("a black margin around")
    return [f"pictures of {text} cells in tiles of {size} x {size}: {', '.join(how) or 'as they are'}"]


def _count(n: int, total: int) -> str:
    return "all" if n == total else f"{n:,} of {total:,}"


def describe_duplicates(digests: Sequence[str], labels: Sequence[str], parts: Sequence[str]) -> list[str]:
    """Return lines on equal pictures: in training and in test, of several classes, or more than once where a split is drawn."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        rows[digest].append(index)
    groups = [indices for indices in rows.values() if len(indices) > 1]
    leaked = [n for g in groups if {parts[n] for n in g} - {"test"} for n in g if parts[n] == "test"]
    n_again = sum(len(group) - 1 for group in groups)
    n_mixed = sum(len({labels[n] for n in group}) > 1 for group in groups)
    lines = []
    if leaked:
        n_test = parts.count("test")
        lines.append(
            f"warning: {len(leaked):,} of {n_test:,} test pictures are also trained on or validate, cell for cell: "
            "scores of the test are that much too good"
        )
    elif groups and "test" in parts:
        lines.append(f"note: {n_again:,} pictures stand there more than once, none of them both in training and in test")
    elif groups:
        lines.append(
            f"warning: {n_again:,} pictures stand there more than once, and a split drawn at random may train on one "
            "and test the other; remove them, or keep them in mind"
        )
    if n_mixed:
        lines.append(f"warning: {n_mixed:,} equal pictures have different classes; look at them")
    return lines
