"""Recordings that others have too: of public corpora, known by their sound, and synthetic ones that anybody can make again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnn.corpus.listing import SYNTH_NAME
from cnn.corpus.metadata import ABOUT_NAME
from cnn.corpus.scan import Corpus

KNOWN = {
    "audiomnist": "AudioMNIST",
    "fsdd": "the Free Spoken Digit Dataset",
}  # `python -m benchmarks.public_corpora` makes them
SECRET_SEED_BITS = 64  # a seed below this many bits is guessed
_FOLDER = Path(__file__).parent / "known"
_MIN_MATCHES = 3  # one digest of 32 bits may be equal by chance: 0.02 of 30,000 clips beside 3,000 known ones
_MATCHED = "whoever has them finds every label by the nearest sound (1,000 of 1,000 clips of FSDD in 28 s, 2026-11)"


def describe_publicity(corpus: Corpus) -> list[str]:
    """Return one sentence, with what to do, for each reason why others have the recordings; none where no reason is known."""
    sentences = []
    digests = _shorten(clip.audio_digest for clip in corpus.clips)
    for name, title in KNOWN.items():
        n_known = int(np.isin(digests, _read_known(name)).sum())
        if n_known >= _MIN_MATCHES:
            sentences.append(f"{n_known:,} of {len(digests):,} recordings are of {title}, which is public")
    about = _read_json(corpus.folder / ABOUT_NAME)
    if about.get("title") and not sentences:
        sentences.append(f"the recordings are of {about['title']}, which is public ({ABOUT_NAME})")
    advice = "rank by the models' hidden scores (`arena contest init --rank hidden`), or record clips that nobody has"
    sentences = [f"{sentence}: {_MATCHED}; {advice}" for sentence in sentences]
    seed = _read_json(corpus.folder / SYNTH_NAME).get("seed")
    is_synthetic = any(facts.get("native speaker") == "synthetic voice" for facts in corpus.speakers.values())
    if seed is None and is_synthetic:
        sentences.append("the recordings are synthetic and nothing says of which seed: of a known one anybody makes them")
    elif isinstance(seed, int) and seed < 1 << SECRET_SEED_BITS:
        sentences.append(
            f"the recordings are synthetic, of seed {seed}, so anybody makes them again and finds every label; "
            "make them with `arena data synth --for-contest`, which draws a secret seed"
        )
    return sentences


def write_known(name: str, corpus: Corpus) -> int:
    """Write the digests of a public corpus, and return how many they are."""
    digests = np.unique(_shorten(clip.audio_digest for clip in corpus.clips))
    digests.tofile(_FOLDER / f"{name}.bin")
    return len(digests)


def _read_known(name: str) -> npt.NDArray[np.uint32]:
    return np.fromfile(_FOLDER / f"{name}.bin", dtype="<u4")


def _shorten(digests: Iterable[str]) -> npt.NDArray[np.uint32]:
    return np.array([int(digest[:8], 16) for digest in digests], dtype="<u4")


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
