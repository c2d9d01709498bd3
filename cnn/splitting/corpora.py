"""Tiles of several corpora: one is tested, the others only train, so that every score is of one kind of recording."""

from __future__ import annotations

from collections.abc import Sequence

from arena.base.suggest import did_you_mean
from cnn.errors import SplitError
from cnn.settings.split import SplitSettings
from cnn.splitting.parts import SplitClip


def select_tested(clips: Sequence[SplitClip], settings: SplitSettings) -> list[SplitClip]:
    """Return the clips whose speakers may test and validate: all of a single corpus, those of `split.test_corpus` of several.

    Speakers who are all named, of test and of validation, may be of any corpus.

    Raises:
        SplitError: several corpora and none of them chosen, or one that is not there.
    """
    names, chosen = sorted({clip.corpus for clip in clips} - {""}), settings.test_corpus
    if (not names and not chosen) or chosen in names:
        return [clip for clip in clips if clip.corpus == chosen]
    if not names:
        raise SplitError(f"split.test_corpus={chosen} chooses among several corpora, and these tiles are of one; leave it out")
    choices = " or ".join(f"split.test_corpus={name}" for name in names)
    if chosen:
        hint = did_you_mean(chosen, names, f"choose {choices}", cutoff=0.5)
        raise SplitError(f"split.test_corpus names {chosen!r}, which is none of these tiles' corpora{hint}")
    if settings.test_speakers and settings.val_speakers:
        return list(clips)
    raise SplitError(
        f"these tiles are of {len(names)} corpora ({', '.join(names)}), and one of them is tested while the others only train; "
        f"choose {choices}"
    )
