"""Downloads against a server of our own that drops, forgets, refuses and lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnn.collect.download import Hooks, check_urls, download, remove_download
from cnn.errors import CorpusError
from support.downloads import CONTENT, SHA256, Behaviour, Server


def hooks(lines: list[str] | None = None, advanced: list[int] | None = None) -> Hooks:
    say = (lines if lines is not None else []).append
    advance = (advanced if advanced is not None else []).append
    return Hooks(say=say, advance=advance, timeout_s=5, wait_s=0.001)


def refusal(urls: list[str], archive: Path, sha256: str = "") -> str:
    with pytest.raises(CorpusError) as caught:
        download(urls, archive, sha256, hooks())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_comes_whole_and_is_forgotten_with_its_notes(server: Server, tmp_path: Path) -> None:
    advanced: list[int] = []
    assert download([server.url], tmp_path / "a", SHA256, hooks(advanced=advanced)) == server.url
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert sum(advanced) == len(CONTENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.json"]
    remove_download(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_whole_is_not_sent_again_by_the_same_address(server: Server, tmp_path: Path) -> None:
    download([server.url], tmp_path / "a", "", hooks())
    advanced: list[int] = []
    download([server.url], tmp_path / "a", "", hooks(advanced=advanced))
    assert (server.behaviour.ranges, advanced) == (["", f"bytes={len(CONTENT)}-"], [len(CONTENT)])
    assert (tmp_path / "a").read_bytes() == CONTENT
    server.behaviour = Behaviour(content=CONTENT[::-1])
    download([server.url + "?mirror"], tmp_path / "a", "", hooks())
    assert server.behaviour.ranges == [""]
    assert (tmp_path / "a").read_bytes() == CONTENT[::-1]


def test_a_dropped_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [400_000, 300_000]
    download([server.url], tmp_path / "a", "", hooks())
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.behaviour.ranges == ["", "bytes=400000-", "bytes=700000-"]


def test_a_second_call_goes_on_where_the_first_gave_up(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [400_000, *[0] * 9]
    assert "broke off after 400,000 of 1,500,000 bytes" in refusal([server.url], tmp_path / "a")
    server.behaviour.cuts.clear()
    server.behaviour.ranges.clear()
    advanced: list[int] = []
    download([server.url], tmp_path / "a", "", hooks(advanced=advanced))
    assert server.behaviour.ranges == ["bytes=400000-"]
    assert advanced[0] == 400_000
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_from_the_beginning(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [400_000, *[0] * 9]
    refusal([server.url], tmp_path / "a")
    server.behaviour = Behaviour(content=CONTENT[::-1], etag='"two"')
    lines: list[str] = []
    download([server.url], tmp_path / "a", "", hooks(lines))
    assert (tmp_path / "a").read_bytes() == CONTENT[::-1]
    assert lines == ["the server cannot resume, or its file has changed: from the beginning"]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_a_date_guards_where_there_is_no_strong_mark(server: Server, tmp_path: Path, etag: str) -> None:
    server.behaviour = Behaviour(etag=etag, last_modified="Sat, 21 Nov 2026 00:00:00 GMT", cuts=[400_000])
    download([server.url], tmp_path / "a", "", hooks())
    assert server.behaviour.ranges == ["", "bytes=400000-"]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_without_mark_or_checksum_nothing_is_put_together(server: Server, tmp_path: Path) -> None:
    server.behaviour = Behaviour(etag="", cuts=[400_000])
    download([server.url], tmp_path / "a", "", hooks())
    assert server.behaviour.ranges == ["", ""]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_with_a_checksum_another_address_goes_on(server: Server, tmp_path: Path) -> None:
    server.behaviour = Behaviour(etag="", cuts=[400_000, *[0] * 9])
    refusal([server.url], tmp_path / "a", SHA256)
    server.behaviour = Behaviour()
    download([server.url + "?mirror"], tmp_path / "a", SHA256, hooks())
    assert server.behaviour.ranges == ["bytes=400000-"]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_what_was_put_together_wrongly_is_fetched_once_more(server: Server, tmp_path: Path) -> None:
    server.behaviour = Behaviour(content=CONTENT[::-1], cuts=[400_000, *[0] * 9])
    refusal([server.url], tmp_path / "a", SHA256)
    server.behaviour = Behaviour()
    download([server.url], tmp_path / "a", SHA256, hooks())
    assert server.behaviour.ranges == ["bytes=400000-", ""]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_server_that_cannot_resume_begins_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = Behaviour(knows_range=False, cuts=[400_000])
    download([server.url], tmp_path / "a", "", hooks())
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_what_came_whole_before_a_kill_is_taken(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [400_000, *[0] * 9]
    refusal([server.url], tmp_path / "a")
    (tmp_path / "a").write_bytes(CONTENT)
    download([server.url], tmp_path / "a", "", hooks())
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_another_checksum_is_refused_and_nothing_kept(server: Server, tmp_path: Path) -> None:
    text = refusal([server.url], tmp_path / "a", "0" * 64)
    assert text.startswith(f"{server.url} gave a file that is not the published one (its SHA-256 is not 0000000000000000..); ")
    assert "the same command again" not in text
    assert list(tmp_path.iterdir()) == []


def test_mirrors_are_tried_in_order_and_each_failure_is_told(server: Server, tmp_path: Path) -> None:
    lines: list[str] = []
    closed = "http://127.0.0.1:9/file"
    assert download([closed, server.url], tmp_path / "a", SHA256, hooks(lines)) == server.url
    assert lines[-1] == f"{closed} cannot be reached: Connection refused"
    assert lines[0] == f"{closed} cannot be reached: Connection refused; trying again in 0.001 s"


def test_a_missing_file_is_not_asked_for_twice(server: Server, tmp_path: Path) -> None:
    server.behaviour.status = 404
    assert refusal([server.url], tmp_path / "a") == (
        f"{server.url} answered 404 Not Found; give another address with --mirror URL, or the file "
        "as a browser saved it with --archive FILE"
    )
    assert len(server.behaviour.ranges) == 1


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.behaviour.status = 503
    assert refusal([server.url], tmp_path / "a") == (
        f"{server.url} answered 503 Service Unavailable; give the same command again to go on where it stopped, another "
        "address with --mirror URL, or the file as a browser saved it with --archive FILE"
    )
    assert len(server.behaviour.ranges) == 5


def test_a_login_page_is_not_taken_for_the_archive(server: Server, tmp_path: Path) -> None:
    server.behaviour.kind = "text/html; charset=utf-8"
    assert "answered with a web page instead of the archive" in refusal([server.url], tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_an_empty_answer_is_refused(server: Server, tmp_path: Path) -> None:
    server.behaviour = Behaviour(content=b"", says_length=False)
    assert "answered with nothing" in refusal([server.url], tmp_path / "a")


def test_a_folder_that_is_gone_is_one_line(server: Server, tmp_path: Path) -> None:
    assert refusal([server.url], tmp_path / "no" / "a").startswith(f"cannot write {tmp_path / 'no' / 'a'}: No such file")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "x", "http://", "http://a b/c", "http://[x"])
def test_a_mirror_is_an_address_of_the_web(url: str) -> None:
    with pytest.raises(CorpusError, match="a mirror is an address"):
        check_urls([url])
