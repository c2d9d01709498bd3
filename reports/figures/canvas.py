"""Matplotlib drawings as small inline SVG: colours become CSS variables, so that one picture serves light, dark and paper.

The same drawing gives the same bytes. Text stays text, in the page's own font; lengths are CSS pixels.
"""

from __future__ import annotations

import html
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from reports.wording.page_texts import Texts

# Stand-ins that matplotlib can draw with; each is a variable of style.css on the page.
INK, SOFT, RULE, PAPER, *MODEL_COLOURS = (f"#0{n:x}0{n:x}0{n:x}" for n in range(1, 11))
_VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    RULE: "--rule",
    PAPER: "--paper",
    **{colour: f"--model-{letter}" for colour, letter in zip(MODEL_COLOURS, "abcdef", strict=True)},
}
_STEPS = [1, 2, 5, 10]
TEXT_PX = 11
SMALL_PX = 10
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "arena",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.family": "DejaVu Sans",  # ships with matplotlib: lengths are measured alike everywhere
    "path.simplify": False,
    # Light horizontal rules, no box, soft labels: set here, for a change to axes that are made costs as much as making them.
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.spines.bottom": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 1,
    **{
        f"{axis}tick.{key}": value
        for axis in "xy"
        for key, value in {
            "major.size": 0,
            "minor.size": 0,
            "major.pad": 4,
            "labelsize": SMALL_PX,
            "labelcolor": SOFT,
        }.items()
    },
}
Limits = tuple[float, float]
Row = TypeVar("Row")

_DPI = 72  # one point is one pixel


@dataclass(frozen=True, kw_only=True, slots=True)
class PlotFrame:
    """Size of a picture and of the margins around its axes, in CSS pixels."""

    width: float
    height: float
    left: float = 34
    right: float = 10
    top: float = 8
    bottom: float = 30

    def to_svg(self, name: str, alt: str, draw: Callable[[Axes], None]) -> str:
        """Draw on one pair of axes and return the `<svg>` element; `name` is unique on the page, `alt` is read aloud."""
        with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that DejaVu lacks; the browser has it
            figure = Figure(figsize=(self.width / _DPI, self.height / _DPI), dpi=_DPI)
            FigureCanvasSVG(figure)
            inner_width = self.width - self.left - self.right
            inner_height = self.height - self.top - self.bottom
            axes = figure.add_axes(
                (self.left / self.width, self.bottom / self.height, inner_width / self.width, inner_height / self.height)
            )
            figure.patch.set_visible(False)
            axes.patch.set_visible(False)
            axes.xaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            draw(axes)
            for axis in (axes.xaxis, axes.yaxis):
                if not axis.get_label_text():
                    axis.set_label_coords(0, 0)  # spares matplotlib the search for its position
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        return _slim(buffer.getvalue().decode(), name, alt, self)


def few_ticks(width_px: float) -> MaxNLocator:
    """Place ticks at round numbers, as many as an axis of that width has room for."""
    return MaxNLocator(max(4, round(width_px / 100)), steps=_STEPS)


def rules_across(axes: Axes) -> None:
    """Draw light vertical rules instead of horizontal ones, for figures that are read along x."""
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x", color=RULE, linewidth=1)


def x_title(axes: Axes, text: str) -> None:
    """Write the x axis's title, with its unit, below its numbers at the right end."""
    axes.annotate(
        text,
        (1, 0),
        (0, -19),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        color=SOFT,
        size=SMALL_PX,
    )


def rows_plot(
    frame: PlotFrame,
    rows: Iterable[tuple[float, Row]],
    limits: Limits,
    draw_row: Callable[[Axes, float, Row], None],
    title: str,
) -> Callable[[Axes], None]:
    """Return the drawing of one line a row, from top to bottom at the y beside it, over an x axis that `title` names."""
    lines = list(rows)

    def draw(axes: Axes) -> None:
        rules_across(axes)
        axes.set_xlim(*limits)
        axes.set_ylim(lines[-1][0] + 0.5, lines[0][0] - 0.5)
        axes.xaxis.set_major_locator(few_ticks(frame.width))
        axes.set_yticks([])
        for y, row in lines:
            draw_row(axes, y, row)
        x_title(axes, title)

    return draw


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A line of text beside a row: `offset_px` left of the axes' left end, or the text's end right of their right end."""

    offset_px: float
    colour: str = INK
    size: float = TEXT_PX
    weight: str = "normal"

    def left(self, axes: Axes, y: float, text: str) -> None:
        self._put(axes, (0, y), -self.offset_px, "left", text)

    def right(self, axes: Axes, y: float, text: str) -> None:
        self._put(axes, (1, y), self.offset_px, "right", text)

    def _put(self, axes: Axes, xy: tuple[float, float], offset_px: float, side: Literal["left", "right"], text: str) -> None:
        axes.annotate(
            text,
            xy,
            (offset_px, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha=side,
            va="center_baseline",
            color=self.colour,
            size=self.size,
            weight=self.weight,
        )


def truncate(text: str, width_px: float) -> str:
    """Shorten a name to `width_px`, with an ellipsis where something is cut off."""
    label = text
    while label and measure_px(label) > width_px:
        label = label.removesuffix("\u2026")[:-1] + "\u2026" if len(label) > 2 else ""
    return label


def measure_px(text: str) -> float:
    """Return the width of a text of `TEXT_PX`."""
    wide = [c for c in text if unicodedata.east_asian_width(c) in "WF"]  # DejaVu lacks them: as wide as high
    narrow = "".join(c for c in text if c not in wide)
    measured: float = text_to_path.get_text_width_height_descent(narrow, FontProperties(size=TEXT_PX), ismath=False)[0]
    return measured + TEXT_PX * 1.05 * len(wide)


def model_colour(model: str, t: Texts) -> str:
    """Return the model's colour, the same everywhere on a page; of many nets, from the seventh on, some share one."""
    a, b, *others = MODEL_COLOURS
    if model in t.models:
        return (a, b)[t.models.index(model)]
    return others[(t.nets.index(model) - len(t.models)) % len(others)]


def css_variable(colour: str) -> str:
    """Return the style sheet's variable for a stand-in, for pictures that are written by hand."""
    return _VARIABLES[colour]


def filter_dash(variant: str) -> tuple[float, tuple[float, ...] | None]:
    """Return the filter's line style: solid raw, dashed bilateral, dotted denoised."""
    styles: dict[str, tuple[float, ...] | None] = {"bilateral": (4, 2.5), "denoised": (1, 1.5)}
    return 0, styles.get(variant.removesuffix("+aug"))


def augment_marker(variant: str) -> str:
    """Return the augmentation's marker: a circle without, a diamond with."""
    return "D" if variant.endswith("+aug") else "o"


def _slim(text: str, name: str, alt: str, frame: PlotFrame) -> str:
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'(id="|href="#|url\(#)([mpC][0-9a-f_]+)', rf"\1{name}-\2", body)
    body = re.sub(r"font-family: [^;\"]*(; ?)?", "", body)
    body = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", body)
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), body)  # hundredths of a pixel
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    size = f'viewBox="0 0 {frame.width:g} {frame.height:g}" width="{frame.width:g}" height="{frame.height:g}"'
    return f'<svg {size} role="img" aria-label="{html.escape(alt)}">{body.strip()}</svg>'
