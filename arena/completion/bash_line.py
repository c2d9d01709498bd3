"""An unfinished command line as bash reads it: words, quotes, and the part of the last word that readline replaces."""

from __future__ import annotations

from dataclasses import dataclass

_ESCAPED = frozenset(" \t\\'\"`$&|;<>()*?[]{}!#")
_ESCAPED_IN_QUOTES = frozenset('\\"`$')


@dataclass(slots=True)
class BashLine:
    """The line up to the cursor."""

    words: list[str]  # before the unfinished word, without quotes
    word: str = ""  # unfinished
    n_fixed: int = 0  # characters of `word` that readline leaves alone: it begins anew behind : and =, and at a quote
    quote: str = ""  # that is open

    def format(self, value: str, *, is_whole: bool) -> str:
        """Return what readline puts in place of its part of the word."""
        text = value[self.n_fixed :]
        if self.quote == "'":
            return text  # readline closes the quote
        special = _ESCAPED_IN_QUOTES if self.quote else _ESCAPED
        escaped = "".join(f"\\{letter}" if letter in special else letter for letter in text)
        return escaped + (" " if is_whole and not self.quote else "")


def parse_bash_line(text: str, breaks: str) -> BashLine:
    """Parse a line; `breaks` is COMP_WORDBREAKS."""
    line, is_word, letters = BashLine(words=[]), False, iter(text)
    for letter in letters:
        if letter == line.quote:
            line.quote, line.n_fixed = "", len(line.word)
        elif letter == "\\" and line.quote != "'":
            following = next(letters, "")
            line.word += following if not line.quote or following in _ESCAPED_IN_QUOTES else letter + following
            is_word = True
        elif line.quote:
            line.word += letter
        elif letter in "'\"":
            line.quote, line.n_fixed, is_word = letter, len(line.word), True
        elif letter.isspace():
            line.words += [line.word] if is_word else []
            line.word, line.n_fixed, is_word = "", 0, False
        else:
            line.word += letter
            is_word = True
            line.n_fixed = len(line.word) if letter in breaks else line.n_fixed
    return line
