"""Loss of a training: smoothed, with weights of the classes, and clips drawn equally often from each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from cnn.config import RunConfig, TilesInfo, default_config
from cnn.overrides import override
from cnn.settings.tiles import TileSettings
from cnn.settings.train import BALANCES
from cnn.tiles.batches import Clips, draw_order
from cnn.train.fused.stack import FusedStack
from cnn.train.loss import Loss, compute_class_weights, compute_hinge
from cnn.train.trainer import Trainer

CPU = torch.device("cpu")
LABELS = torch.tensor([0] * 20 + [1] * 20 + [4] * 2)


def config(balance: str, seed: int = 0) -> RunConfig:
    settings = (f"train.balance={balance}", f"train.seed={seed}", "train.batch_size=16", "train.epochs=2", "model.dropout=0.3")
    return override(default_config(TilesInfo(corpus="x", settings=TileSettings(size=32)), "lenet5", "raw+aug"), settings)


def skewed_clips() -> Clips:
    pictures = np.random.default_rng(0).integers(0, 256, (len(LABELS), 32, 32), dtype=np.uint8)
    return Clips(pictures, LABELS.numpy(), range(len(LABELS)), CPU)


def weights(fit: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in fit.net.parameters()])


def descend(
    log_probs: torch.Tensor,
    labels: torch.Tensor,
    smoothing: float | torch.Tensor,
    by_class: torch.Tensor,
    kind: str = "cross_entropy",
) -> torch.Tensor:
    loss = Loss(kind, smoothing, by_class)
    return loss.descend(loss.measure(log_probs, labels), log_probs, labels)


def test_weights_are_those_of_scikit_learn_and_0_of_a_class_that_is_absent() -> None:
    expected = compute_class_weight("balanced", classes=np.unique(LABELS), y=LABELS.numpy())
    result = compute_class_weights(LABELS, 6)
    torch.testing.assert_close(result[[0, 1, 4]], torch.tensor(expected, dtype=torch.float32))
    assert result[[2, 3, 5]].tolist() == [0, 0, 0]


def test_a_weighed_loss_is_torchs_and_equal_weights_change_nothing() -> None:
    log_probs = torch.randn(42, 6, generator=torch.Generator().manual_seed(1)).log_softmax(1)
    by_class = compute_class_weights(LABELS, 6)
    weighed = descend(log_probs, LABELS, 0.0, by_class)
    torch.testing.assert_close(weighed, F.nll_loss(log_probs, LABELS, weight=by_class))
    assert weighed != pytest.approx(float(F.nll_loss(log_probs, LABELS)), abs=1e-3)
    same = descend(log_probs, LABELS, 0.1, torch.full((6,), 3.0))
    torch.testing.assert_close(same, F.cross_entropy(log_probs, LABELS, label_smoothing=0.1))
    both = torch.stack([log_probs, log_probs.flip(1)], 1)
    stacked = descend(both, LABELS.unsqueeze(1).expand(-1, 2), torch.tensor([0.0, 0.2]), by_class)
    torch.testing.assert_close(stacked[0], weighed)
    torch.testing.assert_close(stacked[1], descend(log_probs.flip(1), LABELS, 0.2, by_class))


def test_hinge_is_scikit_learns_of_crammer_and_singer_and_log_probabilities_change_no_margin() -> None:
    scores = torch.randn(42, 6, generator=torch.Generator().manual_seed(2)) * 3
    expected = hinge_loss(LABELS.numpy(), scores.numpy(), labels=range(6))
    plain = Loss("hinge", 0.3).measure(scores.log_softmax(1), LABELS)
    assert float(plain) == pytest.approx(expected, rel=1e-5)
    assert Loss("hinge", 0.3).descend(plain, scores.log_softmax(1), LABELS) is plain, "no label is smoothed"
    stacked = Loss("hinge").measure(torch.stack([scores, scores.flip(1)], 1), LABELS.unsqueeze(1).expand(-1, 2))
    torch.testing.assert_close(stacked[0], plain)


def test_hinge_moves_the_right_class_and_the_best_wrong_one_until_their_margin_is_1() -> None:
    scores = torch.tensor([[2.0, 1.5, 0.0], [2.0, 0.5, 0.0]], requires_grad=True)
    compute_hinge(scores, torch.tensor([0, 0]), scores[:, 0]).sum().backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[-1, 1, 0], [0, 0, 0]]


def test_weights_of_classes_weigh_a_hinge_too() -> None:
    log_probs = torch.randn(42, 6, generator=torch.Generator().manual_seed(3)).log_softmax(1)
    by_class = compute_class_weights(LABELS, 6)
    right = log_probs.gather(1, LABELS.unsqueeze(1)).squeeze(1)
    expected = np.average(compute_hinge(log_probs, LABELS, right), weights=by_class[LABELS])
    assert float(descend(log_probs, LABELS, 0.0, by_class, "hinge")) == pytest.approx(expected, rel=1e-5)


def test_draws_go_through_all_clips_of_a_class_before_one_comes_again() -> None:
    orders = [draw_order(LABELS, seed, is_balanced=True) for seed in (1, 1, 2)]
    assert orders[0].tolist() == orders[1].tolist() != orders[2].tolist()
    assert torch.bincount(LABELS[orders[0]]).tolist() == [14, 14, 0, 0, 14]
    times = torch.bincount(orders[0], minlength=42)
    assert (times[:40].max(), times[40:].tolist()) == (1, [7, 7])


@pytest.mark.parametrize("balance", BALANCES)
def test_balance_is_the_same_in_a_group_and_after_a_pause(balance: str, tmp_path: Path) -> None:
    clips, fit = skewed_clips(), Trainer(config(balance), CPU)
    alone = [fit.train_epoch(clips), Trainer(config(balance, seed=3), CPU).train_epoch(clips)]
    stacked = FusedStack([Trainer(config(balance), CPU), Trainer(config(balance, seed=3), CPU)]).train_epoch(clips)
    for member, single in zip(stacked, alone, strict=True):
        assert member.losses == pytest.approx(single.losses, abs=1e-3)
        assert member.confusion.sum(1).tolist() == single.confusion.sum(1).tolist()
    fit.save(tmp_path / "checkpoint.pt")
    resumed = Trainer(config(balance), CPU)
    resumed.resume(tmp_path / "checkpoint.pt")
    for trainer in (fit, resumed):
        trainer.train_epoch(clips)
    assert torch.equal(weights(fit), weights(resumed))


def test_what_is_reported_as_loss_has_no_weights() -> None:
    plain, weighed = (Trainer(config(balance), CPU).train_epoch(skewed_clips()) for balance in ("none", "weights"))
    assert plain.losses[0] == weighed.losses[0], "the first step sees the same net and the same clips"
    assert plain.losses[2] != weighed.losses[2]
