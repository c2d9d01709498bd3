"""`arena:`, the key of a sweep file that is Arena's own: how a point is scored. W&B's server never sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sweeps.sweepfile.edits import replace_value
from sweeps.sweepfile.faults import Edit
from sweeps.sweepfile.section import Section, parse_number

MOST_SEEDS = 100
COST_NAMES = ("multiply_adds", "parameters", "seconds")  # costs of a trial: for a clip, of the net, of the training


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepSettings:
    """Content of `arena:`; the defaults are a sweep without it."""

    folds: int = 1  # groups of speakers who validate in turn; 1: those of the split
    seeds: int = 1  # trainings on each fold, with train.seed and those that follow
    paired: bool = False  # the studies of a sweep draw the same points
    objectives: dict[str, str] = field(default_factory=dict)  # costs beside the metric, each `minimize`
    constraints: dict[str, float] = field(default_factory=dict)  # the most of a cost that the best may have

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
        is_plain = len(misplaced) == 1 and "arena" not in top.entries and not isinstance(node.value, dict)
        edits = [Edit(node.key[0], node.span[1], entry)] if is_plain else []
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
    objectives = _read_objectives(section)
    if objectives and "early_terminate" in top.entries:
        rule = "early_terminate ends no trial of a study with arena.objectives, whose weak trials may be cheap; remove it"
        top.report(rule, top.find_line("early_terminate"), top.remove("early_terminate"))
    return SweepSettings(
        folds=folds or 1,
        seeds=seeds or 1,
        paired=bool(paired),
        objectives=objectives,
        constraints=_read_constraints(section),
    )


def _read_objectives(section: Section) -> dict[str, str]:
    objectives: dict[str, str] = {}
    with section.faults.collect():
        below = section.sub("objectives", "arena.objectives")
        for name, node in below.report_unknown(COST_NAMES, {}).entries.items() if below else ():
            if node.value != "minimize":
                edits = [] if isinstance(node.value, list | dict) else [replace_value(node, "minimize")]
                section.report(f"arena.objectives.{name} is a cost; write `{name}: minimize`", node.line, edits)
            objectives[name] = "minimize"
    return objectives


def _read_constraints(section: Section) -> dict[str, float]:
    constraints: dict[str, float] = {}
    with section.faults.collect():
        below = section.sub("constraints", "arena.constraints")
        for name, node in below.report_unknown(COST_NAMES, {}).entries.items() if below else ():
            text = parse_number(node.value) if isinstance(node.value, str) else None  # 2e6, which YAML calls text
            most = section.read_number(node, f"arena.constraints.{name}") if text is None else text
            if most <= 0:
                section.fail(f"arena.constraints.{name} is the most that is allowed, above 0, not {most:g}", node.line)
            constraints[name] = float(most)
    return constraints
