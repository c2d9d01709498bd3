"""The trainer of the net from scratch: tiles, epochs and files are those of any net, and what is learnt is learnt in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cnn.config import RunConfig
from cnn.errors import ConfigError
from cnn.models.mlp import MLP
from cnn.scratch.net import Model
from cnn.tiles.batches import derive_seed
from cnn.train.loss import Loss
from cnn.train.trainer import Trainer


class ScratchTrainer(Trainer):
    """A trainer whose net is a twin in torch that reads the very memory of NumPy's weights.

    So checkpoints, model.pt and a start are the twin's, and predict, export and inspect need to know nothing of NumPy.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Raises ConfigError: a GPU, of which NumPy knows nothing."""
        if device.type != "cpu":
            raise ConfigError(f"--model {config.model.name} is NumPy, which knows no {device.type}; train it with --device cpu")
        super().__init__(config, device)
        self._linears = [layer for layer in self.net.modules() if isinstance(layer, nn.Linear)]
        sizes = [self._linears[0].in_features, *(layer.out_features for layer in self._linears)]
        rng = np.random.default_rng(derive_seed("weights", config.train.seed))
        self.model = Model(sizes, rng, config.model.activation)
        for layer, linear in zip(self.model.layers, self._linears, strict=True):
            linear.weight.data, linear.bias.data = torch.from_numpy(layer.W).T, torch.from_numpy(layer.b)

    def backward(self, batch: torch.Tensor, truth: torch.Tensor, criterion: Loss) -> tuple[torch.Tensor, torch.Tensor]:
        logits, y = self.forward(batch), truth.numpy()
        loss = self.model.loss(y)
        self.model.backward(y)
        for layer, linear in zip(self.model.layers, self._linears, strict=True):
            linear.weight.grad, linear.bias.grad = torch.from_numpy(layer.dW).T, torch.from_numpy(layer.db)
        return torch.tensor(loss), logits.log_softmax(1)

    def step(self, rate: float) -> None:
        self.model.update(rate)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        assert isinstance(self.net, MLP)
        self.model.forward(self.net.picture(batch).numpy())  # (B, C, F, T) to (B, I)
        return torch.from_numpy(self.model.layers[-1].y)  # scores (B, K), before the softmax
