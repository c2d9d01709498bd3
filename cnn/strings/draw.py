"""Drawing of strings: strips of pictures, or rows of recordings by one speaker, from the test clips of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from cnn.corpus.audio import Samples, decode_any, to_mono
from cnn.errors import CorpusError, TilesError
from cnn.files import write_csv, write_whole
from cnn.settings.split import SplitSettings
from cnn.splits import make_split
from cnn.tiles.tile_set import TileClip, TileSet

SOLUTION_HEADER = ("id", "string")
_GAP_CELLS = (2, 7)  # between two pictures of a strip, end excluded
_SLIP_CELLS = 2  # by which a picture stands higher or lower than its neighbours
_MARGIN_CELLS = 6
_PAUSE_S = (0.4, 0.7)  # between two words: longer than any stop within one
_MARGIN_S = 0.3

Strip = npt.NDArray[np.uint8]  # (H, W)


@dataclass(frozen=True, kw_only=True, slots=True)
class StringPlan:
    """Number and lengths of strings to draw."""

    n: int
    shortest: int
    longest: int
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    string: str
    speaker: str
    rows: tuple[int, ...]  # clips, by index in the tiles


def draw_strings(
    tiles: TileSet, split: SplitSettings, plan: StringPlan, out: Path, solution: Path, advance: Callable[[], None]
) -> None:
    """Write `plan.n` files into the folder `out`, and their strings as a contest's solution, a column `Group` for speakers.

    Only test clips of `split` are used, so that a net trained on the same split has met none of them. Equal arguments give
    equal files.

    Raises:
        TilesError: labels longer than a character, or pictures in colour.
        CorpusError: a recording is not there any more.
        SplitError: the clips cannot give the split.
    """
    _check(tiles)
    rng = np.random.default_rng(plan.seed)
    drafts = _draw_drafts(tiles.clips, make_split(tiles.clips, split).test, plan, rng)
    width = len(str(plan.n))
    out.mkdir(parents=True, exist_ok=True)
    pictures = None if tiles.data.is_sound else _crop_margin(tiles)
    table = []
    for number, draft in enumerate(drafts, 1):
        name = f"{number:0{width}d}"
        if pictures is None:
            _write_row(out / f"{name}.wav", [Path(tiles.corpus_folder) / tiles.clips[row].path for row in draft.rows], rng)
        else:
            strip = _paste([pictures[row] for row in draft.rows], rng)
            write_whole(out / f"{name}.png", cv2.imencode(".png", strip)[1].tobytes())
        table.append([name, draft.string, *([draft.speaker] if draft.speaker else [])])
        advance()
    header = (*SOLUTION_HEADER, "Group") if any(draft.speaker for draft in drafts) else SOLUTION_HEADER
    write_csv(solution, header, table)


def _check(tiles: TileSet) -> None:
    if long := [label for label in tiles.data.labels if len(label) != 1]:
        raise TilesError(f"strings need labels of one character each, and these tiles have {long[0]!r}; take tiles of digits")
    if tiles.data.channels != 1:
        raise TilesError("strings are drawn from tiles in grey, and these are in colour; take tiles of digits")


def _draw_drafts(clips: Sequence[TileClip], indices: Sequence[int], plan: StringPlan, rng: np.random.Generator) -> list[_Draft]:
    """Draw each string by one speaker, of labels that the speaker has test clips of, all equally often."""
    by_speaker: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index in indices:
        by_speaker[clips[index].speaker][clips[index].label].append(index)
    speakers, drafts = sorted(by_speaker), []
    for _ in range(plan.n):
        speaker = speakers[rng.integers(len(speakers))]
        by_label = by_speaker[speaker]
        labels = sorted(by_label)
        string = "".join(labels[k] for k in rng.integers(len(labels), size=rng.integers(plan.shortest, plan.longest + 1)))
        rows = tuple(by_label[label][rng.integers(len(by_label[label]))] for label in string)
        drafts.append(_Draft(string=string, speaker=speaker, rows=rows))
    return drafts


def _crop_margin(tiles: TileSet) -> npt.NDArray[np.uint8]:
    pictures, start = tiles.pictures("raw"), (tiles.settings.size - tiles.data.side) // 2
    return pictures[:, start : start + tiles.data.side, start : start + tiles.data.side] if tiles.data.side else pictures


def _paste(pictures: Sequence[Strip], rng: np.random.Generator) -> Strip:
    """Return one strip of pictures side by side, each without its empty columns."""
    side = pictures[0].shape[0]
    parts: list[Strip] = [np.zeros((side + 2 * _MARGIN_CELLS, _MARGIN_CELLS), np.uint8)]
    for picture in pictures:
        inked = np.flatnonzero(picture.any(0))
        part = picture[:, inked[0] : inked[-1] + 1] if len(inked) else picture
        top = _MARGIN_CELLS + int(rng.integers(-_SLIP_CELLS, _SLIP_CELLS + 1))
        gap = int(rng.integers(*_GAP_CELLS))
        parts.append(np.pad(part, ((top, 2 * _MARGIN_CELLS - top), (0, gap))))
    return np.concatenate([*parts, parts[0]], axis=1)


def _write_row(path: Path, sources: Sequence[Path], rng: np.random.Generator) -> None:
    """Write one recording of several, trimmed, with pauses between."""
    from cnn.collect.segmentation import encode_wav, trim

    words, rates = [], set[int]()
    for source in sources:
        recording = decode_any(source)
        wave = to_mono(recording.samples)
        piece = trim(wave, recording.rate_hz)
        words.append(wave[piece.start : piece.end])
        rates.add(recording.rate_hz)
    if len(rates) > 1:
        raise CorpusError(f"{sources[0]} and others of one string have rates of {sorted(rates)} Hz; bring them to one rate")
    rate_hz = rates.pop()
    pauses = [_MARGIN_S, *rng.uniform(*_PAUSE_S, size=len(words) - 1), _MARGIN_S]
    parts: list[Samples] = [_silence(pauses[0], rate_hz)]
    for word, pause in zip(words, pauses[1:], strict=True):
        parts += [word, _silence(pause, rate_hz)]
    write_whole(path, encode_wav(np.concatenate(parts), rate_hz))


def _silence(length_s: float, rate_hz: int) -> Samples:
    return np.zeros(round(length_s * rate_hz), np.float32)
