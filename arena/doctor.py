"""`arena doctor`: check of this machine's packages, devices, disk and login, with a remedy for each that is missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import operator
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from arena.base.install import DISTRIBUTION, Requirement, install_command, repair_command, requirements
from arena.base.options import Json, Wide
from arena.base.terminal import Column, Prose, print_json, print_table, progress
from cnn.hardware import n_cores

_SYSTEM_LIBRARIES = "on Debian or Ubuntu: sudo .ci/debian-packages"
_COMPARISONS = {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt}
_FEWEST_BYTES_FREE = 2 * 2**30  # eight trainings and a sweep of 512 trials stay below this


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the doctor's table."""

    what: str
    state: str  # ok, missing (needed) or optional (absent, and fine)
    detail: str
    remedy: str = ""


def doctor(wide: Wide = False, json: Json = False) -> None:
    """Check versions, devices, disk and W&B login; exit code 1 when something needed is missing.

    Example: `arena doctor --json`
    """
    findings: list[Finding] = []
    packages = {line.name: line for line in reversed(requirements()) if line.extra != "dev"}
    with progress("checking", len(packages) + 1) as advance:
        for name, requirement in reversed(packages.items()):
            findings.append(_package(requirement))
            advance(1, name)
        findings = [_python(), *findings, *_machine()]
        advance(1, "machine")
    missing = [finding for finding in findings if finding.state == "missing"]
    if json:
        print_json({"ok": not missing, "findings": [asdict(finding) for finding in findings]})
    else:
        print_findings(findings)
        print(f"{len(missing)} needed part(s) missing" if missing else "everything that is needed is here")
    if missing:
        raise typer.Exit(1)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a table, and below it how to get what is missing, in lines that can be copied."""
    print_table((Column("what"), Column("state"), Prose("detail")), [[f.what, f.state, f.detail] for f in findings])
    print()
    for finding in findings:
        if finding.remedy:
            print(f"{finding.what}: {finding.remedy}")


def _package(requirement: Requirement) -> Finding:
    name, absent = requirement.name, "optional" if requirement.extra else "missing"
    command = install_command(requirement.extra)
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(what=name, state=absent, detail="not installed", remedy=command)
    if not _is_within(version, requirement.specifier):
        return Finding(what=name, state=absent, detail=f"{version}, needs {requirement.specifier}", remedy=command)
    try:
        importlib.import_module(requirement.import_name)
    except Exception as error:  # a broken installation may raise anything, which the user must read
        reason = " ".join(str(error).split())[:90]
        remedy = command if isinstance(error, ModuleNotFoundError) else repair_command(name)
        return Finding(what=name, state="missing", detail=f"{version} does not load: {reason}", remedy=remedy)
    return Finding(what=name, state="ok", detail=version)


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


def _machine() -> Iterator[Finding]:
    yield _distribution()
    yield _device()
    yield Finding(what="cores", state="ok", detail=f"{n_cores()} for this process, {os.cpu_count()} in the machine")
    yield _disk(Path.cwd())
    yield _wandb_login()
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
