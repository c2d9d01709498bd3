"""An installation: contents of the wheel, commands of the base, extras and constraints, and OpenCV on a bare machine."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from support.paths import ROOT
from support.postgres import missing_part

PACKAGES = ("cnn", "sweeps", "leaderboard", "reports", "arena*")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
# Import names of what the extras bring; markdown-it-py is rich's as well.
EXTRA_IMPORTS = (
    *("torch", "torchaudio", "soundfile", "cv2", "sklearn", "scipy", "matplotlib", "wandb", "optuna", "pandas"),
    *("espeakng_loader", "optuna_dashboard", "psycopg", "onnx", "onnxruntime", "nbformat", "nbclient", "submitit", "ray"),
)
BASE_ONLY = f"""
import shlex
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRA_IMPORTS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import arena.cli
for command in sys.argv[1:]:
    arena.cli.app(shlex.split(command), prog_name="arena", standalone_mode=False)
"""
SOLUTION = "id,label\na,1\nb,2\nc,3\n"


def split_requirement(line: str) -> tuple[str, list[str]]:
    """Return a requirement's name, as an index writes it, and its extras."""
    name, extras = re.fullmatch(r"([\w.-]+)(?:\[([\w,]+)\])?.*", line).groups()  # type: ignore[union-attr]
    return name.lower().replace("_", "-"), (extras or "").split(",")


def packages_in(extra: str) -> set[str]:
    """Return the names of an extra's packages, of the extras that it refers to as well."""
    names: set[str] = set()
    for line in EXTRAS[extra]:
        name, extras = split_requirement(line)
        names |= set().union(*map(packages_in, extras)) if name == PROJECT["name"] else {name}
    return names


def test_the_wheel_holds_every_module_template_static_file_and_sweep(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77", reason="setuptools 77, which builds the wheel, is not installed")
    sources = [path for pattern in PACKAGES for path in ROOT.glob(pattern) if path.suffix in ("", ".py")]
    expected: set[str] = set()
    for source in sources:
        files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
        expected |= {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    for name in (*expected, "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {name for name in expected if not name.startswith("leaderboard/deploy/")}


def test_the_base_holds_a_contest_and_lints_sweeps(tmp_path: Path) -> None:
    for name in ("solution.csv", "submission.csv"):
        (tmp_path / name).write_text(SOLUTION)
    commands = (
        *("--help", "contest init solution.csv --name Digits", "contest team add Formantes"),
        *("contest submit submission.csv --team Formantes", "contest standings", "sweep lint lenet5"),
    )
    words = (sys.executable, "-c", BASE_ONLY, *commands)
    ended = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"}
    )
    assert ended.returncode == 0, ended.stderr
    for text in ("Spoken digits", "macro-F1 1.000 (", "is the only team", "lenet5.yaml is good"):
        assert text in ended.stdout + ended.stderr


def test_the_constraints_hold_a_version_of_every_dependency() -> None:
    pinned = {name.lower().replace("_", "-") for name in PINS}
    names = {split_requirement(line)[0] for line in PROJECT["dependencies"]}
    names |= set().union(*(packages_in(extra) for extra in EXTRAS if extra != "ray"))  # no target of the Makefile installs Ray
    assert names - pinned == set()


def test_the_pair_that_is_tested_is_the_pair_that_is_required() -> None:
    assert {f"{name}=={PINS[name]}" for name in ("torch", "torchaudio")} <= set(EXTRAS["train"])


def test_an_installation_of_all_needs_no_gpl() -> None:
    assert packages_in("all") == packages_in("train") | packages_in("sweep") | packages_in("report")
    assert packages_in("train") < packages_in("sweep")
    assert packages_in("speech").isdisjoint(packages_in("all"))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("target", "extras"), [("demo", {"all", "speech"}), ("test", {"all", "speech", "dev", "docs"}), ("bench", {"all", "bench"})]
)
def test_make_installs_extras_that_exist_and_then_an_opencv_that_loads(target: str, extras: set[str]) -> None:
    words = ["make", "--dry-run", "--always-make", f".venv/.{target}-ready"]
    lines = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    (number,) = [number for number, line in enumerate(lines) if ".ci/install " in line]
    installed = set(lines[number].split()[-1].split(","))
    assert extras <= installed <= set(EXTRAS)
    assert lines[number + 1] == ".ci/headless-opencv .venv/bin/python"


def test_where_opencv_does_not_load_the_headless_one_takes_its_place(tmp_path: Path) -> None:
    pip = pytest.importorskip("pip")
    venv.create(tmp_path / "venv")
    (packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)  # a pip of its own takes three seconds
    python = tmp_path / "venv" / "bin" / "python"
    version = PINS["opencv-python"]
    broken = write_opencv(tmp_path, "opencv_python", version, "raise ImportError('libGL.so.1: no such file')\n")
    write_opencv(tmp_path, "opencv_python_headless", version, "loads = True\n")
    settings = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(broken)], env=settings, check=True)
    words = [ROOT / ".ci" / "headless-opencv", python]
    first = subprocess.run(words, env=settings, capture_output=True, text=True, check=True)
    again = subprocess.run(words, env=settings, capture_output=True, text=True, check=True)
    assert first.stdout == (
        f"opencv-python does not load here (no libGL or libglib): opencv-python-headless {version} is in its place\n"
    )
    assert again.stdout == ""
    subprocess.run([python, "-c", "import cv2; assert cv2.loads"], check=True)


def write_opencv(folder: Path, name: str, version: str, code: str) -> Path:
    """Write a wheel whose `cv2` is `code`."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("cv2/__init__.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"cv2/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def test_a_server_that_cannot_start_is_a_skip_that_names_the_missing_part(tmp_path: Path) -> None:
    remedy = "on Debian or Ubuntu: sudo .ci/debian-packages"
    assert missing_part(None) == missing_part(tmp_path) == f"no PostgreSQL server is installed; {remedy}"
    (tmp_path / "initdb").touch()
    if os.geteuid() == 0:
        assert missing_part(tmp_path, "no-account") == (
            f"PostgreSQL refuses to run as root, and there is no account no-account; {remedy}"
        )
    else:
        assert missing_part(tmp_path, "no-account") == ""


@pytest.fixture(scope="module")
def resolve_wheel() -> ModuleType:
    """The step of `.ci/run` that resolves the wheel without constraints."""
    loader = importlib.machinery.SourceFileLoader("resolve_wheel", str(ROOT / ".ci" / "resolve-wheel"))
    spec = importlib.util.spec_from_loader("resolve_wheel", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_another_pair_than_the_tested_one_is_one_line(resolve_wheel: ModuleType) -> None:
    tested = resolve_wheel.read_pair((ROOT / "constraints.txt").read_text())
    assert tested == {name: PINS[name] for name in ("torch", "torchaudio")}
    assert resolve_wheel.read_pair(f"numpy==2\ntorch=={PINS['torch']}+cpu\ntorchaudio=={PINS['torchaudio']} ; x\n") == tested
    other = resolve_wheel.read_pair("torch==2.11.0\ntorchaudio==2.11.1\n")
    assert resolve_wheel.describe_difference("3.12", other, {"torch": "2.11.0", "torchaudio": "2.11.0"}) == (
        "error: without constraints Python 3.12 gets torch 2.11.0 beside torchaudio 2.11.1, but constraints.txt has "
        "torch 2.11.0 beside torchaudio 2.11.0; pin that pair in pyproject.toml"
    )
