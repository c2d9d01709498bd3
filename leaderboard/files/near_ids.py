"""Likely causes of an id that the contest does not have: what spreadsheets, pandas and file systems do to names.

A cause is only named, nothing is repaired. Both names are brought into one plain form by a row of steps; of these the cause is
the smallest set without which the two differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cached_property

from arena.base.texts import Message
from leaderboard.files.csv_table import quote_short
from leaderboard.messages import message

_MAX_INDEXED = 100_000  # ids whose plain forms are compared: half a second
_MAX_SEARCHED = 10_000  # ids that are looked through for each number or date of a spreadsheet
_MAX_ALIKE = 50  # ids of one plain form that are compared
_MAX_COMPARED = 200  # characters of a name
_QUOTES = "'\"`´‘’“”«»="  # noqa: RUF001
_WRAPPED = re.compile(r"[\[(]?(?:[\w.]+\(|b)?(['\"])(.+)\1,?[\])]*")  # as Python prints a list, bytes or a Path
_COPY = re.compile(r"\s?\(\d{1,3}\)(?=\.|$)")
_SUFFIX = re.compile(r"(?:\.[a-z][a-z0-9]{0,4}){1,2}$", re.IGNORECASE)
_MARKS = re.compile(r"(?<!\d)[\s_-]+|[\s_-]+(?!\d)")  # not between digits: 1_0 is not 10
_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0+")
_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?e\+?(\d{1,3})", re.IGNORECASE)
_MONTHS = {  # the beginnings of English and Spanish months
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
}
_MONTH = "|".join(_MONTHS)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<a>\d{{1,2}})[-/ .](?P<month>{_MONTH})[a-z]*\.?(?:[-/ .](?P<b>\d{{2,4}}))?",
        rf"(?P<month>{_MONTH})[a-z]*[-/ .](?P<a>\d{{1,4}})",
        r"(?P<b>\d{4})-(?P<month>\d{2})-(?P<a>\d{2})(?:[ T][\d:.]+)?",
        r"(?P<a>\d{1,2})/(?P<month>\d{1,2})/(?P<b>\d{2,4})",
    )
)


def _drop_spaces(name: str) -> str:
    visible = "".join(char for char in name if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf"))
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", visible)


def _expand(name: str) -> str:
    match = _SCIENTIFIC.fullmatch(name)
    return str(int(_to_decimal(name))) if match else name


_STEPS: dict[str, Callable[[str], str]] = {
    "quotes": lambda name: (match[2] if (match := _WRAPPED.fullmatch(name)) else name).strip(_QUOTES),
    "spaces": _drop_spaces,
    "unicode": lambda name: unicodedata.normalize("NFKC", name),
    "backslash": lambda name: name.replace("\\", "/"),
    "case": str.casefold,
    "folder": lambda name: re.split(r"[/\\]", name)[-1] or name,
    "copy": lambda name: _COPY.sub("", name),
    "suffix": lambda name: _SUFFIX.sub("", name) or name,
    "scientific": _expand,
    "decimal": lambda name: match[1] if (match := _WHOLE_FLOAT.fullmatch(name)) else name,
    "marks": lambda name: _MARKS.sub("", name),
    "zeros": lambda name: re.sub(r"\d+", lambda match: match[0].lstrip("0") or "0", name),
}
_STEPS_IN_PATH = tuple(step for step in _STEPS if step != "folder")
_OF_SPREADSHEETS = {"decimal", "scientific", "zeros", "date"}


def _fold(name: str, steps: Iterable[str]) -> str:
    for step in steps:
        name = _STEPS[step](name)
    return name


def _index(ids: Sequence[str], steps: Iterable[str]) -> dict[str, list[str]]:
    by_form: dict[str, list[str]] = {}
    for name in ids[:_MAX_INDEXED]:
        by_form.setdefault(_fold(name, steps), []).append(name)
    return by_form


class IdHints:
    """The ids of a contest, prepared at the first question to explain those that are not among them."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids
        self._explained: set[tuple[str, ...]] = set()  # causes that were told before

    @cached_property
    def _by_form(self) -> dict[str, list[str]]:
        return _index(self.ids, _STEPS)

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        return _index(self.ids, _STEPS_IN_PATH)

    @cached_property
    def _prefix(self) -> str:
        """Return the beginning of all ids, without digits."""
        first, last = min(self.ids), max(self.ids)
        n_equal = next((n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
        return first[:n_equal].rstrip("0123456789")

    @cached_property
    def _are_numbered(self) -> bool:
        """Return True if a number follows the beginning that all ids share."""
        return all(name[len(self._prefix) : len(self._prefix) + 1].isdigit() for name in self.ids)

    @cached_property
    def _are_dates(self) -> bool:
        return any(map(_read_date, self.ids[:_MAX_INDEXED]))

    @cached_property
    def _are_numbers(self) -> bool:
        return any(map(str.isdecimal, self.ids))

    def explain(self, name: str) -> Message | None:
        """Return why `name` is none of the ids, with the id that it stands for where there is one; None for no idea.

        A cause is told at length once.
        """
        name = name[:_MAX_COMPARED]
        if not name:
            return self._build_message(name, None, [message("cause_empty")])
        right = self._find(name)
        if right is not None:
            return self._build_message(name, right, _list_causes(name, right))
        right = self._find_behind_prefix(name)
        if right is not None:
            rest = _drop_head(name)
            key, prefix = ("cause_prefix", self._prefix) if self._prefix else ("cause_no_prefix", name.removesuffix(rest))
            causes = _list_causes(self._prefix + rest, right)
            return self._build_message(name, right, [message(key, prefix=quote_short(prefix)), *causes])
        return self._explain_conversion(name)

    def _find(self, name: str) -> str | None:
        matches = self._by_form.get(_fold(name, _STEPS), [])
        if len(matches) > _MAX_ALIKE:  # the names without their folders are alike
            matches = self._by_path.get(_fold(name, _STEPS_IN_PATH), [])[: _MAX_ALIKE + 1]
        if 1 < len(matches) <= _MAX_ALIKE:
            order = list(_STEPS)
            costs = [sum(order.index(step) for step in _list_steps(name, match)) for match in matches]
            matches = [match for match, cost in zip(matches, costs, strict=True) if cost == min(costs)]
        return matches[0] if len(matches) == 1 else None

    def _find_behind_prefix(self, name: str) -> str | None:
        rest = _drop_head(name)
        return self._find(self._prefix + rest) if rest and self._are_numbered and self._prefix + rest != name else None

    def _explain_conversion(self, name: str) -> Message | None:
        """Return what a spreadsheet or pandas made of an id that cannot be told from the rest of it."""
        ids = self.ids if len(self.ids) <= _MAX_SEARCHED else ()
        if match := _SCIENTIFIC.fullmatch(name):
            n_digits = len(match[2] or "")
            written = f"{_to_decimal(name):.{n_digits}E}"
            alike = [i for i in ids if i.isdecimal() and f"{Decimal(i):.{n_digits}E}" == written]
            return self._build_message(name, _only(alike), [message("cause_scientific")])
        date = _read_date(name)
        if date is not None and not self._are_dates:
            alike = [i for i in ids if _may_be_date(i, date)]
            return self._build_message(name, _only(alike), [message("cause_date")])
        if name.isdecimal() and int(name) <= len(self.ids) and not self._are_numbers:
            return self._build_message(name, None, [message("cause_row_numbers")])
        return self._explain_count(name)

    def _explain_count(self, name: str) -> Message | None:
        """Return that numbers are counted from 0 and not from 1, or the other way, if `name` is the one that shows it."""
        match = re.search(r"\d+(?=\D*(?:\.\w+)?$)", name)
        number = int(match[0]) if match else -1
        if match is None or number not in (0, len(self.ids)):
            return None
        came, step = (0, 1) if number == 0 else (1, -1)
        other = f"{name[: match.start()]}{number + step:0{len(match[0])}d}{name[match.end() :]}"
        if self._find(other) is None:
            return None
        return self._build_message(name, None, [message("cause_counted", came=came, due=1 - came)])

    def _build_message(self, name: str, right: str | None, causes: Sequence[Message]) -> Message:
        keys = tuple(cause.key for cause in causes)
        if keys in self._explained:
            likewise = "id_likewise" if right is None else "id_near_likewise"
            return message(likewise, id=quote_short(name), n=len(self.ids), right=quote_short(right or ""))
        self._explained.add(keys)
        joined = causes[0]
        for cause in causes[1:]:
            joined = message("cause_two", first=joined, second=cause)
        values = {"id": quote_short(name), "n": len(self.ids), "causes": joined}
        if right is None:
            return message("id_cause", **values)
        is_of_spreadsheet = any(cause.key.removeprefix("message.cause_") in _OF_SPREADSHEETS for cause in causes)
        remedy = message("remedy_text" if is_of_spreadsheet else "remedy_write")
        if causes[0].key in ("message.cause_prefix", "message.cause_no_prefix"):
            remedy = message("remedy_look")
        return message("id_near", right=quote_short(right), remedy=remedy, **values)


def _drop_head(name: str) -> str:
    return re.sub(r"^\D*", "", name)


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _to_decimal(name: str) -> Decimal:
    return Decimal(name.replace(",", "."))


def _list_steps(name: str, right: str) -> list[str]:
    """Return the fewest steps that make both names one."""
    steps = list(_STEPS)
    for step in reversed(_STEPS):
        fewer = [further for further in steps if further != step]
        if _fold(name, fewer) == _fold(right, fewer):
            steps = fewer
    return steps


def _list_causes(name: str, right: str) -> list[Message]:
    return [_describe_cause(step, name, right) for step in _list_steps(name, right)]


def _describe_cause(step: str, name: str, right: str) -> Message:
    if step == "suffix":
        came, due = (match[0] if (match := _SUFFIX.search(text)) else "" for text in (name, right))
        if came and due:
            return message("cause_other_suffix", suffix=due, came=came)
        return message("cause_suffix", suffix=came) if came else message("cause_no_suffix", suffix=due)
    if step == "folder":
        has_folder, needs_folder = ("/" in text.replace("\\", "/") for text in (name, right))
        if has_folder and needs_folder:
            return message("cause_other_folder")
        return message("cause_folder" if has_folder else "cause_no_folder")
    if step == "zeros":
        steps = [further for further in _STEPS if further != "zeros"]
        if len(_fold(name, steps)) > len(_fold(right, steps)):
            return message("cause_more_zeros")
        return message("cause_zeros" if _WHOLE_FLOAT.fullmatch(name) or name.isdecimal() else "cause_inner_zeros")
    keys = {
        "quotes": message("cause_quotes"),
        "spaces": message("cause_spaces"),
        "unicode": message("cause_unicode"),
        "backslash": message("cause_backslash"),
        "case": message("cause_case"),
        "copy": message("cause_copy"),
        "marks": message("cause_marks"),
        "scientific": message("cause_scientific"),
        "decimal": message("cause_decimal"),
    }
    return keys[step]


def _read_date(name: str) -> dict[str, int] | None:
    """Return day, month and year of what a spreadsheet shows for a date; their order is not certain."""
    match = next((match for pattern in _DATES if (match := pattern.fullmatch(name))), None)
    if match is None:
        return None
    groups = {key: value for key, value in match.groupdict().items() if value}
    month = _MONTHS.get(groups["month"].lower()) or int(groups["month"])
    return {"month": month, **{key: int(value) for key, value in groups.items() if key != "month"}}


def _may_be_date(name: str, date: dict[str, int]) -> bool:
    """Return True if a spreadsheet may have taken `name`, such as 1-2, 3/4/21 or MAR1, for that date."""
    numbers = [int(number) for number in re.findall(r"\d+", name)]
    word = _MONTHS.get("".join(filter(str.isalpha, name))[:3].lower())
    if word:
        numbers.append(word)
    values = [date["month"], date["a"]]
    years = [date["b"], date["b"] % 100] if "b" in date else []
    return sorted(numbers) == sorted(values) or any(sorted(numbers) == sorted([*values, year]) for year in years)
