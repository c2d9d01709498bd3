"""`make soak ARGS="-k wandb"`: all tests of W&B, with the lowest and the highest version of its client that Arena declares."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from support.paths import ROOT

_LOWEST = re.findall(r'"wandb>=([\d.]+)', (ROOT / "pyproject.toml").read_text())[0]
_HIGHEST = re.findall(r"^wandb==([\d.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[0]
_TESTS = (
    "tests/support/test_wandb_server.py",
    "tests/cnn/runs/test_wandb_mirror.py",
    "tests/cnn/runs/test_wandb_online.py",
    "tests/sweeps/test_wandb_files.py",
    "tests/sweeps/wandb_sweeps",
)


@pytest.mark.parametrize("version", sorted({_LOWEST, _HIGHEST}))
def test_wandb_of_the_lowest_and_the_highest_version_passes_all_its_tests(
    version: str, record_property: Callable[[str, object], None]
) -> None:
    make = [sys.executable, ROOT / ".ci" / "wandb-version", version]
    python = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS]
    ended = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    record_property("tests", int(re.findall(r"(\d+) passed", ended.stdout)[-1]))
