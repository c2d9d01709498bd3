"""The submission that most programs write, read as one array: two columns, no quotes, every id in the solution's order.

N rows, K labels. Whatever deviates from that in one byte is left to the reader of CSV, which knows what is wrong and says so:
this one answers None, and never another class than that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from arena_scores import Indices
from leaderboard.solution import Solution

_HEADER = b"id,label\n"
_COMMA, _NEWLINE = 44, 10
_MAX_LABEL_BYTES = 8  # of a label that is compared as one number
_SPECIAL = frozenset(',"\n\r')

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Layout:
    """A solution's ids and labels as bytes."""

    ids: Bytes  # all ids one after the other
    lengths: Indices  # (N,) bytes of each id
    offsets: Indices  # (len(ids),) byte number within all ids, less where its id begins
    codes: npt.NDArray[np.uint64]  # (K,) labels as numbers, ascending
    label_of_code: Indices  # (K,)
    longest: int  # bytes of a label
    template: Bytes | None  # the whole file with zeros for labels, where all labels are one byte long


@lru_cache(maxsize=8)
def _layout(solution: Solution) -> _Layout | None:
    labels = [label.encode() for label in solution.labels]
    longest = max(map(len, labels))
    if longest > _MAX_LABEL_BYTES or any(_SPECIAL & set(name) for name in (*solution.ids, *solution.labels)):
        return None
    ids = [name.encode() for name in solution.ids]
    lengths = np.array([len(name) for name in ids], dtype=np.intp)
    begins = np.cumsum(lengths) - lengths
    codes = np.array([int.from_bytes(label.ljust(longest, b"\0"), "big") for label in labels], dtype=np.uint64)
    order = np.argsort(codes)
    return _Layout(
        ids=np.frombuffer(b"".join(ids), np.uint8),
        lengths=lengths,
        offsets=np.arange(int(lengths.sum())) - np.repeat(begins, lengths),
        codes=codes[order],
        label_of_code=order,
        longest=longest,
        template=np.frombuffer(b"".join(name + b",\0\n" for name in ids), np.uint8) if longest == 1 else None,
    )


def read_plain(content: bytes, solution: Solution) -> Indices | None:
    """The (N,) predicted classes of such a file; None for any other."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    layout = _layout(solution) if content.startswith(_HEADER) else None
    if layout is None:
        return None
    body = np.frombuffer(content if content.endswith(b"\n") else content + b"\n", np.uint8)[len(_HEADER) :]
    if layout.template is not None:
        return _of_template(body, layout, layout.template)
    commas, ends = np.flatnonzero(body == _COMMA), np.flatnonzero(body == _NEWLINE)
    if len(commas) != len(solution.ids) or len(ends) != len(solution.ids):
        return None
    begins = np.concatenate([[0], ends[:-1] + 1])
    if not np.array_equal(commas - begins, layout.lengths):
        return None
    if not np.array_equal(body[np.repeat(begins, layout.lengths) + layout.offsets], layout.ids):
        return None
    return _labels(body, commas + 1, ends, layout)


def _of_template(body: Bytes, layout: _Layout, template: Bytes) -> Indices | None:
    """Digits stand at the same bytes of every such file, which makes reading it one comparison."""
    if len(body) != len(template):
        return None
    begins = np.cumsum(layout.lengths + 3) - 2  # of the labels
    codes = body[begins].astype(np.uint64)
    if np.count_nonzero(body == template) != len(body) - len(begins):  # no label is a zero byte
        return None
    return _classes(codes, layout)


def _labels(body: Bytes, begins: Indices, ends: Indices, layout: _Layout) -> Indices | None:
    lengths = ends - begins
    if lengths.min() < 1 or lengths.max() > layout.longest:
        return None
    codes = np.zeros(len(begins), dtype=np.uint64)
    for at in range(layout.longest):
        cells = np.where(at < lengths, body[np.minimum(begins + at, len(body) - 1)], 0)
        codes = codes * np.uint64(256) + cells
    return _classes(codes, layout)


def _classes(codes: npt.NDArray[np.uint64], layout: _Layout) -> Indices | None:
    found = np.minimum(np.searchsorted(layout.codes, codes), len(layout.codes) - 1)
    return layout.label_of_code[found] if np.array_equal(layout.codes[found], codes) else None
