"""The shipped files as the programs that read them judge them: systemd, Caddy, a shell; a container without podman."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from leaderboard.store import open_contest
from support.paths import ROOT
from support.service import WAIT_S, make, running, solution

DEPLOY = ROOT / "leaderboard/deploy"
PAGE = (ROOT / "docs/how-to/serve.md").read_text()
CONTAINERFILE = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
YAML = 'name: "Digits of spring"\nsolution: solution.csv\ndeadline: 2030-12-01T18:00+01:00\n'


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    for path in DEPLOY.glob("arena-*@.*"):
        text = path.read_text().replace("/opt/arena/bin/arena", "/bin/true")
        (tmp_path / path.name.replace("@", "@digits")).write_text(text)
    assert len(list(tmp_path.iterdir())) == 3
    words = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_service_has_limits_of_memory_and_files_and_no_rights() -> None:
    text = (DEPLOY / "arena-contest@.service").read_text()
    for line in ("User=arena", "LimitNOFILE=8192", "MemoryMax=1G", "NoNewPrivileges=yes", "Restart=always", "--https"):
        assert line in text


def test_nginx_and_caddy_know_the_same_contests_and_limits() -> None:
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    assert re.findall(r"location /(\w+)/", nginx) == re.findall(r"handle_path /(\w+)/", caddy) == ["digits", "vowels"]
    assert re.findall(r"server 127.0.0.1:(\d+)", nginx) == re.findall(r"reverse_proxy 127.0.0.1:(\d+)", caddy)
    assert "client_max_body_size 31m" in nginx
    assert "max_size 31MB" in caddy
    assert "http2 on" not in nginx


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed; .ci/debian-packages installs it")
def test_caddy_takes_its_file(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    words = ["caddy", "adapt", "--validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    (server,) = json.loads(ended.stdout)["apps"]["http"]["servers"].values()
    assert (server["read_header_timeout"], server["listen"]) == (10_000_000_000, [":443"])
    formatted = subprocess.run(["caddy", "fmt", str(DEPLOY / "Caddyfile")], capture_output=True, text=True, check=False)
    assert formatted.stdout == (DEPLOY / "Caddyfile").read_text()


def test_what_the_container_copies_is_a_whole_arena_and_its_start_serves_a_contest_of_its_own(tmp_path: Path) -> None:
    """Its steps without podman: a wheel of what COPY names, then ENTRYPOINT twice on one volume."""
    copied = [words.split() for words in re.findall(r"^COPY (?!--)(.*)$", CONTAINERFILE, re.MULTILINE)]
    for *sources, target in copied:
        for source in sources:
            goal = tmp_path / "build" / (target if (ROOT / source).is_dir() else source)
            goal.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, goal)
    assert re.search(r'^RUN pip install .*--constraint constraints.txt "\.\[postgres\]"', CONTAINERFILE, re.MULTILINE)
    code = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    words = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(words, cwd=tmp_path / "build", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")

    contest, files = tmp_path / "volume/contest.db", tmp_path / "contest"
    contest.parent.mkdir()
    files.mkdir()
    assert "nothing to make one of" in start(tmp_path, contest, files)
    (files / "solution.csv").write_bytes(solution())
    assert "give the contest a name" in start(tmp_path, contest, files)
    (files / "contest.yaml").write_text(YAML)
    assert f"serving {contest} at" in start(tmp_path, contest, files)
    (files / "contest.yaml").write_text(YAML.replace("spring", "autumn"))
    assert f"serving {contest} at" in start(tmp_path, contest, files)
    with open_contest(contest) as opened:
        assert opened.name == "Digits of spring"
    named = tmp_path / "volume/named.db"
    (files / "contest.yaml").unlink()
    assert f"serving {named} at" in start(
        tmp_path, named, files, CONTEST_NAME="Vowels", CONTEST_DEADLINE="2030-12-01T18:00+01:00"
    )
    with open_contest(named) as opened:
        assert (opened.name, opened.rules().deadline is None) == ("Vowels", False)


def start(folder: Path, contest: Path, files: Path, **variables: str) -> str:
    """Run the container's entry point until it serves or ends, and return what it said."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin/arena"
    program.write_text(f'#!/bin/sh\nexec env PYTHONPATH={folder / "site"} {sys.executable} -P -m arena "$@"\n')
    program.chmod(0o755)
    (settings,) = re.findall(r"^ENV (.*)$", CONTAINERFILE, re.MULTILINE)
    environment = dict(word.split("=", 1) for word in shlex.split(settings))
    environment |= {"ARENA_CONTEST": str(contest), "CONTEST_FILES": str(files), "PORT": "0", **variables}
    environment |= {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    process = subprocess.Popen(
        [str(DEPLOY / "entrypoint"), "--root", "/digits"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "startup complete" in line:
            os.killpg(process.pid, signal.SIGTERM)
    process.wait(WAIT_S)
    process.stdout.close()
    return "".join(said)


def test_a_tunnel_is_believed_that_comes_from_this_machine_and_names_its_own_address(tmp_path: Path) -> None:
    """As cloudflared and ssh -R ask: from 127.0.0.1, with the name that the reader sees."""
    tokens = make(tmp_path / "contest.db", ["Ann"])
    with running(tmp_path / "contest.db", "--https") as service:
        connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=WAIT_S)
        outside = {"Host": "four-words.trycloudflare.com", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
        connection.request("GET", "/login", headers=outside)
        page = connection.getresponse()
        (csrf,) = re.findall(r'name="csrf" value="(\w+)"', page.read().decode())
        cookie = str(page.getheader("set-cookie")).partition(";")[0]
        sent = outside | {"Cookie": cookie, "Origin": "https://four-words.trycloudflare.com"}
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", "/login", f"csrf={csrf}&token={tokens['Ann']}", sent)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("location")) == (303, "/team")
        assert "Secure" in str(answer.getheader("set-cookie"))
        connection.close()
    assert [line for line in service.log if '192.0.2.7 "POST /login' in line]


def test_the_page_names_every_file_and_its_console_lines_are_of_programs_that_it_explains() -> None:
    for path in DEPLOY.iterdir():
        assert path.name in PAGE or path.name == "entrypoint"
    lines = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
    assert {line.split()[0] for line in lines} <= {"arena", "podman", "cloudflared", "ssh"}
    (built,) = [line for line in lines if line.startswith("podman build")]
    assert shlex.split(built)[3:] == ["leaderboard/deploy/Containerfile", "--tag", "arena-contest", "."]
    (run,) = [line for line in lines if line.startswith("podman run")]
    (entrypoint,) = [(DEPLOY / "entrypoint").read_text()]
    for name in re.findall(r"--env (\w+)=", run):
        assert f"${{{name}:" in entrypoint
