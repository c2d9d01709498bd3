"""Edits of a sweep file by the places of its nodes, so that comments and layout stay."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterable, Sequence

from sweeps.sweepfile.faults import Edit, Fault
from sweeps.sweepfile.yaml_lines import Node


def apply_edits(text: str, faults: Iterable[Fault]) -> str:
    """Return `text` with the edits of all faults; those that meet edits of an earlier fault wait for the next reading."""
    chosen: list[Edit] = []
    for fault in faults:
        edits = [edit for edit in fault.edits if edit not in chosen]
        if not any(_meet(edit, other) for edit in edits for other in chosen):
            chosen += edits
    pieces, position = [], 0
    for edit in sorted(chosen, key=_order):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def _order(edit: Edit) -> tuple[int, int, int]:
    """Return the sort key of an edit; of two lines that are added at one place the deeper belongs to the entry above."""
    return edit.start, edit.end, len(edit.text.lstrip()) - len(edit.text)


def _meet(first: Edit, second: Edit) -> bool:
    return first.start < second.end and second.start < first.end


def write_diff(old: str, new: str, file: str) -> str:
    """Return the unified diff of the two texts."""
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), file, f"{file}, fixed", n=1, lineterm=""))


def replace_value(node: Node, text: str) -> Edit:
    """Return the edit that writes `text` for a value."""
    return Edit(*node.span, text)


def rename_key(node: Node, text: str) -> Edit:
    """Return the edit that writes another key for an entry."""
    return Edit(*node.key, text)


def remove_entries(text: str, mapping: Node, keys: Collection[str]) -> list[Edit]:
    """Return the edits that take entries out of a mapping: their lines, or their part of a line with its commas."""
    assert isinstance(mapping.value, dict)
    spans = [(entry.key[0], _find_end(entry)) for entry in mapping.value.values()]
    return _remove(text, mapping, spans, [key in keys for key in mapping.value])


def remove_item(text: str, sequence: Node, index: int) -> list[Edit]:
    """Return the edits that take an item out of a list."""
    assert isinstance(sequence.value, list)
    spans = [(item.span[0], _find_end(item)) for item in sequence.value]
    return _remove(text, sequence, spans, [n == index for n in range(len(spans))])


def _remove(text: str, node: Node, spans: Sequence[tuple[int, int]], leaves: Sequence[bool]) -> list[Edit]:
    edits = []
    for leaves_now, run in itertools.groupby(range(len(spans)), key=lambda index: leaves[index]):
        if not leaves_now:
            continue
        indices = list(run)
        (start, _), (_, end) = spans[indices[0]], spans[indices[-1]]
        if not node.is_flow:
            newline = text.find("\n", end)
            edits.append(Edit(text.rfind("\n", 0, start) + 1, len(text) if newline < 0 else newline + 1, ""))
        elif indices[-1] + 1 < len(spans):
            edits.append(Edit(start, spans[indices[-1] + 1][0], ""))
        else:
            before = spans[indices[0] - 1][1] if indices[0] else start
            edits.append(Edit(start if "#" in text[before:start] else before, end, ""))
    return edits


def add_entry(text: str, mapping: Node, entry: str) -> Edit:
    """Return the edit that writes `key: value` behind the last entry of a mapping."""
    assert isinstance(mapping.value, dict)
    entries = list(mapping.value.values())
    if mapping.is_flow:
        if not entries:
            return replace_value(mapping, f"{{{entry}}}")
        return Edit(_find_end(entries[-1]), _find_end(entries[-1]), f", {entry}")
    end, first = _find_end(entries[-1]), entries[0].key[0]
    before = text[text.rfind("\n", 0, first) + 1 : first]
    indent = len(before.partition("?")[0]) if before.strip() == "?" else len(before)  # `? key` is YAML's long way
    newline = text.find("\n", end)
    if newline < 0:
        return Edit(len(text), len(text), f"\n{' ' * indent}{entry}")
    end_of_line = "\r\n" if text[newline - 1] == "\r" else "\n"
    return Edit(newline + 1, newline + 1, f"{' ' * indent}{entry}{end_of_line}")


def add_key_above(text: str, entry: Node, key: str) -> list[Edit]:
    """Return the edit that puts the block below an entry under a key of its own; none where it is indented no further."""
    indents = [start - (text.rfind("\n", 0, start) + 1) for start in (entry.key[0], entry.span[0])]
    return [Edit(entry.span[0], entry.span[0], f"{key}:\n{' ' * indents[1]}")] if indents[1] > indents[0] else []


def _find_end(node: Node) -> int:
    """Return where the content ends: PyYAML lets a block go on through the comments behind it."""
    children = node.value.values() if isinstance(node.value, dict) else node.value
    if node.is_flow or not isinstance(children, Iterable) or isinstance(children, str):
        return node.span[1]
    return max((_find_end(child) for child in children), default=node.span[1])
