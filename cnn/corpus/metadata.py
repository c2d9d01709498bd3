"""Facts on recordings and speakers from the names of files and the metadata file of a corpus. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cnn.config import LABELS
from cnn.errors import CorpusError

ABOUT_NAME = "SOURCE.json"
METADATA_NAME = "audioMNIST_meta.txt"
_STEM = re.compile(r"(?P<digit>[0-9]+)_(?P<speaker>.+)_(?P<take>[0-9]+)")  # FSDD, AudioMNIST
_NOHASH = re.compile(r"(?P<speaker>[^_]+)_nohash_(?P<take>[0-9]+)")  # Speech Commands; its folder is the word
WORDS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
_FOLDER_LABELS = {word: str(digit) for words in (*WORDS.values(), LABELS) for digit, word in enumerate(words)}
_AGES = range(3, 121)
_KEYS = {"native speaker": "native_speaker", "recordingdate": "recording_date", "recordingroom": "recording_room"}
_ROOMS = {"vr-romm": "vr-room"}  # AudioMNIST's speaker 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """Facts from a recording's path; label is empty if the path names no digit."""

    label: str
    speaker: str = ""
    take: str = ""


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


def read_metadata(path: Path, speakers: Iterable[str]) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Read the facts on `speakers` from AudioMNIST's metadata file, with notes on implausible ones.

    Ages are whole numbers or None, spellings are unified ("german" is "German", "vr-romm" is "vr-room").

    Raises:
        CorpusError: the file cannot be used; the text is the rest of a sentence that begins with its name.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be opened: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"is no JSON: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(facts, dict) for facts in content.values()):
        raise CorpusError("holds no object with one object for each speaker")
    by_key = {_key(speaker): facts for speaker, facts in content.items()}
    raw = {speaker: by_key[_key(speaker)] for speaker in sorted(set(speakers)) if _key(speaker) in by_key}
    notes = (
        f"speaker {speaker}'s age {facts['age']!r} is not plausible and taken as unknown"
        for speaker, facts in raw.items()
        if "age" in facts and _age(facts["age"]) is None
    )
    return {speaker: _facts(facts) for speaker, facts in raw.items()}, tuple(notes)


def _key(speaker: str) -> str:
    return speaker.lstrip("0").lower()


def _facts(raw: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for key, value in raw.items():
        text = str(value).strip()
        match key:
            case "age":
                facts["age"] = _age(value)
            case "accent":
                facts["accent"] = re.sub(r"\b[a-z]", lambda m: m[0].upper(), text.replace("_", " ").rstrip(" ?"))
            case "recordingroom":
                facts["recording_room"] = _ROOMS.get(text.lower(), text.lower())
            case "gender" | "native speaker":
                facts[_KEYS.get(key, key)] = text.lower()
            case _:
                facts[_KEYS.get(key, key)] = text
    return facts


def _age(value: object) -> int | None:
    try:
        age = int(str(value).strip())
    except ValueError:
        return None
    return age if age in _AGES else None
