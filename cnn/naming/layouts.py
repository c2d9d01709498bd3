"""Layouts of a corpus: `{digit}_{speaker}_{take}`, Speech Commands, and class folders. Standard library only.

All other names are read by an import.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from arena.base.texts import DIGIT_WORDS
from cnn.naming.items import NOHASH
from cnn.settings.data import DIGITS

_STEM = re.compile(r"(?P<digit>[0-9]+)_.+_[0-9]+")  # FSDD, AudioMNIST
_FOLDER_LABELS = {word: str(digit) for words in (*DIGIT_WORDS.values(), DIGITS) for digit, word in enumerate(words)}


def find_label(path: PurePosixPath) -> str:
    """Return the number that stands where a corpus has its digit, or the digit of the nearest class folder; empty if none."""
    if (match := _STEM.fullmatch(path.stem)) and not NOHASH.fullmatch(path.stem):
        return match["digit"]
    labels = (_FOLDER_LABELS.get(name.lower(), "") for name in reversed(path.parts[:-1]))
    return next(filter(None, labels), "")
