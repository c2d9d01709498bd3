"""`early_terminate`: the rule that ends weak trials, and the epochs at which it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sweeps.sweepfile.section import Section

_LAST_EPOCH = 10_000  # the most that a training may have
_DEFAULT_ETA = 3
DEFAULT_P, _MOST_P = 0.3, 0.5


class Stopping(StrEnum):
    """Rule that ends a trial early."""

    HYPERBAND = "hyperband"  # W&B's rule: at each band the best 1/eta go on
    MEDIAN = "median"  # ours: worse than the median of the finished trials at the same epoch
    WILCOXON = "wilcoxon"  # ours: worse than the best trial, training by training; of trials with folds or seeds


_KEYS: dict[str, tuple[str, ...]] = {
    Stopping.MEDIAN: ("type", "min_iter", "startup_trials"),
    Stopping.HYPERBAND: ("type", "min_iter", "max_iter", "s", "eta", "strict"),
    Stopping.WILCOXON: ("type", "p"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyTerminate:
    """Rule of pruning; W&B's names and defaults."""

    type: Stopping
    min_iter: int  # the first epoch that may end a trial
    eta: float = _DEFAULT_ETA
    max_iter: int | None = None  # hyperband: the bands are max_iter / eta, max_iter / eta^2, ..., `s` of them
    s: int = 0
    strict: bool = True  # hyperband: a trial is judged by its value at the band, not by its best until now
    startup_trials: int = 4  # median: trials that finish before any is pruned
    p: float = DEFAULT_P  # wilcoxon: a trial ends where it would be so much worse by chance in less than this share

    def by_training(self) -> EarlyTerminate:
        """Return the rule for trials that are reported once a training: this one if it is such a rule, or that by default."""
        return self if self.type is Stopping.WILCOXON else WILCOXON

    @property
    def bands(self) -> tuple[int, ...]:
        """The epochs at which hyperband compares trials, ascending."""
        if self.type is Stopping.WILCOXON:
            return ()
        return divide_bands(self.max_iter, self.s, self.eta) if self.max_iter else _multiply_bands(self.min_iter, self.eta)

    def list_bands(self, epochs: int) -> list[int]:
        """List the bands that a trial of `epochs` epochs passes before its end."""
        return [band for band in self.bands if band < epochs]


WILCOXON = EarlyTerminate(type=Stopping.WILCOXON, min_iter=2)


def divide_bands(max_iter: int, s: int, eta: float) -> tuple[int, ...]:
    """Return the bands of `max_iter`: at most `s`, none before the first epoch."""
    bands, band = set(), float(max_iter)
    for _ in range(s):
        band /= eta
        if band < 1:
            break
        bands.add(int(band))
    return tuple(sorted(bands))


def _multiply_bands(min_iter: int, eta: float) -> tuple[int, ...]:
    bands, band = [], float(min_iter)
    while band <= _LAST_EPOCH:
        if int(band) not in bands:
            bands.append(int(band))
        band *= eta
    return tuple(bands)


def parse_stopping(top: Section) -> EarlyTerminate | None:
    """Return the rule of `early_terminate`; None where there is none.

    Raises:
        Unreadable: a fault that is reported.
    """
    section = top.sub("early_terminate", "early_terminate")
    if section is None:
        return None
    word = section.entries["type"].value if "type" in section.entries else ""
    section = section.report_unknown(_KEYS.get(str(word), _KEYS[Stopping.HYPERBAND]), {})
    kind = section.option("type", Stopping)
    if kind is None and "type" not in section.entries:
        section.report("early_terminate.type is missing; add `type: hyperband`", edits=section.add("type: hyperband"))
    if kind == Stopping.MEDIAN:
        return EarlyTerminate(
            type=Stopping.MEDIAN,
            min_iter=section.integer("min_iter", least=1) or 1,
            startup_trials=section.integer("startup_trials", least=1) or 4,
        )
    if kind == Stopping.WILCOXON:
        return replace(WILCOXON, p=_p(section))
    eta, strict, numbers = float(_DEFAULT_ETA), True, dict[str, int | None]()
    with section.faults.collect():
        eta = _eta(section)
    with section.faults.collect():
        strict = section.boolean("strict") is not False
    for key in ("min_iter", "max_iter", "s"):
        with section.faults.collect():
            numbers[key] = section.integer(key, least=1)
    if any(key in section.entries and numbers.get(key) is None for key in ("min_iter", "max_iter", "s")):
        return None  # its fault is reported
    min_iter, max_iter, s = (numbers[key] for key in ("min_iter", "max_iter", "s"))
    if min_iter is not None and max_iter is not None:
        section.fail("hyperband takes either min_iter, or max_iter with s; keep one of them", section.find_line("max_iter"))
    if min_iter is not None:
        if s is not None:
            line = section.find_line("s")
            section.report(
                f"s {s} counts the bands below max_iter, and min_iter {min_iter} sets its own; remove s",
                line,
                section.remove("s"),
            )
        return EarlyTerminate(type=Stopping.HYPERBAND, min_iter=min_iter, eta=eta, strict=strict)
    bands = _divide(section, max_iter, s, eta)
    return EarlyTerminate(type=Stopping.HYPERBAND, min_iter=bands[0], eta=eta, max_iter=max_iter, s=s or 0, strict=strict)


def _p(section: Section) -> float:
    p = section.number("p")
    if p is not None and not 0 < p <= _MOST_P:
        section.fail(f"early_terminate.p lies above 0 and is at most {_MOST_P}, not {p}", section.find_line("p"))
    return DEFAULT_P if p is None else p


def _divide(section: Section, max_iter: int | None, s: int | None, eta: float) -> Sequence[int]:
    if max_iter is None:
        rule = "hyperband takes either min_iter, or max_iter with s"
        section.fail(f"{rule}; write `min_iter: 3`", edits=[] if s else section.add("min_iter: 3"))
    if s is None:
        n_bands = len(divide_bands(max_iter, 100, eta))
        fix = f"write `s: {n_bands}` for all, or less" if n_bands else "write `min_iter: 3` instead"
        section.fail(f"max_iter {max_iter} needs s, the number of bands below it; {fix}", section.find_line("max_iter"))
    bands = divide_bands(max_iter, s, eta)
    if not bands:
        section.fail(f"max_iter {max_iter} leaves no band with eta {eta:g}; write `min_iter: 3` instead")
    return bands


def _eta(section: Section) -> float:
    eta = section.number("eta")
    if eta is not None and eta <= 1:
        section.fail(f"early_terminate.eta takes a number above 1, not {eta}", section.find_line("eta"))
    return _DEFAULT_ETA if eta is None else eta
