"""Smoke test: one batch forward and backward, which shows in a moment what would stop a training. Writes nothing."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from cnn.check.net import check_net
from cnn.config import RunConfig
from cnn.errors import ConfigError
from cnn.models.registry import build_net, to_device
from cnn.models.seeding import seed_generators
from cnn.splits import make_split
from cnn.tiles.batches import Clips, derive_seed
from cnn.tiles.inputs import Inputs
from cnn.tiles.tile_set import TileSet
from cnn.train.device import limit_threads, resolve_device
from cnn.train.optimizer import check_batch_size


def try_batch(config: RunConfig, tiles: TileSet, device: str) -> None:
    """Train on one batch of `config` and forget it.

    Raises:
        CnnError: the tiles, the split, the net or the device cannot be used.
        MemoryError, RuntimeError: whatever torch says, out of memory first of all.
    """
    if (config.corpus, config.tiles) != (tiles.corpus, tiles.settings):
        raise ConfigError(f"the configuration was made for other tiles than those in {tiles.folder}; choose them with --tiles")
    if config.model.is_plugin:
        check_net(config.model, config.tiles.size, config.data.n_classes)
    target = resolve_device(device)
    split = make_split(tiles.clips, config.split)
    clips = Clips(tiles.pictures(config.filter), tiles.labels(), split.train[: config.train.batch_size or None], target)
    with limit_threads(target), seed_generators(derive_seed("weights", config.train.seed), target):
        net = to_device(build_net(config.model, config.tiles.size, config.data.n_classes), target)
        check_batch_size(net, config.train)
        net.train()
        order = derive_seed("order", config.train.seed, 0)
        for batch, truth in clips.iterate_batches(config.train.batch_size, [order], Inputs([config])):
            F.cross_entropy(net(batch), truth).backward()  # type: ignore[no-untyped-call]
            break
        if target.type == "cuda":
            torch.cuda.synchronize(target)
            torch.cuda.empty_cache()
