"""Run the cells of a notebook one after the other and say how each ended. It runs a student's code: in a process of its own.

Read by `python -m`: cells as JSON on stdin, a list of [id, code]; their outcomes as JSON on the last line of stdout.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import traceback
import types
from collections.abc import Iterable

_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)  # a line for Jupyter and no Python


def run_cells(cells: Iterable[tuple[str, str]], scope: dict[str, object]) -> list[tuple[str, str]]:
    """Run cells in `scope`, also those after one that fails; return the id of each with why it failed, or with nothing."""
    outcomes = []
    for name, code in cells:
        cause = ""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(_MAGIC.sub("", code), f"<{name}>", "exec"), scope)
        except AssertionError as error:
            cause = " ".join(str(error).split()) or f"AssertionError in {_locate(error, code)}"
        except (Exception, SystemExit) as error:
            cause = f"{type(error).__name__}: {error} ({_locate(error, code)})"
        outcomes.append((name, cause))
    return outcomes


def _locate(error: BaseException, code: str) -> str:
    """Return the line of the notebook in which an error arose."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {(error.text or '').strip()}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<")]
    return f"in {frames[-1].name}, line {frames[-1].lineno}" if frames else code.partition("\n")[0]


def main() -> None:
    """Run the cells that stdin names."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    outcomes = run_cells([(str(name), str(code)) for name, code in json.load(sys.stdin)], module.__dict__)
    print(f"\n{json.dumps(outcomes)}", flush=True)
    os._exit(0)  # nothing that a cell left for the end of Python runs, and prints, after the outcomes


if __name__ == "__main__":
    main()
