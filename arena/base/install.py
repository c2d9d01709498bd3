"""The installation of Arena: commands that add missing packages, and a wheel to distribute. Standard library only."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
import importlib.metadata
import io
import json
import os
import re
import shlex
import sys
import traceback
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "arena-spoken-digits"
_HOME = Path(__file__).resolve().parents[2]  # holds Arena's packages: a clone, or site-packages
_PACKAGES = ("cnn", "leaderboard", "reports", "sweeps")
_OURS = {"__main__", "arena", *_PACKAGES}
_IMPORT_NAMES = {"opencv-python": "cv2", "scikit-learn": "sklearn", "pyyaml": "yaml", "markdown-it-py": "markdown_it"}
_HEADLESS = {"opencv-python": "opencv-python-headless"}  # without windows it needs no library of the system
_EXTRAS = {"arena.demo": "all,speech", "reports": "report", "sweeps": "sweep"}  # by the importing module
_PAIR = ("torch", "torchaudio")  # each release of one loads beside one of the other
_REQUIREMENT = re.compile(r"""([\w.-]+)(\[[\w,-]+\])?\s*([^;]*)(?:;.*?extra == ['"]([\w-]+)['"])?""")
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """A package that Arena needs, by the metadata of its distribution."""

    name: str  # such as opencv-python
    options: str  # such as [binary]; mostly empty
    specifier: str  # such as <3,>=2; empty for any version
    extra: str  # empty for packages that are always needed

    @property
    def import_name(self) -> str:
        return _IMPORT_NAMES.get(self.name, self.name.replace("-", "_"))

    @property
    def word(self) -> str:
        """Return the argument of `pip install`, quoted for a shell."""
        return _quote(f"{self.name}{self.options}{self.specifier}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheel:
    """Arena as a file that pip installs."""

    name: str  # file name, from which pip reads version and platforms
    content: bytes


def requirements() -> list[Requirement]:
    """Return the packages of Arena and of each of its extras; none where Arena is not installed."""
    return [line for line in _lines() if line.name != DISTRIBUTION]


def install_command(extra: str = "") -> str:
    """Return the command that installs Arena again with `extra`, or several with commas, from the same source."""
    bracket = f"[{extra}]" if extra else ""
    origin = _origin()
    url = origin.get("url", "")
    path = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
    if path is not None and path.exists():
        flag = "-e " if origin.get("dir_info", {}).get("editable") else ""
        folder = "." if path.resolve() == Path.cwd().resolve() else str(path)
        return f"pip install {flag}{_quote(folder + bracket)}"
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    if url and path is None:
        return f"pip install {_quote(f'{DISTRIBUTION}{bracket} @ {url}')}"
    return f"pip install {' '.join(line.word for line in _packages(extra))}"


def explain(error: ImportError | OSError) -> str | None:
    """Return one line with the remedy for a package that is missing or does not load; None for any other error."""
    if isinstance(error, ModuleNotFoundError) and error.name and "." not in error.name:
        if error.name in _OURS or error.name in sys.stdlib_module_names:
            return None
        lines = [line for line in requirements() if line.import_name == error.name]
        is_known = bool(lines) or error.name == DISTRIBUTION
        command = install_command(_extra(error, lines)) if is_known else f"pip install {error.name}"
        return f"this needs the package {lines[0].name if lines else error.name}, which is not installed: {command}"
    package = _failed_package(error)
    if not package:
        return None
    name = next((line.name for line in requirements() if line.import_name == package), package)
    reason = " ".join(str(error).split())[:160]
    return f"the package {name} does not load ({reason}): {repair_command(name)}"


def repair_command(name: str) -> str:
    """Return the command for a package that is installed and does not load."""
    if name in _PAIR:
        return f"pip install {' '.join(line.word for line in requirements() if line.name in _PAIR)}"
    package = _HEADLESS.get(name, name)
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        package += f"=={importlib.metadata.version(name)}"
    return f"pip install --force-reinstall --no-deps {package}"


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Raise ImportError with the package's name where a shared library does not load.

    ctypes raises an OSError for it, which looks like a fault of the disk; an ImportError can be pickled to another process.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) or not (package := _failed_package(error)):
            raise
        raise ImportError(str(error), name=package) from error


def build_wheel() -> Wheel:
    """Return a wheel of the running files; equal files give equal bytes.

    Raises:
        PackageNotFoundError: Arena runs from a folder and is not installed.
    """
    distribution = _find_installed()
    stem = f"{DISTRIBUTION.replace('-', '_')}-{distribution.version}"
    tops = (distribution.read_text("top_level.txt") or "").split()
    contents = {path.relative_to(_HOME).as_posix(): path.read_bytes() for top in tops for path in _files(top)}
    for name in ("METADATA", "licenses/LICENSE", "entry_points.txt", "top_level.txt"):
        contents[f"{stem}.dist-info/{name}"] = (distribution.read_text(name) or "").encode()
    wheel = "Wheel-Version: 1.0\nGenerator: arena\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents[f"{stem}.dist-info/WHEEL"] = wheel.encode()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in contents.items())
    contents[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return Wheel(name=f"{stem}-py3-none-any.whl", content=archive.getvalue())


def _find_installed() -> importlib.metadata.Distribution:
    """Return the installed distribution, not the egg-info that a build leaves in a clone."""
    for distribution in importlib.metadata.distributions(name=DISTRIBUTION):
        if distribution.read_text("METADATA"):
            return distribution
    raise importlib.metadata.PackageNotFoundError(DISTRIBUTION)


def _files(top: str) -> list[Path]:
    module = _HOME / f"{top}.py"
    files = sorted(path for path in (_HOME / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [module] if module.is_file() else files


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _lines() -> list[Requirement]:
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    matches = [match for line in lines if (match := _REQUIREMENT.match(line))]
    return [
        Requirement(name=name.lower().replace("_", "-"), options=options or "", specifier=specifier.strip(), extra=extra or "")
        for name, options, specifier, extra in (match.groups() for match in matches)
    ]


def _packages(extras: str) -> list[Requirement]:
    """Return the packages of extras and of the extras that they include."""
    lines = [line for line in _lines() if line.extra in extras.split(",")]
    parts = [part for line in lines if line.name == DISTRIBUTION for part in line.options.strip("[]").split(",")]
    return [*(line for part in parts for line in _packages(part)), *(line for line in lines if line.name != DISTRIBUTION)]


def _origin() -> dict[str, Any]:
    """Return the source of the installation (PEP 610); a clone that is not installed counts as an editable installation."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        if text := importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json"):
            origin: dict[str, Any] = json.loads(text)
            return origin
    return {"url": _HOME.as_uri(), "dir_info": {"editable": True}} if (_HOME / "pyproject.toml").is_file() else {}


def _extra(error: ModuleNotFoundError, lines: list[Requirement]) -> str:
    """Return the extra for a missing package of `lines`: that of the importing module if it has the package, or the first."""
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    extras = [
        extra
        for part, extra in _EXTRAS.items()
        if any(f"{name}.".startswith(f"{part}.") for name in names) and {*_packages(extra)} & {*lines}
    ]
    first = lines[0].extra if lines else ""
    return extras[0] if first and extras else first


def _failed_package(error: ImportError | OSError) -> str:
    """Return the innermost third-party package whose import was running; empty where there was none."""
    if isinstance(error, OSError) and error.errno is not None:
        return ""  # an error of the file system
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "<module>"]
    names = [str(frame.f_globals.get("__name__", "")) for frame in frames]
    if isinstance(error, ImportError):
        names.insert(0, error.name or "")
    tops = [name.partition(".")[0] for name in names]
    theirs = [top for top in tops if top and top not in _OURS and top not in sys.stdlib_module_names]
    return theirs[-1] if theirs else ""


def _quote(text: str) -> str:
    """Quote `text` as one word of a shell, in double quotes where possible: every system's shell takes them."""
    if re.fullmatch(r"[\w./:=-]+", text):
        return text
    return shlex.quote(text) if os.name != "nt" and set(text) & set('"$`\\!') else f'"{text}"'
