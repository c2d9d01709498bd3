"""A machine in a folder: the lines of docs/how-to/serve.md run there as root would run them, with nginx really started.

Paths such as /etc/nginx are moved below the folder, and ports are free ones. Programs that need the network, another user
or systemd are stand-ins; `systemctl` starts the commands of the shipped units. As a program this file is that `systemctl`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

NAME = "contest.example.org"
PROGRAMS = ("nginx", "openssl", "curl", "find")
_PATH = re.compile(
    r"(?<![\w./-])(?=/(?:opt/arena|etc/(?:arena|systemd|nginx|letsencrypt)|var/(?:lib/arena|backups|log/nginx)|run/nginx)\b)"
)
_WAIT_S = 60.0
_STAND_INS = {
    "apt-get": 'echo "$*" >> "$MACHINE/apt.log"',
    "useradd": 'echo "$*" >> "$MACHINE/users.log"',
    "runuser": 'shift 3; exec "$@"',
    "install": """for word; do shift; case $word in -o|-g) skip=1;; *) [ "$skip" ] || set -- "$@" "$word"; skip=;; esac; done
exec /usr/bin/install "$@" """,
    "python3": """mkdir -p "$3/bin"
printf '#!/bin/sh\\nPYTHONPATH=%s exec %s -m arena "$@"\\n' "$ROOT" "$PYTHON" > "$3/bin/arena"
printf '#!/bin/sh\\necho "$*" >> "$MACHINE/pip.log"\\n' > "$3/bin/pip"
chmod +x "$3/bin/arena" "$3/bin/pip" """,
    "certbot": f"""live=$MACHINE/etc/letsencrypt/live/{NAME}
mkdir -p "$live"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN={NAME}" -addext "subjectAltName=DNS:{NAME}" \\
  -keyout "$live/privkey.pem" -out "$live/fullchain.pem" 2>/dev/null""",
    "nginx": '"$PYTHON" -m support.machine place-site && exec "$NGINX_PROGRAM" -c "$MACHINE/etc/nginx/nginx.conf" "$@"',
    "systemctl": 'exec "$PYTHON" -m support.machine systemctl "$@"',
    "curl": f"""exec "$CURL" --cacert "$MACHINE/etc/letsencrypt/live/{NAME}/fullchain.pem" \\
  --connect-to "{NAME}:443:127.0.0.1:$HTTPS" "$@" """,
}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The folder, and the free ports that stand for those of the page."""

    folder: Path
    ports: dict[str, int]  # by the page's port

    @classmethod
    def make(cls, folder: Path) -> Machine:
        with contextlib.ExitStack() as stack:
            bound = {
                port: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for port in ("80", "443", "8001", "8002")
            }
            machine = cls(folder=folder, ports={port: taken.getsockname()[1] for port, taken in bound.items()})
        (folder / "ports.json").write_text(json.dumps(machine.ports))
        shutil.copytree("/etc/nginx", folder / "etc/nginx", symlinks=True)
        for name in ("bin", "run", "etc/systemd/system", "var/log/nginx"):
            (folder / name).mkdir(parents=True)
        for name, text in _STAND_INS.items():
            (folder / "bin" / name).write_text(f"#!/bin/sh\nset -eu; skip=\n{text}\n")
            (folder / "bin" / name).chmod(0o755)
        settings = folder / "etc/nginx/nginx.conf"
        settings.write_text(machine.place(settings.read_text()).replace("user www-data;", "user root;"))
        return machine

    def place(self, text: str) -> str:
        """Return the text with its paths below the folder and with free ports."""
        for port in ("8001", "8002"):
            text = re.sub(rf"\b{port}\b", str(self.ports[port]), text)
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"listen (80|443)\b", lambda match: f"listen 127.0.0.1:{self.ports[match[1]]}", text)
        return _PATH.sub(str(self.folder), text)

    def run(self, lines: str) -> str:
        """Run lines of the page in the repository's folder, and return what they print."""
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:/usr/sbin:{os.environ['PATH']}",
            "MACHINE": str(self.folder),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "PYTHON": sys.executable,
            "ROOT": str(ROOT),
            "NGINX_PROGRAM": shutil.which("nginx", path=f"/usr/sbin:{os.environ['PATH']}") or "",
            "CURL": shutil.which("curl") or "",
            "HTTPS": str(self.ports["443"]),
        }
        script = re.sub(r"(?<![\w./])solution\.csv(?= /)", str(self.folder / "solution.csv"), self.place(lines))
        words = ["bash", "-euo", "pipefail", "-c", script]
        ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / f"etc/letsencrypt/live/{NAME}/fullchain.pem"))

    def read_log(self, unit: str) -> str:
        return (self.folder / f"var/log/{unit}.log").read_text()

    def switch_off(self) -> None:
        for file in (self.folder / "run").glob("*.pid"):
            _stop(file)


