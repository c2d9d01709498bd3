"""Tiles from Python: made of recordings, opened, as pandas tables and as torch datasets."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from arena.api.arguments import Location, Setting, choose_folder, format_settings
from arena.base.terminal import say
from cnn.config import EVERY_VARIANT, RunConfig
from cnn.errors import ConfigError, SplitError
from cnn.project import configure_sections, open_project
from cnn.settings.fields import check_choice
from cnn.settings.train import NORMALISATIONS
from cnn.splits import make_split
from cnn.splitting.parts import Split
from cnn.tiles import tile_set

if TYPE_CHECKING:
    import pandas as pd

    from arena.api.datasets import TileDataset

_SECTIONS = ("split", "augment")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class TileSet:
    """The tiles of a corpus: recordings as pictures, raw and bilateral-filtered, in training, validation and test."""

    stored: tile_set.TileSet = field(repr=False)
    config: RunConfig = field(repr=False)  # its split and its augmentation count

    @property
    def folder(self) -> Path:
        return self.stored.folder

    @property
    def size(self) -> int:
        """Mel bins, and frames, of a picture."""
        return self.stored.settings.size

    @functools.cached_property
    def split(self) -> Split:
        """The indices of the clips for training, validation and test."""
        return make_split(self.stored.clips, self.config.split)

    @functools.cached_property
    def clips(self) -> pd.DataFrame:
        """A row for each clip, in the order of `pictures`: id, label, speaker, split, length_s, path."""
        import pandas as pd

        columns = ("id", "label", "speaker", "length_s", "path")
        table = pd.DataFrame({name: [getattr(clip, name) for clip in self.stored.clips] for name in columns})
        table.insert(3, "split", "")
        for name in SPLITS:
            table.loc[list(getattr(self.split, name)), "split"] = name
        return table

    @functools.cached_property
    def speakers(self) -> pd.DataFrame:
        """A row for each speaker: splits, number of clips, and what the corpus knows, such as age, gender and accent."""
        import pandas as pd

        groups = self.clips.groupby("speaker")
        table = pd.DataFrame(
            {"split": groups["split"].agg(lambda names: ", ".join(dict.fromkeys(names))), "n_clips": groups.size()}
        )
        return table.join(pd.DataFrame.from_dict(self.stored.speakers, orient="index"))

    def pictures(self, filter_name: str = "raw") -> npt.NDArray[np.uint8]:
        """Return (N, mel bins, frames) bytes, memory-mapped, raw or bilateral; 255 is a clip's loudest cell."""
        return self.stored.pictures(filter_name)

    def labels(self) -> npt.NDArray[np.int64]:
        """Return (N,) class numbers."""
        return self.stored.labels()

    def dataset(self, split: str = "train", variant: str = "raw", normalise: str = "") -> TileDataset:
        """Return the clips of a split as a torch Dataset of (channels, mel bins, frames) float32 and class number, as nets
        take them.

        Those of `raw+aug` and `bilateral+aug` are augmented, drawn anew whenever they are asked for, from torch's random state.

        Args:
            normalise: bands, corpus or none; that of the tiles if none is given.

        Raises:
            ConfigError: no such split, variant or normalisation.
            SplitError: the clips cannot give the split.
        """
        from arena.api.datasets import TileDataset

        check_choice("split", split, SPLITS)
        check_choice("variant", variant, EVERY_VARIANT)
        normalise = normalise or self.stored.data.normalisation
        check_choice("normalise", normalise, NORMALISATIONS)
        train = replace(self.config.train, normalise=normalise)
        return TileDataset(self.stored, replace(self.config, variant=variant, train=train), getattr(self.split, split))

    def __len__(self) -> int:
        return len(self.stored.clips)

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        data, n_speakers = self.stored.data, len({clip.speaker for clip in self.stored.clips})
        sorts = f"{n_speakers} speakers" if data.is_sound else f"{data.n_classes} classes"
        return f"TileSet({str(self.folder)!r}, {len(self):,} {data.kind.items} of {sorts}, {self.size} x {self.size} cells)"

    def _repr_html_(self) -> str:
        data, keys = self.stored.data, ["split", "speaker"] if self.stored.data.is_sound else ["split"]
        cells = f"{len(self):,} {data.kind.items} of {self.size} x {self.size} cells"
        try:
            table = self.clips.pivot_table(index=keys, columns="label", values="id", aggfunc="count", fill_value=0)
        except SplitError as error:  # a choice is missing, which `load` takes
            return f"<p>{cells}</p><p>{escape(str(error))}</p>"
        html: str = table.reindex(columns=list(self.stored.data.labels), fill_value=0).to_html(max_rows=12)
        by = "split, speaker and label" if data.is_sound else "split and label"
        return f"<p>{cells}, by {by}</p>{html}"


def prepare(
    recordings: Location | Sequence[Location] | None = None,
    tiles: Location | None = None,
    *,
    names: Sequence[str] = (),
    jobs: int = 0,
    **settings: Setting,
) -> TileSet:
    """Turn a folder of recordings into tiles, once: what was made before is opened.

    Args:
        recordings: folder of wav and flac files, or several corpora; the project's corpus if none is given.
        tiles: the folder in which the folder of tiles is made.
        names: of several corpora, in their order; their folders' if none are given.
        jobs: processes; 0 chooses.
        settings: of tiles, such as `size=32`.

    Raises:
        Error: no recordings, a setting that cannot be used, or a folder that cannot be written.
    """
    from cnn.cli.data import ScanOptions
    from cnn.cli.data_tiles import prepare_with_bar

    project = open_project()
    given = recordings or project.text("corpus")
    folders = [Path(folder).expanduser() for folder in ([given] if isinstance(given, str | PathLike) else given) if folder]
    if not folders:
        raise ConfigError(
            "prepare takes the folder of the recordings, and arena.toml names none; give it: prepare('recordings')"
        )
    config = configure_sections(project, ["tiles"], format_settings(settings, ["tiles"]))
    scanning = ScanOptions(n_jobs=jobs, names=names)
    _, stored = prepare_with_bar(folders, config.tiles, choose_folder("tiles", tiles), scanning)
    return TileSet(stored, configure_sections(project, _SECTIONS, tiles=stored.info))


def load(tiles: Location | None = None, **settings: Setting) -> TileSet:
    """Open a folder of tiles, or the one prepared last below it.

    Args:
        tiles: the folder; the project's if none is given.
        settings: of split and augmentation, such as `split_kind="loso", fold=2`; the project's count else.

    Raises:
        Error: no tiles, or a setting that cannot be used.
    """
    overrides = format_settings(settings, _SECTIONS)
    stored = tile_set.find_tiles(choose_folder("tiles", tiles), say)
    return TileSet(stored, configure_sections(open_project(), _SECTIONS, overrides, stored.info))
