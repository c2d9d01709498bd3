"""Hints by how Arena was installed, one line for packages that are missing or broken, and the wheel that is handed on."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import pickle
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import typer

from arena.base.install import DISTRIBUTION, build_wheel, explain, install_command, loading, requirements
from cnn.tiles.tile_set import TileSet
from support.paths import ROOT

BASE = {line.import_name for line in requirements() if not line.extra} | {"markdown_it"}  # the last is rich's as well
ABSENT = {line.import_name for line in requirements()} - BASE
PAIR = " ".join(line.word for line in requirements() if line.name in ("torch", "torchaudio"))
RUN_BASE = f"""
import contextlib, io, json, sys

class WithoutExtras:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in {sorted(ABSENT)} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(WithoutExtras, sys.meta_path)
import arena.__main__

for words in json.loads(sys.argv[1]):
    sys.argv[1:], said = words, io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            arena.__main__.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
    print(json.dumps([code, said.getvalue()]))
"""
SAY_HELP = """
import click, typer.main, arena.cli

def words(command, path):
    yield [*path, "--help"]
    for name, child in getattr(command, "commands", {}).items():
        yield from words(child, [*path, name])

print(__import__("json").dumps(list(words(typer.main.get_command(arena.cli.app), []))))
"""


def run(*words: str, cwd: Path, path: Path | str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(path), str(ROOT))))}
    return subprocess.run([sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def run_base(commands: list[list[str]], cwd: Path) -> list[tuple[int, str]]:
    ended = run("-P", "-c", RUN_BASE, json.dumps(commands), cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return [(code, output) for code, output in map(json.loads, ended.stdout.splitlines())]


def write_distribution(folder: Path, name: str, origin: object = None) -> None:
    info = folder / f"{name.replace('-', '_')}-9.dist-info"
    info.mkdir()
    metadata = f"Name: {name}\nVersion: 9\nRequires-Dist: onnx<2,>=1.19; extra == 'onnx'\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\n{metadata}")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ({"url": "file://{folder}/my%20clone", "dir_info": {"editable": True}}, 'pip install -e "{folder}/my clone[onnx]"'),
        ({"url": "file://{folder}/my%20clone", "dir_info": {}}, 'pip install "{folder}/my clone[onnx]"'),
        ({"url": "file://{folder}/arena.whl", "archive_info": {}}, 'pip install "{folder}/arena.whl[onnx]"'),
        ({"url": "file://{folder}/$HOME.whl", "archive_info": {}}, "pip install '{folder}/$HOME.whl[onnx]'"),
        ({"url": "file://{folder}/gone.whl", "archive_info": {}}, 'pip install "onnx<2,>=1.19"'),
        (
            {"url": "https://example.org/arena.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            f'pip install "{DISTRIBUTION}[onnx] @ git+https://example.org/arena.git@abc"',
        ),
        (None, f'pip install -e "{ROOT}[onnx]"'),
    ],
)
def test_the_hint_goes_by_how_arena_was_installed(
    origin: object, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my clone").mkdir()
    for name in ("arena.whl", "$HOME.whl"):
        (tmp_path / name).touch()
    write_distribution(tmp_path, DISTRIBUTION, origin and json.loads(json.dumps(origin).replace("{folder}", str(tmp_path))))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert install_command("onnx") == command.replace("{folder}", str(tmp_path))


def test_in_the_clone_the_hint_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert install_command("onnx") == 'pip install -e ".[onnx]"'
    assert install_command() == "pip install -e ."


def test_nothing_names_the_distribution_as_if_an_index_had_it() -> None:
    files = [path for pattern in ("*.py", "*.md", "*.ipynb") for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    assert len(files) > 300
    named = re.compile(rf"pip install ['\"]?{DISTRIBUTION}(?! @)")
    assert [path for path in files if named.search(path.read_text(encoding="utf-8"))] == []


def test_every_help_of_the_tree_works_with_the_base_alone(tmp_path: Path) -> None:
    commands = json.loads(run("-P", "-c", SAY_HELP, cwd=tmp_path).stdout)
    assert len(commands) > 50
    ended = run_base(commands, tmp_path)
    assert [
        (words, output) for words, (code, output) in zip(commands, ended, strict=True) if code or "Usage: arena" not in output
    ] == []


def test_a_missing_package_is_one_line_with_the_extra_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    lines = {
        "data scan corpus": ("soundfile", "train"),
        "data import corpus all": ("soundfile", "train"),
        "data card corpus --out card.html": ("soundfile", "train"),
        "data prepare corpus": ("soundfile", "train"),
        "models --size 32": ("torch", "train"),
        "models resnet --layers": ("torch", "train"),
        "predict abc --recordings corpus --out x.csv": ("soundfile", "train"),
        "export abc --out m.onnx": ("torch", "train"),
        "inspect abc": ("torch", "train"),
        "sweep best x": ("optuna", "sweep"),
        "sweep trials x": ("optuna", "sweep"),
        "sweep dashboard": ("optuna", "sweep"),
        "contest pack corpus --n-test-speakers 1 --out pack": ("soundfile", "train"),
        "report build": ("matplotlib", "report"),
        "report compare a b": ("matplotlib", "report"),
        "report serve": ("matplotlib", "report"),
        "report paper": ("matplotlib", "report"),
        "report table": ("pandas", "report"),
        "demo": ("soundfile", "all,speech"),
    }
    ended = run_base([command.split() for command in lines], tmp_path)
    without_tiles = ["data show", "data solution", "train", "eval", "sweep run lenet5 --variant raw"]
    advice = "error: no tiles in tiles; make some with `arena data prepare CORPUS --tiles tiles`\n"  # which names the package
    assert run_base([command.split() for command in without_tiles], tmp_path) == [(1, advice)] * len(without_tiles)
    assert dict(zip(lines, ended, strict=True)) == {
        command: (1, f'error: this needs the package {name}, which is not installed: pip install -e "{ROOT}[{extra}]"\n')
        for command, (name, extra) in lines.items()
    }


def test_what_serves_one_command_is_named_by_it(tmp_path: Path) -> None:
    lines = {
        "data synth corpus": ("synthetic speech needs eSpeak NG", "speech"),
        "contest standings --contest postgresql+psycopg://me@host/c": (
            "postgresql+psycopg://me@host/c needs the package psycopg",
            "postgres",
        ),
    }
    ended = run_base([command.split() for command in lines], tmp_path)
    without_tiles = ["data show", "data solution", "train", "eval", "sweep run lenet5 --variant raw"]
    advice = "error: no tiles in tiles; make some with `arena data prepare CORPUS --tiles tiles`\n"  # which names the package
    assert run_base([command.split() for command in without_tiles], tmp_path) == [(1, advice)] * len(without_tiles)
    assert dict(zip(lines, ended, strict=True)) == {
        command: (1, f'error: {needs}: pip install -e "{ROOT}[{extra}]"\n') for command, (needs, extra) in lines.items()
    }


def test_a_package_of_a_package_is_one_line_too(tmp_path: Path) -> None:
    error = ModuleNotFoundError("No module named 'sympy'", name="sympy")
    assert explain(error) == "this needs the package sympy, which is not installed: pip install sympy"
    assert explain(importlib.metadata.PackageNotFoundError(DISTRIBUTION)) == (
        f"this needs the package {DISTRIBUTION}, which is not installed: {install_command()}"
    )


def test_a_fault_of_arena_or_of_the_disk_is_not_taken_for_a_package() -> None:
    for error in (
        ModuleNotFoundError("No module named 'cnn.nothing'", name="cnn.nothing"),
        ModuleNotFoundError("No module named 'fcntl'", name="fcntl"),
        ImportError("cannot import name 'x' from 'cnn.runs.folder'", name="cnn.runs.folder"),
        OSError(28, "No space left on device"),
        OSError("of no import"),
    ):
        assert explain(error) is None


def test_a_shared_library_that_does_not_load_crosses_to_another_process_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchaudio_.py").write_text("raise OSError('libx.so: undefined symbol: y')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as raised, loading():
        import torchaudio_  # noqa: F401
    error = pickle.loads(pickle.dumps(raised.value))
    assert explain(error) == (
        "the package torchaudio_ does not load (libx.so: undefined symbol: y): "
        "pip install --force-reinstall --no-deps torchaudio_"
    )


@pytest.mark.parametrize(
    ("module", "code", "line"),
    [
        (
            "torchaudio",
            "raise OSError('/x/libtorchaudio.so: undefined symbol: y')",
            f"error: the package torchaudio does not load (/x/libtorchaudio.so: undefined symbol: y): pip install {PAIR}\n",
        ),
        (
            "cv2",
            "raise ImportError('libGL.so.1: cannot open shared object file')",
            "error: the package opencv-python does not load (libGL.so.1: cannot open shared object file): "
            "pip install --force-reinstall --no-deps opencv-python-headless=="
            f"{importlib.metadata.version('opencv-python')}\n",
        ),
    ],
)
def test_a_broken_package_is_one_line_and_no_fault_of_the_disk(
    module: str, code: str, line: str, corpus_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"{module}.py").write_text(code)
    words = ("data", "prepare", str(corpus_folder), "--tiles", "tiles", "--jobs", "1", "--cache", "cache")
    ended = run("-P", "-m", "arena", *words, cwd=tmp_path, path=tmp_path / "broken")
    assert (ended.returncode, [text for text in ended.stderr.splitlines(True) if "listening" not in text]) == (1, [line])


def test_trainings_in_other_processes_say_it_in_one_line_too(tiles: TileSet, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torch.py").write_text("raise OSError('libcudart.so: cannot open shared object file')")
    words = ("train", "--all", "--jobs", "2", "--wandb", "off", "--tiles", str(tiles.folder))
    ended = run("-P", "-m", "arena", *words, cwd=tmp_path, path=tmp_path / "broken")
    line = f"error: the package torch does not load (libcudart.so: cannot open shared object file): pip install {PAIR}\n"
    assert (ended.returncode, ended.stderr) == (1, line)


def test_the_doctor_works_with_the_base_alone(tmp_path: Path) -> None:
    ((code, output),) = run_base([["doctor", "--json"]], tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(output[output.index("{") :])["findings"]}
    assert findings["device"] == {
        "what": "device",
        "state": "optional",
        "detail": "torch does not load",
        "remedy": "see torch above",
    }
    remedies = {name: findings[name]["remedy"] for name in ("torch", "optuna", "pandas", "onnx")}
    assert remedies == {
        name: f'pip install -e "{ROOT}[{extra}]"'
        for name, extra in {"torch": "train", "optuna": "sweep", "pandas": "report", "onnx": "onnx"}.items()
    }
    assert code == 1  # they are in the books and do not load


def test_a_namesake_of_another_project_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "__init__.py").write_text("import not_there\n")
    write_distribution(tmp_path, "sweeps")
    ended = run("-P", "-m", "arena", "--version", cwd=tmp_path, path=tmp_path)
    line = f"error: the package 'sweeps' of another project hides Arena's: pip uninstall sweeps, then {install_command()}\n"
    assert (ended.returncode, ended.stderr) == (1, line.replace("-e .", f"-e {ROOT}"))


def test_a_file_of_the_users_own_beside_arena_is_one_line_and_without_harm_with_p(tmp_path: Path) -> None:
    (tmp_path / "cnn.py").write_text("print('mine')\n")
    assert run("-P", "-m", "arena", "--version", cwd=tmp_path).returncode == 0
    line = f"error: {tmp_path / 'cnn.py'} hides Arena's package 'cnn': rename it\n"
    for words in (["-m", "arena", "--version"], ["-c", "import arena"]):
        ended = run(*words, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", line)


def test_the_wheel_holds_the_files_that_run_and_installs_offline(tmp_path: Path) -> None:
    wheel = build_wheel()
    assert wheel == build_wheel()
    assert wheel.name == f"arena_spoken_digits-{importlib.metadata.version(DISTRIBUTION)}-py3-none-any.whl"
    (tmp_path / wheel.name).write_bytes(wheel.content)
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    words = [
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        f"{tmp_path / wheel.name}[train]",
    ]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    folders = {str(Path(module.__file__).parents[1]) for module in (typer, importlib.import_module("rich"))}
    (site / "others.pth").write_text("\n".join(folders))
    arena = [str(tmp_path / "venv" / "bin" / "arena")]
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*arena, "--version"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == importlib.metadata.version(DISTRIBUTION)
    code = "import arena.base.install, cnn; print(cnn.__file__); print(arena.base.install.install_command('onnx'))"
    output = subprocess.run([python, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == [str(site / "cnn" / "__init__.py"), f'pip install "{tmp_path / wheel.name}[onnx]"']
    again = "import arena.base.install, sys; sys.stdout.buffer.write(arena.base.install.build_wheel().content)"
    made = subprocess.run([python, "-c", again], cwd=tmp_path, env=env, capture_output=True, check=True).stdout
    assert made == wheel.content
