"""Models A and B of a page, by label: those that a project names, or inferred from the trainings; the order of all nets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cnn.config import EVERY_VARIANT, VARIANTS
from cnn.nets import BASELINE, FORMER_PAIR, MODEL_A, MODEL_B, NETS, PAIR

CellKey = tuple[str, str]  # label of the model, variant


class _Cell(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def variant(self) -> str: ...


T = TypeVar("T", bound=_Cell)
_ROLES = (MODEL_A, "", MODEL_B, BASELINE)  # a net of one's own has none


def infer_models(trained: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of Model A and Model B, given those of the trained nets, the first trained first.

    Two nets are the pair, a net whose role is Model A first. Of one or of more than two it is `PAIR` (`FORMER_PAIR` where of
    the two Models B only the former was trained) if any of it was trained, else the first two. A single net of one's own has
    no Model B.
    """
    labels = sorted(dict.fromkeys(trained), key=_rank)
    pair = FORMER_PAIR if FORMER_PAIR[1] in labels and PAIR[1] not in labels else PAIR
    if not labels or (len(labels) != 2 and set(labels) & set(pair)):
        return pair
    return tuple(labels[:2])


def _rank(label: str) -> int:
    return _ROLES.index(NETS[label].role if label in NETS else "")


def order_nets(models: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return Models A and B, then the other labels in a fixed order."""
    return tuple(dict.fromkeys((*models, *sorted(set(others)))))


@dataclass(frozen=True, slots=True)
class Grid:
    """The comparison: Model A and Model B by variants, each of which is shown also where it was not trained."""

    models: tuple[str, ...] = ()  # labels
    variants: tuple[str, ...] = VARIANTS

    @property
    def n_cells(self) -> int:
        return len(self.models) * len(self.variants)

    def order(self, others: Iterable[CellKey]) -> list[CellKey]:
        """Return the cells of the comparison and `others`, each model's together."""
        every = {(model, variant) for model in self.models for variant in self.variants} | set(others)
        nets = order_nets(self.models, [model for model, _ in every])
        rank = {variant: n for n, variant in enumerate(EVERY_VARIANT)}
        return sorted(every, key=lambda cell: (nets.index(cell[0]), rank.get(cell[1], len(rank)), cell[1]))

    def sort(self, items: Iterable[T]) -> tuple[T, ...]:
        """Return the items in the order of their cells; those of one cell keep theirs."""
        listed = list(items)
        rank = {key: n for n, key in enumerate(self.order((item.model, item.variant) for item in listed))}
        return tuple(sorted(listed, key=lambda item: rank[item.model, item.variant]))


INFERRED = Grid()  # whose models are those that were trained
