"""A notebook's chapter on each net: its source as it was trained, the commands that train it, its results."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cnn
from arena.base.texts import ENGLISH
from cnn.nets import NETS
from cnn.plugin import is_plugin, locate_source
from reports.documents.notebook_file import NotebookCell
from reports.errors import SourceError
from reports.facts.report import ReportFacts, RunFacts
from reports.wording.page_texts import page_texts

_FILES = {"scratch": "scratch/net.py"}  # trained in NumPy; its twin in models/ answers with the weights
_RESULTS = """\
pd.DataFrame(
    [
        {{"variant": runs.variant[name]}}
        | {{f"{{split}} macro-F1": score.macro_f1 for split, score in results[name].scores.items()}}
        for name in TRAININGS
        if runs.model[name] == {label}
    ]
)"""


def build_net_chapters(facts: ReportFacts) -> list[NotebookCell]:
    """Return the chapters on the nets of `facts`, in the order of their trainings; nets of one file show it once.

    Raises:
        ModelError: the file of a net of one's own is neither in its place nor in the run's folder.
        SourceError: a run's net is none of ours.
    """
    texts = page_texts(dataclasses.replace(facts, lang=ENGLISH))
    first_with: dict[str, str] = {}
    cells: list[NotebookCell] = []
    for label in dict.fromkeys(run.model for run in facts.runs):
        trainings = [run for run in facts.runs if run.model == label]
        path = _locate(trainings[0])
        source = path.read_text(encoding="utf-8").strip("\n")
        owner = first_with.setdefault(source, label)
        where = f"The code of `{label}`, not run here:" if owner == label else f"Its code is in the file of `{owner}`, above."
        cells.append(NotebookCell(kind="markdown", text=f"### {texts.introduce(label)}\n\n{where}"))
        if owner == label:
            cells.append(NotebookCell(kind="source", text=source))
        cells.append(NotebookCell(kind="markdown", text=_format_commands(trainings)))
        cells.append(NotebookCell(kind="code", text=_RESULTS.format(label=json.dumps(label))))
    return cells


def _locate(run: RunFacts) -> Path:
    name, source = str(run.config["model.name"]), str(run.config.get("model.source", ""))
    if is_plugin(name):
        return locate_source(name, source, Path(run.folder))
    if name not in NETS:
        raise SourceError(f"{run.folder} names the net {name!r}, which this version of Arena lacks; leave that run out")
    return Path(cnn.__path__[0]) / _FILES.get(name, f"models/{NETS[name].find_module(name)}.py")


def _format_commands(trainings: list[RunFacts]) -> str:
    lines = [run.command or f"# {run.digest}: this version of Arena would train another run" for run in trainings]
    return "\n".join(("Trained by", "", "```sh", *lines, "```"))
