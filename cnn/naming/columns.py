"""Numbers that stand at one position in the names of one shape, and what they may count. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from cnn.naming.items import Item
from cnn.settings.data import DIGITS

ALL_LABELS = frozenset(DIGITS)
MIN_VARIED = 5  # digits of a number that runs over them, rather than counts a few takes
MIN_PADDED = 3  # digits written 00 to 09, with 00 among them, that show what they are


@dataclass(frozen=True)
class Column:
    """One number of the names of one shape."""

    group: Sequence[Item]
    spots: tuple[int, ...]  # for each item the index of its token

    @cached_property
    def digits(self) -> list[str]:
        return [item.tokens[i].digit for item, i in zip(self.group, self.spots, strict=True)]

    @cached_property
    def values(self) -> frozenset[str]:
        return frozenset(self.digits)

    @cached_property
    def by_context(self) -> dict[object, set[str]]:
        """Return the digits of each person, as far as words say who speaks."""
        values: dict[object, set[str]] = defaultdict(set)
        for item, digit in zip(self.group, self.digits, strict=True):
            values[item.context()].add(digit)
        return values

    @cached_property
    def is_digit(self) -> bool:
        """Return whether the number may be a digit: never above 9, and 00 to 09 only where they run over the digits."""
        is_padded = any(len(item.tokens[i].text) > 1 for item, i in zip(self.group, self.spots, strict=True))
        return "" not in self.values and (not is_padded or (shows_digits(self.values) and not is_count(self.values)))

    @cached_property
    def is_name(self) -> bool:
        """Return whether the number is one and the same for each person, and another one for each."""
        values = list(self.by_context.values())
        n_distinct = len(set().union(*values))
        return 1 < len(values) < len(self.group) and sum(map(len, values)) == len(values) == n_distinct

    @cached_property
    def is_complete(self) -> bool:
        return all(values == ALL_LABELS for values in self.by_context.values())

    @property
    def is_take(self) -> bool:
        return counts_takes(self.values)

    @cached_property
    def is_bare(self) -> bool:
        """Return whether the names hold nothing else."""
        return all(len(item.tokens) == 1 for item in self.group)

    @cached_property
    def has_numbered_folders(self) -> bool:
        return all(item.folders[min(item.classes)].tokens[-1].digit for item in self.group)


def list_columns(group: Sequence[Item]) -> list[Column]:
    """Return the numbers of names of one shape, the first one first."""
    return [Column(group, tuple(item.numbers()[j] for item in group)) for j in range(len(group[0].numbers()))]


def shows_digits(values: Set[str]) -> bool:
    """Return whether so many digits are there that numbers such as 07 must be some."""
    return len(values) >= MIN_VARIED or ("0" in values and len(values) >= MIN_PADDED)


def runs_over(values: Set[str]) -> bool:
    """Return whether numbers run over some digits, as takes do not that count from 0 or 1."""
    return len(values) >= MIN_PADDED and not counts_takes(values)


def is_count(values: Set[str]) -> bool:
    """Return whether digits are rather the numbers of takes: 1, 2, 3 and so on."""
    return len(values) < len(DIGITS) - 1 and values == {str(n) for n in range(1, len(values) + 1)}


def counts_takes(values: Set[str]) -> bool:
    """Return whether numbers count from 0 or 1, and not up to 9."""
    return is_count(values) or values == {str(n) for n in range(min(len(values), len(DIGITS) - 1))}
