"""Texts of a page in one language: names, counts and intervals as its sentences hold them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from arena.base.texts import ENGLISH, Words, format_labels
from cnn.nets import NETS, PAIR
from cnn.runs import DataKind
from reports.wording import formats

TEXTS = Path(__file__).parent / "texts"
_MOST_CLASSES, _MOST_LETTERS = 10, 100  # that a sentence lists


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts(Words):
    """The texts of one language, and the nets that the page names."""

    models: tuple[str, ...] = PAIR  # labels of Model A and Model B
    nets: tuple[str, ...] = PAIR  # theirs, then those of the other nets

    def count(self, value: int | None) -> str:
        """Return `61,706`."""
        return formats.NONE if value is None else self.number(value)

    def listed(self, names: Sequence[str]) -> str:
        """Return `a`, `a and b`, `a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self('word.and')} {names[-1]}"

    def span(self, low: float, high: float) -> str:
        """Return `0.931 to 0.968`."""
        return f"{formats.score(low)} {self('word.to')} {formats.score(high)}"

    def signed_span(self, low: float, high: float) -> str:
        """Return `-0.004 to +0.019`, with true minus signs."""
        return f"{formats.signed(low)} {self('word.to')} {formats.signed(high)}"

    def model(self, model: str) -> str:
        """Return the net's label."""
        return model or self("word.unknown_model")

    def introduce(self, model: str) -> str:
        """Return `Model A: lenet5`; for a further net its label."""
        if model not in self.models:
            return self.model(model)
        return self("word.model", letter="AB"[self.models.index(model)], model=model)

    def source(self, model: str) -> str:
        """Return the net's source, and what differs from it (English if its language has none); empty for an unknown net."""
        words = (NETS[model].origin, NETS[model].differs) if model in NETS else ()
        return ": ".join(filter(None, (texts.get(self.language, texts.get(ENGLISH, "")) for texts in words)))

    def cell(self, model: str, variant: str) -> str:
        """Return `resnet on bilateral + aug`."""
        return self("word.cell", model=self.model(model), variant=formats.variant_name(variant))

    def verdict(self, state: str) -> str:
        """Return `overfits`; an unknown state as it is."""
        return self(f"verdict.{state}") if self.has(f"verdict.{state}") else state

    def group(self, kind: str, name: str) -> str:
        """Name a group of speakers: genders in the page's language, all else as the corpus has it."""
        return self(f"gender.{name}") if kind == "gender" and self.has(f"gender.{name}") else name

    def metric(self, name: str) -> str:
        """Return `validation macro-F1` for val_macro_f1."""
        split, _, rest = name.partition("_")
        if split not in ("train", "val", "test"):
            return rest or name
        return self(f"metric.{split}", name=rest.replace("macro_f1", "macro-F1").replace("_", " "))

    def classes(self, labels: Sequence[str]) -> str:
        """Return `0 to 9`, or names of classes; of many the first ten and the number of the others."""
        names = format_labels(labels, self("word.to"))
        if len(labels) <= _MOST_CLASSES or len(names) <= _MOST_LETTERS:
            return names
        return self("data.more", names=", ".join(labels[:_MOST_CLASSES]), n=len(labels) - _MOST_CLASSES)

    def split(self, kind: object) -> str:
        """Name a split: `as published` for official, others as the configuration does."""
        return self(f"split.{kind}") if self.has(f"split.{kind}") else self.setting(kind)

    def setting(self, value: object) -> str:
        """Format a configuration value: floats with four digits, lists with commas."""
        if isinstance(value, bool):
            return self("word.yes" if value else "word.no")
        return formats.setting(value)


class Page(Protocol):
    """The facts of a page, as far as its texts need them."""

    @property
    def lang(self) -> str: ...
    @property
    def kind(self) -> DataKind: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def nets(self) -> tuple[str, ...]: ...


@functools.cache
def texts(lang: str, kind: DataKind = DataKind.SOUND) -> Texts:
    """Return the texts on data of that kind, of a language that has a file in TEXTS."""
    return Texts.read(TEXTS, lang, kind)


def page_texts(facts: Page) -> Texts:
    """Return the texts of a page in its language and on its kind of data, with the nets that it names."""
    return replace(texts(facts.lang, facts.kind), models=facts.models, nets=facts.nets)


def english(kind: DataKind = DataKind.SOUND) -> Texts:
    return texts(ENGLISH, kind)
