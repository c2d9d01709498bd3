"""Scan of a folder of recordings: each is decoded once, and is either a usable clip or a problem with its reason.

Layouts: flat files named {digit}_{speaker}_{take}, AudioMNIST's folders per speaker, or folders per class; wav and flac.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import soundfile

from cnn.config import compute_digest
from cnn.corpus.audio import SILENT_PEAK, Recording, Samples, TooLongError, decode, to_mono
from cnn.corpus.import_advice import advise_import
from cnn.corpus.listing import FileProblem, ListedFile, ProblemKind, describe_unusable, list_digitless, list_recordings
from cnn.corpus.metadata import METADATA_NAME, read_metadata
from cnn.corpus.scan_cache import ScanCache, open_cache
from cnn.errors import CorpusError
from cnn.processes import WorkOptions, map_in_processes
from cnn.speakers.doubts import SpeakerDoubts, find_doubts
from cnn.speakers.energies import average_down
from cnn.speakers.voices import describe_voice

CLIPPED_SHARE = 0.001  # share of all samples: 1 ms in a second; a single loud instant is inaudible
SHORTEST_S = 0.1  # no digit is said in less; the shortest of 3,141 clips of FSDD and AudioMNIST lasts 0.14 s
RUMBLE_HZ, RUMBLE_SHARE = (
    40,
    0.2,
)  # a drift, a microphone that settles, wind; at most 0.14 of 3,141 clips of FSDD and AudioMNIST
_RUMBLE_RATE_HZ = 4000
_CLIPPED_RUN = 3  # samples in a row; a wave that only just touches full scale stays there for one or two
_N_AT_ONCE = 64  # recordings in one task of a process
_FEW = 2000  # recordings that one process decodes before others have started; threads make it slower (2 cores, 2026-11)
_ALONE = WorkOptions()
_FULL_SCALE = {"PCM_U8": 127 / 128, "PCM_S8": 127 / 128}  # codings of 8 bits; every other one comes within 1e-4 of 1


class _Facts(NamedTuple):
    """Scan result of one file, as cached; change `_VERSION` whenever decoding or a limit above changes."""

    kind: str = ""  # kind of the problem, if there is one
    reason: str = ""
    n_samples: int = 0
    rate_hz: int = 0
    n_channels: int = 0
    audio_digest: str = ""
    peak: float = 0.0
    flags: str = ""
    voice: Sequence[float] = ()


_VERSION = f"6 {soundfile.__libsndfile_version__}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A recording that can be used."""

    id: str  # path below the corpus folder, with slashes, without suffix; unique
    path: Path  # below the corpus folder
    label: str  # 0 to 9
    speaker: str  # empty if unknown
    take: str  # empty if unknown
    n_samples: int
    rate_hz: int
    n_channels: int
    length_s: float
    audio_digest: str  # SHA-256 of samples and rate: equal sound, equal digest, whatever the file
    peak: float  # peak of the mono mix without its constant offset
    flags: tuple[str, ...]  # any of `cnn.decoding.flags.MEANINGS`
    voice: tuple[float, ...] = field(repr=False)  # its numbers by `describe_voice`


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """Scanned folder of recordings."""

    folder: Path
    name: str
    clips: tuple[Clip, ...]  # sorted by id
    problems: tuple[FileProblem, ...]  # sorted by path
    speakers: dict[str, dict[str, Any]]  # facts from a metadata file on the clips' speakers: age, gender, accent
    notes: tuple[str, ...]  # notes on speakers and the metadata
    doubts: SpeakerDoubts  # speakers who may be one person under several names
    ignored: Mapping[str, int]  # files that are no recordings, counted by kind
    advice: str  # a sentence with the command that reads names which are not read here; empty if there is none
    digest: str  # 16 hexadecimal digits of ids, labels, speakers and sounds, wherever the folder lies
    parts: Mapping[str, Path] = field(default_factory=dict)  # folders of several corpora by name, sorted; empty of one


