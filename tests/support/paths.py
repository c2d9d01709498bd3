"""Where the project lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARENA = str(ROOT / "arena" / "__main__.py")  # runs the command line of this checkout
