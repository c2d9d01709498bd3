"""Real shells in a pseudo-terminal, with `arena` on their path: what Tab makes of a line, as the shell would pass it on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from support.paths import ROOT

_START = {"bash": ["--norc", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}
_PREPARE = {"bash": "", "zsh": "bindkey -e; autoload -Uz compinit; compinit -u -D; ", "fish": ""}
_MOST_S = 60.0


def complete(shell: str, lines: Sequence[str], folder: Path, home: Path) -> list[list[str]]:
    """Type each line, then Tab, and return the words that the shell makes of the result."""
    (home / "bin").mkdir(parents=True, exist_ok=True)
    program = home / "bin" / "arena"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m arena "$@"\n')
    program.chmod(0o755)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm", HOME=str(home), PATH=f"{home / 'bin'}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
        os.execvp(shell, [shell, *_START[shell]])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))
    try:
        _run(terminal, f"{_PREPARE[shell]}source {ROOT}/arena/shells/scripts/arena.{shell}")
        return [_read_words(_run(terminal, f"{line}\t{_close_quote(shell, line)}\x01printf '@%s|' ")) for line in lines]
    finally:
        os.close(terminal)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _close_quote(shell: str, line: str) -> str:
    """Return the quote that is still open behind a folder; bash closes it."""
    return "'" if shell != "bash" and line.count("'") == 1 else ""


def _run(terminal: int, line: str) -> str:
    """Enter a line and return what the terminal shows until the next line can be typed."""
    os.write(terminal, f"{line}\necho en''d\n".encode())
    text, deadline = b"", time.monotonic() + _MOST_S
    while b"end\r\n" not in text:
        assert time.monotonic() < deadline, text
        if select.select([terminal], [], [], 1.0)[0]:
            text += os.read(terminal, 65536)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\x1b\(B", "", text.decode(errors="replace"))


def _read_words(screen: str) -> list[str]:
    """Return the words of the line that printf put out, which is the one without its pattern."""
    return re.findall(r"\n\r*((?:@[^@|\n]*\|)+)", screen)[-1][1:-1].split("|@")
