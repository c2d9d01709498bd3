"""Who works on a running trial: the lease that an agent holds on it, and whether that agent still lives."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LEASE = "lease"  # attribute of a trial
GRACE = timedelta(minutes=10)  # without renewal, where the agent's process cannot be looked at; a lease is renewed every epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """An agent's hold on a trial. Process numbers mean something within `space` alone: a host, or a container on it."""

    agent: str
    host: str
    space: str
    pid: int
    started: str  # of the process: another one may get the same number
    renewed_at: str  # UTC, ISO 8601

    def is_gone(self, now: datetime) -> bool:
        """The agent ended, or (on another host) has been silent for longer than the grace time."""
        if self.space == _space():
            return _start_of(self.pid) != self.started
        return now - datetime.fromisoformat(self.renewed_at) > GRACE

    def renewed(self, now: datetime) -> Lease:
        return dataclasses.replace(self, renewed_at=now.isoformat())

    def is_of_this_process(self) -> bool:
        return (self.space, self.pid, self.started) == (_space(), os.getpid(), _start_of(os.getpid()))

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def own_lease(agent: str, now: datetime) -> Lease:
    """A lease of this process."""
    return Lease(
        agent=agent,
        host=socket.gethostname(),
        space=_space(),
        pid=os.getpid(),
        started=_start_of(os.getpid()),
        renewed_at=now.isoformat(),
    )


def read_lease(attributes: Mapping[str, Any]) -> Lease | None:
    """Return the lease in a trial's attributes; None where it was released or never made. A settled trial has its last."""
    content = attributes.get(LEASE)
    return Lease(**content) if content else None


def is_held(attributes: Mapping[str, Any], now: datetime) -> bool:
    """Tell from its attributes whether an agent that lives works on a running trial."""
    lease = read_lease(attributes)
    return lease is not None and not lease.is_gone(now)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _space() -> str:
    """Names this boot of this host, or this container of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _start_of(pid: int) -> str:
    """When the process began, in the system's own words; empty if there is none (a zombie is none)."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]  # fields 3 and 22 of proc(5)
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()
