"""Run folders, studies and a contest for the tests of reports, all seeded."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from arena.base.scores import Interval
from cnn.config import VARIANTS
from cnn.files import write_csv, write_json
from cnn.nets import PAIR
from cnn.runs.folder import EpochRow, FitVerdict, Prediction, RunFolder, RunResult, RunState, Score
from leaderboard.standings import Attempt, Standing
from reports.facts.contest import ContestFacts
from reports.facts.sweeps import AgentFacts
from support import sklearn_reference as reference
from sweeps.importance import FEWEST_TRIALS, Importance
from sweeps.results import ParameterFacts, StudyFacts, TrialFacts

OWN = ("nets.py:MyLeNet", "nets.py:MyMobileNet")  # a pair that scores as the shipped one does
LABELS = tuple(str(digit) for digit in range(10))
SKILL = {"raw": 1.35, "bilateral": 1.1, "raw+aug": 1.7, "bilateral+aug": 1.55}
SIZES = {"lenet5": (61_706, 416_520), "columns": (174_970, 4_180_480)}
SPLIT = {"kind": "speaker", "fold": 0, "seed": 0, "test_speakers": [], "val_speakers": []}
VERDICTS = (
    ("good", "macro-F1 0.982 on the training clips, 0.951 on validation: a gap of 0.031, and both curves have settled."),
    ("overfit", "macro-F1 0.999 on the training clips, 0.871 on validation: a gap of 0.128; more speakers or a smaller net."),
)


def make_config(model: str, variant: str, **changes: Any) -> dict[str, Any]:
    """Make the config.json of one training; `changes` are dotted keys with __ for the dot."""
    config: dict[str, Any] = {
        "corpus": "0f3c5a1d2b4e6f70",
        "variant": variant,
        "tiles": {"size": 64, "rate_hz": 8000, "length_s": 0.8, "format": 4},
        "split": dict(SPLIT),
        "augment": {"freq_masks": 1, "freq_width": 10, "shift": 4},
        "model": {"name": model, "depth": 2 if model == "lenet5" else 1, "width": 1.0, "activation": "relu", "dropout": 0.2},
        "train": {
            "learning_rate": 0.002,
            "batch_size": 64,
            "epochs": 12,
            "optimizer": "adamw",
            "schedule": "cosine",
            "seed": 0,
        },
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            config[section][name] = value
        else:
            config[section] = value
    return config


def answers(skill: float, speakers: dict[str, list[str]], n_takes: int, seed: int) -> list[Prediction]:
    """Return predictions for `speakers` by split; the same clips are hard for every run, more skill answers more of them."""
    clips, run = np.random.default_rng(1), np.random.default_rng(seed)
    rows = []
    for split in ("val", "test"):
        for speaker in speakers[split]:
            for digit in range(10):
                for take in range(n_takes):
                    hardness = clips.normal() + 0.35 * clips.normal()
                    wrong = (
                        int((digit + clips.integers(1, 10)) % 10) if clips.random() < 0.4 else (9 - digit if digit != 9 else 5)
                    )
                    label = digit if run.normal(0, 0.35) + skill > hardness else wrong
                    probabilities = tuple(0.91 if k == label else 0.01 for k in range(10))
                    rows.append(
                        Prediction(
                            id=f"{digit}_{speaker}_{take}.wav",
                            label=str(label),
                            probabilities=probabilities,
                            truth=str(digit),
                            speaker=speaker,
                            split=split,
                        )
                    )
    return rows


def compute_score(rows: list[Prediction], loss: float) -> Score:
    """Score by scikit-learn: the reference that the report's own numbers are compared with."""
    truth, label = [row.truth for row in rows], [row.label for row in rows]
    return Score(
        n=len(rows),
        loss=loss,
        accuracy=float(reference.accuracy_score(truth, label)),
        macro_f1=float(reference.f1_score(truth, label, labels=sorted(set(truth)), average="macro")),
        confusion=reference.confusion_matrix(truth, label, labels=LABELS).tolist(),
    )


def make_curve(n_epochs: int, train_top: float, val_top: float, seed: int) -> list[EpochRow]:
    noise = np.random.default_rng(seed)
    rows = []
    for epoch in range(1, n_epochs + 1):
        rise = 1 - math.exp(-epoch / 2.2)
        train, val = 0.1 + (train_top - 0.1) * rise, 0.1 + (val_top - 0.1) * rise - abs(noise.normal(0, 0.008))
        rows.append(
            EpochRow(
                epoch=epoch,
                train_loss=2.3 * math.exp(-epoch / 2.5) + 0.25,
                train_accuracy=train,
                train_macro_f1=train,
                val_loss=2.3 * math.exp(-epoch / 2.5) + 0.3 + (1 - val_top) * (1 + 0.05 * epoch) + abs(noise.normal(0, 0.03)),
                val_accuracy=val,
                val_macro_f1=val,
                learning_rate=0.001 * (1 + math.cos(math.pi * epoch / n_epochs)),
                seconds=1.1,
            )
        )
    return rows


