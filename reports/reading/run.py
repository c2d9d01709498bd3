"""One run folder as facts, and the contradictions between its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnn.commands import format_train_command
from cnn.errors import RunError
from cnn.overrides import flatten
from cnn.plugin import shorten_name
from cnn.runs import read_kind
from cnn.runs.folder import EpochRow, RunFolder, RunResult
from cnn.runs.verdict import Diagnosis, FitScores, diagnose
from reports.analysis.scores import ClipAnswers, convert_score, find_contradictions, recompute_scores, select_split
from reports.errors import SourceError
from reports.facts.base import Note, NoteKind
from reports.facts.report import RunFacts, SplitFacts
from reports.wording.page_texts import Texts, english


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A run as facts, beside its single answers, which the page resamples and lists the worst of."""

    facts: RunFacts
    clips: dict[str, ClipAnswers]  # val and test, as far as there are any
    notes: tuple[Note, ...] = field(default=())

    @property
    def test(self) -> ClipAnswers | None:
        return self.clips.get("test")


def damage_error(folder: RunFolder, cause: Exception) -> SourceError:
    """Return the error for a run folder whose files cannot be read."""
    reason = f"{cause.args[0]!r} is missing" if isinstance(cause, KeyError) else str(cause)
    return SourceError(f"{folder.path} is damaged: {reason}; delete the folder and train it again")


def read_run(folder: RunFolder, tiles: Path = Path("tiles"), t: Texts | None = None) -> Reading:
    """Read a finished run; `tiles` is the folder of tiles that the command to train it again names.

    Raises:
        SourceError: a file is missing or damaged.
    """
    try:
        result = folder.result()
        if result is None:
            raise SourceError(f"{folder.path} is not finished; train it to the end with `arena train`, or leave it out")
        return _reading(folder, result, tiles, t or english())
    except (RunError, ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
        raise damage_error(folder, error) from error


def _reading(folder: RunFolder, result: RunResult, tiles: Path, t: Texts) -> Reading:
    predictions = folder.predictions()
    splits: dict[str, SplitFacts] = {}
    differing: list[str] = []
    if "train" in result.scores:
        splits["train"] = convert_score(result.scores["train"], result.speakers.get("train", []))
    clips = {split: select_split(predictions, result.labels, split) for split in ("val", "test")}
    for split, rows in clips.items():
        stated = result.scores.get(split)
        if not rows.ids and not stated:
            continue
        splits[split] = recompute_scores(rows, stated)
        differing += find_contradictions(split, splits[split], stated) if stated else []
    notes: tuple[Note, ...] = ()
    if differing:
        text = t("note.contradicts", folder=folder.path, what="; ".join(differing))
        notes = (Note(kind=NoteKind.ERROR, text=text),)
    answered = {split: rows for split, rows in clips.items() if rows.ids}
    return Reading(facts=_run_facts(folder, result, splits, tiles), clips=answered, notes=notes)


def _diagnose(curve: Sequence[EpochRow], content: dict[str, Any], splits: dict[str, SplitFacts]) -> Diagnosis | None:
    """Diagnose the run anew, so that one of an older version has today's advice, in the language of the page."""
    train, val, config = splits.get("train"), splits.get("val"), flatten(content)
    if not train or not val:
        return None
    scores = FitScores(
        train=train.macro_f1,
        train_accuracy=train.accuracy,
        val=val.macro_f1,
        is_balanced=config.get("train.balance", "none") != "none",
        is_augmented=str(config["variant"]).endswith("+aug"),
        hears_val=config.get("split.validation") == "takes" or config.get("split.kind") == "random",
        kind=read_kind(content),
    )
    return diagnose(curve, scores)


def _run_facts(folder: RunFolder, result: RunResult, splits: dict[str, SplitFacts], tiles: Path) -> RunFacts:
    content = folder.config()
    config = flatten(content)
    seed = config.get("train.seed", 0)
    curve = tuple(folder.epochs())
    diagnosis = _diagnose(curve, content, splits) if result.verdict and curve else None
    return RunFacts(
        digest=folder.digest,
        folder=str(folder.path),
        model=shorten_name(str(config["model.name"])),
        variant=str(config["variant"]),
        seed=seed if isinstance(seed, int) else 0,
        config=config,
        labels=result.labels,
        curve=curve,
        best_epoch=result.best_epoch,
        n_epochs=result.n_epochs,
        splits=splits,
        interval=None,
        behind_choice=None,
        verdict=diagnosis.state if diagnosis else "",
        diagnosis=diagnosis,
        wall_s=result.wall_s,
        n_clips_per_s=result.n_clips_per_s,
        n_parameters=result.n_parameters,
        n_multiply_adds=result.n_multiply_adds,
        device=result.device,
        n_threads=result.n_threads,
        versions=result.versions,
        started_at=result.started_at,
        finished_at=result.finished_at,
        wandb_url=result.wandb_url if result.wandb_url.startswith(("https://", "http://")) else "",
        command=format_train_command(folder.digest, content, tiles, folder.path.parent),
        is_trial=folder.is_trial,
    )
