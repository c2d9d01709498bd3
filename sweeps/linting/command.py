"""`command` of a sweep file: W&B's line that starts a training, which Arena does not read; what it sets is not dropped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cnn.keys import match_word, suggest_key
from sweeps.sweepfile.section import Section
from sweeps.training import configuration

_MACRO = re.compile(r"\$\{[^}]*\}")
_PYTHON = re.compile(r"(.*/)?(env|python[\d.]*|pypy[\d.]*|uv|poetry|pipenv|run)")
_PYTHON_FLAGS = ("-u", "-O", "-OO", "-B", "-I", "-E", "-s", "-X", "-W")
_VALUED_FLAGS = ("-X", "-W", "-m")  # Python's, with a word behind them


@dataclass(frozen=True, slots=True)
class _Setting:
    words: str  # as they are written
    key: str  # as it is written
    value: str


def check_command(top: Section, parameters: Collection[str]) -> None:
    """Report a command that sets something, with the lines to write for it; `parameters` are those of the file."""
    settings = list(_list_settings(_list_words(top), str(top.entries["program"].value) if "program" in top.entries else ""))
    if not settings:
        return
    entries, advice = [], []
    for setting in settings:
        entry, text = _translate(setting, parameters)
        entries += [entry] if entry else []
        advice += [text] if text else []
    written = ", ".join(f"`{setting.words}`" for setting in settings)
    lines = " and ".join(f"`{entry}`" for entry in entries)
    fix = ", and ".join([*([f"write {lines} below parameters"] if lines else []), *advice, "remove command"])
    below = top.sub("parameters", "parameters") if "parameters" in top.entries else None
    edits = [*top.remove("command"), *(edit for entry in entries for edit in below.add(entry))] if below and not advice else []
    top.report(f"command is W&B's and is not read here, so {written} would be dropped; {fix}", top.find_line("command"), edits)


def _list_words(top: Section) -> list[str]:
    node = top.entries.get("command")
    if node is None:
        return []
    if isinstance(node.value, list):
        return [str(item.value) if isinstance(item.value, str) else top.text[slice(*item.span)] for item in node.value]
    try:
        return shlex.split(str(node.value))
    except ValueError:  # a quote without its fellow
        return str(node.value).split()


def _list_settings(words: list[str], program: str) -> Iterator[_Setting]:
    """Yield what the words set: all but W&B's macros, Python, and the program."""
    has_program, index = False, 0
    while index < len(words):
        word = words[index]
        index += 1
        if _MACRO.fullmatch(word):
            has_program = has_program or word == "${program}"
        elif not has_program and word in _VALUED_FLAGS:
            has_program = word == "-m"
            index += 1
        elif not has_program and (_PYTHON.fullmatch(word) or word in _PYTHON_FLAGS):
            continue
        elif word.endswith(".py") or (not has_program and word in (program, "arena")):
            has_program = True
            while word == "arena" and index < len(words) and words[index].isalpha():  # arena train
                index += 1
        elif "=" in word:
            key, _, value = word.partition("=")
            yield _Setting(word, key.lstrip("-+"), value)
        elif word.startswith("-") and index < len(words) and not words[index].startswith(("-", "$")):
            yield _Setting(f"{word} {words[index]}", word.lstrip("-"), words[index])
            index += 1
        else:
            yield _Setting(word, word.lstrip("-"), "")


def _translate(setting: _Setting, parameters: Collection[str]) -> tuple[str, str]:
    """Return the entry that says the same below `parameters`, or else what is to be done about it."""
    kinds = configuration.key_kinds()
    key, value = match_word(setting.key, kinds), setting.value
    if not key or not value:
        hint = suggest_key(setting.key, kinds, value).removeprefix("; ") if value else ""
        return "", f"leave out `{setting.words}`" + (f" ({hint})" if hint and "--keys" not in hint else "")
    if key in parameters:
        return "", f"choose between `{setting.words}` and the parameter {key}"
    if key == "variant":
        return "", f"give `--variant {value}` to `arena sweep run`"
    if key.startswith("split."):
        return "", f"give `{key}={value}` to `arena sweep run`"
    if reason := configuration.explain_refusal({key: value}):
        return "", f"choose another value than `{setting.words}` ({reason})"
    return f"{key}: {{value: {value}}}", ""
