"""Pythons with the lowest and the highest version of wandb that Arena declares."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from support.paths import ROOT

LOWEST = re.findall(r'"wandb>=([\d.]+)', (ROOT / "pyproject.toml").read_text())[0]
HIGHEST = re.findall(r"^wandb==([\d.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[0]


def find_python(version: str) -> Path | None:
    """Return the Python that `.ci/wandb-version` made beside this one, or None."""
    python = Path(sys.prefix) / f"wandb-{version}" / "bin" / "python"
    return python if python.exists() else None


def make_python(version: str) -> Path:
    """Return the Python of that version, made where it is missing."""
    command = [sys.executable, ROOT / ".ci" / "wandb-version", version]
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
