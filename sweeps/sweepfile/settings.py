"""`arena:`, the key of a sweep file that is Arena's own: how a point is scored. W&B's server never sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sweeps.sweepfile.faults import Edit
from sweeps.sweepfile.section import Section

MOST_SEEDS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepSettings:
    """Content of `arena:`; the defaults are a sweep without it."""

    folds: int = 1  # groups of speakers who validate in turn; 1: those of the split
    seeds: int = 1  # trainings on each fold, with train.seed and those that follow
    paired: bool = False  # the studies of a sweep draw the same points

    def __str__(self) -> str:
        """Return `3 folds and 2 seeds`, of which those of one are left out."""
        return " and ".join(f"{n} {name}" for name, n in (("folds", self.folds), ("seeds", self.seeds)) if n > 1)

    @property
    def n_trainings(self) -> int:
        """Return the number of trainings of a trial."""
        return self.folds * self.seeds


KEYS = SweepSettings.__slots__


def report_misplaced(top: Section) -> Section:
    """Report keys that stand beside `arena:` instead of below it, and return the section without them."""
    misplaced = [key for key in KEYS if key in top.entries]
    for key in misplaced:
        node, entry = top.entries[key], f"arena: {{{key}: {top.text[slice(*top.entries[key].span)]}}}"
        edits = [Edit(node.key[0], node.span[1], entry)] if len(misplaced) == 1 and "arena" not in top.entries else []
        top.report(f"{key} is Arena's own and stands below `arena:`; write `{entry}`", node.line, edits)
    entries = {key: node for key, node in top.entries.items() if key not in misplaced}
    return replace(top, node=replace(top.node, value=entries))


def parse_settings(top: Section) -> SweepSettings:
    """Return the settings below `arena:`, with the defaults where a fault is reported."""
    faults, values = top.faults, SweepSettings()
    section = top.sub("arena", "arena")
    if section is None:
        return values
    section = section.report_unknown(KEYS, {})
    folds = seeds = paired = None
    with faults.collect():
        folds = section.integer("folds", least=1)
    with faults.collect():
        seeds = section.integer("seeds", least=1)
        if seeds is not None and seeds > MOST_SEEDS:
            section.fail(f"arena.seeds is at most {MOST_SEEDS}, not {seeds}; write fewer", section.find_line("seeds"))
    with faults.collect():
        paired = section.boolean("paired")
    return SweepSettings(folds=folds or 1, seeds=seeds or 1, paired=bool(paired))
