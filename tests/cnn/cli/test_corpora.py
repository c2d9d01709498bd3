"""Several corpora by the command line: scanned, prepared, evaluated within one, described on one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner, Result

import arena
from arena.base.errors import ArenaError
from arena.cli import app
from cnn.runs.folds import find_evaluations
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.tones import RATE_HZ, tone, write_tones

SMALL = ("model.width=0.25", "train.epochs=1")


def run(*words: str | Path) -> Result:
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exception is None, result.exception
    return result


def refusal(*words: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, words)))
    assert isinstance(result.exception, ArenaError)
    return str(result.exception)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two corpora and their tiles: five speakers of others, and two of mine, whose names are among theirs."""
    folder = tmp_path_factory.mktemp("home")
    write_tones(folder / "others", 1)
    (folder / "mine").mkdir()
    for digit in range(10):
        for number, name in enumerate(("ann", "bob")):
            for take in range(3):
                path = folder / "mine" / f"{digit}_{name}_{take}.wav"
                soundfile.write(path, tone(digit, number, 9 + take), RATE_HZ, subtype="PCM_16")
    printed = run("data", "prepare", folder / "others", folder / "mine", "tiles.size=32", "--tiles", folder / "tiles").stdout
    assert printed.splitlines()[-1] == (
        "corpora mine, others; one is tested, the others only train: `arena train split.test_corpus=others`"
    )
    return folder


def test_a_summary_of_each_corpus_is_printed(home: Path) -> None:
    lines = run("data", "scan", home / "others", home / "mine").stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("clips ") and "usable" in line] == ["50", "60"]
    both = json.loads(run("data", "scan", home / "others", home / "mine", "--json").stdout)
    assert [corpus["name"] for corpus in both["corpora"]] == ["others", "mine"]


def test_one_page_describes_both(home: Path, tmp_path: Path) -> None:
    run("data", "card", home / "others", home / "mine", "--name", "a", "--name", "b", "-o", tmp_path / "card.html")
    page = (tmp_path / "card.html").read_text()
    assert "<h2>a + b</h2>" in page
    assert all(f">{name}<" in page for name in ("a/ann", "a/eve", "b/ann"))


def test_every_speaker_of_the_tested_corpus_is_held_out_once(home: Path, tmp_path: Path) -> None:
    places = ("--tiles", home / "tiles", "--runs", tmp_path, "--wandb", "off")
    rule = "these tiles are of 2 corpora (mine, others), and one of them is tested while the others only train; choose "
    choices = "split.test_corpus=mine or split.test_corpus=others"
    assert refusal("eval", *places, *SMALL) == refusal("train", *places, *SMALL) == f"{rule}{choices}"
    sweep = ("sweep", "run", "lenet5", "--variant", "raw", "--budget", "1", "--studies", tmp_path / "studies")
    assert choices in refusal(*sweep, "--tiles", home / "tiles")
    words = ("eval", "--folds", "loso", *places, *SMALL, "split.test_corpus=mine", "--json", "--jobs", "1")
    (scores,) = json.loads(run(*words).stdout)["evaluations"]
    assert {speaker["speaker"] for speaker in scores["speakers"]} == {"mine/ann", "mine/bob"}
    assert scores["n_clips"] == 60
    assert scores["notes"][0] == "these are the speakers of corpus mine; those of the other corpora only train"
    (folds,) = find_evaluations(tmp_path)
    assert (folds.n_folds, folds.n_missing) == (2, 0)
    assert "split.test_corpus=mine" in folds.command(tmp_path, home / "tiles")
    page = render_report(gather_facts(Sources(runs=tmp_path, tiles=home / "tiles"))).decode()
    assert "These are the speakers of corpus mine; those of the other corpora only train." in page
    spanish = render_report(gather_facts(Sources(runs=tmp_path, tiles=home / "tiles", lang="es"))).decode()
    assert "Estos son los hablantes del corpus mine; los de los demás corpus solo entrenan." in spanish


def test_a_contest_of_the_tested_corpus_has_its_clips_alone(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "solution.csv"
    run("data", "solution", "split.test_corpus=mine", "--tiles", home / "tiles", "--out", out)
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert rows[0] == ["id", "label", "Group"]
    assert len(rows) == 31
    assert {row[2].partition("/")[0] for row in rows[1:]} == {"mine"}


def test_corpora_are_prepared_and_split_from_python(home: Path, tmp_path: Path) -> None:
    tiles = arena.prepare([home / "others", home / "mine"], tmp_path, names=["a", "b"], size=32)
    assert len(tiles) == 110
    loaded = arena.load(tmp_path, split_test_corpus="b")
    held_out = loaded.clips[loaded.clips["split"] != "train"]
    assert set(held_out["speaker"]) == {"b/ann", "b/bob"}
    with pytest.raises(arena.Error, match=r"choose split.test_corpus=a or split.test_corpus=b"):
        _ = tiles.split
    assert "110 clips" in tiles._repr_html_()
