"""`arena submit` against a service in a process of its own: what it prints, and the exit code that scripts read."""

from __future__ import annotations

import hashlib
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from leaderboard import client
from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.client import ClientError, Endpoint, InvalidFile, Unreachable, WrongToken, send_file
from leaderboard.store import open_contest
from leaderboard.verification.sent_models import read_sent_models, record_verification
from leaderboard.verification.verify import Verification
from support.onnx_models import net_of_digits
from support.paths import ROOT
from support.service import NOW, WAIT_S, Running, make, running, submission


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WAITS_S", (0, 0))


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server that says the same to everybody; its address, and the tokens it was sent."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def submit(service: Running, file: Path, token: str, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `arena submit`."""
    command = [sys.executable, "-m", "arena", "submit", str(file), "--address", service.url, *options]
    env = {"ARENA_TOKEN": token, "PATH": "/usr/bin:/bin", "HOME": str(file.parent)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def good_and_bad(folder: Path) -> tuple[Path, Path]:
    """A file that can be scored, and one with a label that is none."""
    good, bad = folder / "good.csv", folder / "bad.csv"
    good.write_bytes(submission(1))
    bad.write_bytes(b"id,label\nclip_0000,77\n")
    return good, bad


def test_the_command_prints_the_result_and_its_exit_code_says_what_happened(tmp_path: Path) -> None:
    tokens = make(tmp_path / "c.db", ["Ann"])
    good, bad = good_and_bad(tmp_path)
    with running(tmp_path / "c.db") as service:
        code, out, err = submit(service, good, tokens["Ann"], "--team", "ann")
        with open_contest(tmp_path / "c.db") as contest:
            (attempt,) = contest.attempts(contest.team("Ann"))
            interval = contest.shown_details(contest.team("Ann"), 1).interval
        assert (code, err) == (0, "")
        assert out == (
            f"Ann, attempt 1: macro-F1 {attempt.score:.3f} (95 % interval {interval.low:.2f} to {interval.high:.2f} "
            f"over {interval.n_units} {interval.unit})\n"
            "rank 1 of 1, 2 attempts left\n"
        )
        code, out, err = submit(service, bad, tokens["Ann"], "--team", "Ann")
        assert (code, out) == (3, "")
        assert err.startswith("error: bad.csv line 2: label '77' is not one of 0..9")
        good.write_bytes(submission(1) + b"\n")
        told = f"the labels in good.csv are those of attempt 1, which scored {attempt.score:.3f}; no attempt was used"
        hint = "; add --again to use an attempt all the same\n"
        assert submit(service, good, tokens["Ann"], "--team", "Ann") == (8, "", f"error: {told}{hint}")
        assert submit(service, good, tokens["Ann"], "--team", "Ann", "--again")[1].startswith("Ann, attempt 2: ")
        door = Endpoint(url=service.url, team="Ann", token=tokens["Ann"])
        messages: list[str] = []
        good.write_bytes(submission(3))
        assert send_file(door, good, messages.append)["attempt"]["number"] == 3
        good.write_bytes(submission(4))
        with pytest.raises(ClientError, match="has used them all") as limit:
            send_file(door, good, messages.append)
        with pytest.raises(WrongToken, match="of team 'Ann', not of 'Bob'"):
            send_file(Endpoint(url=service.url, team="Bob", token=tokens["Ann"]), good, messages.append)
        with open_contest(tmp_path / "c.db") as contest:
            close_contest(contest, HostDecision(reason="over", decided_at=NOW))
            late = contest.new_token(contest.add_team("Late", NOW), NOW)
        with pytest.raises(ClientError, match="closed by its host") as closed:
            send_file(Endpoint(url=service.url, team="Late", token=late), good, messages.append)
        assert (limit.value.exit_code, closed.value.exit_code, messages) == (4, 5, [])


def test_a_file_is_checked_as_often_as_one_likes_and_never_scored(tmp_path: Path) -> None:
    tokens = make(tmp_path / "c.db", ["Ann"])
    good, bad = good_and_bad(tmp_path)
    with running(tmp_path / "c.db") as service:
        code, messages, _ = submit(service, good, tokens["Ann"], "--team", "Ann", "--check")
        assert (code, messages) == (0, "good.csv can be sent: 300 rows, without probabilities\n")
        code, messages, error = submit(service, bad, tokens["Ann"], "--team", "Ann", "--check")
        assert (code, messages) == (3, "")
        first, second = error.splitlines()
        assert "label '77' is not one of" in first
        assert second.startswith("  299 of 300 ids have no row: ")
        with open_contest(tmp_path / "c.db") as contest:
            assert contest.attempts(contest.team("Ann")) == ()
        submit(service, good, tokens["Ann"], "--team", "Ann")
        good.write_bytes(good.read_bytes() + b"\n")
        _, messages, _ = submit(service, good, tokens["Ann"], "--team", "Ann", "--check")
        assert messages.endswith("probabilities; its labels are those of attempt 1, so --again is needed\n")


def test_without_a_token_a_file_is_checked_by_the_sample_beside_arena_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the students' README prints it: `arena submit submission.csv --check`, with nothing else."""
    monkeypatch.delenv("ARENA_TOKEN", raising=False)
    good, bad = good_and_bad(tmp_path)
    (tmp_path / "arena.toml").write_text('corpus = "train"\n', encoding="utf-8")
    sample = "id,label\n" + "".join(f"clip_{n:04d},0\n" for n in range(300))
    (tmp_path / "sample_submission.csv").write_text(sample, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    checked = runner.invoke(arena.cli.app, ["submit", good.name, "--check"])
    assert (checked.exit_code, checked.stdout) == (0, "good.csv can be sent: 300 rows, without probabilities\n")
    assert (
        "checked by sample_submission.csv; with the contest's address and ARENA_TOKEN the contest itself is asked"
        in checked.stderr
    )
    refused = runner.invoke(arena.cli.app, ["submit", bad.name, "--check"])
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "label '77' is not one of 0..9" in refused.stderr
    assert "  299 of 300 ids have no row: " in refused.stderr
    assert runner.invoke(arena.cli.app, ["submit", good.name]).exit_code == 2  # to send takes an address


def test_a_model_goes_with_the_file_or_after_it_and_a_bad_one_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    tokens = make(tmp_path / "c.db", ["Ann"])
    file, net = tmp_path / "good.csv", tmp_path / 'my "net".onnx'
    file.write_bytes(submission(1))
    with running(tmp_path / "c.db", "--max-model-mb", "1") as service:
        door, messages = Endpoint(url=service.url, team="Ann", token=tokens["Ann"]), list[str]()
        for content, message in (
            (b"PK\x03\x04", "is a zip archive, as torch.save writes, and no ONNX model"),
            (bytes(1_000_001), "a model has at most 1 MB and this one has more"),
        ):
            net.write_bytes(content)
            code, out, err = submit(service, file, tokens["Ann"], "--team", "Ann", "--onnx", str(net))
            assert (code, out) == (3, "")
            assert message in err
        with pytest.raises(InvalidFile, match="cannot be read"):
            send_file(door, file, messages.append, tmp_path / "none.onnx")
        with open_contest(tmp_path / "c.db") as contest:
            assert contest.attempts(contest.team("Ann")) == ()
        assert send_file(door, file, messages.append)["attempt"]["model"] is None
        net.write_bytes(net_of_digits())
        code, out, err = submit(service, file, tokens["Ann"], "--team", "Ann", "--onnx", str(net))
        digest = hashlib.sha256(net.read_bytes()).hexdigest()[:12]
        assert (code, err) == (0, "")
        assert out.startswith("the same file was scored before, no attempt was used\n")
        assert out.endswith(f"2 attempts left\nmy %22net%22.onnx ({digest}) is kept beside attempt 1: not run yet\n")
        with open_contest(tmp_path / "c.db") as contest:
            (model,) = read_sent_models(contest, contest.teams())
            record_verification(contest, model, Verification(is_verified=True, remark="", n_equal=0, n_rows=0), NOW)
        net.write_bytes(net_of_digits(1))
        assert submit(service, file, tokens["Ann"], "--team", "Ann", "--onnx", str(net))[0] == 4  # verified: takes no other
        with open_contest(tmp_path / "c.db") as contest:
            close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        file.write_bytes(submission(2))
        assert submit(service, file, tokens["Ann"], "--team", "Ann", "--onnx", str(net))[0] == 5
    assert messages == []


def test_a_service_that_takes_no_models_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"id,label\n")
    (tmp_path / "net.onnx").write_bytes(net_of_digits())
    with answering(200, b"{}") as (url, _), pytest.raises(ClientError, match="takes no models"):
        send_file(Endpoint(url=url, team="Ann", token="t"), tmp_path / "f.csv", print, tmp_path / "net.onnx")


def test_a_service_that_is_not_there_is_tried_again_and_then_named(tmp_path: Path) -> None:
    file, messages = tmp_path / "f.csv", list[str]()
    file.write_bytes(b"id,label\n")
    with answering(503, b"") as (url, seen), pytest.raises(Unreachable, match="not ready") as gone:
        send_file(Endpoint(url=url, team="Ann", token="t"), file, messages.append)
    assert (len(seen), len(messages), gone.value.exit_code) == (3, 2, 6)
    with pytest.raises(Unreachable, match="does not answer"):
        send_file(Endpoint(url=url, team="Ann", token="t"), file, messages.append)
    with answering(200, b"<html>") as (url, _), pytest.raises(Unreachable, match="not as a contest does"):
        send_file(Endpoint(url=url, team="Ann", token="t"), file, messages.append)


def test_a_token_is_not_sent_on_to_another_address(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(b"id,label\n")
    with (
        answering(200, json.dumps({}).encode()) as (server, stolen),
        answering(302, b"", {"Location": f"{server}/"}) as (url, seen),
        pytest.raises(ClientError, match="give that address with --address"),
    ):
        send_file(Endpoint(url=url, team="Ann", token="t"), file, print)
    assert (len(seen), stolen) == (1, [])


@pytest.mark.parametrize(
    ("door", "error"),
    [
        (Endpoint(url="ftp://x", team="Ann", token="t"), ClientError),
        (Endpoint(url="http://[", team="Ann", token="t"), ClientError),
        (Endpoint(url="contest.example", team="Ann", token="t"), ClientError),
        (Endpoint(url="http://127.0.0.1:1", team="Ann", token="two\nlines"), WrongToken),
        (Endpoint(url="http://127.0.0.1:1", team="Ann", token=""), WrongToken),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is(door: Endpoint, error: type[ClientError], tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(b"id,label\n")
    with pytest.raises(error):
        send_file(door, file, print)


def test_a_file_that_is_not_there_is_invalid_and_a_token_is_never_printed(tmp_path: Path) -> None:
    door = Endpoint(url="http://contest.example", team="Ann", token="very-secret")
    with pytest.raises(InvalidFile, match="cannot be read"):
        send_file(door, tmp_path / "none.csv", print)
    assert "very-secret" not in repr(door)
    assert door.is_unencrypted
    assert not Endpoint(url="http://127.0.0.1:8000", team="Ann", token="t").is_unencrypted
