"""A Python that has loaded torch, Optuna and W&B once, and forks for everything that is started with it.

Starting `arena` as a process of its own costs two to three seconds, nearly all of it imports. `running_python` gives a stand-in
for the interpreter (warm_client.py): what is started with it are real processes with real signals, exit codes, pipes and
environments, and so are the processes that they start in turn, for a tenth of the cost.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_START_S = 280.0
_MOST_DESCRIPTORS = 64
_HIGH = 500  # above every descriptor that a client may have
_LOADED = (
    *("torch", "torch._dynamo", "torch.optim", "torchaudio", "optuna", "optuna.storages.journal", "sklearn.metrics", "wandb"),
    *("wandb.agents.pyagent", "wandb.wandb_agent", "wandb.cli.cli", "wandb.proto.wandb_internal_pb2", "yaml", "rich.live"),
    *(
        "arena",
        "cnn.train.training_run",
        "cnn.runs.wandb_mirror",
        "cnn.runs.wandb_client",
        "cnn.inference.predict",
        "sweeps.engines.optuna_engine",
        "sweeps.pool.pool",
    ),
    *(
        "sweeps.pool.plan",
        "sweeps.cli.live",
        "sweeps.cli.tables",
        "sweeps.wandb_sweeps.agent",
        "sweeps.wandb_sweeps.command",
        "sweeps.study.database",
    ),
    *("optuna.storages._rdb.storage", "optuna.storages._rdb.models", "alembic.command", "psycopg", "sqlalchemy"),
)
_temporary: list[Any] = []  # folders that imports made (W&B: one for media)


@dataclass(frozen=True, kw_only=True)
class WarmPython:
    """What a test starts processes with."""

    python: str  # in place of sys.executable
    environment: dict[str, str]  # needed by it, and by what is started from a cold Python that it must reach

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A process that runs `words` as the interpreter would; `options` are of `subprocess.Popen`."""
        environment = {**(options.pop("env", None) or os.environ), **self.environment}
        return subprocess.Popen([self.python, *words], env=environment, text=True, **options)

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """What such a process came to."""
        with self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@contextlib.contextmanager
