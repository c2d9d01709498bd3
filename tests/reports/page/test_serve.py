"""`arena report serve`: the page as things are now, on this machine alone; and the PDF."""

from __future__ import annotations

import http.client
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.documents.pdf import BROWSERS, find_browser, write_pdf
from reports.errors import OutputError
from reports.page.serve import BUSY_S, HOST, IDLE_S, PageCache, ReportServer, fingerprint_sources, open_server
from reports.reading.gather import Sources
from support.report_facts import make_config, write_run
from support.report_stores import write_study


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReportServer]:
    with open_server(Sources(runs=tmp_path / "runs", studies=tmp_path / "studies"), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: ReportServer, path: str = "/", host: str = "") -> tuple[int, str, str]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", path, headers={"Host": host or f"{HOST}:{port}"})
    response = connection.getresponse()
    found = response.status, response.getheader("Refresh", ""), response.read().decode()
    connection.close()
    return found


def test_the_page_follows_what_is_there(server: ReportServer, tmp_path: Path) -> None:
    status, again, text = get(server)
    assert (status, again) == (200, str(BUSY_S))
    assert "nothing to report: no finished run" in text
    write_run(tmp_path / "runs", "a" * 16, make_config("lenet5", "raw"))
    assert "lenet5" in get(server)[2]
    n_builds = server.cache.n_builds
    assert get(server)[1] == str(IDLE_S)
    assert server.cache.n_builds == n_builds
    write_study(tmp_path / "studies", "raw", 6)
    assert "lenet5" in get(server)[2]
    assert server.cache.n_builds == n_builds + 1


def test_only_this_machine_by_its_own_name_and_one_page(server: ReportServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert get(server, host="evil.example")[0] == 403
    assert get(server, "/etc/passwd")[0] == 404


def test_a_taken_port_is_one_line(server: ReportServer) -> None:
    port = server.server_address[1]
    with pytest.raises(OutputError, match=rf"cannot serve on port {port}: .*; choose another with --port"):
        open_server(Sources(), port)


def test_a_change_of_any_source_changes_the_stamp(tmp_path: Path) -> None:
    sources = Sources(runs=tmp_path / "runs", studies=tmp_path / "studies", contest=str(tmp_path / "c.db"))
    stamps = [fingerprint_sources(sources)]
    folder = write_run(tmp_path / "runs", "a" * 16, make_config("lenet5", "raw"))
    stamps.append(fingerprint_sources(sources))
    (folder.path / "epochs.csv").touch()  # shown only with its result
    assert fingerprint_sources(sources) == stamps[-1]
    (tmp_path / "studies" / "s").mkdir(parents=True)
    (tmp_path / "studies" / "s" / "journal.log").write_text("{}\n")
    stamps.append(fingerprint_sources(sources))
    (tmp_path / "c.db-wal").write_text("x")
    stamps.append(fingerprint_sources(sources))
    assert len(set(stamps)) == 4


def test_an_error_is_shown_as_text(tmp_path: Path) -> None:
    page, again_s = PageCache(sources=Sources(runs=tmp_path / "<b>")).page()
    assert b"&lt;b&gt;" in page
    assert again_s == BUSY_S


def test_without_a_browser_pdf_says_what_to_install() -> None:
    with pytest.raises(OutputError, match=r"^Chromium makes the PDF and none of chromium, .* is on the PATH; install one"):
        find_browser(lambda name: None)
    assert find_browser(lambda name: f"/x/{name}" if name == BROWSERS[2] else None) == f"/x/{BROWSERS[2]}"


def test_a_browser_that_fails_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho first >&2\necho it broke >&2\nexit 3\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    with pytest.raises(OutputError, match=r"did not print .*page\.html: it broke; print it to PDF in a browser"):
        write_pdf(page, tmp_path / "page.pdf", str(fake))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chromium", "page.html"]


@pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)) and os.environ.get("CI") != "true", reason="no Chromium here; install it to print"
)
def test_a_page_is_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>A</title><p>x")
    size = write_pdf(page, tmp_path / "page.pdf", find_browser())
    assert (tmp_path / "page.pdf").read_bytes()[:5] == b"%PDF-"
    assert size == (tmp_path / "page.pdf").stat().st_size
