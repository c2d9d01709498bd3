"""Jupyter notebook on runs, studies and a contest: cells of plain pandas and matplotlib, executed when it is written.

Its cells stand in templates/story.txt: a line `%% code NAME` or `%% markdown NAME` begins one, which is left out where there
is nothing of that name; at `%% nets NAME` are the chapters on the nets. A line after `@sound ` or `@pictures ` is for data of
that kind alone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from arena.base.texts import ENGLISH
from cnn.runs import DataKind
from reports.documents.net_chapters import build_net_chapters
from reports.documents.notebook_file import NotebookCell, read_cells
from reports.errors import NothingToReport
from reports.facts.report import ReportFacts
from reports.reading.gather import Sources
from reports.reading.tiles import TileFolder, find_tile_folder
from reports.wording.page_texts import page_texts

_STORY = Path(__file__).parent / "templates" / "story.txt"
_LINE_OF_KIND = re.compile(rf"^@({'|'.join(DataKind)}) (.*(?:\n|\Z))", flags=re.MULTILINE)


def build_story(facts: ReportFacts, sources: Sources, out: Path, *, with_code: bool = False) -> list[NotebookCell]:
    """Return the cells for the parts of `facts`; paths in them are relative to the folder of `out`, where the notebook runs.

    Args:
        with_code: have a chapter on each net, with its source.

    Raises:
        NothingToReport: no finished training.
    """
    if not facts.runs:
        raise NothingToReport("a notebook tells of trainings and none is finished; train with `arena train --all`")
    tiles = find_tile_folder(sources.tiles, _config(facts))
    parts = {
        "tiles": tiles is not None,
        "weights": all((Path(run.folder) / "model.pt").exists() for run in facts.runs),
        "tested": any(run.test for run in facts.runs),
        "factors": _has_factors(facts),
        "inspected": bool(facts.inspections),
        "evaluated": bool(facts.evaluations),
        "sweeps": bool(facts.sweeps),
        "contest": facts.contest is not None,
        "code": with_code,
    }
    chapters = "".join(f", {name}" for name in ("sweeps", "contest") if parts[name])
    settings = "\n".join(_list_settings(facts, sources, tiles, out))
    values = {"title": facts.title, "places": settings, "parts": chapters, "models": _models(facts)}
    cells: list[NotebookCell] = []
    for cell in cells_for({name for name, is_on in parts.items() if is_on}, facts.kind):
        cells += build_net_chapters(facts) if cell.kind == "nets" else [_filled(cell, values)]
    return cells


def _has_factors(facts: ReportFacts) -> bool:
    models, variants = {run.model for run in facts.runs}, {run.variant for run in facts.runs}
    return len(facts.models) > 1 and models >= set(facts.models) and len(variants) > 1


def _list_settings(facts: ReportFacts, sources: Sources, tiles: TileFolder | None, out: Path) -> list[str]:
    """Return the notebook's first assignments."""
    folder = out.resolve().parent
    runs = Path(facts.runs[0].folder).parent
    settings = [f"RUNS = {_path(runs, folder)}", f"TRAININGS = {json.dumps([Path(run.folder).name for run in facts.runs])}"]
    settings += [f"MODELS = {json.dumps(facts.models)}  # Model A and Model B"]
    settings += [f"TILES_DIR = {_path(sources.tiles, folder)}"]
    settings += [f"TILES = {_path(tiles.folder, folder)}"] if tiles else []
    settings += [f"INSPECTED = {json.dumps(facts.inspections[0].run)}"] if facts.inspections else []
    settings += [f"STUDIES = {_path(sources.studies, folder)}"] if facts.sweeps and sources.studies else []
    if facts.contest and sources.contest:
        is_url = "://" in sources.contest
        contest = _strip_password(sources.contest) if is_url else _relative(Path(sources.contest), folder)
        settings += [f"CONTEST = {json.dumps(contest)}"]
    return settings


def _strip_password(url: str) -> str:
    """Return a database's URL without its password, which the notebook's kernel finds in PGPASSWORD."""
    if password := urlsplit(url).password:
        os.environ["PGPASSWORD"] = unquote(password)
        return url.replace(f":{password}@", "@", 1)
    return url


def cells_for(parts: set[str], kind: DataKind) -> list[NotebookCell]:
    """Return the cells of the story that need nothing, or something in `parts`, with the lines for data of that kind."""

    def select_lines(text: str) -> str:
        return _LINE_OF_KIND.sub(lambda match: match[2] if match[1] == kind else "", text).strip("\n")

    cells = [cell for cell, needs in read_cells(_STORY) if not needs or needs in parts]
    return [dataclasses.replace(cell, text=select_lines(cell.text)) for cell in cells]


def _models(facts: ReportFacts) -> str:
    """Introduce the nets: `Model A: lenet5 (after LeNet-5), Model B: MyNet.`"""
    t = page_texts(dataclasses.replace(facts, lang=ENGLISH))
    trained = dict.fromkeys(run.model for run in facts.runs)
    return ", ".join(t.introduce(net) + (f" ({t.source(net)})" if t.source(net) else "") for net in trained) + "."


def _filled(cell: NotebookCell, values: dict[str, str]) -> NotebookCell:
    names = "|".join(values)  # in one pass: a value that holds {models} would break out of its quotes
    return NotebookCell(kind=cell.kind, text=re.sub(rf"\{{({names})\}}", lambda match: values[match[1]], cell.text))


def _config(facts: ReportFacts) -> dict[str, Any]:
    from cnn.runs.folder import RunFolder

    return RunFolder(Path(facts.runs[0].folder)).config()


def _path(path: Path, folder: Path) -> str:
    return f"Path({json.dumps(_relative(path, folder))})"


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.resolve(), folder)
