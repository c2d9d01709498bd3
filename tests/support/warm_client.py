"""Stands in for the interpreter: hands its work to a warm process that forks (see warm_python.py), and ends as that ends.

Signals are passed on, and the work is killed with us. The interpreter itself does what is no script, code or `-P -m wandb`.
"""

import array
import fcntl
import json
import os
import resource
import signal
import socket
import sys

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main():
    words = sys.argv[1:]
    if not words or (words[0].startswith("-") and words[0] != "-c" and words[:3] != ["-P", "-m", "wandb"]):
        os.execv(sys.executable, [sys.executable, *words])
    descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    descriptors = [number for number in descriptors if is_open(number)]
    warm = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: warm.send(bytes([number])))
    warm.connect(os.environ["ARENA_WARM"])
    order = {
        "words": words,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "descriptors": descriptors,
        "file_size": resource.getrlimit(resource.RLIMIT_FSIZE),
        "ignored": [number for number in _FORWARDED if signal.getsignal(number) is signal.SIG_IGN],
    }
    content = json.dumps(order).encode()
    sent = array.array("i", descriptors)
    warm.sendmsg([len(content).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, sent)])
    warm.sendall(content)
    for number in descriptors:  # whoever waits for the end of what we write, waits for the worker alone
        os.close(number)
    said = warm.recv(4)
    if len(said) < 4:
        os.kill(os.getpid(), signal.SIGKILL)
    code = int.from_bytes(said, "big", signed=True)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


def is_open(number):
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError:  # the listing's own
        return False
    return True


main()
