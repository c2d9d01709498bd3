"""Solution files: the true label or string, the part (public, private or ignored) and the speaker of each id."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arena.base.suggest import nearest
from arena.base.texts import ENGLISH, Localized
from leaderboard.errors import SolutionError
from leaderboard.files.csv_table import Problems, check_header, check_size, check_width, quote_short, read_rows
from leaderboard.files.near_labels import suggest_column
from leaderboard.messages import message

_COLUMNS = ("id", "label", "string", "Usage", "Group")
_MAX_LABELS = 1000
MAX_LENGTH = 200  # characters of an id, a label or a group
_N_SHOWN = 12
NO_VALUE = ("nan", "null", "<na>", "n/a", "#n/a")  # spellings of a missing value by programs
_USAGES = ("public", "private", "ignored")
_OTHER_USAGES = {"publico": "Public", "publica": "Public", "pub": "Public", "priv": "Private", "privado": "Private"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Solution:
    """A checked solution file. Arrays run over its N rows in the order of the file."""

    content: bytes = field(repr=False)
    digest: str  # SHA-256 of content
    ids: tuple[str, ...] = field(repr=False)
    row_by_id: dict[str, int] = field(repr=False)
    labels: tuple[str, ...]  # K labels: numbers by value, then words by alphabet
    truth: npt.NDArray[np.intp] = field(repr=False)  # (N,) index into labels; 0 for ignored rows, whatever the file says
    is_public: npt.NDArray[np.bool_] = field(repr=False)  # (N,) all true without a Usage column
    is_private: npt.NDArray[np.bool_] = field(repr=False)  # (N,) rows in neither part are ignored: required, and in no score
    groups: tuple[str, ...] = field(repr=False)  # speakers of the scored rows; empty without a Group column
    group: npt.NDArray[np.intp] = field(repr=False)  # (N,) index into groups; 0 for ignored rows, and without a Group column

    has_usage: bool  # a column says which rows are public
    strings: tuple[str, ...] = field(default=(), repr=False)  # (N,) in a contest of strings, whose classes are lengths

    @property
    def answer(self) -> str:
        """The column that submissions answer in."""
        return "string" if self.strings else "label"

    @property
    def has_private(self) -> bool:
        return bool(self.is_private.any())

    @property
    def scored(self) -> npt.NDArray[np.intp]:
        """Return the (n,) numbers of the rows in a score."""
        return np.flatnonzero(self.is_public | self.is_private)


@dataclass(frozen=True, slots=True)
class LabelList(Localized):
    """Labels as a text: `0..9` for consecutive numbers, else the first dozen."""

    labels: tuple[str, ...]

    def translate(self, language: str) -> str:
        names = list(self.labels)
        if len(names) > 2 and names == [str(n) for n in range(_number(names[0]), _number(names[0]) + len(names))]:
            return f"{names[0]}..{names[-1]}"
        first = ", ".join(names[:_N_SHOWN])
        return (
            message("labels_more", names=first, n=len(names) - _N_SHOWN).translate(language) if len(names) > _N_SHOWN else first
        )

    def __str__(self) -> str:
        return self.translate(ENGLISH)


def _number(label: str) -> int:
    return int(label) if label.isascii() and label.isdecimal() else -1


def parse_solution(content: bytes, file_name: str) -> Solution:
    """Parse a solution: columns id and label or string, optionally Usage (Public, Private or Ignored) and Group (the speaker).

    Only the id of an ignored row matters: a submission must have it, and it is in no score, whatever its label and speaker.

    Raises:
        SolutionError: names the first line that is wrong, and how many more are.
    """
    problems = Problems(file_name, SolutionError)
    check_size(content, problems)
    rows = read_rows(content, problems)
    line, header = next(rows)
    columns = _columns(line, header, problems)
    lines: dict[str, int] = {}
    values_by_column: dict[str, list[str]] = {name: [] for name in columns}
    for line, cells in rows:
        if check_width(line, cells, header, problems):
            values = {name: cells[index] for name, index in columns.items()}
            _check_row(line, values, lines, problems)
            for name, value in values.items():
                values_by_column[name].append(value)
    if not lines and not problems.n:
        problems.add(None, "the file has no rows; give one row per id")
    problems.raise_any()
    solution = _build_solution(content, values_by_column)
    _check_labels(solution, lines, problems)
    problems.raise_any()
    return solution


def _columns(line: int, header: list[str], problems: Problems) -> dict[str, int]:
    if {"id", "label"} <= set(header) and sum(map(_is_number, header)) > 1:
        problems.fail(line, "this is a submission, with a probability of each class; give the file with the true labels")
    check_header(line, header, len(_COLUMNS) - 1, problems)
    lowered = list(map(str.casefold, header))
    if "label" in lowered and "string" in lowered:
        problems.fail(line, "columns 'label' and 'string' are both there; keep the one that teams answer")
    for name in ("id", "string" if "string" in lowered else "label"):
        if name not in lowered:
            rule = f"column '{name}' is missing{suggest_column(name, header)}"
            problems.fail(line, f"{rule}; the first line names the columns: id,label and optionally Usage,Group")
    names = {name.casefold(): name for name in _COLUMNS}
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        if name.casefold() not in names:
            rule = f"the columns are id,label and optionally Usage and Group, not {quote_short(name)}"
            problems.fail(line, f"{rule}{_explain_column(name, index)}; rename or delete it")
        columns[names[name.casefold()]] = index
    return columns


def _write_usage(usage: str | None) -> str:
    return "one of the three" if usage is None else usage.capitalize()


def _explain_column(name: str, index: int) -> str:
    if name.casefold() in ("speaker", "speakers"):
        return "; a column with the speakers is named Group"
    return "; pandas writes its row numbers there without index=False" if index == 0 and name in ("", "Unnamed: 0") else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_row(line: int, values: dict[str, str], lines: dict[str, int], problems: Problems) -> None:
    usage = values.get("Usage", "public").casefold()
    for name, value in values.items():
        if usage == "ignored" and name in ("label", "string", "Group"):
            continue
        if not value or len(value) > MAX_LENGTH:
            fault = "is empty" if not value else f"has more than {MAX_LENGTH} characters"
            problems.add(line, f"{name} {fault}; give every row its {name}")
    if usage and usage not in _USAGES:
        plain = unicodedata.normalize("NFKD", usage).encode("ascii", "ignore").decode()
        near = _OTHER_USAGES.get(plain) or _write_usage(nearest(plain, _USAGES))
        problems.add(line, f"Usage {quote_short(values['Usage'])} is neither Public nor Private nor Ignored; write {near}")
    if usage != "ignored" and "label" in values:
        _check_label(line, values["label"], problems)
    first = lines.setdefault(values["id"], line)
    if first != line:
        problems.add(line, f"id {quote_short(values['id'])} stands in line {first} already; keep one row per id")


def _check_label(line: int, label: str, problems: Problems) -> None:
    if label in ("id", "label"):
        problems.add(line, f"label {quote_short(label)} is also the name of a column; give this class another name")
    if label.casefold() in NO_VALUE:
        problems.add(line, f"label {quote_short(label)} is what programs write for no value; give the row its label")


def _build_solution(content: bytes, values_by_column: dict[str, list[str]]) -> Solution:
    ids = tuple(values_by_column["id"])
    usage = np.array([text.casefold() for text in values_by_column.get("Usage", ["public"] * len(ids))])
    counts = usage != "ignored"
    strings = tuple(values_by_column.get("string", ()))
    answers = [str(len(text)) for text in strings] or values_by_column["label"]
    names = set(itertools.compress(answers, counts))
    labels = tuple(sorted(names, key=lambda label: (_number(label) < 0, _number(label), label)))
    if strings:
        labels = tuple(map(str, range(max(map(int, names), default=0) + 1)))
    groups = tuple(sorted(set(itertools.compress(values_by_column.get("Group", ()), counts))))
    return Solution(
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        ids=ids,
        row_by_id={name: row for row, name in enumerate(ids)},
        labels=labels,
        truth=_find_indices(answers, labels, counts),
        is_public=usage == "public",
        is_private=usage == "private",
        groups=groups,
        has_usage="Usage" in values_by_column,
        strings=strings,
        group=_find_indices(values_by_column["Group"], groups, counts) if groups else np.zeros(len(ids), dtype=np.intp),
    )


def _find_indices(values: list[str], names: tuple[str, ...], counts: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return the index of each value among the names; 0 where `counts` is False."""
    index_by_name = {name: index for index, name in enumerate(names)}
    return np.array(
        [index_by_name[value] if does else 0 for value, does in zip(values, counts.tolist(), strict=True)], dtype=np.intp
    )


