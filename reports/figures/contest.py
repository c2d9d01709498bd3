"""Figure of the contest: every attempt of every team, and the interval of its best. Numbers first, drawing second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from arena.base.scores import Interval
from leaderboard.standings import Standing
from reports.figures.canvas import INK, PAPER, SMALL_PX, SOFT, Label, PlotFrame, rows_plot, truncate
from reports.figures.scores import score_limits
from reports.wording.formats import score
from reports.wording.page_texts import Texts

MOST_TEAMS = 30
_ROW_PX = 30
_NAME_PX = 118
_DISC_PX = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamRow:
    """One team's line: attempts as (number, score) from worst to best, so that the best is drawn on top."""

    name: str
    attempts: tuple[tuple[int, float], ...]
    best: float
    best_number: int
    interval: Interval


def team_rows(standings: Sequence[Standing]) -> list[TeamRow]:
    """Return the rows of the first teams, in rank order."""
    return [
        TeamRow(
            name=standing.team,
            attempts=tuple(
                sorted(
                    ((a.number, a.macro_f1) for a in standing.attempts), key=lambda pair: (pair[0] == standing.best, pair[1])
                )
            ),
            best=standing.macro_f1,
            best_number=standing.best,
            interval=standing.interval,
        )
        for standing in standings[:MOST_TEAMS]
    ]


def attempts_plot(standings: Sequence[Standing], width: float, t: Texts) -> str:
    """Draw the score of each attempt, numbered, with the interval of each team's best."""
    rows = team_rows(standings)
    values = [x for row in rows for x in (row.best, *(y for _, y in row.attempts))]
    values += [x for row in rows for x in (row.interval.low, row.interval.high)]
    frame = PlotFrame(width=width, height=_ROW_PX * len(rows) + 44, left=132, right=46, top=4, bottom=40)

    draw = rows_plot(frame, enumerate(rows), score_limits(values), _team, "macro-F1")
    return frame.to_svg(f"attempts-{width:g}", t("alt.attempts"), draw)


def _team(axes: Axes, y: float, row: TeamRow) -> None:
    Label(offset_px=132).left(axes, y, truncate(row.name, _NAME_PX))
    Label(offset_px=42).right(axes, y, score(row.best))
    axes.plot([row.interval.low, row.interval.high], [y, y], color=SOFT, linewidth=1.5)
    for number, value in row.attempts:
        is_best = number == row.best_number
        face, text = (INK, PAPER) if is_best else (PAPER, INK)
        axes.plot(
            [value], [y], "o", markersize=_DISC_PX, markerfacecolor=face, markeredgecolor=INK, markeredgewidth=1, clip_on=False
        )
        axes.text(value, y, str(number), ha="center", va="center_baseline", color=text, size=SMALL_PX)
