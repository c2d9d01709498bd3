"""Benchmarks of commands that are short: processor time of `arena predict` above `import torch`, and of `arena doctor`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import wave
from functools import cache
from pathlib import Path

from benchmarks.arms import Comparison, UnequalError

ARENA = Path(__file__).parents[1] / "arena" / "__main__.py"
_PREDICT_S, _DOCTOR_S = 0.8, 1.0


def measure_cpu_s(words: list[str], folder: Path) -> float:
    """Run Python with `words`; return its seconds of processor time, which other processes disturb less than the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=folder, check=False, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def predict(scratch: Path, tiles: Path) -> Comparison:
    folder = scratch / "predict"

    @cache
    def make_words() -> list[str]:
        """Train a small net, record a second of a falling tone, and return the words that predict it."""
        folder.mkdir()
        with wave.open(str(folder / "clip.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
            file.writeframes(
                b"".join((8000 * (-1) ** (n // (8 + n // 1000))).to_bytes(2, "little", signed=True) for n in range(8000))
            )
        words = ["train", "--tiles", str(tiles), "--device", "cpu", "--wandb", "off", "train.epochs=1", "model.width=1"]
        subprocess.run([sys.executable, str(ARENA), *words], cwd=folder, check=True, capture_output=True)
        (run,) = (path.name for path in (folder / "runs").iterdir() if (path / "config.json").exists())
        return [str(ARENA), "predict", run, "clip.wav", "--device", "cpu", "--json"]

    def ours() -> float:
        words = make_words()
        return 1 / (measure_cpu_s(words, folder) - measure_cpu_s(["-c", "import torch"], folder))

    def check() -> str:
        done = subprocess.run([sys.executable, *make_words()], cwd=folder, check=True, capture_output=True, text=True)
        (answer,) = json.loads(done.stdout)["answers"]
        if abs(sum(answer["probabilities"].values()) - 1) > 1e-6:
            raise UnequalError(f"the probabilities of a clip are {answer['probabilities']}")
        return "a limit, not another program; one clip has one answer"

    return Comparison(
        name="processor time of `arena predict RUN clip.wav` above `import torch`",
        against=f"{_PREDICT_S:g} s",
        unit="commands",
        floor=1.0,
        ours=ours,
        theirs=lambda: 1 / _PREDICT_S,
        check=check,
    )


def doctor(scratch: Path) -> Comparison:
    def check() -> str:
        done = subprocess.run([sys.executable, str(ARENA), "doctor", "--json"], check=False, capture_output=True, text=True)
        if "torch" not in {finding["what"] for finding in json.loads(done.stdout)["findings"]}:
            raise UnequalError("the doctor says nothing of torch")
        return "a limit, not another program; torch is among what it finds"

    return Comparison(
        name="processor time of `arena doctor`",
        against=f"{_DOCTOR_S:g} s",
        unit="commands",
        floor=1.0,
        ours=lambda: 1 / measure_cpu_s([str(ARENA), "doctor"], scratch),
        theirs=lambda: 1 / _DOCTOR_S,
        check=check,
    )


def comparisons(scratch: Path, tiles: Path) -> list[Comparison]:
    """Return both; `tiles` holds the tiles of the net that predicts."""
    return [predict(scratch, tiles), doctor(scratch)]
