"""Cutting of a strip into digits by connected components, and of a recording by its pauses. H, W cells, S samples."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from cnn.collect.segmentation import find_pieces
from cnn.corpus.audio import Samples

LEAST_PAUSE_S = 0.3
_SPECK = 0.25  # the tallest component's part: dust is lower and narrower
_OVERLAP = 0.4  # shared part of the narrower of two components that are one digit
_BOX = 20 / 28  # the box that MNIST's digits fill, by a picture's side (LeCun et al. 1998)

Strip = npt.NDArray[np.uint8]  # (H, W)
Mask = npt.NDArray[np.bool_]  # (H, W)


def cut_strip(strip: Strip, side: int, size: int) -> list[Strip]:
    """Return the digits of a strip from left to right, each a (size, size) tile with bright ink on black.

    A digit stands with its centre of mass in the middle, as MNIST's do; one that is larger than `side` cells is made smaller.
    """
    if np.median(np.concatenate([strip[0], strip[-1], strip[:, 0], strip[:, -1]])) > 127:
        strip = 255 - strip  # dark ink on paper
    return [_place(part, side, size) for part in _find_digits(strip)]


def _find_digits(strip: Strip) -> list[Strip]:
    _, ink = cv2.threshold(strip, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, marks, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    tallest = boxes[1:, cv2.CC_STAT_HEIGHT].max(initial=0)
    groups: list[tuple[int, int, list[int]]] = []  # first column, end, components
    order = sorted(range(1, len(boxes)), key=lambda n: int(boxes[n, cv2.CC_STAT_LEFT]))
    for n in order:
        left, _, width, height, _ = boxes[n].tolist()
        if max(width, height) < _SPECK * tallest:
            continue
        if groups and min(groups[-1][1], left + width) - left > _OVERLAP * min(width, groups[-1][1] - groups[-1][0]):
            start, end, members = groups[-1]
            groups[-1] = (start, max(end, left + width), [*members, n])
        else:
            groups.append((left, left + width, [n]))
    return [_cut_out(strip, np.isin(marks, members), marks == 0) for *_, members in groups]


def _cut_out(strip: Strip, is_own: Mask, is_paper: Mask) -> Strip:
    """Return the box of a digit's own ink, a cell wider on every side for soft edges, without the ink of others."""
    rows, columns = np.flatnonzero(is_own.any(1)), np.flatnonzero(is_own.any(0))
    box = (slice(max(0, rows[0] - 1), rows[-1] + 2), slice(max(0, columns[0] - 1), columns[-1] + 2))
    return np.where(is_own[box] | is_paper[box], strip[box], 0).astype(np.uint8)


def _place(digit: Strip, side: int, size: int) -> Strip:
    longest = max(digit.shape)
    if longest > side:
        scale = _BOX * side / longest
        shape = tuple(max(1, round(n * scale)) for n in digit.shape[::-1])
        digit = cv2.resize(digit, shape, interpolation=cv2.INTER_AREA).astype(np.uint8)
    tile = np.zeros((size, size), np.uint8)
    height, width = digit.shape
    weight = max(1.0, float(digit.sum()))
    centre = digit.sum(1) @ np.arange(height) / weight, digit.sum(0) @ np.arange(width) / weight
    top, left = (int(np.clip(round((size - 1) / 2 - c), 0, size - n)) for c, n in zip(centre, (height, width), strict=True))
    tile[top : top + height, left : left + width] = digit
    return tile


def cut_sound(wave: Samples, rate_hz: int) -> list[Samples]:
    """Return the words of `wave` (S,), between pauses of at least `LEAST_PAUSE_S`."""
    return [wave[piece.start : piece.end] for piece in find_pieces(wave, rate_hz, LEAST_PAUSE_S)]
