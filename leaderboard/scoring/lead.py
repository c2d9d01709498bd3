"""The sentence on who is really first."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.standings import FEWEST_UNITS, Evidence, Standing, is_same

_MOST_NAMES = 6


def describe_lead(lines: Sequence[Standing], evidence: Evidence) -> str:
    """Describe the lead of the first of the ranked teams, best first, or the teams that share it."""
    if not lines:
        return "No team has an attempt yet."
    first = lines[0].shown_as
    if len(lines) == 1:
        return f"{first} is the only team with an attempt."
    leaders = [line for line in lines if line.could_be_first]
    if len(leaders) == 1:
        lead = abs(lines[0].score - lines[1].score)
        return (
            f"{first} is first: its lead of {lead:.3f} over {lines[1].shown_as} is more than chance explains "
            f"(95 %, over {evidence.n_units:,} {evidence.unit})."
        )
    listed = _join([line.shown_as for line in leaders])
    if is_same(lines[0].score, leaders[-1].score):
        return f"{listed} share the first place with the same score."
    if not evidence.names_leader:
        few = evidence.n_speakers or evidence.n_units
        unit = "speakers" if evidence.n_speakers else "clips"
        return f"{listed} could be first: {few} {unit} are too few to name one team, which takes {FEWEST_UNITS}."
    return f"{listed} cannot be told apart: with other {evidence.unit} any of them could be first."


def _join(names: Sequence[str]) -> str:
    visible = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return f"{', '.join(visible[:-1])} and {visible[-1]}"
