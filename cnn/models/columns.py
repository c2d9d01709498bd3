"""Model B, a multi-column net (Cireşan et al. 2012): several nets look at a picture, each learns by itself, and all vote.

Against the paper: the columns are of two kinds, LeNet-5 and a small ResNet in turn, where the paper's are of one kind and see
pictures prepared in several ways. Nets of two kinds err on different clips, and a vote lives on that.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from cnn.models.blocks import average_answers
from cnn.models.registry import build_net
from cnn.nets import NETS, WIDTHS
from cnn.settings.model import ModelSettings

_KINDS = (("lenet5", 1.0), ("resnet", 0.5))  # of columns, in turn: name, share of `model.width`


class Columns(nn.Module):
    """(B, C, size, size) to (B, K), the log of the mean probabilities of `depth` columns; in training (B, n, K), their logits.

    Each of the n columns has a loss of its own: under one for all they lean on each other, and gain nothing by the vote
    (docs/explanation/experiments.md).
    """

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        self.columns = nn.ModuleList()
        for number in range(settings.depth):
            name, share = _KINDS[number % len(_KINDS)]
            width = max(settings.width * share, WIDTHS[0])
            own = replace(settings, name=name, source="", depth=NETS[name].depth, width=width)
            self.columns.append(build_net(own, size, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answers = [column(x) for column in self.columns]
        return torch.stack(answers, 1) if self.training else average_answers(torch.stack(answers))
