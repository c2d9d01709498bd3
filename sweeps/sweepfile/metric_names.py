"""Names that other tools give to the metrics of a training."""

from __future__ import annotations

import re

_F1 = ("f1", "macrof1", "f1macro", "f1score", "macrof1score")
_MEASURES = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy", **dict.fromkeys(_F1, "macro_f1")}
_METRIC = re.compile(rf"(?:best)?(train|validation|valid|val|eval|dev|)(?:epoch)?({'|'.join(_MEASURES)})(?:epoch)?")


def read_metric(name: str) -> str | None:
    """Return the metric that other tools call `name`; one of no set of clips is that of validation."""
    match = _METRIC.fullmatch(re.sub(r"\W|_", "", name.lower()))
    return f"{'train' if match[1] == 'train' else 'val'}_{_MEASURES[match[2]]}" if match else None
