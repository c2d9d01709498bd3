"""Facts on speakers from the metadata file of a corpus. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnn.errors import CorpusError

ABOUT_NAME = "SOURCE.json"
METADATA_NAME = "audioMNIST_meta.txt"
_AGES = range(3, 121)
_KEYS = {"native speaker": "native_speaker", "recordingdate": "recording_date", "recordingroom": "recording_room"}
_ROOMS = {"vr-romm": "vr-room"}  # AudioMNIST's speaker 60


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


def read_about(folder: Path) -> dict[str, str]:
    """Read the facts that `arena data get` wrote beside the recordings; empty if there are none."""
    try:
        content = json.loads((folder / ABOUT_NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    keys = ("title", "licence", "licence_url", "citation", "homepage", "verified")
    return {key: str(content[key]) for key in keys if key in content} if isinstance(content, dict) else {}
