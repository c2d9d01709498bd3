"""Unknown options: the error that shows the whole line to type, with the value that was given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.errors import UsageError
from arena.command_line.option_words import explain_anywhere, explain_here, is_dropped, is_word, translate_option
from arena.command_line.unknown_command import find_beginning, find_misspelt

_FORMATS = {"json": "--json", "csv": "--csv", "pdf": "--pdf", "latex": "--latex", "tex": "--latex"}
_FORMAT_OPTIONS = ("--format", "-f", "--output-format", "--out-format", "--output", "-o")
_LONG = {"-cn": "--config-name", "-cp": "--config-path", "-cd": "--config-dir"}  # Hydra's, which read as several short ones
_VALUES = {  # values of other tools
    "--state": {
        **dict.fromkeys(("completed", "complete", "done", "success", "succeeded"), "finished"),
        **dict.fromkeys(("crashed", "failure", "error"), "failed"),
        **dict.fromkeys(("running", "in_progress", "queued"), "unfinished"),
    }
}
_VALUE = re.compile(r"-?[\d.]|[^-]")


@dataclass(frozen=True, slots=True)
class _Token:
    """An option in a line: its words are line[start:end]."""

    start: int
    end: int
    value: str


def explain_option(command: Any, name: str, line: Sequence[str], find_unknown: Callable[[list[str]], str]) -> UsageError:
    """Return the error of a line with an option that the command lacks.

    Args:
        command: typer's.
        name: its words, such as "sweep run".
        line: what was typed behind them.
        find_unknown: returns the first unknown option of a line; empty where there is none.
    """
    line = [_LONG.get(word, word) for word in line]
    first, full_name = find_unknown(list(line)), f"arena {name}".strip()
    line = [_hyphenate(word) for word in line]
    unknown = find_unknown(list(line))
    if not name and (words := _move_behind(command, line)):
        return UsageError(f"options stand behind their command: {shlex.join([*full_name.split(), *words])}")
    while unknown:
        value = _locate(line, unknown).value
        absence = explain_here(name, unknown, value)
        other = None if absence else _rewrite(command, name, line, unknown)
        if other is None:
            absence = absence or explain_anywhere(name, unknown) or _explain_setting(command, name, unknown, value)
            text = f"did you mean: {absence}" if absence.startswith("arena ") else absence.format(option=unknown)
            return UsageError(f"no option {unknown} in {full_name}; {text or _list_options(command)}")
        line, unknown = other, find_unknown(list(other))
    words = [*full_name.split(), *_name_words(command, line), *_list_missing(command, line)]
    return UsageError(f"no option {first} in {full_name}; did you mean: {shlex.join(words)}")


def _hyphenate(word: str) -> str:
    """Return an option spelt with hyphens, `--n-trials`, and any other word as it is."""
    name, equals, value = word.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if word.startswith("--") else word


def _move_behind(command: Any, line: list[str]) -> list[str]:
    """Return the line of a group with its command first; empty where it has none."""
    commands = getattr(command, "commands", {})
    return next(([word, *line[:n], *line[n + 1 :]] for n, word in enumerate(line) if word in commands), [])


def _is_net(word: str) -> bool:
    from cnn.nets import NETS

    return word in NETS or word.partition(":")[0].endswith(".py")


def _name_words(command: Any, line: list[str]) -> list[str]:
    """Return the line with `--model` or `--variant` before what stands alone, where the command takes settings and no files."""
    if not _has_argument(command, "overrides") or _has_argument(command, "file"):
        return line
    options = [_name_option(word) if n == 0 or not line[n - 1].startswith("-") else "" for n, word in enumerate(line)]
    return [text for word, option in zip(line, options, strict=True) for text in ([option, word] if option else [word])]


def _name_option(word: str) -> str:
    from cnn.config import EVERY_VARIANT

    return "--model" if _is_net(word) else "--variant" if word in EVERY_VARIANT else ""


def _rewrite(command: Any, name: str, line: list[str], option: str) -> list[str] | None:
    """Return the line with the option as the command has it; None where nothing is known to be meant."""
    token = _locate(line, option)
    before, after = line[: token.start], line[token.end :]
    rest = line[token.start + 1 :]  # as if the option had no value
    if is_dropped(name, option):
        return [*before, *after]
    options = {text: param for param in command.params for text in (*param.opts, *param.secondary_opts)}
    if option == "-m" and _is_net(token.value) and "--model" in options:
        return [*before, "--model", token.value, *after]
    if option in _FORMAT_OPTIONS and token.value in (*_FORMATS, "html", "onnx", "table", "ipynb"):
        flag = _FORMATS.get(token.value, "")
        return [*before, *([flag] if flag in options else []), *after]
    for candidate in translate_option(option):
        match candidate.split():
            case ["--device" as text, "cuda"] if text in options and token.value.isdecimal():
                return [*before, text, f"cuda:{token.value}", *after]
            case [text, value] if text in options:
                return [*before, text, value, *rest]
            case [text] if text in options:
                is_flag = getattr(options[text], "is_flag", False)
                value = _translate(text, option, token.value)
                return [*before, text, *(rest if is_flag else [value, *after] if value else rest)]
            case [text] if text.startswith("<") and token.value and _has_argument(command, text[1:-1]):
                return [*before, _translate(text, option, token.value), *after]
    if setting := _find_setting(command, name, option, token.value):
        return [*before, setting, *after]
    if explain_anywhere(name, option):
        return None
    near = None
    if option.startswith("--") and not is_word(option):
        names = [text[2:] for text in options if text.startswith("--") and not option.startswith(f"{text}-")]
        near = find_misspelt(option[2:], names) or find_beginning(option[2:], names)
    return [*before, f"--{near}", *line[token.start + 1 : token.end], *after] if near else None


def _translate(name: str, option: str, value: str) -> str:
    """Return a value as the option or argument `name` takes it."""
    if name == "<run>" and value.endswith(".pt"):
        return str(Path(value).parent) if Path(value).name != value else "RUN"
    if option == "--config-name" and value and not Path(value).suffix:
        return f"{value}.yaml"
    return _VALUES.get(name, {}).get(value, value)


def _locate(line: list[str], option: str) -> _Token:
    for start, word in enumerate(line):
        if word == option:
            follows = line[start + 1] if line[start + 1 :] and _VALUE.match(line[start + 1]) else ""
            return _Token(start, start + 1 + bool(follows), follows)
        if word.startswith(f"{option}=") or (len(option) == 2 and word.startswith(option) and word[1:2] != "-"):
            return _Token(start, start + 1, word[len(option) :].removeprefix("="))
    start = next(n for n, word in enumerate(line) if word[:1] == "-" and option[1:] in word)  # one of several short ones
    return _Token(start, start + 1, "")


def _has_argument(command: Any, name: str) -> bool:
    return any(param.param_type_name == "argument" and param.name == name for param in command.params)


def _find_setting(command: Any, name: str, option: str, value: str) -> str:
    """Return the option as a setting, `train.epochs=5`; empty where the command takes none, or none is meant."""
    if not _has_argument(command, "overrides"):
        return ""
    from cnn.keys import list_keys, match_word

    key = match_word(option.lstrip("-"), list_keys(name))
    return f"{key}={value or 'VALUE'}" if key else ""


def _explain_setting(command: Any, name: str, option: str, value: str) -> str:
    """Return a hint to the setting that is nearest to the option; empty where there is none."""
    from cnn.keys import explain_related, keys, match_word

    if not _has_argument(command, "overrides"):
        return ""
    key = match_word(option.lstrip("-"), keys())
    if key.startswith("tiles.") and name != "data prepare":
        return f"it is fixed when tiles are prepared: arena data prepare CORPUS {key}={value or 'VALUE'}"
    return explain_related(option.lstrip("-"))


def _list_missing(command: Any, line: list[str]) -> list[str]:
    """Return the options that the command needs and the line lacks; its arguments, where the line is empty."""
    needed = [param for param in command.params if param.param_type_name == "option" and param.required]
    arguments = [param.name.upper() for param in command.params if param.param_type_name == "argument" and param.required]
    options = [word for param in needed if not set(param.opts) & set(line) for word in (param.opts[0], param.name.upper())]
    return [*([] if line else arguments), *options]


def _list_options(command: Any) -> str:
    commands = ", ".join(getattr(command, "commands", {}))
    options = [param for param in command.params if param.param_type_name == "option" and not param.hidden]
    keys = "; settings are written KEY=VALUE, and arena train --keys lists them" if _has_argument(command, "overrides") else ""
    words = ", ".join([*(param.opts[0] for param in options), "--help"])
    return f"it has {words}{keys}" + (f", and the commands {commands}" if commands else "")
