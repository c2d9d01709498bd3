"""docs/how-to/python.md: its examples as the cells of one notebook."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from reports.documents.notebook_file import NotebookCell, build_notebook, run_notebook
from support.paths import ROOT
from support.tones import write_tones

PAGE = (ROOT / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_five_lines_train_a_net_in_readme_and_page() -> None:
    assert EXAMPLES[0] in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len([line for line in EXAMPLES[0].splitlines() if line]) == 5


def test_the_examples_run_in_a_notebook_whose_errors_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    recordings = write_tones(tmp_path / "recordings", 2)
    (tmp_path / "new").mkdir()
    shutil.copy(recordings / "1_ann_0.wav", tmp_path / "new" / "one.wav")
    shutil.copy(recordings / "2_ann_0.wav", tmp_path / "new" / "two.wav")
    cells = [*EXAMPLES, 'arena.train("lenet6")']
    notebook = build_notebook([NotebookCell(kind="code", text=text) for text in cells])
    notebook, cause = run_notebook(notebook, tmp_path, lambda: None)
    outputs = [cell["outputs"] for cell in notebook["cells"]]
    assert cause.startswith("ConfigError: model.name is one of lenet5, "), cause
    (error,) = [output for output in outputs[-1] if output["output_type"] == "error"]
    assert error["traceback"] == [f"error: {error['evalue']}"]
    results = [{kind for output in cell for kind in output.get("data", {})} for cell in outputs]
    pictures, tables = ([n for n, kinds in enumerate(results) if kind in kinds] for kind in ("image/png", "text/html"))
    assert pictures == [0, 4, 6]
    assert tables == [1, 3, 5, 7]
    assert [path.name for path in (tmp_path / "runs" / ".nets").iterdir()] != []
    assert (tmp_path / "report.html").exists()
