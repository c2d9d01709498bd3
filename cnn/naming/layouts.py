"""Layouts of names as people have them: words or digits, in folders or file names. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from cnn.config import LABELS
from cnn.naming.reading import Namer, Naming
from cnn.naming.words import WORDS, fold_word

_TOKENS = re.compile(r"[\s_.,+-]+")


_STEM = re.compile(r"(?P<digit>[0-9]+)_(?P<speaker>.+)_(?P<take>[0-9]+)")  # FSDD, AudioMNIST
_NOHASH = re.compile(r"(?P<speaker>[^_]+)_nohash_(?P<take>[0-9]+)")  # Speech Commands; its folder is the word
_FOLDER_LABELS = {word: str(digit) for words in (*WORDS.values(), LABELS) for digit, word in enumerate(words)}


def parse_recording_path(path: PurePosixPath) -> Naming:
    """Read label, speaker and take from the file's name, or the label from the nearest folder that names a class."""
    if match := _NOHASH.fullmatch(path.stem):
        return Naming(label=_folder_label(path), speaker=match["speaker"], take=match["take"])
    if match := _STEM.fullmatch(path.stem):
        return Naming(label=match["digit"], speaker=match["speaker"], take=match["take"])
    return Naming(label=_folder_label(path))


def _folder_label(path: PurePosixPath) -> str:
    names = (_FOLDER_LABELS.get(name.lower(), "") for name in reversed(path.parts[:-1]))
    return next(filter(None, names), "")


def default_namer(table: Mapping[str, str]) -> Namer:
    """Return a namer for corpus names, folders per class or speaker, and names such as `anna-seven-2` or `anna/7`."""

    def read_name(path: PurePosixPath) -> Naming:
        standard = parse_recording_path(path)
        if standard.label and standard.speaker:
            return Naming(label=standard.label, speaker=standard.speaker)
        folders = list(reversed(path.parts[:-1]))
        tokens = [token for token in _TOKENS.split(path.stem) if token]
        classes = [name for name in folders if fold_word(name) in table]
        others = [name for name in folders if fold_word(name) not in table]
        if classes:
            speaker = others[0] if others else _voice(tokens, table)
            return Naming(label=table[fold_word(classes[0])], speaker=speaker)
        spoken = [token for token in tokens if fold_word(token) in table and not token.isdigit()]
        spoken = spoken or [token for token in tokens if token in table]
        label = table[fold_word(spoken[0])] if len(spoken) == 1 else ""  # `anna_7_2` is ambiguous and needs a pattern
        return Naming(label=label, speaker=others[0] if others else _voice(tokens, table))

    return read_name


def _voice(tokens: Sequence[str], table: Mapping[str, str]) -> str:
    """Return the words of a file's name that are neither digit nor number."""
    return "-".join(token for token in tokens if fold_word(token) not in table and not token.isdigit())
