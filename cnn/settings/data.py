"""Content of tiles: recordings or pictures, their classes and channels. It belongs to the tiles, and no key sets it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

DIGITS = tuple(str(digit) for digit in range(10))  # labels of spoken digits, whose names the readers of recordings know


class DataKind(StrEnum):
    """Kinds of data that become tiles."""

    SOUND = "sound"
    PICTURES = "pictures"

    @property
    def items(self) -> str:
        """The noun for the data in lines of the terminal."""
        return "clips" if self is DataKind.SOUND else "pictures"

    @property
    def label(self) -> str:
        """Their noun for one class."""
        return "digit" if self is DataKind.SOUND else "class"


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSettings:
    """The classes and channels of a set of tiles, as settings.json and config.json hold them.

    The digest of the corpus counts all of it, so a run's digest need not.
    """

    kind: DataKind = DataKind.SOUND
    labels: tuple[str, ...] = DIGITS  # (K,) in the order of a net's outputs
    channels: int = 1  # 3 in colour: red, green, blue
    side: int = 0  # cells of a picture's own side, inside its margin; 0 of sound, whose tile has no margin
    normalisation: str = "bands"  # the default of `train.normalise`
    split: str = "speaker"  # the default of `split.kind`
    name: str = ""  # the corpus's, where somebody gave one
    mean: tuple[float, ...] = ()  # (C,) of the raw tiles that are not for test, in 0..1; empty where nobody has counted
    spread: tuple[float, ...] = ()  # (C,) their standard deviation
    corpora: tuple[str, ...] = ()  # where there are several: their names, sorted, with which those of clips and speakers begin

    @property
    def n_classes(self) -> int:
        return len(self.labels)

    @property
    def is_sound(self) -> bool:
        return self.kind is DataKind.SOUND

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them, without those that nobody has counted or named."""
        values = asdict(self).items()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values if value not in ((), "")}


def find_corpus(name: str, corpora: Collection[str]) -> str:
    """Return the corpus of a clip or a speaker by its name, such as `fsdd/george`; empty where there are not several."""
    corpus = name.partition("/")[0]
    return corpus if corpus in corpora else ""


def read_kind(content: Mapping[str, Any]) -> DataKind:
    """Return the kind of data that a run's config.json or a study's base names; that of older versions is sound."""
    return DataKind((content.get("data") or {}).get("kind", DataKind.SOUND))


def read_data(content: Mapping[str, Any]) -> DataSettings:
    """Read the fields that `to_json` wrote; what is not there, as in files of older versions, is that of spoken digits.

    Raises:
        ValueError, TypeError: a field that this version of Arena cannot read.
    """
    values = {name: content[name] for name in DataSettings.__slots__ if name in content}
    if "kind" in values:
        values["kind"] = DataKind(values["kind"])
    for name in ("labels", "mean", "spread", "corpora"):
        if name in values:
            values[name] = tuple(values[name])
    data = DataSettings(**values)
    if data.channels not in (1, 3) or len(set(data.labels)) != len(data.labels) or not data.labels:
        raise ValueError(f"{data.channels} channels and {len(data.labels)} labels")
    return data


SPOKEN_DIGITS = DataSettings()
