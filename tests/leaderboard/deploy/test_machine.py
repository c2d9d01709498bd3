"""docs/how-to/serve.md from an empty machine to https for two contests, backup and restore: its own lines, run in order."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from leaderboard.store import open_contest
from support.machine import NAME, PROGRAMS, Machine
from support.paths import ROOT
from support.service import WAIT_S, solution, submission, token_of

PAGE = (ROOT / "docs/how-to/serve.md").read_text()
_WHERE = f"/usr/sbin:{os.environ['PATH']}"
MISSING = [name for name in PROGRAMS if shutil.which(name, path=_WHERE) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} missing; .ci/debian-packages installs them"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the page's lines are root's"),
]


def lines(title: str) -> str:
    """The shell lines of one section of the page."""
    (section,) = re.findall(rf"^###? {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return "".join(re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


BEGIN = "".join(re.findall(r"^NAME=.*\n^contest\(\).*\n", PAGE, re.MULTILINE))


class Browser:
    """One jar of cookies, and https to the machine's name."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.jar: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(NAME, timeout=WAIT_S)
        plain = socket.create_connection(("127.0.0.1", self.machine.ports["443"]), WAIT_S)
        connection.sock = self.machine.trust().wrap_socket(plain, server_hostname=NAME)
        sent = {"Host": NAME, "Cookie": "; ".join(f"{key}={value}" for key, value in self.jar.items()), **headers}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("set-cookie", []):
            assert "Secure" in line
            self.jar.update({key: morsel.value for key, morsel in SimpleCookie(line).items()})
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, text

    def post_form(self, path: str, page: str, **fields: str) -> tuple[int, dict[str, str], str]:
        (csrf, *_) = re.findall(r'name="csrf" value="(\w+)"', self.ask("GET", page)[2])
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode({"csrf": csrf, **fields}).encode(), **kind)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which the page's first two sections ran."""
    made = Machine.make(tmp_path_factory.mktemp("machine"))
    (made.folder / "solution.csv").write_bytes(solution())
    try:
        assert '"state":"ok"' in made.run(lines("For the internet: a Debian 12 machine"))
        assert '"state":"ok"' in made.run(BEGIN + lines("A second contest on the same machine"))
        yield made
    finally:
        made.switch_off()


def add_team(machine: Machine, contest: str, name: str) -> str:
    with open_contest(machine.folder / f"var/lib/arena/{contest}/contest.db") as opened:
        return token_of(opened, name)


def test_the_page_installs_what_it_uses_and_starts_its_own_units(machine: Machine) -> None:
    assert machine.folder.joinpath("apt.log").read_text().splitlines()[0] == "update"
    assert "constraints.txt .[postgres]" in machine.folder.joinpath("pip.log").read_text()
    assert "--system" in machine.folder.joinpath("users.log").read_text()
    log = machine.read_log("arena-contest@digits")
    assert f"http://127.0.0.1:{machine.ports['8001']}/digits/" in log
    assert '"GET /digits/healthz HTTP/1.1" 200' in log


def test_two_contests_behind_one_proxy_do_not_disturb_each_other(machine: Machine) -> None:
    tokens = {contest: add_team(machine, contest, "Ann") for contest in ("digits", "vowels")}
    browser = Browser(machine)
    assert browser.ask("GET", "/")[1]["location"].endswith("/digits/")
    for contest, token in tokens.items():
        for n in range(11):
            status, _, _ = browser.post_form(f"/{contest}/login", f"/{contest}/login", token=f"{token[:9]}{n}")
        assert status == 429
        status, headers, _ = browser.post_form(f"/{contest}/login", f"/{contest}/login", token=token)
        assert (status, headers["location"]) == (303, f"/{contest}/team")
    assert [browser.ask("GET", f"/{contest}/team")[0] for contest in tokens] == [200, 200]
    assert browser.post_form("/digits/logout", "/digits/team")[0] == 303
    assert [browser.ask("GET", f"/{contest}/team")[0] for contest in tokens] == [303, 200]
    for contest, token in tokens.items():
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
        assert browser.ask("POST", f"/{contest}/api/v1/attempts", submission(1), **sent)[0] == 201
        status, headers, text = browser.ask("GET", f"/{contest}/standings")
        assert status == 200
        assert "Ann" in text
        assert set(re.findall(r'(?:href|src|action)="(/[^/"]*)', text)) == {f"/{contest}"}
        assert "max-age" in headers["strict-transport-security"]


def test_the_proxy_refuses_what_is_too_large_and_leads_to_https(machine: Machine) -> None:
    assert Browser(machine).ask("POST", "/digits/validate", b"x" * 33_000_000)[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", machine.ports["80"], timeout=WAIT_S)
    connection.request("GET", "/digits/", headers={"Host": NAME})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("location")) == (301, f"https://{NAME}/digits/")
    connection.close()


def test_copies_are_kept_for_thirty_days_and_bring_a_lost_contest_back(machine: Machine) -> None:
    add_team(machine, "digits", "Bob")
    folder = machine.folder / "var/backups/arena"
    old = {"digits-20201001T031000Z.db": False, "vowels-20201001T031000Z.db": True, "notes.txt": True}  # stays?
    for name in old:
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (0, time.time() - 31 * 86400))
    machine.run(BEGIN + lines("Backup and restore"))
    assert {name: (folder / name).exists() for name in old} == old
    for name in ("digits", "digits-broken"):
        with open_contest(machine.folder / f"var/lib/arena/{name}/contest.db") as contest:
            assert {"Bob"} <= {team.name for team in contest.teams()}
    assert not list((machine.folder / "var/lib/arena/digits").glob("drill*"))
    (backup,) = folder.glob("digits-*.db")
    with sqlite3.connect(backup) as copy:
        assert copy.execute("SELECT count(*) FROM teams").fetchone()[0] >= 1
    assert Browser(machine).ask("GET", "/digits/")[0] == 200
