"""Patterns such as `{speaker}/{label}-{take}` that say how paths are made. Standard library only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

from cnn.errors import CorpusError
from cnn.naming.reading import Namer, Naming
from cnn.naming.words import fold_word

_FIELD = re.compile(r"\{(\w*)\}")
_FIELDS = ("label", "speaker", "take", "any")


def _expression(field: str) -> str:
    return "[^/]*" if field == "any" else f"(?P<{field}>[^/]+?)"


def pattern_namer(pattern: str, table: Mapping[str, str]) -> Namer:
    """Return a namer that matches paths without suffix, such as `anna/7-2` by `{speaker}/{label}-{take}`.

    Raises:
        CorpusError: the pattern has an unknown or repeated field, or no {label}.
    """
    fields = _FIELD.findall(pattern)
    unknown = [name for name in fields if name not in _FIELDS]
    repeated = [name for name, n in Counter(fields).items() if n > 1 and name != "any"]
    if unknown or repeated or not {"label", "speaker"} & set(fields):
        fault = (
            f"unknown {{{unknown[0]}}}" if unknown else f"{{{repeated[0]}}} twice" if repeated else "neither label nor speaker"
        )
        raise CorpusError(f"--pattern has the fields {{label}}, {{speaker}}, {{take}} and {{any}}, not {fault}: {pattern!r}")
    parts = _FIELD.split(pattern.removesuffix(".wav"))
    expression = re.compile("".join(_expression(part) if i % 2 else re.escape(part) for i, part in enumerate(parts)))

    def read_name(path: PurePosixPath) -> Naming:
        match = expression.fullmatch(str(path.with_suffix("")))
        groups = match.groupdict() if match else {}
        label = groups.get("label", "")
        return Naming(label=table.get(fold_word(label), label), speaker=groups.get("speaker", ""))

    return read_name
