"""Plain text as LaTeX: special characters escaped, typography as commands, what the fonts lack by its number."""

from __future__ import annotations

import re

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    "'": "'",
    "[": "{[}",  # no option of the \\ or \item before it
    "*": "{*}",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2013": "--",
    "\u2014": "---",
    "\u2026": r"\dots{}",
    "\u2212": "$-$",
    "\u00d7": r"$\times$",
    "\u00b7": r"$\cdot$",
    "\u00a0": "~",
    "\u202f": r"\,",
    "\u2009": r"\,",
}
_LATIN_END = 0x180  # Latin Extended-A: the accents that T1 fonts have
_BREAKS = re.compile(r"(?<=[/=,._:-])(?=\w)")


def escape(text: str) -> str:
    """Return the text as LaTeX that any engine sets; a character beyond Latin scripts is written as `[U+4E2D]`."""
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if command := _COMMANDS.get(character):
        return command
    is_known = character == "\n" or (character.isprintable() and ord(character) < _LATIN_END)
    return character if is_known else f"{{[}}U+{ord(character):04X}]"


def code(text: str) -> str:
    """Return the text in typewriter letters, which may break after punctuation; two hyphens stay two."""
    parts = (escape(part).replace("--", "-{}-") for part in _BREAKS.split(text))
    words = r"\allowbreak{}".join(parts)
    return rf"\texttt{{{words}}}"
