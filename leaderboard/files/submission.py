"""Submission files, checked against the ids and labels of the solution; of strings the errors are counted."""

from __future__ import annotations

import bisect
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arena.base.scores import count_errors
from arena.base.suggest import nearest
from arena.base.texts import Message
from leaderboard.errors import SubmissionError
from leaderboard.files.csv_table import MAX_LISTED, Problems, check_size, check_width, quote_short, read_rows
from leaderboard.files.near_ids import IdHints
from leaderboard.files.near_labels import match_label
from leaderboard.files.solution import MAX_LENGTH, LabelList, Solution
from leaderboard.files.submission_header import read_columns
from leaderboard.messages import Translatable, message

_SUM_TOLERANCE = 1e-3 + 1e-9  # a sum of decimals may exceed 1.001 by its last bits
_PERCENT_TOLERANCE = 2.0  # for a sum of percentages, which are rounded
_MAX_LOGIT = 300.0  # beyond it exp overflows
_WRITTEN_NUMBER = re.compile(r"(\d+)(?:[.,](\d+))? ?(%)?")
_MAX_NAMES = 1000
_MAX_COMPARED = 100  # characters of a name that are compared to find the nearest one


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Submission:
    """A file that can be scored. Arrays run over the N rows of the solution, in its order."""

    file_name: str
    content: bytes = field(repr=False)
    digest: str  # SHA-256 of content
    predicted: npt.NDArray[np.intp] = field(repr=False)  # (N,) index into the solution's labels; errors in a string
    probabilities: npt.NDArray[np.float64] | None = field(repr=False)  # (N, K) rows sum to 1; None in a file without


def parse_submission(content: bytes, file_name: str, solution: Solution) -> Submission:
    """Parse a submission: columns id and label, optionally one probability per class, in any order.

    Raises:
        SubmissionError: names the first line that is wrong, and how many more are.
    """
    problems = Problems(file_name, SubmissionError)
    check_size(content, problems)
    predicted, probabilities = _read_rows(content, solution, problems)
    return Submission(
        file_name=file_name,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        predicted=predicted,
        probabilities=probabilities,
    )


def _read_rows(
    content: bytes, solution: Solution, problems: Problems
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64] | None]:
    rows = read_rows(content, problems)
    line, header = next(rows)
    columns = read_columns(line, header, solution, problems)
    index_by_label = {label: index for index, label in enumerate(solution.labels)}
    line_by_id: dict[str, int] = {}
    hints = IdHints(solution.ids)
    predicted = [0] * len(solution.ids)
    probabilities = np.zeros((len(solution.ids), len(columns.classes)))
    for line, cells in rows:
        if not check_width(line, cells, header, problems):
            if len(cells) > columns.id and cells[columns.id] in solution.row_by_id:
                line_by_id.setdefault(cells[columns.id], line)
            continue
        name, label = cells[columns.id], cells[columns.label]
        row = solution.row_by_id.get(name)
        if row is None and label in solution.row_by_id:
            problems.fail(line, message("columns_swapped"))
        if row is None:
            problems.add(line, _describe_unknown_id(name, hints, problems))
        elif (first := line_by_id.setdefault(name, line)) != line:
            problems.add(line, message("id_again", id=quote_short(name), line=first))
        if solution.strings:
            if row is not None:
                predicted[row] = _read_string(line, label, solution.strings[row], problems)
        elif label not in index_by_label:
            problems.add(line, _describe_label_problem(label, solution.labels))
        elif row is not None:
            predicted[row] = index_by_label[label]
        if columns.classes and row is not None:
            probabilities[row] = _parse_probabilities(line, [cells[column] for column in columns.classes], problems)
    _check_complete(line_by_id, solution, problems)
    problems.raise_any()
    return np.array(predicted, dtype=np.intp), probabilities if columns.classes else None


def _read_string(line: int, answer: str, truth: str, problems: Problems) -> int:
    """Return the number of errors of an answer, which may be empty."""
    if len(answer) > MAX_LENGTH:
        problems.add(line, message("string_long", n=len(answer), most=MAX_LENGTH))
        return len(truth)
    return count_errors(answer, truth)


