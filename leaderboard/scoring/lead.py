"""The sentence on who is really first."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.standings import FEWEST_UNITS, Evidence, Part, Standing, is_same, name_unit

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
            f"(95 %, over {evidence.n_units:,} {name_unit(evidence.unit)})."
        )
    listed = _join([line.shown_as for line in leaders])
    if is_same(lines[0].score, leaders[-1].score):
        return f"{listed} share the first place with the same score."
    if not evidence.names_leader:
        few = evidence.n_speakers or evidence.n_units
        unit = "speakers" if evidence.n_speakers else "rows"
        return f"{listed} could be first: {few} {unit} are too few to name one team, which takes {FEWEST_UNITS}."
    return f"{listed} cannot be told apart: with other {name_unit(evidence.unit)} any of them could be first."


def describe_luck(lines: Sequence[Standing], part: Part) -> str:
    """Describe the expected luck in the first score of a closed contest; empty where none was estimated."""
    first = next((line for line in lines if line.luck is not None), None)
    if first is None or first.luck is None:
        return ""
    luck, name, n_ranked = first.luck, first.shown_as, sum(line.rank is not None for line in lines)
    expected = f"{luck.expected:.4f} is what this file would get on others of the kind"
    if part is not Part.PUBLIC:
        return (
            f"luck: public rows chose the attempt of {name}, so its {part} {first.score:.4f} has none of the best of three; "
            f"being the first of {n_ranked} gives about {luck.of_rank:.4f}, and {expected}"
        )
    return (
        f"luck: about {luck.of_attempts + luck.of_rank:.4f} of the {first.score:.4f} of {name}, {luck.of_attempts:.4f} by the "
        f"best of its attempts and {luck.of_rank:.4f} by being the first of {n_ranked}; {expected}"
    )


def _join(names: Sequence[str]) -> str:
    visible = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return f"{', '.join(visible[:-1])} and {visible[-1]}"
