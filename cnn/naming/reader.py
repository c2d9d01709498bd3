"""Reader of names: digit, speaker and take of all recordings of an import at once, since the whole corpus decides.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from cnn.config import LABELS
from cnn.naming.layouts import default_namer
from cnn.naming.pattern import pattern_namer
from cnn.naming.reading import Namer, NameReading, NameRules
from cnn.naming.speakers import check_speakers, clean_speaker
from cnn.naming.table import table_namer
from cnn.naming.words import label_table


def read_names(paths: Sequence[PurePosixPath], rules: NameRules) -> tuple[NameReading, ...]:
    """Return the reading of each path, in their order; the paths are those of one corpus, relative to its folder.

    Raises:
        CorpusError: a rule cannot be used, or speakers cannot be distinguished; not for a single path.
    """
    namer = _namer(rules)
    readings = tuple(_read_name(path, namer, rules) for path in paths)
    check_speakers(
        {reading.spelling: reading.speaker for reading in readings if not reading.fault} | {s: s for s in rules.speakers}
    )
    return readings


def describe_merges(readings: Sequence[NameReading]) -> tuple[str, ...]:
    """Return a sentence for each speaker whom paths spell differently."""
    return ()


def _namer(rules: NameRules) -> Namer:
    table = label_table(rules.words)
    if rules.pattern:
        return pattern_namer(rules.pattern, table)
    return default_namer(table) if rules.table is None else table_namer(rules.table, table)


def _read_name(path: PurePosixPath, namer: Namer, rules: NameRules) -> NameReading:
    naming = namer(path)
    spelling = naming.speaker or rules.speaker
    speaker = clean_speaker(spelling)
    fault = ""
    if rules.has_digit and naming.label not in LABELS:
        fault = f"names {naming.label!r}, which is no digit" if naming.label else "does not say its digit"
        fault += "; say how with --pattern, --table or --words"
    elif not speaker:
        fault = "does not say who speaks; say it with --speaker, --pattern or --table"
    return NameReading(path=path, label=naming.label, speaker=speaker, spelling=spelling, take=naming.take, fault=fault)