def _normalize(label: str) -> float | str:
    try:
        return float(label)
    except ValueError:
        return label.casefold()


def _check_labels(solution: Solution, lines: dict[str, int], problems: Problems) -> None:
    same: dict[float | str, str] = {}
    for index, label in enumerate(() if solution.strings else solution.labels):
        first = same.setdefault(_normalize(label), label)
        if first != label:
            row = solution.scored[solution.truth[solution.scored].tolist().index(index)]
            line = lines[solution.ids[row]]
            fault = f"label {quote_short(label)} reads like {quote_short(first)} and would be a class of its own"
            problems.add(line, f"{fault}; write both alike")
    n_labels = len(solution.labels)
    if not solution.is_public.any():
        rule = "a Usage column needs Public rows and no row is Public"
        problems.fail(None, f"{rule}; leave the column out for one score")
    if not 2 <= n_labels <= _MAX_LABELS:
        rule = f"a contest has 2 to {_MAX_LABELS} labels and this file names {n_labels}"
        problems.fail(None, f"{rule}; check its label column")
    if not solution.has_private or solution.strings:
        return
    for usage, rows in (("Public", solution.is_public), ("Private", solution.is_private)):
        absent = sorted(set(range(n_labels)) - set(solution.truth[rows].tolist()))
        if absent:
            fault = f"label {quote_short(solution.labels[absent[0]])} has no {usage} row"
            problems.fail(None, f"{fault}, so the parts would be scored on other labels; give it one")
