"""Facts on single clips: groups of speakers, mistakes and doubtful labels, with pictures and sound."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnn.runs.folder import RunFolder
from reports.analysis.groups import group_clips
from reports.analysis.mistakes import collect_votes, find_doubtful_labels, rank_mistakes
from reports.facts.clips import Media
from reports.facts.models import CellKey
from reports.facts.report import ReportFacts
from reports.figures.media import tile_uri, wav_uri
from reports.reading.doubts import note_doubts
from reports.reading.run import Reading
from reports.reading.tiles import TileFolder, find_tile_folder
from reports.wording.page_texts import texts


def read_media(tiles: TileFolder, clips: Iterable[str]) -> dict[str, Media]:
    """Return the pictures and the sound of each clip, as far as `tiles` and its corpus still hold them."""
    return {clip: _media(tiles, clip) for clip in dict.fromkeys(clips)}


def _media(tiles: TileFolder, clip: str) -> Media:
    raw, filtered = tiles.picture("raw", clip), tiles.picture("bilateral", clip)
    recording = tiles.recording(clip)
    return Media(
        raw=tile_uri(raw, tiles.kind) if raw is not None else "",
        filtered=tile_uri(filtered, tiles.kind) if filtered is not None else "",
        sound=wav_uri(recording) if recording else "",
    )


def add_clips(facts: ReportFacts, readings: Mapping[CellKey, Reading], tiles_dir: Path) -> ReportFacts:
    """Return `facts` with those on the clips of its main run.

    Pictures, sound and the ages, genders and accents of speakers need the run's tiles in `tiles_dir`.
    """
    main = next(
        (reading for reading in readings.values() if facts.main_run and reading.facts.digest == facts.main_run.digest), None
    )
    if main is None:
        return facts
    answers = {reading.facts.digest: collect_votes(reading.clips) for reading in readings.values()}
    labels = main.facts.labels
    same_labels = [answers[reading.facts.digest] for reading in readings.values() if reading.facts.labels == labels]
    mistakes = rank_mistakes(answers[main.facts.digest], same_labels, labels)
    doubts = find_doubtful_labels(same_labels, labels)
    tiles = find_tile_folder(tiles_dir, RunFolder(Path(main.facts.folder)).config())
    facts = dataclasses.replace(
        facts,
        groupings=group_clips(main.test, tiles.speakers if tiles else {}, main.facts.corpora) if main.test else (),
        mistakes=mistakes,
        doubts=doubts,
    )
    if tiles is None:
        return facts
    media = read_media(tiles, [*(mistake.id for mistake in mistakes), *(doubt.id for doubt in doubts)])
    notes = (*note_doubts(tiles.doubts, main.facts, texts(facts.lang, facts.kind)), *facts.notes)
    return dataclasses.replace(facts, has_tiles=True, media=media, sources=tiles.sources, notes=notes)