def systemctl(machine: Machine, words: list[str]) -> None:
    """Do what systemd would, as far as the page asks for it."""
    action, *units = [word for word in words if word != "--now"]
    if action == "daemon-reload":
        return
    for unit in units:
        file = machine.folder / f"run/{unit}.pid"
        if unit.endswith(".timer"):
            assert (machine.folder / f"etc/systemd/system/{unit.replace(unit.split('@')[1], '.timer')}").exists()
        elif unit == "nginx":
            subprocess.run(["nginx", *(["-s", "reload"] if _read_id(file) else [])], check=True)
        elif action == "stop":
            _stop(file)
        else:
            _start(machine, unit, file)


def _start(machine: Machine, unit: str, file: Path) -> None:
    name, _, instance = unit.partition("@")
    text = machine.place((machine.folder / f"etc/systemd/system/{name}@.service").read_text())
    lines = [tuple(line.split("=", 1)) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    values = {key: value.replace("%i", instance) for key, value in lines if key != "ExecStart"}
    environment = dict(line.split("=", 1) for line in Path(values["EnvironmentFile"]).read_text().split())
    log = machine.folder / f"var/log/{unit}.log"
    for command in (value for key, value in lines if key == "ExecStart"):
        words = [_expand(word, instance, environment) for word in shlex.split(command)]
        with log.open("a") as out:
            process = subprocess.Popen(
                words, cwd="/", env={**os.environ, **environment}, stdout=out, stderr=out, start_new_session=True
            )
        if values.get("Type") == "oneshot":
            assert process.wait(_WAIT_S) == 0, log.read_text()
            continue
        file.write_text(str(process.pid))
        deadline_s = time.monotonic() + _WAIT_S
        while log.read_text().count("startup complete") <= log.read_text().count("shutdown complete"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.05)


def _expand(word: str, instance: str, environment: dict[str, str]) -> str:
    """Return a word of ExecStart as systemd passes it on (systemd.service, section Command lines)."""
    word = word.replace("%%", "\0").replace("%i", instance).replace("\0", "%")
    word = re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], word)
    return word.replace("$$", "$")


def _read_id(file: Path) -> int:
    """Return the process of a file; 0 where there is none, or nginx only tested its settings."""
    return int(file.read_text() or 0) if file.exists() else 0


def _stop(file: Path) -> None:
    process_id = _read_id(file)
    if not process_id:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGTERM)
        for _ in range(int(_WAIT_S / 0.05)):
            if Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                break
            os.kill(process_id, 0)
            time.sleep(0.05)
    file.unlink(missing_ok=True)


def main() -> None:
    folder = Path(os.environ["MACHINE"])
    machine = Machine(folder=folder, ports=json.loads((folder / "ports.json").read_text()))
    if sys.argv[1] == "systemctl":
        systemctl(machine, sys.argv[2:])
    elif (site := folder / "etc/nginx/sites-available/arena").exists():
        site.write_text(machine.place(site.read_text()))


if __name__ == "__main__":
    main()
