"""The notebook of a project: complete by itself, also from a folder below, and answered from run folders when run again."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.errors import ArenaError
from arena.base.project import read_project
from arena.base.texts import Words
from arena.starter.notebook import build_project_notebook, read_files
from arena.starter.wording import TEXTS
from reports.documents.notebook_file import run_notebook
from support.tones import write_tones

QUICK = "train.epochs = 1\nmodel.width = 0.25\ntiles.size = 32\nmodel.dropout = 0"


def invoke(*words: str) -> None:
    result = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def make_team(language: str) -> None:
    invoke("new", "team", "--corpus", "recordings", "--lang", language)
    text = Path("team/arena.toml").read_text()
    for slow, quick in (
        ("train.epochs = 20", QUICK),
        ("budget = 16", "budget = 1"),
        ('["raw", "bilateral", "raw+aug", "bilateral+aug"]', '["raw", "raw+aug"]'),
        ('# address = "https://', 'address = "https://'),
    ):
        text = text.replace(slow, quick)
    Path("team/arena.toml").write_text(text)


def read_output(notebook: dict[str, Any]) -> str:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in outputs)


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_brings_the_project_into_an_empty_folder_and_answers_from_run_folders_in_a_folder_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    write_tones(Path("recordings"), 2)
    make_team("es")
    monkeypatch.chdir("team")
    Path("../alone/below").mkdir(parents=True)
    invoke("notebook", "project", "--lang", "es", "--out", "../alone/project.ipynb")
    monkeypatch.chdir("../alone")
    notebook = json.loads(Path("project.ipynb").read_text(encoding="utf-8"))
    assert "lenet5" not in str(notebook)

    executed, cause = run_notebook(notebook, Path.cwd(), lambda: None)
    assert cause == ""
    output = read_output(executed)
    assert "4 of 4 done" in output
    assert "Warning" not in output
    assert "no se envía: falta el token" in output
    assert sum("image/png" in output.get("data", {}) for cell in executed["cells"] for output in cell.get("outputs", [])) == 5
    for name in ("arena.toml", "nets.py", "sweep-a.yaml", "sweep-b.yaml"):
        assert Path(name).read_bytes() == Path("../team", name).read_bytes()
    assert Path("report.html").is_file()
    runs = sorted(Path("runs").iterdir())

    executed, cause = run_notebook(notebook, Path("below").resolve(), lambda: None)
    assert (cause, list(Path("below").iterdir()), sorted(Path("runs").iterdir())) == ("", [], runs)


def test_a_net_that_was_changed_beside_the_notebook_is_kept_aside_and_an_edited_notebook_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_team("en")
    notebook = json.loads(Path("team/project.ipynb").read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if "nets.py" in cell["source"] or "MINE" in cell["source"]][:4]
    Path("team/nets.py").write_text("# ours\n")
    executed, cause = run_notebook(notebook, Path("team").resolve(), lambda: None)
    assert cause == ""
    assert "nets.py differed from the cell above; it is kept as nets.py.before" in read_output(executed)
    assert Path("team/nets.py.before").read_text() == "# ours\n"
    assert "class MyLeNet" in Path("team/nets.py").read_text()

    notebook["cells"][0]["source"] += "\nchanged = True"
    Path("team/project.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    monkeypatch.chdir("team")
    with pytest.raises(ArenaError, match=r"was edited, or is not of this command"):
        invoke("notebook", "project")


def test_outside_a_project_it_says_how_to_begin() -> None:
    with pytest.raises(ArenaError, match=r"no arena.toml here or above.*begin with `arena new`"):
        invoke("notebook", "project")


def test_names_of_files_are_no_code_and_links_out_of_the_folder_bring_nothing(tmp_path: Path) -> None:
    folder = tmp_path / 'team"); print("no name'
    (folder / "our nets").mkdir(parents=True)
    (folder / "our nets" / "nets.py").write_text("class One: ...\nclass Two: ...\n")
    (tmp_path / "secret").write_text("secret")
    (folder / "sweep.yaml").symlink_to(tmp_path / "secret")
    toml = '[models]\nA = "our nets/nets.py:One"\nB = "our nets/nets.py:Two"\n[sweep]\nA = "sweep.yaml"\n'
    (folder / "arena.toml").write_text(toml)
    files = read_files(read_project(folder / "arena.toml"))
    assert list(files) == ["arena.toml", "our nets/nets.py"]
    words = Words.read(TEXTS, "en")
    models = ("our nets/nets.py:One", "our nets/nets.py:Two")
    notebook = build_project_notebook("The\nteam", folder.name, files, models, words)
    cells = [cell["source"] for cell in notebook["cells"]]
    assert cells[0].startswith("# The team\n")
    drive = next(cell for cell in cells if "/content/drive/MyDrive" in cell)
    assert folder.name in [node.value for node in ast.walk(ast.parse(drive)) if isinstance(node, ast.Constant)]
    notebook["cells"] = [cell for cell in notebook["cells"] if "FILES" in cell["source"] or "%%writefile" in cell["source"]]
    notebook["cells"][0]["source"] = notebook["cells"][0]["source"].partition("\ntry:")[0]
    (tmp_path / "alone").mkdir()
    assert run_notebook(notebook, tmp_path / "alone", lambda: None)[1] == ""
    assert (tmp_path / "alone" / "our nets" / "nets.py").read_text() == "class One: ...\nclass Two: ...\n"

    (folder / "{1}.py").write_bytes(b"\xff")
    (folder / "latin.py").write_bytes(b"\xff")
    for name, message in (("{1}.py", "cannot write a file called"), ("latin.py", "is no text in UTF-8")):
        (folder / "arena.toml").write_text(toml.replace("our nets/nets.py", name))
        with pytest.raises(ArenaError, match=message):
            read_files(read_project(folder / "arena.toml"))
