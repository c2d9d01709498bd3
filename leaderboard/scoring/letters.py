"""Letters of groups: two teams share a letter exactly if their difference could be chance (Piepho 2004, insert and absorb)."""

from __future__ import annotations

import string

import numpy as np
import numpy.typing as npt

LETTERS = string.ascii_lowercase + string.ascii_uppercase


def write_letters(is_different: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the letters of each of T teams, best first, from a symmetric (T, T); all empty where 52 letters do not suffice."""
    everyone = (1 << len(is_different)) - 1
    groups = [everyone] if everyone else []  # bit n: team n
    for team, row in enumerate(is_different):
        others = sum(1 << int(other) for other in np.flatnonzero(row))
        groups = _split(groups, 1 << team, others)
        if len(groups) > len(LETTERS):
            return ("",) * len(is_different)
    groups = sorted(_sweep(groups), key=lambda group: [n for n in range(len(is_different)) if group >> n & 1])
    return tuple(
        "".join(letter for letter, group in zip(LETTERS, groups, strict=False) if group >> team & 1)
        for team in range(len(is_different))
    )


def _split(groups: list[int], team: int, others: int) -> list[int]:
    """Split each group that holds the team beside others from which it differs; a part of another group is absorbed."""
    whole = [group for group in groups if not (group & team and group & others)]
    parts = {part for group in groups if group & team and group & others for part in (group & ~team, group & ~others)}
    for part in sorted(parts, key=int.bit_count, reverse=True):
        if not any(part & group == part for group in whole):
            whole.append(part)
    return whole


def _sweep(groups: list[int]) -> list[int]:
    """Take a team out of a group, last groups first, where its other groups hold it beside the same teams."""
    swept = list(groups)
    for index in reversed(range(len(swept))):
        for team in [1 << n for n in range(swept[index].bit_length()) if swept[index] >> n & 1]:
            beside = 0
            for other, group in enumerate(swept):
                beside |= group if other != index and group & team else 0
            if beside and not swept[index] & ~beside:
                swept[index] &= ~team
    return [group for group in swept if group]
