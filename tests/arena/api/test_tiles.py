"""Tiles from Python: tables and datasets say what the tiles and the split say."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import arena
from arena.api.datasets import TileDataset
from cnn.config import default_config
from cnn.settings.split import SplitSettings
from cnn.splits import make_split
from cnn.tiles.batches import Clips
from cnn.tiles.inputs import Inputs
from cnn.tiles.tile_set import TileSet


@pytest.fixture
def opened(tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> arena.TileSet:
    monkeypatch.chdir(tmp_path)
    return arena.load(tiles.folder, kind="loso", fold=2)


def read_epoch(dataset: TileDataset) -> tuple[torch.Tensor, torch.Tensor]:
    (batch,) = DataLoader(dataset, batch_size=len(dataset))
    return batch[0], batch[1]


def test_tables_have_every_clip_and_speaker_with_its_split(opened: arena.TileSet, tiles: TileSet) -> None:
    split = make_split(tiles.clips, SplitSettings(kind="loso", fold=2))
    assert list(opened.clips) == ["id", "label", "speaker", "split", "length_s", "path"]
    assert list(opened.clips["id"]) == [clip.id for clip in tiles.clips]
    for name in ("train", "val", "test"):
        assert tuple(opened.clips.index[opened.clips["split"] == name]) == getattr(split, name)
    assert opened.speakers["n_clips"].to_dict() == dict.fromkeys(("ann", "bob", "cleo", "dan", "eve"), 40)
    assert opened.speakers["split"]["cleo"] == "test"


@pytest.mark.parametrize("variant", ["raw", "bilateral"])
def test_a_dataset_gives_what_a_net_gets_in_training(opened: arena.TileSet, tiles: TileSet, variant: str) -> None:
    clips = Clips(tiles.pictures(variant), tiles.labels(), opened.split.val, torch.device("cpu"))
    pictures, labels = read_epoch(opened.dataset("val", variant))
    order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(5))
    ((expected, classes),) = clips.iterate_batches(len(clips), [5], Inputs([default_config(tiles.info, "lenet5", variant)]))
    assert torch.equal(pictures[order], expected)
    assert torch.equal(labels[order], classes)


def test_augmentation_is_drawn_anew_and_repeated_by_torchs_seed(opened: arena.TileSet) -> None:
    dataset = opened.dataset("train", "raw+aug")
    torch.manual_seed(1)
    first, second = read_epoch(dataset)[0], read_epoch(dataset)[0]
    torch.manual_seed(1)
    copy = pickle.loads(pickle.dumps(dataset))  # as a worker of a DataLoader gets it
    assert torch.equal(read_epoch(copy)[0], first)
    assert not torch.equal(first, second)
    assert first.shape == (120, 1, 32, 32)


def test_what_there_is_not_is_named_in_one_line(opened: arena.TileSet) -> None:
    with pytest.raises(arena.Error, match=r"^split is one of train, val, test, not 'valid'"):
        opened.dataset("valid")
    with pytest.raises(arena.Error, match=r"^variant is one of raw, .*, not 'row'; did you mean 'raw'\?$"):
        opened.dataset("train", "row")
    with pytest.raises(arena.Error, match=r"^prepare takes the folder of the recordings, and arena.toml names none"):
        arena.prepare()
    with pytest.raises(arena.Error, match=r"^unknown setting 'epochs'"):
        arena.load(epochs=3)
