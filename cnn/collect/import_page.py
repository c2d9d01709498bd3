"""Plan of an import as a person checks it in ten seconds on a terminal of 80 columns, and as JSON."""

from __future__ import annotations

import dataclasses

from arena.base.terminal import Column, Number, is_widened, print_table, print_text
from cnn.collect.import_plan import ImportPlan
from cnn.collect.import_summary import choose_examples, format_command, format_digits, group_misfits, list_speakers
from cnn.corpus.listing import describe_kinds
from cnn.decoding.flags import describe_flags
from cnn.errors import CorpusError
from cnn.speakers.doubts import describe_doubts

_N_SPEAKERS, _N_EXAMPLES = 12, 5
_LINE, _MIN_PATH = 72, 20  # letters in a line of 80 columns with its gaps, and at least of a path


def plan_as_json(plan: ImportPlan, is_written: bool) -> dict[str, object]:
    """Return everything that the plan says, with the line to type if it is not written yet."""
    clips = [
        {
            "source": str(clip.origin.source),
            "piece": clip.origin.piece,
            "file": clip.name,
            "digit": clip.origin.label,
            "speaker": clip.origin.speaker,
            "take": clip.take,
            "length_s": round(clip.origin.length_s, 3),
        }
        for clip in plan.clips
    ]
    renames = [{"source": str(rename.origin.source), "from": rename.old, "to": rename.name} for rename in plan.renames]
    return {
        "written": is_written and not plan.is_empty,
        "next": None if is_written else format_command(plan),
        "speakers": [dataclasses.asdict(row) for row in list_speakers(plan.clips)],
        "clips": clips,
        "renames": renames,
        "n_there_already": plan.n_existing,
        "flagged": {str(clip.origin.source): list(clip.origin.flags) for clip in plan.clips if clip.origin.flags},
        "problems": [dataclasses.asdict(problem) for problem in plan.problems],
        "rows_without_file": plan.missing,
        "not_read": plan.ignored,
        "notes": plan.notes,
        "doubts": plan.doubts.as_json(),
    }


def print_plan(plan: ImportPlan) -> None:
    """Print speakers, examples, renames, and what is left out.

    Raises:
        CorpusError: there is nothing to import, now or before.
    """
    if plan.clips:
        _print_speakers(plan)
        _print_examples(plan)
    if plan.renames:
        _print_renames(plan)
    for note in plan.notes:
        print_text(f"note: {note}")
    for doubt in describe_doubts(plan.doubts):
        print_text(f"warning: {doubt}")
    _print_flags(plan)
    _print_misfits(plan)
    if plan.missing:
        rows = ", ".join(plan.missing[: None if is_widened() else _N_EXAMPLES])
        more = "" if is_widened() or len(plan.missing) <= _N_EXAMPLES else f", .. ({len(plan.missing):,} in all)"
        print_text(f"{plan.options.table} has {_count(len(plan.missing), 'row')} without a file: {rows}{more}")
    if plan.ignored:
        print_text(describe_kinds(plan.ignored))
    if plan.is_empty:
        raise CorpusError(f"none of the recordings in {plan.folder} can be imported; the reasons are above")


def _print_speakers(plan: ImportPlan) -> None:
    rows = list_speakers(plan.clips)
    n_visible = len(rows) if is_widened() or len(rows) <= _N_SPEAKERS else _N_SPEAKERS - 1
    cells = [[row.name, f"{row.n_clips:,}", row.digits] for row in rows[:n_visible]]
    if others := {row.name for row in rows[n_visible:]}:
        labels = [clip.origin.label for clip in plan.clips if clip.origin.speaker in others]
        cells.append([f"and {len(others):,} more", f"{len(labels):,}", format_digits(labels)])
    print_table((Column("speaker"), Number("clips"), Column("digits")), cells)
    print()


def _print_examples(plan: ImportPlan) -> None:
    clips = plan.clips if is_widened() else choose_examples(plan.clips, _N_EXAMPLES)
    room = max(_MIN_PATH, _LINE - len("digit take  ") - max(len(clip.origin.speaker) for clip in clips))
    rows = []
    for clip in clips:
        origin, piece = clip.origin, f"{clip.origin.piece + 1}" if clip.origin.cut else "whole"
        facts = [origin.label, origin.speaker, clip.take, clip.name, f"{origin.length_s:.2f} s"]
        rows.append([_shorten(str(origin.source), room), piece, *facts])
    heads = (Number("digit"), Column("speaker"), Number("take"), Column("becomes"), Number("length"))
    columns = (Column("recording"), Column("piece", 2, silent="whole"), *heads)
    n_columns = len(columns) - (0 if is_widened() else 2)
    print_table(columns[:n_columns], [row[:n_columns] for row in rows])
    if len(clips) < len(plan.clips):
        print_text(f"and {len(plan.clips) - len(clips):,} more; --wide lists all")
    print()


def _shorten(path: str, room: int) -> str:
    """Return a path without its middle, which says least, if it has more letters than there is room for."""
    n_first = room // 4
    return path if len(path) <= room or is_widened() else f"{path[:n_first]}..{path[n_first + 2 - room :]}"


def _print_renames(plan: ImportPlan) -> None:
    renames = plan.renames if is_widened() else plan.renames[:_N_SPEAKERS]
    room = max(_MIN_PATH, _LINE - max(len(rename.old) + len(rename.name) for rename in renames))
    rows = [[rename.old, rename.name, _shorten(str(rename.origin.source), room)] for rename in renames]
    print_table((Column("in the corpus"), Column("now reads"), Column("recording", 2)), rows)
    if len(renames) < len(plan.renames):
        print_text(f"and {len(plan.renames) - len(renames):,} more; --wide lists all")
    print()


def _print_flags(plan: ImportPlan) -> None:
    flagged = {str(clip.origin.source): clip.origin.flags for clip in plan.clips}  # a recording may be cut into several clips
    for line in describe_flags(list(flagged.items())):
        print_text(line)


def _print_misfits(plan: ImportPlan) -> None:
    if not plan.problems:
        return
    print(f"Left out: {_count(len(plan.problems), 'file')}")
    if is_widened():
        return print("\n".join(f"  {problem.path} {problem.reason}" for problem in plan.problems))
    for group in group_misfits(plan.problems):
        print_text(f"  {group.first.path} {group.first.reason}", hang=2)
        if group.others:
            print_text(f"    and {len(group.others):,} more for this cause, such as {group.others[0]}", hang=4)


def print_result(plan: ImportPlan, is_written: bool) -> None:
    """Print what was written, or the line that writes it, and the next command."""
    speakers = _count(len({clip.origin.speaker for clip in plan.clips}), "speaker")
    verb = "" if is_written else "would be "
    facts = [f"{_count(len(plan.clips), 'clip')} of {speakers} {verb}written"] if plan.clips else []
    facts += [f"{_count(len(plan.renames), 'clip')} {verb}renamed"] if plan.renames else []
    facts += [f"{plan.n_existing:,} there already"] if plan.n_existing else []
    nothing = [] if plan.clips or plan.renames else ["nothing new"]
    print_text(f"{plan.out}: {', '.join([*nothing, *facts, _count(len(plan.problems), 'file') + ' left out'])}")
    if is_written:
        print_text(f"next: `arena data scan {plan.out}`")
    elif plan.clips or plan.renames:
        print(f"nothing is written yet; if this is right:\n  {format_command(plan)}")
        print_text("if it is not, say how names are made, with --pattern or --table")


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"
