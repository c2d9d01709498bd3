"""What the page says, in English or Spanish: one table of texts, and how names and numbers stand in a sentence."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports import formats

LANGS = ("en", "es")
TABLE = Path(__file__).parent / "templates" / "texts.toml"
_LETTERS = {"lenet5": "A", "resnet": "B"}

Forms = tuple[str, ...]  # one form, or the form for one and the form for any other number


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """The texts of one language. Decimals stand with a point in both, as in the CSV files that the page carries."""

    lang: str
    table: Mapping[str, Forms] = field(repr=False)

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of that key, its places filled."""
        return self.table[key][0].format(**values)

    def n(self, key: str, n: int, /, **values: object) -> str:
        """The text for `n` things: `{n}` is the number."""
        forms = self.table[key]
        return forms[0 if n == 1 else -1].format(n=self.count(n), **values)

    def has(self, key: str) -> bool:
        return key in self.table

    def count(self, value: int | None) -> str:
        """`61,706`; in Spanish with a thin space, for a comma may be read as the decimal one."""
        text = formats.count(value)
        return text if self.lang == "en" else text.replace(",", formats.THIN_SPACE)

    def listed(self, names: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self('word.and')} {names[-1]}"

    def span(self, low: float, high: float) -> str:
        """`0.931 to 0.968`."""
        return f"{formats.score(low)} {self('word.to')} {formats.score(high)}"

    def signed_span(self, low: float, high: float) -> str:
        """`-0.004 to +0.019`, with true minus signs."""
        return f"{formats.signed(low)} {self('word.to')} {formats.signed(high)}"

    def model(self, model: str) -> str:
        """`Model A` for lenet5, `Model B` for resnet; of a team's own `net.py:MyNet` the class; any other name as it is."""
        if model in _LETTERS:
            return self("word.model", letter=_LETTERS[model])
        return model.rpartition(":")[2] or self("word.unknown_model")

    def source(self, model: str) -> str:
        """Where the net comes from, in two words; empty for one we do not know."""
        return self(f"net.{model}") if self.has(f"net.{model}") else ""

    def cell(self, model: str, variant: str) -> str:
        """`Model B on bilateral + aug`."""
        return self("word.cell", model=self.model(model), variant=formats.variant_name(variant))

    def verdict(self, state: str) -> str:
        """`overfits`; a state that we do not know as it is."""
        return self(f"verdict.{state}") if self.has(f"verdict.{state}") else state

    def group(self, kind: str, name: str) -> str:
        """A group of speakers: genders in the page's language, all else as the corpus has it."""
        return self(f"gender.{name}") if kind == "gender" and self.has(f"gender.{name}") else name

    def metric(self, name: str) -> str:
        """`validation macro-F1` for val_macro_f1."""
        split, _, rest = name.partition("_")
        if split not in ("train", "val", "test"):
            return rest or name
        return self(f"metric.{split}", name=rest.replace("macro_f1", "macro-F1").replace("_", " "))

    def setting(self, value: object) -> str:
        """A configuration value: floats with four digits, lists with commas."""
        if isinstance(value, bool):
            return self("word.yes" if value else "word.no")
        return formats.setting(value)


def _flat(content: Mapping[str, Any], lang: str, prefix: str = "") -> dict[str, Forms]:
    found: dict[str, Forms] = {}
    for key, value in content.items():
        if lang in value:
            forms = value[lang]
            found[prefix + key] = (forms,) if isinstance(forms, str) else tuple(forms)
        else:
            found |= _flat(value, lang, f"{prefix}{key}.")
    return found


@functools.cache
def texts(lang: str) -> Texts:
    """The texts of a language of LANGS."""
    return Texts(lang=lang, table=_flat(tomllib.loads(TABLE.read_text(encoding="utf-8")), lang))


def english() -> Texts:
    return texts("en")
