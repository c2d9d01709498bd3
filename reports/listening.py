"""What the page says of single clips: groups of speakers, mistakes and doubted labels, with pictures and sound."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from cnn.runs import RunFolder
from reports.facts import ReportFacts
from reports.groups import groupings_of
from reports.mistakes import answers_of, doubts_of, mistakes_of
from reports.readings import Reading
from reports.selection import Place
from reports.tiles import find_tiles


def with_clips(facts: ReportFacts, readings: Mapping[Place, Reading], where: Path) -> ReportFacts:
    """`facts` with what single clips say; pictures, sound and what is known of speakers where `where` has the tiles."""
    shown = next((one for one in readings.values() if facts.shown and one.facts.digest == facts.shown.digest), None)
    if shown is None:
        return facts
    answers = {one.facts.digest: answers_of(one.clips) for one in readings.values()}
    labels = shown.facts.labels
    same_labels = [answers[one.facts.digest] for one in readings.values() if one.facts.labels == labels]
    mistakes = mistakes_of(answers[shown.facts.digest], same_labels, labels)
    doubts = doubts_of(same_labels, labels)
    tiles = find_tiles(where, RunFolder(Path(shown.facts.folder)).config())
    told = dataclasses.replace(
        facts,
        groupings=groupings_of(shown.test, tiles.speakers if tiles else {}) if shown.test else (),
        mistakes=mistakes,
        doubts=doubts,
    )
    if tiles is None:
        return told
    from reports.media import media_of

    clips = [*(one.id for one in mistakes), *(one.id for one in doubts)]
    return dataclasses.replace(told, has_tiles=True, media=media_of(tiles, clips))
