"""`arena doctor`: check of this machine's packages, devices, disk and login, with a remedy for each that is missing."""

from __future__ import annotations

import configparser
import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import netrc
import operator
import os
import platform
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from arena.base.install import DISTRIBUTION, Requirement, install_command, repair_command, requirements
from arena.base.options import Json, Wide
from arena.base.terminal import Column, Prose, print_json, print_table, progress
from cnn.hardware import DriverError, list_gpus, n_cores

_SYSTEM_LIBRARIES = "on Debian or Ubuntu: sudo .ci/debian-packages"
_COMPARISONS = {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt}
# Compiled parts that fail where a library of the system is missing, or where torch and torchaudio are no pair.
_LIBRARIES = {"torch": "lib/*torch_python.*", "torchaudio": "lib/libtorchaudio.*", "opencv-python": "cv2.*"}
_FEWEST_BYTES_FREE = 2 * 2**30  # eight trainings and a sweep of 512 trials stay below this


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the doctor's table."""

    what: str
    state: str  # ok, missing (needed) or optional (absent, and fine)
    detail: str
    remedy: str = ""


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also load each package and ask torch and wandb: some 10 s.")] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Check versions, devices, disk and W&B login; exit code 1 when something needed is missing.

    Examples: `arena doctor` · `arena doctor --deep`
    """
    findings: list[Finding] = []
    packages = {line.name: line for line in reversed(requirements()) if line.extra != "dev"}
    with progress("checking", len(packages) + 1) as advance:
        for name, requirement in reversed(packages.items()):
            findings.append(_package(requirement, _load if deep else _link))
            advance(1, name)
        findings = [_python(), *findings, *_machine(deep=deep)]
        advance(1, "machine")
    missing = [finding for finding in findings if finding.state == "missing"]
    if json:
        print_json({"ok": not missing, "deep": deep, "findings": [asdict(finding) for finding in findings]})
    else:
        print_findings(findings)
        print(f"{len(missing)} needed part(s) missing" if missing else "everything that is needed is here")
        if not deep:
            print("packages were found and not loaded; `arena doctor --deep` loads each")
    if missing:
        raise typer.Exit(1)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a table, and below it how to get what is missing, in lines that can be copied."""
    print_table((Column("what"), Column("state"), Prose("detail")), [[f.what, f.state, f.detail] for f in findings])
    print()
    for finding in findings:
        if finding.remedy:
            print(f"{finding.what}: {finding.remedy}")


def _package(requirement: Requirement, try_out: Callable[[Requirement], None]) -> Finding:
    name, absent = requirement.name, "optional" if requirement.extra else "missing"
    command = install_command(requirement.extra)
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(what=name, state=absent, detail="not installed", remedy=command)
    if not _is_within(version, requirement.specifier):
        return Finding(what=name, state=absent, detail=f"{version}, needs {requirement.specifier}", remedy=command)
    try:
        try_out(requirement)
    except Exception as error:  # a broken installation may raise anything, which the user must read
        reason = " ".join(str(error).split())[:90]
        remedy = command if isinstance(error, ModuleNotFoundError) else repair_command(name)
        return Finding(what=name, state="missing", detail=f"{version} does not load: {reason}", remedy=remedy)
    return Finding(what=name, state="ok", detail=version)


def _load(requirement: Requirement) -> None:
    importlib.import_module(requirement.import_name)


def _link(requirement: Requirement) -> None:
    """Find the package, and load its compiled part alone, which takes a fifth of an import of torch."""
    folder = _find_folder(requirement.import_name)
    if not (pattern := _LIBRARIES.get(requirement.name)):
        return
    try:
        for library in folder.glob(pattern):
            if library.suffix in (".so", ".dylib", ".dll", ".pyd"):
                ctypes.CDLL(str(library))
    except OSError:
        _load(requirement)  # raises what users of the package will see, or proves it sound


def _find_folder(name: str) -> Path:
    """Return the folder of a package, without importing it.

    Raises:
        ModuleNotFoundError: there is none of that name.
    """
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return Path(spec.origin or "").parent


def _is_within(version: str, specifier: str) -> bool:
    """Compare the numbers of a release; what follows them, such as rc1 or +cu128, does not count."""
    clauses = re.findall(r"([<>=!]=?)\s*([\d.]+)", specifier)
    return all(_COMPARISONS[sign](_release(version), _release(bound)) for sign, bound in clauses)


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(number) for number in match[0].split(".")] if match else []
    return tuple(numbers[: max((n for n, number in enumerate(numbers, 1) if number), default=0)])


def _python() -> Finding:
    state, remedy = ("ok", "") if sys.version_info >= (3, 11) else ("missing", "3.11 or newer")
    return Finding(what="python", state=state, detail=platform.python_version(), remedy=remedy)


