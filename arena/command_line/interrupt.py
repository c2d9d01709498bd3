"""Ctrl-C while Arena starts or ends, when there is no work to stop. It imports little: what comes before it is unguarded."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130  # exit code that shells give a command ended by Ctrl-C


def guard_command_line() -> None:
    """Call `leave_on_interrupt` in a process that is the command line, not in a program that imports Arena."""
    program = sys.argv[0] if sys.argv else ""
    module = sys.orig_argv[-len(sys.argv)] if program == "-m" else ""  # what `python -m` is about to run
    if module == "arena" or os.path.basename(program) in ("arena", "arena.exe"):
        leave_on_interrupt()


def leave_on_interrupt() -> None:
    """End the process at Ctrl-C from now on, without a traceback of what is being imported."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it may be ignored: a shell's background job
        signal.signal(signal.SIGINT, _leave)


def raise_on_interrupt() -> None:
    """Raise KeyboardInterrupt at Ctrl-C from now on: a command that works tidies up."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: object) -> None:
    if "--json" in sys.argv:
        os.write(1, b'{"error": "interrupted", "exit_code": %d}\n' % INTERRUPTED)
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
