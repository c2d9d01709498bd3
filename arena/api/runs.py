"""Runs from Python: settings, scores with intervals, curves and predictions as pandas, figures as matplotlib."""

from __future__ import annotations

import dataclasses
import functools
import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.api.arguments import Location, choose_folder
from arena.base.resamples import Truth, resample_rows
from cnn.errors import RunError
from cnn.files import check_output
from cnn.reconstruction.result import PAIRS_NAME, read_reconstructions
from cnn.runs import DataKind, read_kind
from cnn.runs.evaluation import read_labels
from cnn.runs.folder import PREDICTION_HEAD, RunFolder, RunResult
from cnn.runs.index import RunLine, list_newest_first, read_line
from cnn.runs.looks import LookRow, read_looks
from cnn.runs.reference import find_run
from cnn.settings.fields import check_choice

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from arena.api.figures import NotebookFigure

_DIGITS, _ERROR_DIGITS = "{:.3f}".format, "{:.5f}".format


class Run:
    """One training: `Run("best")`, `Run("latest")`, `Run("lenet5.raw+aug")`, a name, a path, or the beginning of a digest."""

    def __init__(self, run: Location = "best", runs: Location | None = None) -> None:
        """Find the run in the folder `runs`, the project's if none is given.

        Raises:
            Error: no such run, or several.
        """
        self.stored: RunFolder = find_run(os.fspath(run), choose_folder("runs", runs))

    @property
    def folder(self) -> Path:
        return self.stored.path

    @property
    def digest(self) -> str:
        """The name of its folder: equal settings have an equal one."""
        return self.stored.digest

    @property
    def line(self) -> RunLine:
        """Its line in `arena runs`: state, name, tags, net, split, scores, cause of a failure."""
        return read_line(self.stored)

    @property
    def name(self) -> str:
        """The name that it was given; empty where it has none."""
        return self.line.name

    @property
    def net(self) -> str:
        """Net and variant, as `lenet5.raw+aug`; its digest where they cannot be read."""
        return self.line.net or self.digest

    @property
    def state(self) -> str:
        """finished, unfinished, running, pruned, failed or damaged."""
        return self.line.state

    @property
    def config(self) -> dict[str, Any]:
        """Its settings, by section."""
        return self.stored.config()

    @property
    def result(self) -> RunResult:
        """The content of result.json: counts, verdict, speed, versions.

        Raises:
            Error: the run has none yet.
        """
        result = self.stored.result()
        if result is None:
            raise RunError(f"{self.folder} is {self.state} and has no result; train it to its end")
        return result

    @functools.cached_property
    def scores(self) -> pd.DataFrame:
        """A row for each split: n, loss, accuracy, macro_f1, with the interval (95 %) that a contest would give it.

        Of an autoencoder: n, mse, psnr_db and the error of PCA; of its input, too, where that has noise or half the size.
        """
        import pandas as pd

        if self.result.reconstruction:
            errors = {split: dataclasses.asdict(score) for split, score in self.result.reconstruction.scores.items()}
            return pd.DataFrame.from_dict(errors, orient="index").dropna(axis="columns").rename_axis("split")
        rows = {
            split: {name: getattr(score, name) for name in ("n", "loss", "accuracy", "macro_f1")}
            for split, score in self.result.scores.items()
        }
        for split in rows.keys() & set(self.predictions["split"]):
            rows[split] |= self._interval(split)
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("split")

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        """A row for each epoch: loss, accuracy and macro-F1 of training and validation, learning rate, seconds, updates so far
        and mean norm of the gradient."""
        import pandas as pd

        return pd.DataFrame(self.stored.epochs()).set_index("epoch")

    @functools.cached_property
    def looks(self) -> pd.DataFrame:
        """A row for each validation between updates, every `train.looks_every` of them; empty without."""
        import pandas as pd

        columns = [field.name for field in dataclasses.fields(LookRow)]
        return pd.DataFrame(read_looks(self.stored), columns=columns).set_index("updates")

    @functools.cached_property
    def predictions(self) -> pd.DataFrame:
        """A row for each clip of validation and test: id, label (predicted), truth, speaker, split, probability of each digit.

        Raises:
            Error: the run is not finished.
        """
        import pandas as pd

        rows = self.stored.predictions()
        table = pd.DataFrame(
            {name: [getattr(row, name) for row in rows] for name in ("id", "label", "truth", "speaker", "split")}
        )
        return table.join(pd.DataFrame([row.probabilities for row in rows], columns=list(self._labels)))

    @functools.cached_property
    def reconstructions(self) -> pd.DataFrame:
        """A row for each tile of an autoencoder's run: id, error (mean squared, of its cells), truth, speaker, split."""
        import pandas as pd

        return pd.DataFrame(read_reconstructions(self.folder))

    def plot_reconstructions(self) -> NotebookFigure:
        """Draw a few tiles, each with what an autoencoder was given, and what it and PCA made of that.

        Raises:
            Error: the run is none of an autoencoder, or not finished.
        """
        from arena.api.figures import draw_reconstructions

        path = self.folder / PAIRS_NAME
        if not path.exists():
            raise RunError(
                f"{self.folder} has no reconstructions; a finished run of `arena train --model autoencoder` has them"
            )
        with np.load(path, allow_pickle=False) as arrays:
            return draw_reconstructions(dict(arrays), f"{self.net}, {len(arrays['ids'])} tiles")

    def confusion(self, split: str = "test") -> pd.DataFrame:
        """Count the clips of a split, train, val or test, by digit spoken (rows) and predicted (columns)."""
        import pandas as pd

        scores = self.result.scores
        if split == "test" and self.stored.is_trial:
            raise RunError(f"{self.folder} is {self.line.trial}, which sees no test clips; train its settings and it has them")
        check_choice("split", split, tuple(scores))
        labels = list(self.result.labels)
        truth = "spoken" if read_kind(self.stored.config()) is DataKind.SOUND else "truth"
        return pd.DataFrame(
            scores[split].confusion, index=pd.Index(labels, name=truth), columns=pd.Index(labels, name="predicted")
        )

    def plot_confusion(self, split: str = "test") -> NotebookFigure:
        """Draw the confusion matrix of a split with its counts."""
        from arena.api.figures import draw_confusion

        counts, score = self.confusion(split), self.result.scores[split]
        kind = read_kind(self.stored.config())
        return draw_confusion(counts, f"{self.net}, {split}: macro-F1 {score.macro_f1:.3f}, {score.n:,} {kind.items}")

    def plot_curves(self) -> NotebookFigure:
        """Draw loss and macro-F1 by epoch, also of a run that is not finished."""
        from arena.api.figures import draw_curves

        result = self.stored.result()
        return draw_curves(self.curves, result.best_epoch if result else None, self.net)

    def load_net(self, device: str = "cpu") -> nn.Module:
        """Return the net with its trained weights, in evaluation mode.

        Raises:
            Error: the run is not finished, its weights are damaged, or there is no such device.
        """
        from cnn.inference.predict import find_finished_run, load_net
        from cnn.train.device import resolve_device

        return load_net(find_finished_run(str(self.folder), self.folder.parent), resolve_device(device))[1]

    def write_submission(self, out: Location = "submission.csv", split: str = "test") -> Path:
        """Write the answers to a split's clips, test or val, as a file that a contest takes; an earlier one is replaced.

        Raises:
            Error: the run is not finished, or `out` is another file.
        """
        from cnn.inference.predict import (
            complete_trial,
            find_finished_run,
            read_answers,
            write_submission,
        )

        check_choice("split", split, ("test", "val"))
        check_output(Path(out), (*PREDICTION_HEAD, *self._labels))
        if split == "test":
            complete_trial(find_finished_run(str(self.folder), self.folder.parent), choose_folder("tiles", None), "auto")
        write_submission(Path(out), read_answers(self.stored, split))
        return Path(out)

    @property
    def _labels(self) -> tuple[str, ...]:
        return read_labels([self.stored])

    def _interval(self, split: str) -> dict[str, object]:
        rows = self.predictions[self.predictions["split"] == split]
        truth, predicted = (
            np.array([self._labels.index(label) for label in rows[name]], dtype=np.intp) for name in ("truth", "label")
        )
        draws = resample_rows(Truth(classes=truth, groups=rows["speaker"].to_numpy(), n_classes=len(self._labels)))
        interval = draws.interval(draws.macro_f1(predicted[None])[:, 0])
        return {"low": interval.low, "high": interval.high, "over": f"{interval.n_units:,} {interval.unit}"}

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {self.net}, {self.state})"

    def _repr_html_(self) -> str:
        title = html.escape(f"{self.net}, {self.state} ({self.folder})")
        result = self.stored.result()
        digits = _ERROR_DIGITS if result and result.reconstruction else _DIGITS
        table = self.scores.to_html(float_format=digits, na_rep="") if result else ""
        return f"<p>{title}</p>{table}"


