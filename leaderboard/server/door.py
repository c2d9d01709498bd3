"""The number of connections: bounded by the process's file descriptors, in all and for each address.

At the limit a connection that waits for its client makes room, of the address with most of them: one that is answered, else
the one that has waited longest, so that half-open ones keep nobody out.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import h11

_N_FILES = 65_536  # more descriptors are not asked for
_N_OTHER_FILES = 128  # database, log, and connections that are accepted and not counted yet
_FILES_EACH = 2  # a connection, and its upload of more than a megabyte, which waits on disk
_N_MOST = 3000  # connections; each may hold 64 kB of a body
_N_LEAST = 8
_SLOW_S = 2.0  # a body that takes longer may be cut off for another connection,
_SILENT_S = 0.2  # and one that brings nothing for so long
_N_COMPARED = 256  # that wait longest
_PROXY = "a proxy"
_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """How many connections, and how long each may keep the service waiting."""

    n_connections: int
    head_s: float = 10.0  # from the connection's beginning, or a later request's first byte, to the end of the head
    unread_s: float = 60.0  # for 64 kB of an answer
    bytes_per_s: float = 10_000.0  # an answer that is read so fast may be of any length


class Guest(Protocol):
    transport: asyncio.Transport

    def is_answered(self) -> bool: ...


@dataclass(slots=True)
class Door:
    """Open connections, and which of them wait for their client."""

    limits: ConnectionLimits
    proxies: str  # addresses and networks without a limit of their own, separated by commas; *: all
    _addresses: dict[Guest, str] = field(default_factory=dict)
    _n_open: Counter[str] = field(default_factory=Counter)
    _idle: dict[Guest, None] = field(default_factory=dict)  # between requests or amid a head; oldest first
    _sending: dict[Guest, tuple[float, float]] = field(default_factory=dict)  # a body's first and latest part; oldest first

    def enter(self, guest: Guest, host: str) -> None:
        """Count a new connection; where there are too many, end the one that waits longest, else this one."""
        address = _PROXY if self._is_proxy(host) else name_network(host)
        self._addresses[guest] = address
        self._n_open[address] += 1
        if address != _PROXY and self._n_open[address] > self.limits.n_connections // 2:
            self._make_room(guest, address)
        elif len(self._addresses) > self.limits.n_connections:
            self._make_room(guest, "")
        self.sort(guest, h11.IDLE)

    def leave(self, guest: Guest) -> None:
        address = self._addresses.pop(guest, None)
        if address is not None:
            self._n_open[address] -= 1
            if not self._n_open[address]:
                del self._n_open[address]
        self._idle.pop(guest, None)
        self._sending.pop(guest, None)

    def sort(self, guest: Guest, client_state: object) -> None:
        """Note what the connection waits for now, by h11's state of its client."""
        if guest not in self._addresses:
            return
        if client_state is h11.IDLE:
            self._idle.setdefault(guest)
        else:
            self._idle.pop(guest, None)
        if client_state is h11.SEND_BODY:
            now_s = time.monotonic()
            self._sending[guest] = (self._sending.get(guest, (now_s, now_s))[0], now_s)
        else:
            self._sending.pop(guest, None)

    def _make_room(self, newcomer: Guest, address: str) -> None:
        waiting = (guest for guest in self._list_waiting() if address in ("", self._addresses[guest]))
        leaving = max(islice(waiting, _N_COMPARED), key=self._count_alike, default=newcomer)
        whose = f" of {address}" if address else ""
        _log.warning("too many connections%s: the one that waits longest is closed, so that others get in", whose)
        self.leave(leaving)
        leaving.transport.abort()

    def _count_alike(self, guest: Guest) -> int:
        address = self._addresses[guest]
        return 0 if address == _PROXY else self._n_open[address]

    def _list_waiting(self) -> Iterator[Guest]:
        yield from (guest for guest in self._sending if guest.is_answered())
        yield from self._idle
        now_s = time.monotonic()
        for guest, (first_s, latest_s) in self._sending.items():
            if not guest.is_answered() and (now_s - first_s > _SLOW_S or now_s - latest_s > _SILENT_S):
                yield guest

    def _is_proxy(self, host: str) -> bool:
        names = [name.strip() for name in self.proxies.split(",")]
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(host)
            return "*" in names or any(address in ipaddress.ip_network(name, strict=False) for name in names)
        return "*" in names or host in names


def name_network(host: str) -> str:
    """Return an IPv4 address unchanged, an IPv6 address as its /64, the usual share of one customer.

    A socket for both kinds gives IPv4 addresses as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), which would all be one /64.
    """
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.version == 6:
            return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return host


def raise_descriptor_limit() -> int:
    """Raise the process's limit of open files as far as it may itself, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _N_FILES if hard == resource.RLIM_INFINITY else min(hard, _N_FILES)
    if wanted > soft:
        with contextlib.suppress(ValueError, OSError):  # macOS may refuse
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def count_allowed(n_files: int) -> int:
    """Return how many connections a process may have that may open `n_files` files."""
    return max(_N_LEAST, min((n_files - _N_OTHER_FILES) // _FILES_EACH, _N_MOST))
