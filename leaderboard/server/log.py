"""The log of the service: a line for each request, but none twice within a minute, none endless, and not too many."""

from __future__ import annotations

import copy
import logging
import re
import time
from typing import Any, TextIO

from uvicorn.config import LOGGING_CONFIG

_WINDOW_S = 60.0
_N_LINES = 1000  # different ones in a minute
_MAX_CHARS = 500
_OTHERS = "(further lines)"
_JOIN = re.compile(r"(/join/)[^/?\s]+")  # the token of a join link is part of its path


class QuietHandler(logging.StreamHandler[TextIO]):
    """Handler that writes a line once a minute, and at the minute's end how often it came again."""

    def __init__(self) -> None:
        super().__init__()  # standard error
        self._ends_s = 0.0
        self._n_more: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.created >= self._ends_s:
            self._summarize()
            self._ends_s = record.created + _WINDOW_S
        record = _shorten(record)
        cause = repr(record.exc_info[1]) if record.exc_info else ""
        text = f"{record.getMessage()} {cause}".strip()
        if text in self._n_more:
            self._n_more[text] += 1
        elif len(self._n_more) >= _N_LINES:
            self._n_more[_OTHERS] = self._n_more.get(_OTHERS, 0) + 1
        else:
            self._n_more[text] = 0
            super().emit(record)

    def close(self) -> None:
        self._summarize()
        super().close()

    def _summarize(self) -> None:
        n_more, self._n_more = self._n_more, {}
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        for text, n in n_more.items():
            if n:
                self.stream.write(f"{now} {n} more within a minute: {text}{self.terminator}")
        self.flush()


def _shorten(record: logging.LogRecord) -> logging.LogRecord:
    """Return the record with long texts cut, without a sender's port, a join link, or the trace of a failing socket."""
    short = copy.copy(record)
    if isinstance(record.args, tuple):
        short.args = tuple(_JOIN.sub(r"\1…", arg)[:_MAX_CHARS] if isinstance(arg, str) else arg for arg in record.args)
        if record.name == "uvicorn.access":
            short.args = (str(short.args[0]).rpartition(":")[0], *short.args[1:])
    if record.exc_info and isinstance(record.exc_info[1], OSError) and record.name == "asyncio":
        short.msg, short.args, short.exc_info = f"{record.getMessage().splitlines()[0]}: {record.exc_info[1]}", None, None
    return short


def configure_log() -> dict[str, Any]:
    """Return uvicorn's logging with the time, without colours and quiet. No line holds a token."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("default", "%(message)s"), ("access", '%(client_addr)s "%(request_line)s" %(status_code)s')):
        config["formatters"][name] |= {"fmt": f"%(asctime)s %(levelprefix)s {form}", "use_colors": False}
        config["handlers"][name] = {"formatter": name, "()": QuietHandler}
    config["loggers"]["asyncio"] = {"handlers": ["default"], "level": "WARNING", "propagate": False}
    return config
