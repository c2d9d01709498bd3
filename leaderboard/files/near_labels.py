"""Labels and columns that stand for a class of the contest in another spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence

from arena.base.suggest import nearest
from arena.base.texts import DIGIT_WORDS
from leaderboard.files.csv_table import quote_short
from leaderboard.messages import Translatable, message

_DIGITS = {word: str(digit) for words in DIGIT_WORDS.values() for digit, word in enumerate(words)}
_OTHER_NAMES = {
    "id": ("file", "filename", "file_name", "fname", "path", "filepath", "name", "clip", "audio", "recording", "uid", "key"),
    "label": (
        *("prediction", "predictions", "predicted", "pred", "class", "target", "digit", "category", "answer", "y", "y_pred"),
        *("etiqueta", "clase", "prediccion", "predicción", "digito", "dígito", "word", "number"),
    ),
}
_OTHER_NAMES["string"] = _OTHER_NAMES["label"]
_NUMBER = re.compile(r"(?<![\d.,+-])\d+(?:\.0+)?(?![\d.,])")


def match_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the label that `text` writes otherwise: `7.0`, `seven`, `CAT`, `tensor(7)`, `prob_7`; None for none or several."""
    for label in labels:
        if is_same_label(text, label):
            return label
    digit = read_digit_word(text)
    if digit is not None and digit in labels:
        return digit
    numbers = _NUMBER.findall(text)
    return match_label(numbers[0], labels) if len(numbers) == 1 and numbers[0] != text else None


def read_digit_word(text: str) -> str | None:
    """Return the digit that `text` says in English or Spanish; None for other words."""
    return _DIGITS.get(text.casefold())


def is_same_label(first: str, second: str) -> bool:
    """Return True for two spellings of one word or one number."""
    if first.casefold() == second.casefold():
        return True
    try:
        return float(first) == float(second)
    except ValueError:
        return False


def suggest_column(name: str, header: Sequence[str]) -> Translatable:
    """Return the column that is meant by `name`: by its case, by another usual name, or by likeness."""
    others = [column for column in header if column not in ("id", "label", "string")]
    by_key = {column.casefold(): column for column in reversed(others)}
    match = next((key for key in (name, *_OTHER_NAMES[name]) if key in by_key), None) or nearest(name, by_key, cutoff=0.7)
    if match is not None:
        return message("nearest", name=quote_short(by_key[match]))
    return message("first_is_unnamed") if header[0] == "" and name == "id" else ""