def scan(folder: Path, work: WorkOptions = _ALONE, cache: Path | None = None) -> Corpus:
    """Decode and check all recordings below `folder`.

    Args:
        cache: folder of cached scan results, so that unchanged files are not decoded again; None: no cache.

    Raises:
        CorpusError: the folder is missing, or nothing in it can be used.
    """
    started_ns = time.time_ns()
    listing = list_recordings(folder)
    results = _decode_all(folder, listing.recordings, work, open_cache(cache, folder, _VERSION), started_ns)
    clips, duplicates = _remove_duplicates([result for result in results if isinstance(result, Clip)])
    problems = [*listing.problems, *(result for result in results if isinstance(result, FileProblem)), *duplicates]
    problems.sort(key=lambda problem: problem.path)
    if not clips:
        raise CorpusError(describe_unusable(folder, problems))
    speakers: dict[str, dict[str, Any]] = {}
    notes: tuple[str, ...] = ()
    if listing.metadata:
        try:
            speakers, notes = read_metadata(folder / listing.metadata, (clip.speaker for clip in clips))
        except CorpusError as error:
            problems.append(FileProblem(path=str(listing.metadata), kind=ProblemKind.METADATA, reason=str(error)))
    return Corpus(
        folder=folder,
        name=folder.resolve().name,
        clips=tuple(clips),
        problems=tuple(problems),
        speakers=speakers,
        notes=(*listing.notes, *(f"{METADATA_NAME}: {note}" for note in notes)),
        doubts=find_doubts(clips),
        ignored=listing.ignored,
        advice=advise_import(
            folder, list_digitless(listing.problems), [PurePosixPath(clip.path) for clip in clips if not clip.speaker]
        ),
        digest=compute_digest([[clip.id, clip.label, clip.speaker, clip.audio_digest] for clip in clips]),
    )


def _decode_all(
    folder: Path, recordings: Sequence[ListedFile], work: WorkOptions, cache: ScanCache | None, started_ns: int
) -> list[Clip | FileProblem]:
    """Return the result of each recording, in their order, from the cache or by decoding it."""
    cached = {f.path: fact for f in recordings if cache and (fact := cache.get(str(f.path), f.stamp))}
    todo = [file.path for file in recordings if file.path not in cached]
    facts: dict[PurePosixPath, _Facts] = {path: _Facts(*fact) for path, fact in cached.items()}
    if todo:
        tasks = [(folder, todo[start : start + _N_AT_ONCE]) for start in range(0, len(todo), _N_AT_ONCE)]
        n_jobs = work.n_jobs or (1 if len(todo) < _FEW else 0)
        with work.bar(len(todo)) as advance:
            for (_, paths), batch in zip(tasks, map_in_processes(_decode_batch, tasks, n_jobs), strict=True):
                facts.update(zip(paths, batch, strict=True))
                advance(len(paths))
    if cache:
        lasting = (f for f in recordings if facts[f.path].kind != ProblemKind.UNREADABLE)  # the next time it may be readable
        cache.write({str(f.path): (f.stamp, list(facts[f.path])) for f in lasting}, started_ns)
    return [_to_result(file, facts[file.path]) for file in recordings]


def _decode_batch(task: tuple[Path, Sequence[PurePosixPath]]) -> list[_Facts]:
    folder, paths = task
    return [_decode_file(folder / path) for path in paths]


