"""`arena demo`: a first report that a browser opens, and the same command again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.warm_python import WarmPython

pytestmark = pytest.mark.timeout(600)  # two dozen processes


def test_a_killed_demo_whose_first_report_was_opened_goes_on_to_the_last(
    corpus_folder: Path, tmp_path: Path, warm_python: WarmPython
) -> None:
    opened, browser = tmp_path / "opened.html", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\ncp "${{1#file://}}" {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    (tmp_path / "arena.toml").write_text('[models]\nA = "mlp"\nB = "lenet5"\n')
    words = ["--corpus", str(corpus_folder), "--epochs", "1", "--budget", "1", "--trial-epochs", "1", "--jobs", "1"]
    command = ["-m", "arena", "demo", *words]
    env = {**os.environ, "BROWSER": f"{browser} %s", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = warm_python.start(*command, "--open", cwd=tmp_path, env=env, stderr=subprocess.PIPE, start_new_session=True)
    while not opened.exists():
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert 'http-equiv="refresh"' in opened.read_text()
    ended = warm_python.run(*command, cwd=tmp_path, env=env)
    assert ended.returncode == 0, ended.stderr
    page = Path(ended.stdout.splitlines()[-1])
    assert page.parent.parent == tmp_path / "demo"
    assert page.is_file()
    assert 'http-equiv="refresh"' not in page.read_text()
    assert "error: a team has 3 attempts and team 'Formantes' has used them all; its best one counts\n" in ended.stderr
    assert sorted(path.name for path in (page.parent / "studies").iterdir() if path.is_dir()) == sorted(
        f"{model}.{variant}" for model in ("mlp", "lenet5") for variant in ("raw", "bilateral", "raw+aug", "bilateral+aug")
    )
