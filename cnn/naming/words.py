"""Words and numerals for the digits in the languages of public corpora. Standard library only."""

from __future__ import annotations

import unicodedata

from cnn.config import LABELS
from cnn.errors import CorpusError

WORDS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
# Digits in names of class folders and files. Languages whose words mean something else elsewhere are left out (Danish `en`
# and `ni`, Catalan `set`): --words gives any ten.
_NUMERALS = (
    "zero one two three four five six seven eight nine",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "zero uno due tre quattro cinque sei sette otto nove",
    "zero um dois três quatro cinco seis sete oito nove",
    "nul een twee drie vier vijf zes zeven acht negen",
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "ноль один два три четыре пять шесть семь восемь девять",
)


def fold_word(word: str) -> str:
    """Return the word without case and accents: `Três` becomes `tres`."""
    folded = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def label_table(words: str) -> dict[str, str]:
    """Map folded words to digits: those of the languages above, or ten `words` separated by commas; digits always.

    Raises:
        CorpusError: `words` are not ten different ones.
    """
    languages = [words.split(",")] if words else [line.split() for line in _NUMERALS]
    table = {label: label for label in LABELS}
    for language in languages:
        folded = [fold_word(word) for word in language]
        if len(folded) != len(LABELS) or len(set(folded)) < len(LABELS) or not all(folded):
            raise CorpusError(f"--words is ten different words for 0 to 9, such as nolla,yksi,.., not {words!r}")
        table |= {word: str(digit) for digit, word in enumerate(folded)}
    return table