def _machine(*, deep: bool) -> Iterator[Finding]:
    yield _distribution()
    yield _device() if deep else _driver()
    yield Finding(what="cores", state="ok", detail=f"{n_cores()} for this process, {os.cpu_count()} in the machine")
    yield _disk(Path.cwd())
    yield _wandb_login() if deep else _wandb_key()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    hint = "" if browser else f"only the page tests want it; {_SYSTEM_LIBRARIES}"
    yield Finding(what="chromium", state="ok" if browser else "optional", detail=browser or "not found", remedy=hint)


def _distribution() -> Finding:
    try:
        return Finding(what="arena", state="ok", detail=importlib.metadata.version(DISTRIBUTION))
    except importlib.metadata.PackageNotFoundError:
        return Finding(what="arena", state="missing", detail="not installed", remedy=install_command())


def _device() -> Finding:
    try:
        import torch
    except Exception:  # reported as a package already
        return Finding(what="device", state="optional", detail="torch does not load", remedy="see torch above")
    if not torch.cuda.is_available():
        return Finding(what="device", state="optional", detail="cpu; no GPU found", remedy="none needed: one process a core")
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return Finding(what="device", state="ok", detail=", ".join(f"cuda:{n} {name}" for n, name in enumerate(names)))


def _driver() -> Finding:
    """Return the GPUs that the driver names, and whether this build of torch is for them; torch itself is not tried."""
    try:
        build = runpy.run_path(str(_find_folder("torch") / "version.py"))
    except (ImportError, OSError):  # reported as a package already
        return Finding(what="device", state="optional", detail="torch does not load", remedy="see torch above")
    if build.get("hip"):
        return Finding(
            what="device", state="optional", detail="not tried: torch is built for ROCm", remedy="arena doctor --deep"
        )
    try:
        names, newest = list_gpus()
    except DriverError as error:
        return Finding(what="device", state="optional", detail=f"cpu; {error}", remedy="nvidia-smi says more")
    if not names:
        return Finding(what="device", state="optional", detail="cpu; no GPU found", remedy="none needed: one process a core")
    gpus, cuda = ", ".join(f"cuda:{n} {name}" for n, name in enumerate(names)), build.get("cuda")
    if not cuda:
        remedy = "pytorch.org gives the command for a build with CUDA"
        return Finding(what="device", state="optional", detail=f"cpu; {gpus}, and torch is built without CUDA", remedy=remedy)
    if newest < int(cuda.partition(".")[0]):
        detail = f"cpu; {gpus}, and torch is built for CUDA {cuda}, the driver for CUDA {newest}"
        return Finding(
            what="device", state="optional", detail=detail, remedy="update the driver, or install an older build of torch"
        )
    return Finding(what="device", state="ok", detail=f"{gpus}, by the driver")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{free / 2**30:.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding(what="disk", state="missing", detail=f"{folder} is not writable", remedy="work in a folder of your own")
    if free < _FEWEST_BYTES_FREE:
        return Finding(what="disk", state="missing", detail=detail, remedy="free 2 GiB, or work on another disk")
    return Finding(what="disk", state="ok", detail=detail)


def _wandb_login() -> Finding:
    from cnn.runs.wandb_client import is_logged_in

    try:
        importlib.import_module("wandb")
    except Exception:  # reported as a package already
        return Finding(what="W&B login", state="optional", detail="wandb does not load", remedy="see wandb above")
    if is_logged_in():
        return Finding(what="W&B login", state="ok", detail="runs are mirrored online")
    return Finding(what="W&B login", state="optional", detail="not logged in: runs are kept offline", remedy="wandb login")


def _wandb_key() -> Finding:
    if (mode := os.environ.get("WANDB_MODE", "online")) != "online":
        return Finding(what="W&B login", state="optional", detail=f"WANDB_MODE is {mode}", remedy="unset WANDB_MODE")
    if source := _find_key():
        return Finding(what="W&B login", state="ok", detail=f"a key is in {source}; not tried")
    return Finding(what="W&B login", state="optional", detail="not logged in: runs are kept offline", remedy="wandb login")


def _find_key() -> str:
    """Return the variable or the netrc file in which W&B's client will find a key for its server; empty if there is none."""
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        if os.environ.get(name):
            return name
    settings = configparser.ConfigParser()
    folder = Path(os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb").expanduser()
    with contextlib.suppress(configparser.Error, OSError, UnicodeError):
        settings.read([folder / "settings", Path("wandb/settings")])
    url = os.environ.get("WANDB_BASE_URL") or settings.get("default", "base_url", fallback="https://api.wandb.ai")
    netrc_file = os.environ.get("NETRC")
    for path in [netrc_file] if netrc_file else ["~/.netrc", "~/_netrc"]:
        with contextlib.suppress(OSError, netrc.NetrcParseError, UnicodeError):
            if netrc.netrc(Path(path).expanduser()).authenticators(urlsplit(str(url)).netloc):
                return path
    return ""
