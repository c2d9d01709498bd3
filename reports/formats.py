"""Numbers and names as people read them: the only place where the report rounds."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from arena_terminal import duration

NONE = "\u2013"
MINUS = "\u2212"
THIN_SPACE = "\u202f"
MODEL_NAMES = {"lenet5": "Model A", "resnet": "Model B"}
MODEL_SOURCES = {
    "lenet5": "after LeNet-5",
    "resnet": "a small ResNet",
    "densenet": "a small DenseNet",
    "mobilenet": "a small MobileNetV2",
    "efficientnet": "a small EfficientNet",
    "inception": "a small Inception net",
    "bcresnet": "after BC-ResNet",
    "mlp": "the baseline",
}
STATE_WORDS = {"good": "good fit", "overfit": "overfits", "underfit": "underfits", "unsettled": "unsettled"}


def model_name(model: str) -> str:
    """`Model A` for lenet5, `Model B` for resnet; of a team's own `net.py:MyNet` the class; any other name as it is."""
    return MODEL_NAMES.get(model, model.rpartition(":")[2] or "unknown model")


def model_source(model: str) -> str:
    """Where the net comes from, in two words; empty for one we do not know."""
    return MODEL_SOURCES.get(model, "")


def variant_name(variant: str) -> str:
    """`bilateral + aug` for bilateral+aug, so that a line may break at the plus."""
    return variant.replace("+", " + ")


def cell_name(model: str, variant: str) -> str:
    """`Model B on bilateral + aug`."""
    return f"{model_name(model)} on {variant_name(variant)}"


def verdict_word(state: str) -> str:
    return STATE_WORDS.get(state, state)


def score(value: float | None) -> str:
    """Three decimals: `0.953`."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Three decimals with a sign: `+0.012`; no sign where all three are zero."""
    if value is None or not math.isfinite(value):
        return NONE
    return "0.000" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", MINUS)


def span(low: float, high: float) -> str:
    """`0.931 to 0.968`."""
    return f"{score(low)} to {score(high)}"


def signed_span(low: float, high: float) -> str:
    """`-0.004 to +0.019`, with true minus signs."""
    return f"{signed(low)} to {signed(high)}"


def percent(value: float | None) -> str:
    """One decimal: `95.3 %`."""
    return NONE if value is None or not math.isfinite(value) else f"{100 * value:.1f}{THIN_SPACE}%"


def whole_percent(value: float) -> str:
    """`38 %`."""
    return f"{100 * value:.0f}{THIN_SPACE}%"


def count(value: int | None) -> str:
    """`61,706`."""
    return NONE if value is None else f"{value:,}"


def magnitude(value: int | None) -> str:
    """Three digits and a unit: `61.7 k`, `4.18 M`."""
    if value is None:
        return NONE
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{THIN_SPACE}{unit}"
    return str(value)


def seconds(value: float | None) -> str:
    """`8.2 s`, `4 min 05 s`, `2 h 10 min`."""
    return NONE if value is None else duration(value)


def setting(value: object) -> str:
    """A configuration value: floats with four digits, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(setting(item) for item in value) or NONE
    return NONE if value is None or value == "" else str(value)


def leaf(key: str) -> str:
    """The last word of a dotted key, spaced: `train.learning_rate` is `learning rate`."""
    return key.rpartition(".")[2].replace("_", " ")


def metric_name(name: str) -> str:
    """`validation macro-F1` for val_macro_f1."""
    words = {"val": "validation", "train": "training", "f1": "F1"}
    return " ".join(words.get(word, word) for word in name.split("_")).replace("macro F1", "macro-F1")


def moment(value: datetime | str | None) -> str:
    """UTC to the minute: `2026-11-21 08:03 UTC`; a text that is no time stays as it is."""
    if not value:
        return NONE
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value.tzinfo else f"{value:%Y-%m-%d %H:%M}"
    try:
        return moment(datetime.fromisoformat(value))
    except ValueError:
        return value


def plural(n: int, noun: str, nouns: str = "") -> str:
    """`1 clip`, `600 clips`."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