def _decode_file(path: Path) -> _Facts:
    try:
        recording = decode(path)
    except TooLongError as error:
        return _Facts(kind=ProblemKind.LONG, reason=str(error))
    except CorpusError as error:
        return _Facts(kind=ProblemKind.UNREADABLE, reason=str(error))
    n_samples, n_channels = recording.samples.shape
    if not n_samples:
        promise = ", though its header promises some" if recording.truncated else ""
        return _Facts(kind=ProblemKind.EMPTY, reason=f"holds no samples{promise}")
    wave = to_mono(recording.samples)
    if (loud := float(np.abs(wave).max())) < SILENT_PEAK:
        constant = "all its samples are alike" if recording.samples.any() else "all its samples are 0"
        level = f"its peak is {20 * np.log10(loud):.0f} dBFS" if loud else constant
        return _Facts(kind=ProblemKind.SILENT, reason=f"is silent: {level}")
    return _Facts(
        n_samples=n_samples,
        rate_hz=recording.rate_hz,
        n_channels=n_channels,
        audio_digest=sound_digest(recording),
        peak=loud,
        flags=_find_flags(recording, wave),
        voice=describe_voice(wave, recording.rate_hz),
    )


def _find_flags(recording: Recording, wave: Samples) -> str:
    """Return the flags of a doubtful yet usable recording, separated by spaces."""
    is_short = len(recording.samples) < SHORTEST_S * recording.rate_hz
    words = {
        "clipped": _is_clipped(recording),
        "short": is_short,
        "rumble": _rumbles(wave, recording.rate_hz),
        "truncated": recording.truncated,
    }
    return " ".join([*(word for word, is_so in words.items() if is_so), *recording.flags])


def _rumbles(wave: Samples, rate_hz: int) -> bool:
    # Averaged down first: a spectrum of all samples took half of a scan at 48 kHz. Below 40 Hz 0.03 % of the energy is lost.
    coarse, n_averaged = average_down(wave, rate_hz, _RUMBLE_RATE_HZ)
    n_low = int(np.ceil(RUMBLE_HZ * len(coarse) * n_averaged / rate_hz))
    low = np.square(np.abs(np.fft.rfft(coarse)[:n_low])).sum(dtype=np.float64) * n_averaged**2
    return bool(low > RUMBLE_SHARE * len(wave) / 2 * np.square(wave).sum(dtype=np.float64))  # by Parseval's theorem


def _to_result(file: ListedFile, facts: _Facts) -> Clip | FileProblem:
    if facts.kind:
        return FileProblem(path=str(file.path), kind=ProblemKind(facts.kind), reason=facts.reason)
    return Clip(
        id=file.id,
        path=Path(file.path),
        label=file.label,
        speaker=file.speaker,
        take=file.take,
        n_samples=facts.n_samples,
        rate_hz=facts.rate_hz,
        n_channels=facts.n_channels,
        length_s=facts.n_samples / facts.rate_hz,
        audio_digest=facts.audio_digest,
        peak=facts.peak,
        flags=tuple(facts.flags.split()),
        voice=tuple(facts.voice),
    )


def sound_digest(recording: Recording) -> str:
    """Return the SHA-256 of samples and rate: equal sound, equal digest, whatever the file."""
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


def _remove_duplicates(clips: Sequence[Clip]) -> tuple[list[Clip], list[FileProblem]]:
    """Return the first clip of each id and each sound, in their order, and a problem for each of the others."""
    by_id: dict[str, Clip] = {}
    by_sound: dict[str, Clip] = {}
    problems = []
    for clip in clips:
        if first := by_id.get(clip.id):
            reason = f"has the same name as {first.path.name}; rename or remove one"
            problems.append(FileProblem(path=clip.path.as_posix(), kind=ProblemKind.NAME, reason=reason))
        elif first := by_sound.get(clip.audio_digest):
            problems.append(report_duplicate(clip, first, clip.path.as_posix(), first.path.as_posix()))
        else:
            by_id[clip.id] = by_sound[clip.audio_digest] = clip
    return list(by_id.values()), problems


def report_duplicate(clip: Clip, first: Clip, name: str, first_name: str) -> FileProblem:
    """Return the problem of a clip with the sound of another, both as they are to be named."""
    reason = f"is the same sound as {first_name}"
    if clip.label != first.label:
        reason += f", yet labelled {clip.label} and not {first.label}: one label is wrong"
    return FileProblem(path=name, kind=ProblemKind.DUPLICATE, reason=reason)