def running_python() -> Iterator[WarmPython]:
    """Start the warm process; it and all that it forked end with the context."""
    with tempfile.TemporaryDirectory(prefix="arena-warm-") as made:
        folder = Path(made)
        client, address = folder / "python", folder / "socket"
        client.write_text(f"#!{sys.executable} -IS\n{(HERE / 'warm_client.py').read_text()}")
        client.chmod(0o755)
        (folder / "path").mkdir()
        # A cold Python with this on its path starts others with us.
        (folder / "path" / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(client)!r}\n")
        command = [sys.executable, str(Path(__file__).resolve()), str(address), str(client)]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=folder
            ) as process,
        ):
            deadline = time.monotonic() + _START_S
            while not address.exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            try:
                yield WarmPython(
                    python=str(client), environment={"ARENA_WARM": str(address), "PYTHONPATH": str(folder / "path")}
                )
            finally:
                assert process.stdin
                process.stdin.close()


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What a client wants run, and where."""

    words: list[str]
    folder: str
    environment: dict[str, str]
    descriptors: list[int]
    file_size: tuple[int, int]
    ignored: list[int]


class _Server:
    """Forks for each client; `run` returns in the forked process, with what it is to do."""

    def __init__(self, address: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._clients: dict[socket.socket, int] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(address + ".new")
        self._listener.listen(64)
        os.rename(address + ".new", address)
        self._selector.register(self._listener, selectors.EVENT_READ, "client")
        self._selector.register(0, selectors.EVENT_READ, "end")

    def run(self) -> _Order | None:
        """None when whoever started us is gone."""
        while True:
            for key, _ in self._selector.select():
                if key.data == "end":
                    for pid in self._clients.values():
                        os.kill(pid, signal.SIGKILL)
                    return None
                if key.data == "client":
                    if order := self._begin():
                        return order
                elif isinstance(key.data, int):
                    self._hear(key.fileobj, key.data)
                else:
                    self._bury(key.fd, *key.data)

    def _begin(self) -> _Order | None:
        client, _ = self._listener.accept()
        try:
            order, received = _receive(client)
        except (OSError, ValueError):  # it was killed meanwhile
            client.close()
            return None
        pid = os.fork()
        if pid:
            for number in received:
                os.close(number)
            self._clients[client] = pid
            self._selector.register(client, selectors.EVENT_READ, pid)
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (client, pid))
            return None
        self._become(order, received, client)
        return order

    def _hear(self, client: Any, pid: int) -> None:
        if client not in self._clients:  # both ended at once, and the process was buried first
            return
        said = b""
        with contextlib.suppress(OSError):
            said = client.recv(16)
        with contextlib.suppress(ProcessLookupError):
            for number in said or [signal.SIGKILL]:
                os.kill(pid, number)
        if not said:
            self._selector.unregister(client)

    def _bury(self, descriptor: int, client: socket.socket, pid: int) -> None:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(OSError):
            client.send(code.to_bytes(4, "big", signed=True))
        self._selector.unregister(descriptor)
        os.close(descriptor)
        with contextlib.suppress(KeyError):
            self._selector.unregister(client)
        del self._clients[client]
        client.close()

    def _become(self, order: _Order, received: list[int], client: socket.socket) -> None:
        mine = [key.fd for key in self._selector.get_map().values() if key.fd]
        self._selector.close()
        client.detach()
        self._listener.detach()
        for other in self._clients:
            other.detach()
        high = [os.dup2(number, _HIGH + place) for place, number in enumerate(received)]
        for number in {*mine, *received, client.fileno(), 0, 1, 2} - {-1}:
            os.close(number)
        for number, target in zip(high, order.descriptors, strict=True):
            os.dup2(number, target)
            os.close(number)
        os.setsid()


def _receive(client: socket.socket) -> tuple[_Order, list[int]]:
    content, ancillary, _, _ = client.recvmsg(4, socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS))
    received = [number for _, _, data in ancillary for number in struct.unpack(f"{len(data) // 4}i", data)]
    size, text = int.from_bytes(content, "big"), b""
    while len(text) < size and (part := client.recv(size - len(text))):
        text += part
    return _Order(**json.loads(text)), received


def _do(order: _Order, client: str) -> None:
    """As a Python that was started this way does."""
    for made in _temporary:
        made.name = tempfile.mkdtemp()  # the end of a process removes it: it must be its own
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    resource.setrlimit(resource.RLIMIT_FSIZE, tuple(order.file_size))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in order.ignored:
        signal.signal(number, signal.SIG_IGN)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with contextlib.suppress(OSError):
            file = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            file.reconfigure(line_buffering=number == 2 or file.isatty())
            setattr(sys, name, file)
            setattr(sys, f"__{name}__", file)
    sys.orig_argv = [client, *order.words]
    sys.executable = client
    folders = [part for part in order.environment.get("PYTHONPATH", "").split(":") if part]
    for folder in folders:
        if (custom := Path(folder) / "sitecustomize.py").exists():
            runpy.run_path(str(custom))
    kind, *rest = order.words[order.words[0] == "-P" :]
    if kind == "-c":
        sys.argv, sys.path[:0] = ["-c", *rest[1:]], ["", *folders]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    elif kind == "-m":
        sys.argv, sys.path[:0] = rest, folders
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[:0] = order.words, [str(Path(kind).resolve().parent), *folders]
        runpy.run_path(kind, run_name="__main__")


def _end_as(work: Callable[[], None]) -> None:
    """End this process as `work` ends, without a second spent on taking modules down."""
    code: object = 0
    try:
        work()
    except SystemExit as ended:
        code = ended.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter's end does
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            file.flush()
    os._exit(code)


def main(address: str, client: str) -> None:
    sys.path[0] = str(HERE.parents[1])  # the packages, not the folders of their tests
    from cnn.hardware import name_account

    name_account()
    for name in _LOADED:
        with contextlib.suppress(ImportError):  # an extra that is not installed
            importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    del sys.path[0]
    assert len(os.listdir("/proc/self/task")) == 1, "a thread was started by an import: it would be missing after a fork"
    gc.collect()
    _temporary.extend(one for one in gc.get_objects() if isinstance(one, tempfile.TemporaryDirectory))
    gc.freeze()
    order = _Server(address).run()
    if order:
        _end_as(lambda: _do(order, client))


if __name__ == "__main__":
    main(*sys.argv[1:])