class Runs(tuple[Run, ...]):
    """Several runs; `runs.table` has a row for each."""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each run: model, variant, state, scores of validation and test, epochs, name, and cause of a failure."""
        import pandas as pd

        rows = [
            {
                "run": run.digest,
                "model": line.net.rpartition(".")[0],
                "variant": line.variant,
                "state": line.state,
                "val_macro_f1": line.val_macro_f1,
                "test_macro_f1": line.test_macro_f1,
                "epochs": line.n_epochs,
                "name": line.name,
                "trial": f"{line.trial.number} of {line.trial.study}" if line.trial else "",
                "cause": line.cause,
            }
            for run, line in ((run, run.line) for run in self)
        ]
        return pd.DataFrame(rows).set_index("run") if rows else pd.DataFrame()

    def __repr__(self) -> str:
        return f"Runs({', '.join(map(repr, self))})"

    def _repr_html_(self) -> str:
        table = self.table
        empty = [name for name in table if not table[name].astype(bool).any()]
        text: str = table.drop(columns=empty).to_html(float_format=_DIGITS, na_rep="", max_rows=20)
        return text


def runs(folder: Location | None = None) -> Runs:
    """Return all runs of a folder, the project's if none is given, newest first: trainings and trials of sweeps."""
    path = choose_folder("runs", folder)
    return Runs(Run(path / line.digest) for line in list_newest_first(path))
