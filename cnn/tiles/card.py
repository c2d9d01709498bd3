"""Card of a corpus of pictures, from its tiles: one self-contained HTML page of counts, examples in colour, and licence.

Equal tiles give equal bytes. Names of classes and paths are untrusted text, and are escaped. K classes, F rows, T columns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arena.base.media import colour_png, png_uri
from arena.base.texts import ENGLISH, Words, read_words
from cnn.config import UNBALANCED
from cnn.corpus.metadata import read_about
from cnn.errors import CorpusError, RunError
from cnn.files import write_whole
from cnn.tiles.tile_set import TileSet

TEXTS = Path(__file__).parent / "texts"
N_EXAMPLES = 6  # pictures of each class
_MOST_CLASSES = 100  # with pictures on the page
_PARTS = ("train", "val", "test", "")  # empty: a split is drawn
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = Path(__file__).parents[1] / "corpus" / "templates" / "card.css"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRow:
    """One class: its pictures by part, and some of them."""

    label: str
    counts: tuple[int, ...]  # by part
    n: int
    heat: float  # 0 to 1: `n` divided by that of the largest class
    examples: tuple[str, ...]  # data URIs
    mean: str  # data URI of the mean picture; both empty where a page has too many classes


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureCard:
    """Values of the page's template."""

    tiles: TileSet
    about: dict[str, str]  # licence, citation and so on; empty if not known
    parts: tuple[str, ...]  # that there are
    rows: tuple[ClassRow, ...]
    fewest: int
    most: int
    is_balanced: bool
    n_shared: int  # test pictures that are also trained on or validate, cell for cell


def compute_card(tiles: TileSet, advance: Callable[[int], None] = lambda n: None) -> PictureCard:
    """Count and draw the pictures; `advance(1)` is called for each class."""
    members: dict[str, list[int]] = defaultdict(list)
    for number, clip in enumerate(tiles.clips):
        members[clip.label].append(number)
    sizes = {label: len(members[label]) for label in tiles.data.labels}
    parts = tuple(part for part in _PARTS if any(clip.part == part for clip in tiles.clips))
    rows = []
    for label in tiles.data.labels:
        counts = Counter(tiles.clips[number].part for number in members[label])
        examples, mean = _draw_class(tiles, members[label]) if len(sizes) <= _MOST_CLASSES else ((), "")
        by_part, heat = tuple(counts[part] for part in parts), round(sizes[label] / max(sizes.values()), 3)
        rows.append(ClassRow(label=label, counts=by_part, n=sizes[label], heat=heat, examples=examples, mean=mean))
        advance(1)
    others = {clip.audio_digest for clip in tiles.clips if clip.part != "test"}
    return PictureCard(
        tiles=tiles,
        about=read_about(Path(tiles.corpus_folder)),
        parts=parts,
        rows=tuple(rows),
        fewest=min(sizes.values()),
        most=max(sizes.values()),
        is_balanced=max(sizes.values()) < UNBALANCED * max(min(sizes.values()), 1),
        n_shared=sum(clip.part == "test" and clip.audio_digest in others for clip in tiles.clips),
    )


def _draw_class(tiles: TileSet, numbers: list[int]) -> tuple[tuple[str, ...], str]:
    """Return pictures of a class in even steps, and their mean over at most a thousand."""
    if not numbers:
        return (), ""
    pictures = tiles.pictures("raw")
    steps = np.linspace(0, len(numbers) - 1, min(N_EXAMPLES, len(numbers))).round().astype(int)
    mean = np.asarray(pictures[numbers[:: -(-len(numbers) // 1000)]], dtype=np.float64).mean(0)
    return tuple(_draw(pictures[numbers[step]]) for step in steps), _draw(mean.round().astype(np.uint8))


def _draw(cells: npt.NDArray[np.uint8]) -> str:
    colour = np.moveaxis(cells, 0, 2) if cells.ndim == 3 else np.repeat(cells[:, :, None], 3, axis=2)
    return png_uri(colour_png(colour[::-1]))  # the first row at the top


def write_picture_card(
    tiles: TileSet, out: Path, advance: Callable[[int], None] = lambda n: None, language: str = ENGLISH
) -> int:
    """Write the page in one language to `out`; return its size in bytes.

    Raises:
        CorpusError: `out` cannot be written.
    """
    page = render_card(compute_card(tiles, advance), read_words(TEXTS, language))
    try:
        write_whole(out, page)
    except RunError as error:
        raise CorpusError(str(error)) from error
    return len(page)


def render_card(card: PictureCard, t: Words) -> bytes:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    style = Markup(_STYLE.read_text(encoding="utf-8"))
    return environment.get_template("card.html.j2").render(card=card, t=t, style=style, policy=policy).encode()
