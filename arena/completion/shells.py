"""The dialogue with bash, zsh and fish: their script asks `arena` at every Tab, by the variable _ARENA_COMPLETE."""

from __future__ import annotations

import os
import sys

from arena.completion.answer import propose
from arena.completion.bash_line import parse_bash_line

VARIABLE = "_ARENA_COMPLETE"


def answer_shell() -> None:
    """Print the proposals for the shell that the variable names; nothing for another."""
    shell = os.environ[VARIABLE]
    lines = _answer_bash() if shell == "bash" else _answer_words(shell, sys.argv[1:]) if shell in ("zsh", "fish") else []
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _answer_bash() -> list[str]:
    line = parse_bash_line(os.environ.get("COMP_LINE", ""), os.environ.get("COMP_WORDBREAKS", ""))
    proposals = propose(line.words[1:], line.word)
    return [line.format(proposal.value, is_whole=proposal.is_whole) for proposal in proposals]


def _answer_words(shell: str, words: list[str]) -> list[str]:
    """Return lines of a proposal and its description, after a tab; in zsh behind + where no space follows, and - elsewhere."""
    *before, word = words or [""]
    if shell == "fish":
        word = parse_bash_line(word, "").word
    proposals = propose(before, word)
    marks = ["" if shell == "fish" else "-" if proposal.is_whole else "+" for proposal in proposals]
    return [f"{mark}{proposal.value}\t{proposal.help}" for mark, proposal in zip(marks, proposals, strict=True)]
