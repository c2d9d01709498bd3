"""Solution file of a test split, for `arena contest init`."""

from __future__ import annotations

from pathlib import Path

from cnn.files import write_csv
from cnn.settings.split import SplitSettings
from cnn.splits import make_split
from cnn.tiles.tile_set import TileSet


def write_solution(path: Path, tiles: TileSet, split: SplitSettings) -> int:
    """Write `id,label,Group` for the test clips, with their speaker as Group where all are known; return the number of clips.

    Raises:
        SplitError: the clips cannot give the split.
        RunError: the file cannot be written.
    """
    clips = [tiles.clips[index] for index in make_split(tiles.clips, split).test]
    n_columns = 3 if all(clip.speaker for clip in clips) else 2
    rows = ([clip.id, clip.label, clip.speaker][:n_columns] for clip in clips)
    write_csv(path, ["id", "label", "Group"][:n_columns], rows)
    return len(clips)
