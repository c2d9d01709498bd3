"""PDF of a page, printed by the installed Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from reports.errors import OutputError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_LIMIT_S = 180.0


def find_browser(search: Callable[[str], str | None] = shutil.which) -> str:
    """Find the first browser of BROWSERS on the path.

    Raises:
        OutputError: there is none.
    """
    browser = next((path for name in (*BROWSERS, _MAC) if (path := search(name))), None)
    if browser is None:
        names = ", ".join(BROWSERS)
        raise OutputError(
            f"Chromium makes the PDF and none of {names} is on the PATH; install one, or print the page to PDF in a browser"
        )
    return browser


def write_pdf(page: Path, out: Path, browser: str) -> int:
    """Print `page` to the PDF `out`, written whole, and return its size in bytes.

    Raises:
        OutputError: the browser failed, or `out` cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="arena-pdf-") as folder:
        printed = Path(folder) / "page.pdf"
        words = [browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
        words += [f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={printed}"]
        words += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to the superuser
        try:
            process = subprocess.run([*words, page.resolve().as_uri()], capture_output=True, text=True, timeout=_LIMIT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"{browser} did not print {page}: {error}; print it to PDF in a browser") from error
        if not printed.exists():
            last = (process.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise OutputError(f"{browser} did not print {page}: {last}; print it to PDF in a browser")
        try:
            shutil.copyfile(printed, out.with_name(f".{out.name}.part"))
            os.replace(out.with_name(f".{out.name}.part"), out)
        except OSError as error:
            raise OutputError(f"cannot write {out}: {error.strerror}; choose another place with --out") from error
    return out.stat().st_size