def write_run(
    runs: Path, digest: str, config: dict[str, Any], *, seed: int = 0, n_takes: int = 15, n_speakers: int = 2, **result: Any
) -> RunFolder:
    """Write one finished run folder."""
    folder = RunFolder(runs / digest)
    folder.path.mkdir(parents=True)
    model, variant = config["model"]["name"], config["variant"]
    skill = SKILL[variant] + (0.25 if model in (PAIR[1], OWN[1]) else 0.0)
    names = ["theo", "yweweler", "jackson", "lucas", "george", "nicolas", "anna", "bea"]
    speakers = {"test": names[:n_speakers], "val": ["george"] if n_speakers < 5 else ["zoe", "yan"]}
    rows = answers(skill, speakers, n_takes, seed)
    split = {name: [row for row in rows if row.split == name] for name in ("val", "test")}
    scores = {name: compute_score(rows, 0.31) for name, rows in split.items()}
    n_train = 1500
    train = Score(
        n=n_train, loss=0.05, accuracy=0.99, macro_f1=0.99, confusion=(np.eye(10, dtype=int) * (n_train // 10)).tolist()
    )
    state, reason = VERDICTS[variant in ("bilateral", "raw") and model in (PAIR[1], OWN[1])]
    epochs = make_curve(config["train"]["epochs"], 0.99, scores["val"].macro_f1, seed)
    best = max(epochs, key=lambda row: row.val_macro_f1).epoch
    facts: dict[str, Any] = {
        "state": RunState.FINISHED,
        "labels": LABELS,
        "best_epoch": best,
        "n_epochs": len(epochs),
        "scores": {"train": train, **scores},
        "verdict": FitVerdict(state=state, reason=reason),
        "n_parameters": SIZES.get(model, SIZES["columns"])[0],
        "n_multiply_adds": SIZES.get(model, SIZES["columns"])[1],
        "wall_s": 14.2 if model == "lenet5" else 71.9,
        "n_clips_per_s": 2400.0 if model == "lenet5" else 410.0,
        "device": "cpu",
        "n_threads": 1,
        "versions": {"python": "3.11.9", "torch": "2.11.0"},
        "started_at": "2026-11-21T08:03:11+00:00",
        "finished_at": "2026-11-21T08:04:25+00:00",
    }
    folder.write_config(config)
    folder.write_epochs(epochs)
    folder.write_predictions(LABELS, rows)
    folder.write_result(RunResult(**{**facts, **result}))
    return folder


def write_eight(runs: Path, models: tuple[str, ...] = PAIR, **more: Any) -> list[RunFolder]:
    """Write both models on the four variants."""
    cells = [(model, variant) for model in models for variant in VARIANTS]
    return [
        write_run(runs, f"{n:016x}", make_config(model, variant), seed=n, **more)
        for n, (model, variant) in enumerate(cells, start=0xA1)
    ]


def write_tiles(tiles: Path, config: dict[str, Any], clips: list[str], recording: bytes = b"", **doubts: Any) -> Path:
    """Write the files of a folder of tiles as the contract names them, each clip a square of its own; recordings beside it."""
    from cnn.config import compute_digest

    settings = {key: value for key, value in config["tiles"].items() if key != "format"}
    folder, corpus = tiles / compute_digest({"corpus": config["corpus"], "tiles": settings}), tiles.parent / "corpus"
    folder.mkdir(parents=True)
    corpus.mkdir(exist_ok=True)
    ages = ({"age": 24, "gender": "female"}, {"age": 31, "gender": "male", "accent": "German"}, {})
    speakers = {name: ages[n % 3] for n, name in enumerate(sorted({clip.split("_")[1] for clip in clips}))}
    same = {"corpus": config["corpus"], "tiles": settings, "corpus_folder": str(corpus)}
    same |= {"speakers": speakers, "doubts": doubts}
    write_json(folder / "settings.json", {"format": 4, "n_clips": len(clips), **same})
    rows = [[clip, clip[0], clip.split("_")[1], f"{clip}.wav", "0" * 64, "", "0.5000"] for clip in clips]
    write_csv(folder / "clips.csv", ("id", "label", "speaker", "path", "audio_digest", "part", "length_s"), rows)
    for clip in clips if recording else ():
        (corpus / f"{clip}.wav").write_bytes(recording)
    pictures = np.zeros((len(clips), 32, 32), dtype=np.uint8)
    for n in range(len(clips)):
        pictures[n, : 1 + n % 32, :4] = 200
    np.save(folder / "raw.npy", pictures)
    np.save(folder / "bilateral.npy", pictures // 2)
    return folder


def make_study(model: str, variant: str, n_trials: int = 64, seed: int = 0) -> StudyFacts:
    """Make a study with a preferred learning rate, as the report sees it."""
    draw = np.random.default_rng([seed, len(model), len(variant)])
    trials = []
    for number in range(n_trials):
        rate = float(10 ** draw.uniform(-4, -1))
        depth, batch = int(draw.integers(2, 5)), int(draw.choice([32, 64, 128]))
        optimizer = str(draw.choice(["adamw", "adam", "sgd"]))
        value: float | None = 0.95 - 0.16 * (math.log10(rate) + 2.6) ** 2 - 0.01 * abs(depth - 3) + float(draw.normal(0, 0.012))
        value = min(max(value or 0, 0.06), 0.985)
        state = "finished"
        if number % 29 == 17:
            state, value = "failed", None
        elif number > 8 and value < 0.88 and draw.random() < 0.7:
            state, value = "pruned", value * 0.8
        trials.append(
            TrialFacts(
                number=number,
                state=state,
                value=value,
                params={
                    "train.learning_rate": rate,
                    "train.batch_size": batch,
                    "model.depth": depth,
                    "train.optimizer": optimizer,
                },
                cause="out of memory" if state == "failed" else "",
                run=f"{number:016x}",
                seconds=11.3,
                agent=f"host-{number % 2}",
                epochs=dict.fromkeys(range(1, 13), 0.5),
            )
        )
    finished = [trial for trial in trials if trial.state == "finished"]
    best = max(finished, key=lambda trial: trial.value or 0)
    choices: dict[str, tuple[object, ...]] = {"train.batch_size": (32, 64, 128), "train.optimizer": ("adamw", "adam", "sgd")}
    importances = {"train.learning_rate": 0.71, "model.depth": 0.18, "train.batch_size": 0.08, "train.optimizer": 0.03}
    return StudyFacts(
        name=f"{model}-{variant.replace('+', '-')}",
        model=model,
        variant=variant,
        metric="val_macro_f1",
        goal="maximize",
        method="bayes",
        budget=n_trials,
        trials=tuple(trials),
        parameters=tuple(
            ParameterFacts(
                name=name,
                kind="categorical" if name in choices else "float",
                low=None,
                high=None,
                log=name == "train.learning_rate",
                choices=choices.get(name, ()),
            )
            for name in importances
        ),
        best=best,
        importances={
            name: Importance(share=share, low=share * 0.8, high=share + (1 - share) * 0.2)
            for name, share in importances.items()
            if len(finished) >= FEWEST_TRIALS
        },
        command=f"arena train --tiles tiles/fsdd model.name={model} variant={variant} train.learning_rate=0.0025 model.depth=3",
    )


def eight_sweeps(n_trials: int = 64) -> tuple[StudyFacts, ...]:
    return tuple(make_study(model, variant, n_trials) for model in PAIR for variant in VARIANTS)


def make_agents() -> dict[str, tuple[AgentFacts, ...]]:
    agents = tuple(AgentFacts(name=f"host-{n}", device="cpu", counts={"finished": 32}, seconds=361.6) for n in (0, 1))
    return {sweep.name: agents for sweep in eight_sweeps(1)}


def make_contest_facts(teams: tuple[str, ...] = ("Los Formantes", "Mel & Friends", "zero-crossing")) -> ContestFacts:
    """Make three teams, of which the first has used all its attempts."""
    start = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    table = []
    for rank, (team, scores) in enumerate(zip(teams, ([0.861, 0.902, 0.943], [0.874, 0.921], [0.902]), strict=True), start=1):
        attempts = tuple(
            Attempt(
                note=None,
                voided_at=None,
                number=n,
                score=x,
                macro_f1=x,
                metrics={"accuracy": x + 0.004, "log_loss": None},
                arrived_at=start + timedelta(hours=5 * n + rank),
                digest=f"{rank}{n}" * 8,
                file_name="p.csv",
                shown_number=n,
                model=None,
            )
            for n, x in enumerate(scores, start=1)
        )
        best = max(scores)
        interval = Interval(low=best - 0.028, high=best + 0.021, level=0.95, n_replicates=2000, unit="clips", n_units=300)
        table.append(
            Standing(
                rank=rank,
                team=team,
                shown_as=team,
                score=best,
                macro_f1=best,
                metrics={"accuracy": best + 0.004, "log_loss": None},
                interval=interval,
                rank_low=max(1, rank - 1),
                rank_high=min(3, rank + 1),
                letters={1: "a", 2: "ab"}.get(rank, "b"),
                could_be_first=rank < 3,
                luck=None,
                best=scores.index(best) + 1,
                n_attempts=len(attempts),
                n_allowed=3,
                model=None,
                attempts=attempts,
            )
        )
    return ContestFacts(name="Spoken digits 2026", deadline=start + timedelta(days=6), standings=tuple(table), n_waiting=1)


def tone_wav(rate_hz: int = 16_000, length_s: float = 0.4, pitch_hz: float = 440.0) -> bytes:
    """Return a recording in two channels, of which one is silent."""
    time = np.arange(int(rate_hz * length_s)) / rate_hz
    sound = np.stack([0.2 * np.sin(2 * np.pi * pitch_hz * time), np.zeros_like(time)], axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
