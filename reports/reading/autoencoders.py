"""Autoencoders from run folders, for their section of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnn.errors import RunError
from cnn.runs import RunFolder, list_runs, read_kind
from reports.facts.autoencoders import AutoencoderFacts, ErrorFacts
from reports.reading.inspections import read_embedding

MOST_RUNS = 24
_DAMAGE = (RunError, OSError, ValueError, KeyError, TypeError)


def read_autoencoders(runs_dir: Path | None, corpus: str) -> tuple[AutoencoderFacts, ...]:
    """Read the newest finished autoencoders with a test part, of one corpus where it is named; damaged runs are left out."""
    every = [facts for run in (list_runs(runs_dir) if runs_dir else ()) if (facts := _read_damaged_as_none(run, corpus))]
    newest = sorted(every, key=lambda pair: pair[0], reverse=True)[:MOST_RUNS]
    return tuple(sorted((facts for _, facts in newest), key=lambda f: (f.given != "same", f.given, f.latent, f.seed, f.run)))


def _read_damaged_as_none(run: RunFolder, corpus: str) -> tuple[str, AutoencoderFacts] | None:
    try:
        return _read(run, corpus) if run.is_autoencoder and run.is_whole and not run.is_trial else None
    except _DAMAGE:
        return None  # `arena runs` reports damage


def _read(run: RunFolder, corpus: str) -> tuple[str, AutoencoderFacts] | None:
    config, result = run.config(), run.result()
    if result is None or result.reconstruction is None or (corpus and config["corpus"] != corpus):
        return None
    test, kind = result.reconstruction.scores["test"], read_kind(config)
    names = ("n", "mse", "pca_mse", "input_mse", "filter_mse")
    facts = AutoencoderFacts(
        run=run.digest,
        variant=str(config["variant"]),
        kind=kind,
        seed=int(config["train"]["seed"]),
        given=str(config["model"].get("input", "same")),
        noise=float(config["model"].get("noise", 0.0)),
        latent=result.reconstruction.latent,
        compression=result.reconstruction.compression,
        n_pca=result.reconstruction.n_pca,
        n_epochs=result.n_epochs,
        test=ErrorFacts(**{name: getattr(test, name) for name in names}),
        pairs=_read_pairs(run.path / "reconstructions.npz"),
        inspection=read_embedding(run, kind),
    )
    return result.finished_at, facts


def _read_pairs(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
