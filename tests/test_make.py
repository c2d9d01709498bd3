"""`make` installs: a real run of the rule on packages of nothing, from an index in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from support.paths import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "arena-1.0-py3-none-any.whl", "arena-1.0.dist-info"
    extra = 'extra == "all" or extra == "speech"'
    needs = "".join(f"Requires-Dist: {line}; {extra}\\n" for line in ("torch==2.11.0", "torchaudio==2.11.0", "soundfile"))
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as archive:
        archive.writestr("arena.pth", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: arena\\nVersion: 1.0\\n"
                         f"Provides-Extra: all\\nProvides-Extra: speech\\n{needs}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
    return name
"""
TORCH = "from need import __name__\n__version__ = {version!r}\n"
TORCHAUDIO = "import torch\nassert torch.__version__ == {version!r}, 'undefined symbol: torch'\n__version__ = {version!r}\n"
REMEDY = "type the address that pytorch.org gives for CPU builds, or leave TORCH_INDEX out"


def write_wheel(index: Path, name: str, version: str, code: str = "", needs: str = "") -> None:
    """Add a package to a folder that pip reads as an index."""
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    wheel, info = f"{name.replace('-', '_')}-{version}-py3-none-any.whl", f"{name.replace('-', '_')}-{version}.dist-info"
    with zipfile.ZipFile(folder / wheel, "w") as archive:
        archive.writestr(f"{name.replace('-', '_')}.py", code.format(version=version))
        lines = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
        archive.writestr(f"{info}/METADATA", lines)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text("".join(f'<a href="{path.name}">{path.name}</a>' for path in folder.glob("*.whl")))


def write_pair(index: Path, torch: str, torchaudio: str) -> str:
    """Return the address of an index with torch and torchaudio."""
    write_wheel(index, "torch", torch, TORCH, "need")
    write_wheel(index, "torchaudio", torchaudio, TORCHAUDIO, f"torch=={torch.partition('+')[0]}")
    return index.as_uri()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment has pip alone, and pip's default index beside it."""
    pip = pytest.importorskip("pip")
    folder, default = tmp_path / "clone", tmp_path / "default"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "constraints.txt").write_text("need==1.0\nopencv-python==5\nsoundfile==1.0\ntorch==2.11.0\ntorchaudio==2.11.0\n")
    write_pair(default, "2.11.0", "2.11.0")
    for name, version in {"need": "1.0", "soundfile": "1.0"}.items():
        write_wheel(default, name, version)
    make_environment(folder, pip)
    return folder


def make_environment(folder: Path, pip: object) -> None:
    venv.create(folder / ".venv")
    (packages,) = (folder / ".venv").glob("lib/*/site-packages")
    (packages / "pip").symlink_to(Path(str(pip.__file__)).parent)  # type: ignore[attr-defined]  # one of its own takes three seconds
    (packages / "cv2.py").touch()


def make(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {"PIP_INDEX_URL": (clone.parent / "default").as_uri(), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | settings
    command = ["make", "--no-print-directory", ".venv/.demo-ready", *words]
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=False)


def versions(clone: Path) -> set[str]:
    """Return the packages of the clone's environment."""
    return {path.name.removesuffix(".dist-info") for path in (clone / ".venv").glob("lib/*/site-packages/*.dist-info")}


def test_without_an_index_the_pair_is_of_the_default_one_and_the_second_time_is_silent(clone: Path) -> None:
    first, second = make(clone), make(clone)
    assert first.returncode == 0, first.stderr
    assert re.sub(r"\d+ s", "N s", first.stderr) == (
        "installing Arena and its packages into .venv (about 5 GB; without an NVIDIA card 1.5 GB do: README, TORCH_INDEX)\n"
        "installed 5 packages in N s\n"
    )
    assert versions(clone) == {"arena-1.0", "torch-2.11.0", "torchaudio-2.11.0", "need-1.0", "soundfile-1.0"}
    assert (second.returncode, second.stderr) == (0, "")
    assert "up to date" in second.stdout


def test_the_pair_of_an_index_is_kept_by_the_rest_and_the_index_is_remembered(clone: Path, tmp_path: Path) -> None:
    index = write_pair(tmp_path / "cpu", "2.11.0+cpu", "2.11.0+cpu")
    make(clone)
    ended = make(clone, f"TORCH_INDEX={index}")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == f"torch 2.11.0+cpu and torchaudio 2.11.0+cpu of {index} load together\n"
    expected = {"arena-1.0", "torch-2.11.0+cpu", "torchaudio-2.11.0+cpu", "need-1.0", "soundfile-1.0"}
    assert versions(clone) == expected
    (clone / "constraints.txt").touch()
    again = make(clone)
    assert (again.returncode, again.stderr, versions(clone)) == (0, "", expected)
    assert "up to date" in make(clone, f"TORCH_INDEX={index}").stdout


@pytest.mark.parametrize(
    ("torch", "torchaudio", "error"),
    [
        ("2.9.0+cpu", "2.11.0+cpu", "{} has no torch 2.11.0 for Python {} on this machine (versions there: 2.9.0+cpu)"),
        ("2.11.0+cpu", "2.11.0", "torch and torchaudio of {} do not load together: AssertionError: undefined symbol: torch"),
        ("", "", "{} lists no torch"),
    ],
)
def test_an_index_without_the_pair_is_one_line_and_no_environment(
    torch: str, torchaudio: str, error: str, clone: Path, tmp_path: Path
) -> None:
    index = write_pair(tmp_path / "cpu", torch, torchaudio) if torch else (tmp_path / "cpu").as_uri()
    ended = make(clone, f"TORCH_INDEX={index}")
    message = error.format(f"TORCH_INDEX={index}", ".".join(map(str, sys.version_info[:2])))
    start, line, *_ = ended.stderr.splitlines()
    assert start == "installing Arena and its packages into .venv (about 1.5 GB)"
    assert line == f"error: {message}; {REMEDY} (.venv is removed)"
    assert ended.returncode == 2
    assert not (clone / ".venv").exists()


def test_an_index_that_does_not_answer_leaves_an_environment_that_works(clone: Path) -> None:
    make(clone)
    before = versions(clone)
    ended = make(clone, "TORCH_INDEX=http://127.0.0.1:9/cpu")
    assert ended.stderr.splitlines()[0] == f"error: TORCH_INDEX=http://127.0.0.1:9/cpu does not answer; {REMEDY}"
    assert versions(clone) == before
    assert "up to date" in make(clone).stdout
