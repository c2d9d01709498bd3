"""Several corpora as one. Clips and speakers carry the name of theirs, `fsdd/george`: a name in two corpora is two people."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnn.config import compute_digest
from cnn.corpus.scan import Clip, Corpus, report_duplicate
from cnn.errors import CorpusError
from cnn.speakers.doubts import SpeakerDoubts
from cnn.speakers.names import find_shared_names, join_pairs
from cnn.speakers.voices import compare_voices

PLAIN_NAMES = ("recordings", "data", "audio", "wav", "clips", "corpus")  # folders that the one above gives its name
_NAME = re.compile(r"\w[\w.-]*")  # safe in a path, a CSV and `split.test_speakers=a/anna,b/ben`


def name_corpora(folders: Sequence[Path], names: Sequence[str] = ()) -> list[str]:
    """Return the name of each corpus: as given, or its folder's.

    Raises:
        CorpusError: two are alike, one cannot begin the name of a speaker, or there are not as many as folders.
    """
    if names and (len(names) != len(folders) or len(folders) == 1):
        given = f"{len(folders)} folder{'s' * (len(folders) > 1)} and {len(names)} name{'s' * (len(names) > 1)}"
        raise CorpusError(f"--name tells several corpora apart, one for each in their order, not {given}; give as many")
    chosen = [unicodedata.normalize("NFC", name) for name in names or map(_name_folder, folders)]
    for folder, name in zip(folders, chosen, strict=True):
        if len(folders) > 1 and not _NAME.fullmatch(name):
            rule = f"a corpus's name is of letters, digits, points, hyphens and underscores, not {name!r} ({folder})"
            raise CorpusError(f"{rule}; name all corpora in their order: {_format_names(len(folders))}")
    repeated = [name for name, n in Counter(name.casefold() for name in chosen).items() if n > 1]
    if repeated:
        twins = " and ".join(str(f) for f, name in zip(folders, chosen, strict=True) if name.casefold() == repeated[0])
        rule = f"{twins} would both be the corpus {repeated[0]!r}"
        raise CorpusError(f"{rule}; name all corpora in their order: {_format_names(len(folders))}")
    return chosen


def _name_folder(folder: Path) -> str:
    path = folder.resolve()
    return path.parent.name if path.name.lower() in PLAIN_NAMES and path.parent.name else path.name


def _format_names(n: int) -> str:
    return " ".join(f"--name {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:n])


def join_corpora(corpora: Sequence[Corpus], names: Sequence[str]) -> Corpus:
    """Return one corpus with the clips, problems and speakers of all, in no order that the arguments have.

    A sound that stands in two corpora stays in the first by name alone, and its two speakers are doubted to be one person.

    Raises:
        CorpusError: their digits differ, all sounds of one stand in others, or they have no folder in common.
    """
    try:
        folder = Path(os.path.commonpath([corpus.folder.resolve() for corpus in corpora]))
    except ValueError as error:  # two drives of Windows
        raise CorpusError("the corpora have no folder in common; copy them to one drive") from error
    by_name = dict(sorted(zip(names, corpora, strict=True)))
    clips, shared = _drop_shared([clip for name, corpus in by_name.items() for clip in _rename_clips(corpus, name, folder)])
    for name, corpus in by_name.items():
        if not any(clip.id.startswith(f"{name}/") for clip in clips):
            raise CorpusError(f"every recording of {corpus.folder} stands in another of these corpora, too; leave it out")
    _check_digits(by_name, clips)
    problems = [replace(p, path=f"{name}/{p.path}") for name, corpus in by_name.items() for p in corpus.problems]
    problems += [report_duplicate(clip, first, clip.id, first.id) for clip, first in shared]
    ignored = sum((Counter(corpus.ignored) for corpus in corpora), Counter[str]())
    return Corpus(
        folder=folder,
        name=" + ".join(by_name),
        clips=tuple(clips),
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        speakers={f"{name}/{who}": facts for name, corpus in by_name.items() for who, facts in corpus.speakers.items()},
        notes=tuple(f"{name}: {note}" for name, corpus in by_name.items() for note in corpus.notes),
        doubts=_join_doubts(by_name, clips, shared),
        ignored=ignored,
        advice=" ".join(filter(None, (corpus.advice for corpus in by_name.values()))),
        digest=compute_digest([[clip.id, clip.label, clip.speaker, clip.audio_digest] for clip in clips]),
        parts={name: corpus.folder.resolve() for name, corpus in by_name.items()},
    )


def _check_digits(by_name: dict[str, Corpus], clips: Sequence[Clip]) -> None:
    """Check that each corpus says every digit in `clips`, which hold each sound once."""
    every = {clip.label for clip in clips}
    for name, corpus in by_name.items():
        own = {clip.label for clip in clips if clip.id.startswith(f"{name}/")}
        if missing := sorted(every - own):
            rule = f"corpora that train one net say the same digits, and nobody in {name} says {', '.join(missing)}"
            if {clip.label for clip in corpus.clips} & set(missing):
                rule += " but in recordings that stand in another of them, too"
            raise CorpusError(f"{rule}: the net would know them by another corpus's sound; leave {name} out, or record more")


def _rename_clips(corpus: Corpus, name: str, folder: Path) -> list[Clip]:
    inner = corpus.folder.resolve().relative_to(folder)
    return [
        replace(
            clip,
            id=f"{name}/{clip.id}",
            path=inner / clip.path,
            speaker=f"{name}/{clip.speaker}" if clip.speaker else "",
        )
        for clip in corpus.clips
    ]


def _drop_shared(clips: Sequence[Clip]) -> tuple[list[Clip], list[tuple[Clip, Clip]]]:
    """Return the first clip of each sound, sorted by id, and the others, each with the first."""
    first: dict[str, Clip] = {}
    shared = [(clip, first[clip.audio_digest]) for clip in clips if first.setdefault(clip.audio_digest, clip) is not clip]
    return sorted(first.values(), key=lambda clip: clip.id), shared


def _join_doubts(by_name: dict[str, Corpus], clips: Sequence[Clip], shared: Sequence[tuple[Clip, Clip]]) -> SpeakerDoubts:
    """Doubt names and voices within and between corpora, of those who speak in `clips`."""
    speakers = {clip.speaker for clip in clips} - {""}  # without those whose every sound stays in another corpus
    pairs = [(pair.first, pair.second) for pair in compare_voices(clips)]
    pairs += sorted({(f.speaker, c.speaker) for c, f in shared if {c.speaker, f.speaker} <= speakers})
    doubts = {name: corpus.doubts for name, corpus in by_name.items()}
    single = [f"{name}/{who}" for name, doubt in doubts.items() for who in doubt.single_digit]
    namesakes = [[f"{name}/{who}" for who in group] for name, doubt in doubts.items() for group in doubt.namesakes]
    present = [tuple(who for who in group if who in speakers) for group in namesakes]
    return SpeakerDoubts(
        n_speakers=len(speakers),
        single_digit=tuple(who for who in single if who in speakers),
        namesakes=(*(group for group in present if len(group) > 1), *find_shared_names(speakers)),
        alike=join_pairs(pairs),
    )