def _suggest(name: str, names: Sequence[str]) -> Translatable:
    by_key = {candidate.casefold(): candidate for candidate in names}
    key, keys = name[:_MAX_COMPARED].casefold(), sorted(by_key)
    if len(keys) > _MAX_NAMES:  # neighbours by alphabet alone: comparing with 30,000 ids takes a second
        position = bisect.bisect(keys, key)
        keys = keys[max(0, position - _MAX_NAMES // 2) : position + _MAX_NAMES // 2]
    numbers = _list_numbers(key)  # another number is another recording
    match = nearest(key, (other for other in keys if _list_numbers(other) == numbers), cutoff=0.7)
    return message("nearest", name=quote_short(by_key[match])) if match is not None else ""


def _list_numbers(name: str) -> list[str]:
    return [number.lstrip("0") for number in re.findall(r"\d+", name)]


def _describe_unknown_id(name: str, hints: IdHints, problems: Problems) -> Message:
    cause = hints.explain(name) if problems.n < MAX_LISTED else None
    if cause is not None:
        return cause
    near = "" if problems.n else _suggest(name, hints.ids)
    return message("id_unknown", id=quote_short(name), n=len(hints.ids), near=near)


def _describe_label_problem(label: str, labels: tuple[str, ...]) -> Message:
    allowed, right = LabelList(labels), match_label(label[:_MAX_COMPARED], labels)
    if right is not None:
        return message("label_written", label=quote_short(label), labels=allowed, right=quote_short(right))
    if label == str(len(labels)) and labels == tuple(map(str, range(len(labels)))):
        return message("label_from_one", label=quote_short(label), labels=allowed)
    return message("label_unknown", label=quote_short(label), labels=allowed)


def _parse_probabilities(line: int, texts: list[str], problems: Problems) -> list[float]:
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = []
    if values and abs(sum(values) - 1) <= _SUM_TOLERANCE and min(values) >= 0:
        return values
    problems.add(line, _describe_probability_problem(texts))
    return [0.0] * len(texts)


def _describe_probability_problem(texts: list[str]) -> Message:
    values: list[float] = []
    for text in texts:
        try:
            values.append(float(text))
        except ValueError:
            right = _WRITTEN_NUMBER.fullmatch(text)
            if right is None:
                return message("probability_no_number", value=quote_short(text))
            number = float(f"{right[1]}.{right[2] or 0}") / (100 if right[3] else 1)
            return message("probability_written", value=quote_short(text), right=f"{number:g}")
    outside = next((n for n, value in enumerate(values) if not 0 <= value < float("inf")), None)
    if outside is not None:
        hint = _explain_scores(values)
        return message("probability_beyond", value=quote_short(texts[outside]), hint=hint)
    total = sum(values)
    if abs(total - 100) <= _PERCENT_TOLERANCE:
        return message("probability_percent", total=total)
    n_decimals = max(len(text.partition(".")[2]) for text in texts)
    is_rounded = n_decimals > 0 and abs(total - 1) <= len(texts) * 0.5 / 10**n_decimals
    return message("probability_rounded" if is_rounded else "probability_sum", total=total)


def _explain_scores(values: list[float]) -> Translatable:
    """Return what negative numbers look like: logarithms of probabilities, or a net's outputs; empty for a lone one."""
    if not all(map(math.isfinite, values)) or max(values) > _MAX_LOGIT or sum(value < 0 for value in values) < 2:
        return ""
    is_logarithm = abs(sum(map(math.exp, values)) - 1) <= _PERCENT_TOLERANCE / 100
    return message("hint_logarithms" if is_logarithm else "hint_outputs")


def _check_complete(line_by_id: dict[str, int], solution: Solution, problems: Problems) -> None:
    missing = sorted(name for name in solution.ids if name not in line_by_id)  # not by the order of the hidden file
    if missing:
        examples = ", ".join(quote_short(name) for name in missing[:3]) + (", …" if len(missing) > 3 else "")
        problems.add(None, message("ids_missing", n=len(missing), of=len(solution.ids), shown=examples))
