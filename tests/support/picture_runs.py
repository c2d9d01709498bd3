"""Run folders of trainings on pictures of clothes, and the words of speech that no page on them has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from cnn.files import read_json, write_json
from cnn.runs.folder import RunFolder
from support.report_facts import write_eight

CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)  # fmt: skip
DATA = {"kind": "pictures", "labels": list(CLOTHES), "channels": 1, "side": 28, "name": "fashion-mnist", "split": "official"}
OF_SPEECH = re.compile(
    r"\b(?:speak\w*|spok\w*|hear[ds]?|hearing|listen\w*|clips?|record(?:ed|ings?)|voices?|digits?|k?Hz|sounds?|mel|pitch\w*|"
    r"spectrograms?|speech|tones?|decibels?|microphones?|hablan\w*|hablad\w*|voz|voces|oír|oíd\w|oyen?|oyó|escuch\w*|"
    r"audios?|grab(?:aci\w+|ad\w+|a)|dígitos?|sonidos?|suenan?|espectrogramas?|micrófonos?|decibelios)\b",
    re.IGNORECASE,
)


def write_picture_eight(runs: Path) -> list[RunFolder]:
    """Write the eight trainings of `write_eight` as if they were of pictures with a published split."""
    folders = write_eight(runs)
    names = {str(number): name for number, name in enumerate(CLOTHES)}
    for folder in folders:
        config = folder.config()
        folder.write_config(config | {"data": DATA, "split": config["split"] | {"kind": "official"}})
        result = read_json(folder.path / "result.json")
        parts: dict[str, list[str]] = {name: [] for name in result["scores"]}
        write_json(folder.path / "result.json", result | {"labels": CLOTHES, "speakers": parts})
        rows = [
            dataclasses.replace(row, id=f"{row.split}/{n:05}", label=names[row.label], truth=names[row.truth], speaker="")
            for n, row in enumerate(folder.predictions())
        ]
        folder.write_predictions(CLOTHES, rows)
    return folders


def find_speech(text: str) -> list[str]:
    """Return the words of speech in what a reader sees of a page, a paper or a notebook, each with its neighbours."""
    visible = re.sub(
        r"<style.*?</style>|<script.*?</script>|data:[^\"')]*|<code>.*?</code>|`[^`]*`", " ", text, flags=re.DOTALL
    )
    visible = re.sub(r'<[^>]*?(?:alt|aria-label|title|data-label)="([^"]*)"[^>]*>', r" \1 ", visible)
    visible = re.sub(r"<[^>]*>", " ", visible)
    return [" ".join(visible[max(0, m.start() - 40) : m.end() + 40].split()) for m in OF_SPEECH.finditer(visible)]
