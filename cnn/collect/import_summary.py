"""Summary of an import's plan that a person checks at a glance: speakers, examples, causes of what is left out, the command."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cnn.collect.import_plan import ImportClip, ImportOptions, ImportPlan, Misfit

_DEFAULTS = ImportOptions()
_DIGITS = "0123456789"
# Parts of a reason that differ from file to file: what is quoted or in brackets, paths, names with suffix, numbers.
_PARTICULAR = re.compile(r"'[^']*'|`[^`]*`|\([^)]*\)|\S*/\S*|\S+\.\w{2,4}\b|\d+(\.\d+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerRow:
    """A speaker with clips and digits."""

    name: str
    n_clips: int
    digits: str  # such as `0-9` or `0 1 7`


@dataclass(frozen=True, kw_only=True, slots=True)
class MisfitGroup:
    """Files that are left out for one cause."""

    first: Misfit
    others: tuple[str, ...]  # paths

    @property
    def n_files(self) -> int:
        return 1 + len(self.others)


def list_speakers(clips: Iterable[ImportClip]) -> list[SpeakerRow]:
    """Return a row for each speaker, first those who say the fewest digits: a wrong reading shows there."""
    digits: dict[str, Counter[str]] = {}
    for clip in clips:
        digits.setdefault(clip.origin.speaker, Counter())[clip.origin.label] += 1
    rows = [SpeakerRow(name=name, n_clips=n.total(), digits=format_digits(n)) for name, n in digits.items()]
    return sorted(rows, key=lambda row: (len(digits[row.name]), _natural_key(row.name)))


def _natural_key(name: str) -> list[str]:
    return [part.zfill(9) if part.isdigit() else part for part in re.split(r"(\d+)", name.casefold())]


def format_digits(labels: Iterable[str]) -> str:
    """Return digits with runs of three and more joined: `0-4 7 9`."""
    present = sorted(set(labels))
    runs = [[label for _, label in run] for _, run in groupby(enumerate(present), key=lambda item: int(item[1]) - item[0])]
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(run) for run in runs)


def choose_examples(clips: Sequence[ImportClip], n_examples: int = 5) -> list[ImportClip]:
    """Return clips that differ most, in their order: each adds most new traits, such as speaker and folder."""
    seen: set[tuple[str, str]] = set()
    chosen: set[int] = set()
    traits = [_traits(clip) for clip in clips]
    for _ in range(min(n_examples, len(clips))):
        best = max((n for n in range(len(clips)) if n not in chosen), key=lambda n: (len(traits[n] - seen), -n))
        chosen.add(best)
        seen |= traits[best]
    return [clips[n] for n in sorted(chosen)]


def _traits(clip: ImportClip) -> set[tuple[str, str]]:
    origin = clip.origin
    shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", str(origin.source)))
    return {
        ("speaker", origin.speaker),
        ("folder", str(origin.source.parent)),
        ("label", origin.label),
        ("shape", shape),
        ("suffix", origin.source.suffix.lower()),
    }


def group_misfits(problems: Iterable[Misfit]) -> list[MisfitGroup]:
    """Return the files that are left out by cause, the most frequent first."""
    groups: dict[str, list[Misfit]] = {}
    for problem in problems:
        groups.setdefault(_PARTICULAR.sub("..", problem.reason), []).append(problem)
    ordered = sorted(groups.values(), key=len, reverse=True)
    return [MisfitGroup(first=group[0], others=tuple(problem.path for problem in group[1:])) for group in ordered]


def format_command(plan: ImportPlan) -> str:
    """Return the line to type for this import, which goes on."""
    options = plan.options
    words: list[str | Path] = ["arena", "data", "import", plan.folder, plan.out]
    words += ["--pattern", options.pattern] if options.pattern else []
    words += ["--table", options.table] if options.table else []
    words += ["--words", options.words] if options.words else []
    words += ["--speaker", options.speaker] if options.speaker else []
    words += ["--split-silence"] if options.split_digits else []
    words += ["--digits", options.split_digits] if options.split_digits not in ("", _DIGITS) else []
    words += ["--min-gap", f"{options.min_gap_s:g}"] if options.min_gap_s != _DEFAULTS.min_gap_s else []
    words += ["--trim"] if options.trim else []
    return shlex.join([*map(str, words), *(["--yes"] if plan.needs_consent else [])])
