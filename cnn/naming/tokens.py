"""Words and numbers of the name of a file or folder, without dates, rates, versions and marks of copies.

Standard library only.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cnn.naming.words import FILLERS, fold_word

_COPY_WORDS = (
    "copy|copia|cópia|copie|còpia|kopie|kopia|kopi|kopio|kópia|kopija|kopya|копия|копія|コピー|副本|복사본|duplicate|duplicado"
)
_MARK = rf"(?:another |\d+(?:st|nd|rd|th) )?(?:{_COPY_WORDS})[\s_]*\d*"  # GNOME has `another copy`
_COPIES = (
    re.compile(rf"[\s_-]*[(\[](?:\d{{1,3}}|{_MARK})[)\]]\s*$", re.IGNORECASE),
    re.compile(r"[\s_.\u2013-]+(?:" + _COPY_WORDS + r")(?:[\s_-]*\d{1,3})?\s*$", re.IGNORECASE),
    re.compile(r"^(?:(?:copy|copia|cópia|copie|kopie)(?: \(\d+\))? (?:of|de|di|von)|kopia|копия)[\s_]+", re.IGNORECASE),
)
_MIN_HASH = 7
_B, _E = r"(?<![^\W_])", r"(?![^\W_])"  # no letter and no digit before, or after
_DATE = r"(?:19|20)\d\d([-._ ]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d"
_NOISE = re.compile(
    "|".join(
        f"{_B}(?:{expression}){_E}"
        for expression in (
            r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
            rf"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{{{_MIN_HASH},}}",  # a hash
            r"(?:ptt|aud|vid|img|vn|audio|voice)-\d{8}-wa\d+",
            r"common_voice_[a-z]{2,3}(?:-[a-z]{2,4})?_\d+",  # a number for each sentence
            rf"(?:{_DATE})(?:[-T_ ]*(?:at |um |a las )?\d\d?[-.:h ]?\d\d(?:[-.:m ]?\d\d)?s?(?: ?[ap]\.?m)?(?:[-_.]?\d+)?z?)?",
            r"\d\d([-.:])\d\d\2\d\d",  # a time, or a date of two digits each
            r"\d{1,2}[:h]\d\d(?:[:m]\d\d)?s?",
            r"\d{4,}",
            r"\d+(?:[.,]\d+)? ?k(?:hz|bps|b)?",
            r"\d+(?:[.,]\d+)? ?(?:hz|bits?|db|ms|secs?|s|ch|bps|min)",
            r"(?:channel|chan|ch|kanal|canal)[-_ ]?\d+",
            r"(?:v|ver|version|rev|versao)[-_. ]?\d+(?:\.\d+)*",
            r"\d{1,3} ?(?:y|yo|yrs?|years?|yearsold|anos|años|jahre|ans|anni|лет)",
            r"(?:age|aged|edad|alter|eta|idade)[-_ ]?\d+",
            r"\d+(?:st|nd|rd|th|er|eme|ème|ª|º|x)",
            r"mp[34]|m4a|h26[45]|u?law8?|pcm\d*|g7\d\d",
        )
    ),
    re.IGNORECASE,
)
_LETTER = r"(?:(?!\d)[^\s\x00-\x40\x5b-\x60\x7b-\x7f\u2013\u2014\u00b7\u00bf\u00a1\u00ab\u00bb\u2018-\u201d])"
_LAST_LATIN = "\u024f"
_TOKEN = re.compile(rf"(\d+)|({_LETTER}+(?:['\u2019]{_LETTER}+)*)")


class Kind(StrEnum):
    """Kinds of tokens."""

    WORD = "word"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number of a name."""

    kind: Kind
    text: str
    folded: str  # without case and accents
    start: int  # position in the name
    end: int

    @property
    def digit(self) -> str:
        """Return 0 to 9 of a number of one digit, or of two with a leading zero; empty for any other."""
        is_short = self.kind is Kind.NUMBER and (len(self.text) == 1 or (len(self.text) == 2 and int(self.text) < 10))
        return str(int(self.text)) if is_short else ""


@dataclass(frozen=True, slots=True)
class Name:
    """Name of a folder, or of a file without its suffix."""

    text: str  # in Unicode's form NFC
    tokens: tuple[Token, ...]
    all_tokens: tuple[Token, ...]  # also numbers of one digit in what looks like a version, a length or the like: `3 s`
    core: str  # without the marks of copies
    end: int  # position in the text where the core ends
    copy: str  # marks of copies

    @property
    def folded(self) -> tuple[str, ...]:
        return tuple(token.folded for token in self.tokens)


@functools.lru_cache(maxsize=65536)
def read_tokens(name: str) -> Name:
    """Return the words and numbers of a name; two words written as one by humps, such as `AnaSeven`, are two."""
    text = unicodedata.normalize("NFC", name)
    core, start = _strip_copies(text)
    sure, all_tokens = (
        tuple(find_tokens(" " * start + _NOISE.sub(blank, core))) for blank in (lambda match: " " * len(match[0]), _blank_long)
    )
    copy = (text[:start] + text[start + len(core) :]).strip(" _-()[]")
    return Name(text=text, tokens=sure, all_tokens=all_tokens, core=core, end=start + len(core), copy=copy)


def _blank_long(noise: re.Match[str]) -> str:
    """Return blanks for a part of a name, unless it may be a digit with a letter or word beside it."""
    is_short = len(noise[0]) < _MIN_HASH and sum(map(str.isdecimal, noise[0])) == 1
    return noise[0] if is_short else " " * len(noise[0])


def find_tokens(text: str) -> Iterator[Token]:
    """Yield the words and numbers of a text, in their order."""
    for match in _TOKEN.finditer(text):
        kind = Kind.NUMBER if match[1] else Kind.WORD
        start = match.start()
        is_whole = match[1] or fold_word(match[0]) in FILLERS
        for part in [match[0]] if is_whole else _split_humps(match[0]):
            yield Token(kind, part, fold_word(part), start, start + len(part))
            start += len(part)


def _split_humps(word: str) -> list[str]:
    """Return the words that are written as one: by humps in any script with two cases, or one in Latin letters and one not."""
    starts = [n for n in range(1, len(word)) if _begins_word(word, n)]
    return [word[start:end] for start, end in zip([0, *starts], [*starts, len(word)], strict=True)]


def _begins_word(word: str, n: int) -> bool:
    before, first, second = word[n - 1], word[n], word[n + 1 : n + 2]
    if not (before.isalpha() and first.isalpha()):
        return False
    return (first.isupper() and second.islower()) or (before <= _LAST_LATIN) != (first <= _LAST_LATIN)


def _strip_copies(text: str) -> tuple[str, int]:
    """Return the name without the marks of copies, and its position in the text."""
    start, end = 0, len(text)
    while True:
        for expression in _COPIES:
            match = expression.search(text[start:end])
            if match and match[0].strip() != text[start:end].strip():
                start, end = (start + match.end(), end) if match.start() == 0 else (start, start + match.start())
                break
        else:
            return text[start:end], start
