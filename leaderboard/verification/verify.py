"""Verification of a submission: the team's model runs on the test recordings, and its answers must be those of the file.

No file of a student is unpickled or imported. The model runs in a child process with limits on memory, time and file size,
an empty environment and a temporary folder; a model that reads other files or has custom operators is not run.
"""

from __future__ import annotations

import importlib.util
import json
import math
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.base.install import install_command
from arena.base.scores import Counts, Indices
from leaderboard.errors import ContestError, ModelRefused
from leaderboard.files.csv_table import format_count, quote_short
from leaderboard.files.onnx_check import MAX_MODEL_BYTES, ModelNeeds, build_size_refusal, check_form
from leaderboard.verification.hidden_part import Drop, PredictedClasses

TOLERANCE = 0.005  # share of the rows; on 1,000 test clips of FSDD exported and trained net agree in all (2026-11)
_SCRIPT = Path(__file__).with_name("sandbox.py")
_SUFFIXES = (".wav", ".flac")
_N_SHOWN = 3
_MAX_REASON = 500  # characters of the child process's message


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits on the run of a model."""

    wall_s: float = 300.0
    memory_bytes: int = 2 << 30  # address space; onnxruntime itself takes about 0.7 GB of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """The test recordings as one file of N x S float32 numbers, in the order of the solution's ids."""

    file: Path
    n_clips: int
    n_samples: int
    rate_hz: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """Result of comparing a model's answers with the submission."""

    is_verified: bool
    remark: str  # one line
    n_equal: int
    n_rows: int
    rerun: Counts | None = None  # (K, K) of the model's answers on the scored rows; None: it could not be run
    hidden: PredictedClasses | None = None  # None: no hidden part, or the model could not be run on it
    drop: Drop | None = None  # the hidden score below the submission's

    @property
    def is_suspicious(self) -> bool:
        """Return whether the model gives the submission's answers, and has not learnt to give them."""
        return self.is_verified and self.drop is not None and self.drop.is_suspicious


