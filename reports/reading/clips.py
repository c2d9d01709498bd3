"""What the page says of single clips: groups of speakers, mistakes and doubted labels, with pictures and sound."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from arena.base.media import palette_png, png_uri
from cnn.runs.folder import RunFolder
from reports.analysis.groups import group_clips
from reports.analysis.mistakes import collect_votes, find_doubts, rank_mistakes
from reports.facts.clips import Media
from reports.facts.report import CellKey, ReportFacts
from reports.figures.media import wav_uri
from reports.reading.run import Reading
from reports.reading.tiles import TileFolder, find_tiles


def media_of(tiles: TileFolder, clips: Iterable[str]) -> dict[str, Media]:
    """What `tiles` and its corpus still hold of each clip."""
    return {clip: _media(tiles, clip) for clip in dict.fromkeys(clips)}


def _media(tiles: TileFolder, clip: str) -> Media:
    raw, filtered = tiles.picture("raw", clip), tiles.picture("bilateral", clip)
    recording = tiles.recording(clip)
    return Media(
        raw=png_uri(palette_png(raw)) if raw is not None else "",
        filtered=png_uri(palette_png(filtered)) if filtered is not None else "",
        sound=wav_uri(recording) if recording else "",
    )


def with_clips(facts: ReportFacts, readings: Mapping[CellKey, Reading], where: Path) -> ReportFacts:
    """`facts` with what single clips say; pictures, sound and what is known of speakers where `where` has the tiles."""
    shown = next((one for one in readings.values() if facts.main_run and one.facts.digest == facts.main_run.digest), None)
    if shown is None:
        return facts
    answers = {one.facts.digest: collect_votes(one.clips) for one in readings.values()}
    labels = shown.facts.labels
    same_labels = [answers[one.facts.digest] for one in readings.values() if one.facts.labels == labels]
    mistakes = rank_mistakes(answers[shown.facts.digest], same_labels, labels)
    doubts = find_doubts(same_labels, labels)
    tiles = find_tiles(where, RunFolder(Path(shown.facts.folder)).config())
    told = dataclasses.replace(
        facts,
        groupings=group_clips(shown.test, tiles.speakers if tiles else {}) if shown.test else (),
        mistakes=mistakes,
        doubts=doubts,
    )
    if tiles is None:
        return told
    from reports.reading.clips import media_of

    clips = [*(one.id for one in mistakes), *(one.id for one in doubts)]
    return dataclasses.replace(told, has_tiles=True, media=media_of(tiles, clips))
