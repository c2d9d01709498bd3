"""The one command: quick help, one-line errors, exit codes, and a README whose every command exists."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import arena.doctor
from arena.doctor import _driver, _wandb_key
from support.paths import ROOT


def run(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "arena", *map(str, words)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_help_starts_neither_torch_nor_optuna_nor_pandas(tmp_path: Path) -> None:
    code = (
        "import sys, arena.cli\ntry:\n    arena.cli.app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'optuna', 'pandas', 'numpy', 'wandb', 'sqlalchemy', 'matplotlib', 'cv2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_room(tmp_path: Path) -> None:
    output = run("--help", cwd=tmp_path).stdout
    for name in ("data", "train", "predict", "sweep", "contest", "report", "demo", "doctor"):
        assert re.search(rf"\b{name}\b", output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data", "scan", "nowhere"], "nowhere"),
        (["data", "prepare", "."], "."),
        (["data", "prepare", ".", "tiles.sise=32"], "unknown key 'tiles.sise'; did you mean tiles.size=32?"),
        (["data", "show"], "no tiles in tiles; make some with `arena data prepare CORPUS --tiles tiles`"),
        (["train"], "no tiles in tiles; make some with `arena data prepare CORPUS --tiles tiles`"),
        (["predict", "abc"], "no run 'abc' in runs, which holds none; `arena train` makes one"),
        (["sweep", "run", "lenet5", "--variant", "raw"], "no tiles in tiles"),
        (["contest", "standings"], "contest.db"),
        (["report", "build"], "runs"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_1(words: list[str], said: str, tmp_path: Path) -> None:
    ended = run(*words, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_every_setting_is_listed_for_machines(tmp_path: Path) -> None:
    rows = {row["key"]: row for row in json.loads(run("train", "--keys", "--json", "--model", "resnet", cwd=tmp_path).stdout)}
    assert rows["model.name"]["default"] == "resnet"
    assert rows["model.depth"] == {
        "key": "model.depth",
        "default": 1,
        "type": "int",
        "values": "1 to 4",
        "meaning": "residual blocks in each of three stages",
    }
    assert isinstance(rows["train.epochs"]["default"], int)
    assert rows["split.test_speakers"]["default"] == []


def test_an_unknown_flag_is_exit_code_2(tmp_path: Path) -> None:
    ended = run("train", "--modell", "lenet5", cwd=tmp_path)
    assert ended.returncode == 2
    assert "--model" in ended.stderr


def test_the_doctor_finds_what_is_here_and_what_is_not(tmp_path: Path) -> None:
    ended = run("doctor", "--json", cwd=tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(ended.stdout)["findings"]}
    assert findings["torch"]["state"] == "ok"
    assert findings["W&B login"]["detail"] == "not logged in: runs are kept offline"
    assert ended.returncode == int(any(finding["state"] == "missing" for finding in findings.values()))


def test_the_doctor_loads_neither_torch_nor_wandb_unless_asked(tmp_path: Path) -> None:
    code = (
        "import sys, arena.doctor\narena.doctor.doctor(json=True)\nprint(sorted({'torch', 'wandb', 'cv2'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("machine", "environment", "state", "detail"),
    [
        ("api.wandb.ai", {}, "ok", "a key is in netrc; not tried"),
        ("wandb.example.org", {}, "optional", "not logged in: runs are kept offline"),
        ("wandb.example.org", {"WANDB_BASE_URL": "https://wandb.example.org"}, "ok", "a key is in netrc; not tried"),
        ("api.wandb.ai", {"WANDB_MODE": "offline"}, "optional", "WANDB_MODE is offline"),
        ("", {"WANDB_API_KEY": "0" * 40}, "ok", "a key is in WANDB_API_KEY; not tried"),
    ],
)
def test_the_doctor_says_where_a_key_is(
    machine: str,
    environment: dict[str, str],
    state: str,
    detail: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text(f"machine {machine} login user password {'0' * 40}\n" if machine else "")
    monkeypatch.chdir(tmp_path)
    for name, value in {"NETRC": "netrc", "WANDB_CONFIG_DIR": "none", **environment}.items():
        monkeypatch.setenv(name, value)
    finding = _wandb_key()
    assert (finding.state, finding.detail) == (state, detail)


@pytest.mark.parametrize("build", ["hip = '6.4'\ncuda = None", "hip = None\ncuda = None", "hip = None\ncuda = '13.0'"])
def test_the_doctor_names_a_gpu_by_its_driver_and_by_the_build_of_torch(
    build: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version.py").write_text(build)
    monkeypatch.setattr(arena.doctor, "_find_folder", lambda name: tmp_path)
    details = []
    for names, newest in (([], 0), (["NVIDIA H200"], 12), (["NVIDIA H200"], 13)):
        monkeypatch.setattr(arena.doctor, "list_gpus", lambda gpus=(names, newest): gpus)
        details.append(_driver().detail)
    built = "not tried: torch is built for ROCm"
    bare = "cpu; cuda:0 NVIDIA H200, and torch is built"
    assert (
        details
        == {
            "hip = '6.4'\ncuda = None": [built] * 3,
            "hip = None\ncuda = None": ["cpu; no GPU found", f"{bare} without CUDA", f"{bare} without CUDA"],
            "hip = None\ncuda = '13.0'": [
                "cpu; no GPU found",
                f"{bare} for CUDA 13.0, the driver for CUDA 12",
                "cuda:0 NVIDIA H200, by the driver",
            ],
        }[build]
    )


def test_the_doctor_finds_a_library_that_is_no_pair_or_lacks_another(tmp_path: Path) -> None:
    (tmp_path / "torchaudio" / "lib").mkdir(parents=True)
    (tmp_path / "torchaudio" / "lib" / "libtorchaudio.so").write_text("of another machine")
    (tmp_path / "torchaudio" / "__init__.py").write_text("import ctypes\nctypes.CDLL(__path__[0] + '/lib/libtorchaudio.so')\n")
    ended = run("doctor", "--json", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    finding = next(f for f in json.loads(ended.stdout)["findings"] if f["what"] == "torchaudio")
    assert (ended.returncode, finding["state"]) == (1, "missing")
    assert "does not load: " in finding["detail"]
    assert finding["remedy"].startswith("pip install ")


def test_the_doctor_fails_when_a_package_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")
    ended = run("doctor", "--deep", "--json", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    finding = next(f for f in json.loads(ended.stdout)["findings"] if f["what"] == "opencv-python")
    assert ended.returncode == 1
    assert finding["state"] == "missing"
    assert "does not load: libGL.so.1" in finding["detail"]
    version = importlib.metadata.version("opencv-python")
    assert finding["remedy"] == f"pip install --force-reinstall --no-deps opencv-python-headless=={version}"