def read_model(path: Path, needs: ModelNeeds | None = None) -> bytes:
    """Return the bytes of a model file after checking size and format, one file, standard operators, and what `needs` asks.

    Raises:
        ModelRefused: the file fails a check.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read ({error.strerror}); check its path") from error
    check_model(content, path.name, needs)
    return content


def check_model(content: bytes, name: str, needs: ModelNeeds | None = None) -> None:
    """Refuse a model that cannot be run safely, without running it.

    Raises:
        ModelRefused: the message gives the reason.
    """
    if len(content) > MAX_MODEL_BYTES:
        raise build_size_refusal(name, MAX_MODEL_BYTES)
    check_form(content, name, needs)
    with tempfile.TemporaryDirectory(prefix="arena-verify-") as folder:
        _run_child(content, name, {"samples": "", "rate_hz": 0}, Limits(wall_s=60), Path(folder))


def run_model(content: bytes, name: str, samples: Samples, labels: Sequence[str], limits: Limits) -> Indices:
    """Run a model on every recording and return its answers: (N,) index into `labels`.

    Raises:
        ModelRefused: it cannot be run, exceeds a limit, or answers with other labels.
    """
    request = {
        "samples": str(samples.file),
        "shape": [samples.n_clips, samples.n_samples],
        "rate_hz": samples.rate_hz,
        "n_labels": len(labels),
    }
    with tempfile.TemporaryDirectory(prefix="arena-verify-") as folder:
        answer = _run_child(content, name, request, limits, Path(folder))
    names = answer["labels"] or list(labels)
    if sorted(names) != sorted(labels):
        raise ModelRefused(
            f"{name} answers with the labels {', '.join(map(quote_short, names[:12]))}, which are not those of the contest; "
            "export it anew"
        )
    index_by_label = {label: index for index, label in enumerate(labels)}
    return np.array([index_by_label[names[index]] for index in answer["predicted"]], dtype=np.intp)


def compare_answers(answered: Indices, submitted: Indices, ids: Sequence[str], n_most: int | None) -> Verification:
    """Compare the model's answers with the submission's, (N,) each; `n_most` rows may differ, or TOLERANCE, rounded up.

    The remark reveals nothing of the truth: it may be shown while the private rows are private.
    """
    differ = np.flatnonzero(answered != submitted)
    n_most = math.ceil(TOLERANCE * len(ids)) if n_most is None else n_most
    remark = f"{len(ids) - len(differ):,} of {format_count(len(ids), 'row')} equal"
    if len(differ):
        examples = ", ".join(ids[row] for row in differ[:_N_SHOWN]) + (", ..." if len(differ) > _N_SHOWN else "")
        remark += f", {len(differ):,} differ ({examples}) and at most {n_most:,} may"
    return Verification(is_verified=len(differ) <= n_most, remark=remark, n_equal=len(ids) - len(differ), n_rows=len(ids))


def reject_model(refusal: ModelRefused, n_rows: int) -> Verification:
    """Return the failed verification of a model that could not be run."""
    return Verification(is_verified=False, remark=str(refusal), n_equal=0, n_rows=n_rows)


def find_recordings(folder: Path, ids: Sequence[str]) -> list[Path]:
    """Return the recordings `<id>.wav` or `<id>.flac` of `folder`.

    Raises:
        ContestError: one is missing.
    """
    return [_find_recording(folder, name) for name in ids]


def _find_recording(folder: Path, name: str) -> Path:
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    kinds = Counter(path.suffix.lower() or "without suffix" for path in folder.glob("*") if path.is_file())
    content = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common(4)) or "no file"
    raise ContestError(f"{folder} has no recording {name}.wav, but {content}; give the folder that students got with --audio")


def write_samples(paths: Sequence[Path], file: Path) -> Samples:
    """Write the recordings into `file`, padded with silence to the longest.

    Raises:
        ContestError: a recording cannot be read, has another rate than the first, or is not mono in whole numbers:
            `predict` may hear channels and floats otherwise than a plain reader.
    """
    import soundfile

    try:
        facts = [soundfile.info(path) for path in paths]
        n_samples = max(2, *(fact.frames for fact in facts))
        for path, fact in zip(paths, facts, strict=True):
            if fact.channels > 1 or not fact.subtype.startswith("PCM_"):
                coding = f"{fact.subtype} with {format_count(fact.channels, 'channel')}"
                raise ContestError(
                    f"test recordings are mono PCM, and {path.name} is {coding}; "
                    "give the folder that `arena contest pack` wrote with --audio"
                )
            if fact.samplerate != facts[0].samplerate:
                raise ContestError(
                    f"test recordings have one rate, {paths[0].name} {facts[0].samplerate} Hz and {path.name} "
                    f"{fact.samplerate} Hz; give the folder that students got with --audio"
                )
        with file.open("wb") as out:
            for path in paths:
                sound = soundfile.read(path, dtype="float32")[0]
                row = np.zeros(n_samples, dtype="<f4")
                row[: len(sound)] = sound
                out.write(row.tobytes())
    except (OSError, soundfile.SoundFileError) as error:
        raise ContestError(
            f"a test recording cannot be read: {error}; give the folder that students got with --audio"
        ) from error
    return Samples(file=file, n_clips=len(paths), n_samples=n_samples, rate_hz=facts[0].samplerate)


def _run_child(content: bytes, name: str, request: dict[str, Any], limits: Limits, folder: Path) -> dict[str, Any]:
    """Run the child process in `folder` and return its answer."""
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise ContestError(f"models are read with the package {package}: {install_command('onnx')}")
    model, answer, request_file = folder / "model.onnx", folder / "answer.json", folder / "request.json"
    model.write_bytes(content)
    request |= {"model": str(model), "answer": str(answer), "memory_bytes": limits.memory_bytes}
    request_file.write_text(json.dumps(request | {"cpu_s": math.ceil(limits.wall_s)}), encoding="utf-8")
    try:
        process = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT), str(request_file)],
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelRefused(
            f"{name} did not end within {limits.wall_s:g} s; send a smaller net, or allow more with --time-s"
        ) from None
    try:
        result: dict[str, Any] = json.loads(answer.read_bytes())
    except (OSError, ValueError):
        raise ModelRefused(f"{name} {_describe_exit(process.returncode, limits)}") from None
    if "refused" in result:
        raise ModelRefused(f"{name} {_sanitize(result['refused'])}")
    return result


def _sanitize(text: str) -> str:
    """Shorten a message that may hold a model's own words, and blank unprintable characters: terminals show it."""
    return "".join(char if char.isprintable() else " " for char in text[:_MAX_REASON])


def _describe_exit(code: int, limits: Limits) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"used more than {limits.wall_s:g} s of a processor, or too much memory; send a smaller net"
    text = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return (
        f"ended its process ({text}), as happens when it needs more than {limits.memory_bytes >> 20} MB; send a smaller net, "
        "or allow more with --memory-mb"
    )
