"""The page in headless Chromium: nothing cut off, nothing loaded, nothing said on the console, at a desk and on a phone."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from test_reports_world import config_of, contest_of, eight_sweeps, write_eight, write_run

from cnn.folds import Question
from reports.gather import Sources, gather
from reports.render import render
from tests.evaluation_world import write_evaluation

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(e => !(e instanceof SVGElement)
    && e.getClientRects().length && getComputedStyle(e).display !== 'inline'
    && !['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
    && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1))
    .map(e => e.outerHTML.slice(0, 120))"""
TEXT_OUTSIDE = """() => [...document.querySelectorAll('svg text')].filter(t => {
    const box = t.getBoundingClientRect(), frame = t.ownerSVGElement.getBoundingClientRect();
    return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2 || box.right > innerWidth + 1
        || box.bottom > frame.bottom + 2); }).map(t => t.textContent)"""
OVERLAPS = """() => [...document.querySelectorAll('svg[role=img]')].flatMap(svg => {
    const boxes =
      [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]).filter(b => b[1].width);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1
        && p.top < q.bottom - 3 && q.top < p.bottom - 3).map(([b]) => `${svg.ariaLabel}: ${a} / ${b}`)); })"""

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium here; install it to look at the page"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    write_eight(folder / "runs")
    names = ("Los Formantes", "W" * 40, "<b>bold</b>")
    facts = dataclasses.replace(
        gather(Sources(runs=folder / "runs", title="A title that goes on and on, as titles of courses do")),
        sweeps=eight_sweeps(64),
        contest=contest_of(names),
    )
    (folder / "report.html").write_bytes(render(facts))
    return folder / "report.html"


@pytest.fixture(scope="module")
def bare_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    long = {f"train__{word}": 0.123456789 for word in ("learning_rate", "weight_decay", "label_smoothing", "warmup")}
    write_run(folder / "runs", "a" * 16, config_of("resnet", "bilateral+aug", **long))
    write_run(folder / "runs", "b" * 16, config_of("lenet5", "raw"))
    (folder / "report.html").write_bytes(render(gather(Sources(runs=folder / "runs"))))
    return folder / "report.html"


@pytest.fixture(scope="module")
def held_out_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held-out")
    speakers = tuple(f"{'W' * 30 if n < 9 else ''}{n:02d}" for n in range(1, 25))
    both = ("lenet5", "resnet")
    long = ("train.learning_rate=0.00123456", "train.weight_decay=0.123456", "augment.tempo=0.123456", "train.warmup=0.123456")
    write_evaluation(folder / "runs", Question(folds="3", models=both, n_seeds=2), speakers=speakers)
    write_evaluation(folder / "runs", Question(folds="3", models=both, overrides=long), speakers=speakers, without=1)
    (folder / "report.html").write_bytes(render(gather(Sources(runs=folder / "runs"))))
    return folder / "report.html"


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1280, "light"),
        (1280, "dark"),
        (1024, "light"),
        (900, "light"),
        (800, "light"),
        (390, "light"),
        (390, "dark"),
        (360, "light"),
    ],
)
@pytest.mark.parametrize("kind", ["full_page", "bare_page", "held_out_page"])
def test_nothing_is_cut_off_or_loaded_or_complained_of(
    request: pytest.FixtureRequest, browser: Browser, kind: str, width: int, scheme: str
) -> None:
    path: Path = request.getfixturevalue(kind)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light")
    requests: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(TEXT_OUTSIDE) == []
    assert page.evaluate(OVERLAPS) == []
    assert requests == [path.as_uri()]
    assert said == []
    page.close()


def test_a_heading_sorts_its_table_both_ways(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(full_page.as_uri())
    column = "#trainings table:first-of-type tbody tr td:nth-child(3)"
    page.click("#trainings table:first-of-type thead th:nth-child(3) button")
    down = [float(text) for text in page.locator(column).all_inner_texts()]
    page.click("#trainings table:first-of-type thead th:nth-child(3) button")
    up = [float(text) for text in page.locator(column).all_inner_texts()]
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    page.close()


def test_the_page_is_whole_without_script(browser: Browser, full_page: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(full_page.as_uri())
    assert page.locator("table").count() == 7
    assert page.locator("#trainings tbody tr").count() == 24
    context.close()


def test_paper_shows_every_setting(browser: Browser, full_page: Path) -> None:
    page = browser.new_page()
    page.goto(full_page.as_uri())
    page.emulate_media(media="print")
    assert page.locator(".settings dd").first.evaluate("e => e.getBoundingClientRect().height") > 0
    assert page.pdf(prefer_css_page_size=True)[:5] == b"%PDF-"
    page.close()
