"""Settings of the split into training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass

from cnn.errors import ConfigError
from cnn.settings.fields import check_fields, check_range, choice, custom, number

SPLIT_KINDS = ("speaker", "becker", "loso", "folds", "random", "official")
PICTURE_KINDS = ("official", "random", "folds")  # which need no speakers
FOLDED_KINDS = ("becker", "loso", "folds")  # whose parts `split.fold` chooses
VALIDATIONS = ("speakers", "takes")
SPEAKER_KEYS = ("validation", "test_corpus", "test_speakers", "val_speakers")


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitSettings:
    """The split into training, validation and test; by speaker, or of pictures as published, unless another kind is set."""

    kind: str = choice("speaker", SPLIT_KINDS, "speakers, AudioMNIST's folds, leave one out, groups, clips, published")
    fold: int = number(0, 0, 10_000, "becker: 0 to 4; loso: which speaker, in sorted order; n_folds: which group, from 0")
    n_folds: int = custom(0, "3 to 10,000 with folds", "folds: groups of speakers, or of pictures; else 0")
    seed: int = number(0, 0, 2**31 - 1, "which speakers, where neither fold nor names say so; which takes")
    validation: str = choice("speakers", VALIDATIONS, "who are not trained on, or a tenth of the training speakers' clips")
    test_speakers: tuple[str, ...] = custom((), "names with commas", "who are tested; needs kind=speaker")
    val_speakers: tuple[str, ...] = custom((), "names with commas", "who validate; needs kind=speaker")
    test_corpus: str = custom("", "a corpus's name", "of several: the one tested and validated; others only train", later=True)

    def __post_init__(self) -> None:
        check_fields(self, "split")
        if self.kind == "becker":
            check_range("split.fold", self.fold, 0, 4)
        if (self.test_speakers or self.val_speakers) and self.kind != "speaker":
            raise ConfigError(f"named speakers need split.kind=speaker, not {self.kind!r}; drop the names or the kind")
        self._check_folds()
        self._check_takes()

    @property
    def prefix(self) -> str:
        """The beginning of the names of the tested corpus's speakers and clips; draws leave it out.

        So a corpus has the same parts among others as alone.
        """
        return f"{self.test_corpus}/" if self.test_corpus else ""

    def _check_folds(self) -> None:
        if self.kind != "folds" and not self.n_folds:
            return
        if self.kind not in PICTURE_KINDS:  # random and official: the groups validate
            raise ConfigError(f"split.n_folds needs split.kind=folds, not {self.kind!r}; drop the one or change the other")
        check_range("split.n_folds", self.n_folds, 3 if (self.kind, self.validation) == ("folds", "speakers") else 2, 10_000)
        check_range("split.fold", self.fold, 0, self.n_folds - 1)

    def _check_takes(self) -> None:
        if self.validation == "takes" and self.kind in ("becker", "random", "official"):
            raise ConfigError(
                f"split.validation=takes needs split.kind=speaker, loso or folds: {self.kind!r} says who validates; drop it"
            )
        if self.validation == "takes" and self.val_speakers:
            raise ConfigError("split.val_speakers are held out, and split.validation=takes holds none out; drop one of them")
