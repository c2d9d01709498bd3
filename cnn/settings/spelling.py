"""The grammar of spelled nets, such as `[(conv-relu)*2-pool]*3-(fc-relu)*1-fc`; every refusal names the place and the rule.

A layer may carry numbers, with `/` between: `conv5/16/2/0` is kernel, maps, stride and padding, `pool3/2/1` kernel, stride and
padding, `fc120` the width. `*2` repeats a layer, or a group in brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from arena.base.suggest import did_you_mean
from cnn.errors import ConfigError

MOST_PARAMETERS = 100_000_000  # 1.6 GB with gradients and AdamW's two moments
ACTIVATIONS = ("relu", "tanh", "leaky_relu", "relu6", "silu", "sigmoid", "elu", "gelu")
ACT = "act"  # the activation that `model.activation` names
POOLS = ("pool", "avgpool")
_NUMBERS = {
    "conv": ("kernel", "maps", "stride", "padding"),
    **dict.fromkeys(POOLS, ("kernel", "stride", "padding")),
    "fc": ("width",),
    **dict.fromkeys((ACT, *ACTIVATIONS), ()),
}
_WORD = re.compile(r"(relu6|[A-Za-z_]+)([\d/]*)")
_TIMES = re.compile(r"\*(\d+)")
_CLOSING = {"(": ")", "[": "]"}
_MOST_LAYERS = 200
_MOST_BRACKETS = 10  # within each other
_MOST_DIGITS = 5
_MOST_SHOWN = 64  # characters of a spelling in a message


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One layer as it is spelled."""

    kind: str
    numbers: dict[str, int]  # by name, those that are given
    at: int  # index of its first character


def parse_stack(text: str) -> list[Word]:
    """Return the layers in their order, groups written out.

    Raises:
        ConfigError: names the place and the rule.
    """
    words, _ = _parse_items(text, 0, "")
    last = words[-1] if words else None
    if last is None or last.kind != "fc":
        refuse(text, last.at if last else 0, "a stack ends in fc, which answers the classes")
    if last.numbers:
        refuse(text, last.at, "the last fc answers the classes, as many as the tiles have; write it without a number")
    kinds = [word.kind for word in words]
    for word in words[kinds.index("fc") :]:
        if word.kind in ("conv", *POOLS):
            refuse(text, word.at, f"{word.kind} after fc has no cells to work on; every {word.kind} stands before the first fc")
    return words


def _parse_items(text: str, at: int, closing: str, depth: int = 0) -> tuple[list[Word], int]:
    """Return the layers from `at` to the bracket `closing`, or to the end, and the index behind them."""
    bracket, words = at - 1, []
    if depth > _MOST_BRACKETS:
        refuse(text, bracket, f"more than {_MOST_BRACKETS} brackets within each other")
    while True:
        if text[at : at + 1] in _CLOSING:
            items, at = _parse_items(text, at + 1, _CLOSING[text[at]], depth + 1)
        else:
            word, at = _parse_word(text, at)
            items = [word]
        if match := _TIMES.match(text, at):
            if len(items) * int(match[1][:_MOST_DIGITS]) > _MOST_LAYERS:
                refuse(text, at, f"more than {_MOST_LAYERS} layers; repeat fewer")
            items, at = items * int(match[1]), match.end()
        words += items
        if len(words) > _MOST_LAYERS:
            refuse(text, at, f"more than {_MOST_LAYERS} layers up to here; repeat fewer")
        if at == len(text) and closing:
            refuse(text, bracket, f"this bracket is not closed; write {closing} behind its last layer")
        if at == len(text) or text[at] == closing:
            return words, at + len(closing)
        if text[at] != "-":
            refuse(text, at, "- stands between two layers, *2 behind a layer or group, and brackets are pairs: ( ) or [ ]")
        at += 1


def _parse_word(text: str, at: int) -> tuple[Word, int]:
    match = _WORD.match(text, at)
    if not match:
        refuse(text, at, f"here stands a layer: {', '.join(_NUMBERS)}")
    kind, numbers = match[1], match[2]
    if kind not in _NUMBERS:
        refuse(text, at, f"no layer is called {kind!r}{did_you_mean(kind.lower(), tuple(_NUMBERS))}")
    return Word(kind=kind, numbers=_parse_numbers(text, match.start(2), kind, numbers), at=at), match.end()


def _parse_numbers(text: str, at: int, kind: str, numbers: str) -> dict[str, int]:
    if not numbers:
        return {}
    names, parts = _NUMBERS[kind], numbers.split("/")
    if not names:
        refuse(text, at, f"{kind} takes no number")
    if len(parts) > len(names) or not all(part.isdecimal() and len(part) <= _MOST_DIGITS for part in parts):
        rule = f"{kind} takes {'/'.join(names)}, such as {kind}{'/'.join('5821'[: len(names)])}"
        refuse(text, at, f"{rule}, whole numbers up to {10**_MOST_DIGITS - 1:,}; later ones may be left out")
    values = dict(zip(names, map(int, parts), strict=False))
    for name, value in values.items():
        if not value and name != "padding":
            refuse(text, at, f"{name} of {kind} is at least 1")
    if values.get("padding", 0) > (most := values.get("kernel", 0) // 2):
        refuse(text, at, f"padding of {kind} is at most half of its kernel: {most}")
    return values


def refuse(text: str, at: int, rule: str) -> NoReturn:
    """Raise the ConfigError with the place marked: `model.stack at character 8, [(conv-^rellu)*2-pool]*3-fc: ...`."""
    start = max(0, min(at - _MOST_SHOWN // 2, len(text) - _MOST_SHOWN))
    end = start + _MOST_SHOWN
    before, behind = "..." if start else "", "..." if end < len(text) else ""
    raise ConfigError(f"model.stack at character {at + 1}, {before}{text[start:at]}^{text[at:end]}{behind}: {rule}")
