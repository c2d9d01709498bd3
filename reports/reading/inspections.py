"""Inspections of nets from run folders: inspection.json and the arrays of inspection.npz, read without torch."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.errors import RunError
from cnn.files import read_json
from cnn.runs import DataKind, RunFolder
from reports.facts.base import Note, NoteKind
from reports.facts.inspections import EmbeddedClip, InspectedClip, InspectedLayer, InspectionFacts
from reports.facts.report import RunFacts
from reports.wording.page_texts import Texts

FORMAT = 1
MOST_INSPECTIONS = 2  # one of each model of the comparison
_DAMAGE = (RunError, OSError, ValueError, KeyError, TypeError, IndexError)


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedRun:
    """A run of which the page shows no more than its inspection."""

    digest: str
    model: str
    variant: str
    kind: DataKind
    config: dict[str, object]


def read_inspections(
    runs: Sequence[RunFacts], main_run: RunFacts | None, t: Texts
) -> tuple[tuple[InspectionFacts, ...], tuple[Note, ...]]:
    """Read the inspections of at most two trainings: the main run, then the best by validation of another model."""
    ranked = sorted(runs, key=lambda run: (run is not main_run, -(run.val.macro_f1 if run.val else 0.0), run.digest))
    inspections: list[InspectionFacts] = []
    notes: list[Note] = []
    for run in ranked:
        folder = Path(run.folder)
        if (
            len(inspections) == MOST_INSPECTIONS
            or run.model in {inspection.model for inspection in inspections}
            or not (folder / "inspection.json").exists()
        ):
            continue
        try:
            inspections.append(_read(folder, run))
        except _DAMAGE as error:
            reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            notes.append(Note(kind=NoteKind.ERROR, text=t("inspection.unread", folder=folder, error=reason)))
    return tuple(inspections), tuple(notes)


def read_embedding(run: RunFolder, kind: DataKind) -> InspectionFacts | None:
    """Read the inspection of an autoencoder, whose tiles are placed by their latent numbers; None without a whole one."""
    config = run.config()
    names = {"digest": run.digest, "model": str(config["model"]["name"]), "variant": str(config["variant"])}
    try:
        return _read(run.path, InspectedRun(**names, kind=kind, config={}))
    except _DAMAGE:
        return None


def _read(folder: Path, run: RunFacts | InspectedRun) -> InspectionFacts:
    facts, content = read_json(folder / "inspection.json"), (folder / "inspection.npz").read_bytes()
    if facts["asked"]["format"] != FORMAT:
        raise RunError(f"it is of another version of Arena (format {facts['asked']['format']}, not {FORMAT})")
    if hashlib.sha256(content).hexdigest() != facts["arrays"]:
        raise RunError("inspection.npz is not the one that inspection.json names")
    if hashlib.sha256((folder / "model.pt").read_bytes()).hexdigest() != facts["asked"]["weights"]:
        raise RunError("it is of other weights than model.pt")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _facts(run, facts, dict(arrays))


def _facts(run: RunFacts | InspectedRun, facts: dict[str, Any], arrays: dict[str, NDArray[np.generic]]) -> InspectionFacts:
    embedding, filters = facts["embedding"], facts["filters"] or {"layer": "", "n": 0}
    points = zip(embedding["clips"], arrays["places"].tolist(), strict=True)
    return InspectionFacts(
        run=run.digest,
        model=run.model,
        variant=run.variant,
        kind=run.kind,
        length_s=float(str(run.config.get("tiles.length_s", 0))),
        split=facts["split"],
        clips=tuple(_clip(clip) for clip in facts["clips"]),
        n_columns=facts.get("n_columns", 1),
        filter_layer=filters["layer"],
        n_filters=filters["n"],
        layers=tuple(_layer(layer) for layer in facts["layers"]),
        n_mapped=facts["n_mapped"],
        embedding=tuple(
            EmbeddedClip(id=clip, truth=truth, label=label, speaker=speaker, x=x, y=y)
            for (clip, truth, label, speaker), (x, y) in points
        ),
        n_clips=embedding["of"],
        feature_layer=embedding["layer"],
        n_features=embedding["n_features"],
        perplexity=embedding["perplexity"],
        seed=embedding["seed"],
        arrays=arrays,
    )


def _clip(clip: dict[str, Any]) -> InspectedClip:
    probability = float(max(clip["probabilities"]))
    return InspectedClip(
        id=clip["id"], speaker=clip["speaker"], truth=clip["truth"], label=clip["label"], probability=probability
    )


def _layer(layer: dict[str, Any]) -> InspectedLayer:
    sizes = {name: int(layer[name]) for name in ("n_channels", "n_bins", "n_frames")}
    return InspectedLayer(name=layer["name"], n_stored=len(layer["channels"]), **sizes)
