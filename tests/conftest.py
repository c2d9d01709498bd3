"""What many tests share: a small corpus of synthesised tones that nets can learn, and its tiles."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, settings

from cnn.corpus.scan import scan
from cnn.settings.tiles import TileSettings
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import TileSet
from support.pictures import write_colour_tiles, write_digit_tiles
from support.postgres import PostgresServer, binaries, missing_part, running_server
from support.tones import write_tones
from support.wandb_server.bench import Bench
from support.wandb_server.http import LoopbackServer
from support.warm_python import WarmPython, running_python

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.downloads import Server
    from support.studies import World

# Whoever runs the tests in the background may have them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each core has its own process of tests; two threads in each would wait for one another most of the time.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"

settings.register_profile("arena", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
settings.load_profile("arena")


# Files of few and long tests, the longest first. A file stays with one process of tests: one that begins late is waited for.
_LONG_FILES = (
    "sweeps/wandb_sweeps/test_wandb_sweeps.py",
    "arena/starter/test_path.py",
    "arena/test_demo.py",
    "arena/starter/test_notebook.py",
    "sweeps/test_wandb_files.py",
    "cnn/train/fused/test_stacked_layers.py",
    "cnn/train/test_training_run.py",
    "arena/api/test_page.py",
    "sweeps/cli/test_machines.py",
    "cnn/runs/test_evaluation.py",
    "cnn/check/test_net.py",
    "sweeps/agents/test_chaos.py",
    "cnn/inference/test_onnx.py",
    "cnn/inference/test_inspect.py",
    "arena/base/test_install.py",
    "test_site.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files, then with those of many tests; `make test` keeps this order."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(_LONG_FILES)}
    assert all(path.exists() for path in ranks), "a long file has moved"
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (ranks.get(item.path, len(ranks)), -sizes[item.path]))


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 speakers x 10 digits x 4 takes."""
    return write_tones(tmp_path_factory.mktemp("corpus") / "tones", 4)


@pytest.fixture(scope="session")
def tiles(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    """The 32 x 32 tiles of `corpus_folder`."""
    return prepare(scan(corpus_folder), TileSettings(size=32), tmp_path_factory.mktemp("tiles"))


@pytest.fixture(scope="session")
def digit_tiles(tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    """300 of scikit-learn's digits, 8 x 8 cells in tiles of 32 x 32; 180 train, 60 validate, 60 test."""
    return write_digit_tiles(tmp_path_factory.mktemp("digit_tiles"))


@pytest.fixture(scope="session")
def colour_tiles(tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    """120 pictures of four shapes in colour, 24 x 24 cells in tiles of 32 x 32; 72 train, 24 validate, 24 test."""
    return write_colour_tiles(tmp_path_factory.mktemp("colour_tiles"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this process of tests: one per worker of pytest-xdist that asks for it."""
    missing = missing_part(binaries())
    if missing:
        pytest.skip(missing)
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres_server.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def warm_python() -> Iterator[WarmPython]:
    """An interpreter for this process of tests that starts `arena` without importing everything anew."""
    with running_python() as warm:
        yield warm


@pytest.fixture(params=["sqlite", "postgres"])
def contest_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a test keeps its contest: once in a file, once in a database of its own."""
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgres" else str(tmp_path / "contest.db")


@pytest.fixture(params=["journal", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path, warm_python: WarmPython) -> Iterator[World]:
    """Studies without tiles, once with the journal, once in a database of the test's own."""
    from support.studies import World
    from sweeps.study.database import close_databases

    storage = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    yield World(studies=tmp_path, storage=storage, warm=warm_python)
    close_databases()


@pytest.fixture(scope="session")
def loopback_server() -> Iterator[LoopbackServer]:
    """A W&B-compatible server for this process of tests; it was asked for nothing that it does not have."""
    server = LoopbackServer().start()
    yield server
    server.stop()
    assert (server.unknown, server.errors) == ([], [])


@pytest.fixture
def wandb_bench(tmp_path: Path, loopback_server: LoopbackServer, tiles: TileSet, warm_python: WarmPython) -> Iterator[Bench]:
    """A working folder whose processes use the loopback server."""
    bench = Bench(tmp_path, loopback_server, tiles, warm_python)
    yield bench
    bench.close()
    loopback_server.faults.clear()


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test finds the contest, W&B account or width of terminal of whoever runs it, or writes into their home."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in [name for name in os.environ if name.startswith(("ARENA_", "WANDB", "COLUMNS", "TERMINAL_WIDTH"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(home),
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    from support.browser import ARGUMENTS, CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server that misbehaves as its `behaviour` says."""
    from support.downloads import Server

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.close()
