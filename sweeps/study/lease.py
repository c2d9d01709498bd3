"""Leases of agents on running trials. An agent on this host is looked up by its process; on another, by the lease's age."""

from __future__ import annotations

import dataclasses
import functools
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LEASE = "lease"  # attribute of a trial
GRACE = timedelta(minutes=10)  # without renewal, for an agent on another host; a lease is renewed every epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """An agent's hold on a trial. Process numbers mean something within `space` alone: a host, or a container on it."""

    agent: str
    host: str
    space: str
    pid: int
    started: str  # start time of the process: another one may get the same number
    renewed_at: str  # UTC, ISO 8601

    def has_expired(self, now: datetime) -> bool:
        """Return True if the agent ended or (on another host) did not renew the lease within GRACE."""
        if self.space == _find_space():
            return _read_start(self.pid) != self.started
        return now - datetime.fromisoformat(self.renewed_at) > GRACE

    def belongs_to_this_process(self) -> bool:
        return (self.space, self.pid, self.started) == (_find_space(), os.getpid(), _read_own_start(os.getpid()))

    def as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def create_lease(agent: str, now: datetime) -> Lease:
    """Return a lease of this process."""
    return Lease(
        agent=agent,
        host=socket.gethostname(),
        space=_find_space(),
        pid=os.getpid(),
        started=_read_own_start(os.getpid()),
        renewed_at=now.isoformat(),
    )


def read_lease(attributes: Mapping[str, Any]) -> Lease | None:
    """Return the lease in a trial's attributes; None where it was released or never made. A completed trial keeps its last."""
    content = attributes.get(LEASE)
    return Lease(**content) if content else None


def is_held(attributes: Mapping[str, Any], now: datetime) -> bool:
    """Return True if the attributes of a running trial hold the lease of a live agent."""
    lease = read_lease(attributes)
    return lease is not None and not lease.has_expired(now)


def utc_now() -> datetime:
    return datetime.now(UTC)


@functools.cache
def _find_space() -> str:
    """Return a name of this boot of this host, or of this container, which a running process never leaves."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


@functools.lru_cache(maxsize=1)
def _read_own_start(pid: int) -> str:
    """Return when this process, `pid`, began; a child that it forks has another number."""
    return _read_start(pid)


def _read_start(pid: int) -> str:
    """Return when the process began, in the system's own format; empty if there is none (a zombie is none)."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]  # fields 3 and 22 of proc(5)
    ps = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return ps.stdout.strip()
