"""Public corpora of spoken digits that `arena data get` fetches: addresses, content, licences. Standard library only.

A published checksum covers an archive; without one (GitHub rebuilds its archives, and their bytes may change), the
recordings themselves are counted and compared with digests taken from trusted copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from arena.base.suggest import did_you_mean
from arena.base.texts import DIGIT_WORDS
from cnn.collect.picture_catalogue import PICTURE_CORPORA, PictureCorpus
from cnn.corpus.metadata import METADATA_NAME
from cnn.errors import CorpusError
from cnn.settings.data import DIGITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One public corpus. Paths inside the archive are below its single top folder."""

    name: str
    title: str
    urls: tuple[str, ...]  # tried in order
    archive_name: str
    archive_bytes: int  # size of the download
    is_size_exact: bool  # else `archive_bytes` is our estimate
    unpacked_bytes: int  # estimate; free space is checked against it
    sha256: str  # published checksum of the archive; empty if there is none
    per_digit: tuple[int, ...]  # recordings of the digits 0 to 9
    n_speakers: str  # number given by its authors
    rate_hz: int
    language: str
    licence: str
    licence_url: str
    citation: str
    homepage: str
    recording: re.Pattern[str]  # a recording's path in the archive
    corpus_template: str  # its path in the corpus, a template of `recording`'s groups; `{digit}` is that of `word`
    extra_files: Mapping[str, str] = field(default_factory=dict)  # further files of the archive, and their path in the corpus
    checked_paths: re.Pattern[str] | None = None  # recordings in the corpus that `checked_digest` covers
    checked_digest: str = ""  # their `content_digest`
    speakers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # facts that the archive has in no readable form

    @property
    def n_clips(self) -> int:
        return sum(self.per_digit)

    def corpus_path(self, path: str) -> str | None:
        """Return the path in the corpus of the archive's file `path`, or None if the corpus lacks it."""
        if path in self.extra_files:
            return self.extra_files[path]
        match = self.recording.fullmatch(path)
        if not match:
            return None
        groups = match.groupdict()
        if "word" in groups:
            groups["digit"] = str(DIGIT_WORDS["en"].index(groups["word"]))
        return self.corpus_template.format(**groups)

    def read_label(self, path: str) -> str:
        """Return the digit of a recording in the corpus; empty for `extra_files`."""
        name = PurePosixPath(path).name
        return name[0] if name.endswith(".wav") and name[0] in DIGITS else ""


_ENGLISH = {"language": "English", "gender": "male"}

SOURCES = (
    Source(
        name="audiomnist",
        title="AudioMNIST",
        urls=(
            "https://github.com/soerenab/AudioMNIST/archive/8faa3bfa4c5c33f1336b9df97d9e50b19a7102a8.tar.gz",
            "https://github.com/soerenab/AudioMNIST/archive/refs/heads/master.tar.gz",
        ),
        archive_name="AudioMNIST.tar.gz",
        archive_bytes=1_000_000_000,
        is_size_exact=False,
        unpacked_bytes=1_900_000_000,
        sha256="",
        per_digit=(3000,) * 10,
        n_speakers="60",
        rate_hz=48_000,
        language="English",
        licence="MIT",
        licence_url="https://github.com/soerenab/AudioMNIST/blob/master/LICENSE",
        citation="S. Becker, M. Ackermann, S. Lapuschkin, K.-R. Müller, W. Samek: Interpreting and Explaining Deep Neural "
        "Networks for Classification of Audio Signals. arXiv:1807.03418, 2018",
        homepage="https://github.com/soerenab/AudioMNIST",
        recording=re.compile(r"data/(?P<speaker>[0-9]{2})/(?P<name>[0-9]_(?P=speaker)_[0-9]{1,2}\.wav)"),
        corpus_template="{speaker}/{name}",
        extra_files={f"data/{METADATA_NAME}": METADATA_NAME, "LICENSE": "LICENSE"},
        checked_paths=re.compile(r"01/[0-9]_01_4[0-9]\.wav|0[23]/0_0[23]_[0-9]\.wav"),  # 120 recordings of a trusted copy
        checked_digest="f368f5fc87111027ec55cc6aeddb3afa77c745c71858a078c15bd68a2ab2c5c3",
    ),
    Source(
        name="fsdd",
        title="Free Spoken Digit Dataset (FSDD) 1.0.10",
        urls=("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",),
        archive_name="free-spoken-digit-dataset-1.0.10.tar.gz",
        archive_bytes=16_000_000,
        is_size_exact=False,
        unpacked_bytes=30_000_000,
        sha256="",
        per_digit=(300,) * 10,
        n_speakers="6",
        rate_hz=8_000,
        language="English",
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
        citation="Z. Jackson and others: Free Spoken Digit Dataset, v1.0.10. https://github.com/Jakobovski/free-spoken-digit-dataset",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        recording=re.compile(r"recordings/(?P<name>[0-9]_[a-z]+_[0-9]{1,2}\.wav)"),
        corpus_template="{name}",
        checked_paths=re.compile(r".+\.wav"),
        checked_digest="1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959",
        speakers={  # its metadata.py
            "george": {**_ENGLISH, "accent": "Greek"},
            "jackson": {**_ENGLISH, "accent": "USA, neutral"},
            "lucas": {**_ENGLISH, "accent": "German"},
            "nicolas": {**_ENGLISH, "accent": "Belgian French"},
            "theo": {**_ENGLISH, "accent": "USA, neutral"},
            "yweweler": {**_ENGLISH, "accent": "German"},
        },
    ),
    Source(
        name="speech-commands-digits",
        title="Speech Commands 0.02, the ten digits",
        urls=("https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",),
        archive_name="speech_commands_v0.02.tar.gz",
        archive_bytes=2_428_923_189,
        is_size_exact=True,
        unpacked_bytes=1_300_000_000,
        sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",  # as torchaudio publishes it
        per_digit=(4052, 3890, 3880, 3727, 3728, 4052, 3860, 3998, 3787, 3934),  # Warden 2018, figure 1
        n_speakers="2,618 of all words",
        rate_hz=16_000,
        language="English",
        licence="CC BY 4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        citation="P. Warden: Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition. arXiv:1804.03209, 2018",
        homepage="https://www.tensorflow.org/datasets/catalog/speech_commands",
        recording=re.compile(rf"(?P<word>{'|'.join(DIGIT_WORDS['en'])})/(?P<speaker>[0-9a-f]+)_nohash_(?P<take>[0-9]+)\.wav"),
        corpus_template="{digit}_{speaker}_{take}.wav",
        extra_files={name: name for name in ("testing_list.txt", "validation_list.txt")},
    ),
)


def find_source(name: str) -> Source | PictureCorpus:
    """Return the corpus of that name, of recordings or of pictures.

    Raises:
        CorpusError: there is no such corpus.
    """
    sources = {source.name: source for source in (*SOURCES, *PICTURE_CORPORA)}
    if name.lower() in sources:
        return sources[name.lower()]
    names = list(sources)
    hint = did_you_mean(name.lower(), {key: key for key in names}, "`arena data get --list` describes them")
    raise CorpusError(f"the corpora that can be fetched are {', '.join(names)}, not {name!r}{hint}")
