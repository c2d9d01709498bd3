"""A folder of recordings, each decoded once and judged: what can be used, and what cannot with its reason.

Flat files named {digit}_{speaker}_{take}, AudioMNIST's folders per speaker, or folders per class; wav and flac.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cnn.audio import Recording, decode, mono
from cnn.config import digest_of
from cnn.errors import CorpusError
from cnn.listing import Problem, ProblemKind, id_of, list_recordings, nothing_usable
from cnn.metadata import METADATA_NAME, naming_of, read_metadata

SILENT_PEAK = 10 ** (-60 / 20)  # -60 dBFS, 33 steps of 16 bits; the quietest of 3,141 clips of FSDD and AudioMNIST peaks at -41
CLIPPED_SHARE = 0.001  # of all samples: 1 ms in a second; a single loud instant is heard by nobody
_CLIPPED_RUN = 3  # samples in a row; a wave that only just touches full scale stays there for one or two
_FULL_SCALE = {"PCM_U8": 127 / 128, "PCM_S8": 127 / 128}  # of 8 bits; every other coding comes within 1e-4 of 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A recording that can be used."""

    id: str  # path below the corpus folder, with slashes, without suffix; unique
    path: Path  # below the corpus folder
    label: str  # 0 to 9
    speaker: str  # empty where unknown
    take: str  # empty where unknown
    n_samples: int
    rate_hz: int
    n_channels: int
    length_s: float
    audio_digest: str  # SHA-256 of samples and rate: equal sound, equal digest, whatever the file
    peak: float  # of the mono mix, 0 to 1
    flags: tuple[str, ...]  # of `clipped`, `truncated`


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """What a folder of recordings holds."""

    folder: Path
    name: str
    clips: tuple[Clip, ...]  # by id
    problems: tuple[Problem, ...]  # by path
    speakers: dict[str, dict[str, Any]]  # what a metadata file says of those who are heard: age, gender, accent
    notes: tuple[str, ...]  # on the metadata
    n_ignored: int  # hidden files, and files that are no recordings
    digest: str  # 16 hexadecimal digits of ids, labels, speakers and sounds, wherever the folder lies


def count_recordings(folder: Path) -> int:
    """How many recordings `scan` will open.

    Raises:
        CorpusError: the folder is missing or holds no recording of a digit.
    """
    return len(list_recordings(folder).recordings)


def scan(folder: Path, advance: Callable[[int], None] | None = None) -> Corpus:
    """All recordings below `folder`, judged; `advance(n)` hears of `n` more of `count_recordings`.

    Raises:
        CorpusError: the folder is missing, or nothing in it can be used.
    """
    listing = list_recordings(folder)
    heard = list(_hear_all(folder, listing.recordings, advance))
    clips, repetitions = _without_repetitions([found for found in heard if isinstance(found, Clip)])
    problems = [*listing.problems, *(found for found in heard if isinstance(found, Problem)), *repetitions]
    problems.sort(key=lambda problem: problem.path)
    if not clips:
        raise CorpusError(nothing_usable(folder, problems))
    speakers: dict[str, dict[str, Any]] = {}
    notes: tuple[str, ...] = ()
    if listing.metadata:
        try:
            speakers, notes = read_metadata(folder / listing.metadata, (clip.speaker for clip in clips))
        except CorpusError as error:
            problems.append(Problem(path=str(listing.metadata), kind=ProblemKind.METADATA, reason=str(error)))
    return Corpus(
        folder=folder,
        name=folder.resolve().name,
        clips=tuple(clips),
        problems=tuple(problems),
        speakers=speakers,
        notes=tuple(f"{METADATA_NAME}: {note}" for note in notes),
        n_ignored=listing.n_ignored,
        digest=digest_of([[clip.id, clip.label, clip.speaker, clip.audio_digest] for clip in clips]),
    )


def _hear_all(folder: Path, paths: Sequence[PurePosixPath], advance: Callable[[int], None] | None) -> Iterator[Clip | Problem]:
    for path in paths:  # threads make it slower: 30,000 files take 11 s with one, 15 s with two (2 cores, 2026-11)
        yield _hear(folder, path)
        if advance:
            advance(1)


def _hear(folder: Path, path: PurePosixPath) -> Clip | Problem:
    try:
        recording = decode(folder / path)
    except CorpusError as error:
        return Problem(path=str(path), kind=ProblemKind.UNREADABLE, reason=str(error))
    n_samples, n_channels = recording.samples.shape
    if not n_samples:
        promise = ", though its header promises some" if recording.truncated else ""
        return Problem(path=str(path), kind=ProblemKind.EMPTY, reason=f"holds no samples{promise}")
    peak = float(np.abs(mono(recording.samples)).max())
    if peak < SILENT_PEAK:
        level = f"its peak is {20 * np.log10(peak):.0f} dBFS" if peak else "all its samples are 0"
        return Problem(path=str(path), kind=ProblemKind.SILENT, reason=f"is silent: {level}")
    naming = naming_of(path)
    return Clip(
        id=id_of(path),
        path=Path(path),
        label=naming.label,
        speaker=unicodedata.normalize("NFC", naming.speaker),
        take=naming.take,
        n_samples=n_samples,
        rate_hz=recording.rate_hz,
        n_channels=n_channels,
        length_s=n_samples / recording.rate_hz,
        audio_digest=_digest(recording),
        peak=peak,
        flags=("clipped",) * _is_clipped(recording) + ("truncated",) * recording.truncated,
    )


def _digest(recording: Recording) -> str:
    head = f"{recording.rate_hz} {recording.samples.shape[1]} ".encode()
    return hashlib.sha256(head + recording.samples.astype("<f4", copy=False).tobytes()).hexdigest()


def _is_clipped(recording: Recording) -> bool:
    full = np.abs(recording.samples) >= _FULL_SCALE.get(recording.subtype, 1 - 1e-4)  # (S, C)
    if np.count_nonzero(full) <= CLIPPED_SHARE * full.size:
        return False
    n_in_runs = 0
    for channel in full.T:
        edges = np.flatnonzero(np.diff(channel.astype(np.int8), prepend=0, append=0))
        lengths = edges[1::2] - edges[::2]
        n_in_runs += int(lengths[lengths >= _CLIPPED_RUN].sum())
    return n_in_runs > CLIPPED_SHARE * full.size


def _without_repetitions(heard: Sequence[Clip]) -> tuple[list[Clip], list[Problem]]:
    """The clips by id, the first of each id and each sound, and what was left out."""
    of_id: dict[str, Clip] = {}
    of_sound: dict[str, Clip] = {}
    problems = []
    for clip in heard:
        if first := of_id.get(clip.id):
            reason = f"has the same name as {first.path.name}; rename or remove one"
            problems.append(Problem(path=clip.path.as_posix(), kind=ProblemKind.NAME, reason=reason))
        elif first := of_sound.get(clip.audio_digest):
            reason = f"is the same sound as {first.path.as_posix()}"
            if clip.label != first.label:
                reason += f", yet labelled {clip.label} and not {first.label}: one label is wrong"
            problems.append(Problem(path=clip.path.as_posix(), kind=ProblemKind.DUPLICATE, reason=reason))
        else:
            of_id[clip.id] = of_sound[clip.audio_digest] = clip
    return list(of_id.values()), problems
