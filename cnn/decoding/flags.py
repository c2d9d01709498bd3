"""Flags of doubtful recordings, which are used all the same, with their meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

HEADER, UNSCALED, MISCODED, INTERLEAVED, UNREAD = "header", "unscaled", "miscoded", "interleaved", "unread"
CONVERTED, TRUNCATED = "converted", "truncated"
MEANINGS = {
    "clipped": "at full scale for more than a thousandth of the time",
    "short": "shorter than 0.1 s",
    "rumble": "more than a fifth of its energy is below 40 Hz, where no voice is and hardly any player sounds",
    TRUNCATED: "breaks off before the end that its header promises",
    HEADER: "a header or notes stood inside the sound; left out",
    UNSCALED: "floats written without scaling to +-1; scaled",
    MISCODED: "noise in the coding that its header names, sound in another; read in that",
    INTERLEAVED: "looks like stereo said to be mono, samples written twice, or mono said to be stereo",
    UNREAD: "more bytes behind the end that its header gives; not read",
    CONVERTED: "converted by ffmpeg",
}
REPAIRED = {HEADER, UNSCALED, MISCODED}  # the file's own bytes sound otherwise


def describe_flags(flagged: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return a line on each flag, with the first of its recordings; `flagged` are names with their flags."""
    counts = Counter(flag for _, flags in flagged for flag in flags)
    first = {flag: name for name, flags in reversed(flagged) for flag in flags}
    return [
        f"{flag}: {n:,} recording{'s' if n > 1 else ''}, such as {first[flag]} ({MEANINGS[flag]})"
        for flag, n in sorted(counts.items())
    ]
