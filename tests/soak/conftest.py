"""Options, time limit and closing table of the long tests, which `make soak` runs and `make test` does not collect.

A test counts what it did by pytest's `record_property("kills", 250)`; the table shows the counts beside outcome and time.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

_LIMIT_S = 4 * 3600  # limit of one test
_OUTCOMES = ("passed", "failed", "error", "skipped")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak", "long tests")
    group.addoption("--kills", type=int, default=1000, metavar="N", help="SIGKILLs in all, over storages and kinds of agents")
    group.addoption("--weeks", type=float, default=1.0, metavar="X", help="weeks of a class that polls the board each minute")
    group.addoption("--seed", type=int, default=16, metavar="N", help="seed of all that is drawn, such as when to kill")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of `make soak ARGS="--seed N"`."""
    return int(request.config.getoption("--seed"))


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.timeout(_LIMIT_S))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what ran as a Markdown table, which docs/explanation/soak.md takes as it is."""
    rows = [_format_row(outcome, report) for outcome in _OUTCOMES for report in _list_reports(terminalreporter, outcome)]
    if not rows:
        return
    system = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    terminalreporter.section("soak")
    terminalreporter.write_line(f"{datetime.now(UTC):%Y-%m-%d}, {system}, seed {config.getoption('--seed')}\n")
    terminalreporter.write_line("| test | counts | outcome | time |\n|---|---|---|---:|")
    for row in rows:
        terminalreporter.write_line(row)


def _list_reports(reporter: pytest.TerminalReporter, outcome: str) -> Iterator[pytest.TestReport]:
    for report in reporter.stats.get(outcome, ()):
        if isinstance(report, pytest.TestReport):
            yield report


def _format_row(outcome: str, report: pytest.TestReport) -> str:
    name = report.location[2].removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")")
    counts = ", ".join(f"{value} {key}" for key, value in report.user_properties)
    if outcome == "skipped" and isinstance(report.longrepr, tuple):
        outcome = report.longrepr[2].removeprefix("Skipped: ")
    minutes, seconds = divmod(round(report.duration), 60)
    return f"| {name} | {counts} | {outcome} | {minutes}:{seconds:02} |"
