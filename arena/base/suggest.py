"""Hints for misspelt names. Standard library only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name in `known` that is most like `name`; None where none is alike enough."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None, cutoff: float = 0.6) -> str:
    """Return the end of an error's line: `; did you mean 'lenet5'?`, or what to read where no name is alike.

    Args:
        known: names, or a mapping from the names to compare with to how they are written.
        otherwise: what follows `; ` where no name is alike; None lists all names.
    """
    texts = known if isinstance(known, Mapping) else {str(text): repr(str(text)) for text in known}
    match = nearest(name, texts, cutoff)
    if match is not None:
        return f"; did you mean {texts[match]}?"
    hint = f"known are {', '.join(texts)}" if otherwise is None else otherwise
    return f"; {hint}" if hint else ""
