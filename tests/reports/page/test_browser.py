"""The page in headless Chromium: nothing cut off, nothing loaded, nothing said on the console, at a desk and on a phone."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser

from cnn.runs.folds import EvaluationPlan
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.browser import CUT_OFF, TEXT_OUTSIDE, needs_chromium
from support.evaluations import write_evaluation
from support.report_facts import (
    eight_sweeps,
    make_agents,
    make_config,
    make_contest_facts,
    tone_wav,
    write_eight,
    write_run,
    write_tiles,
)

pytestmark = needs_chromium

OVERLAPS = """() => [...document.querySelectorAll('svg[role=img]')].flatMap(svg => {
    const boxes =
      [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]).filter(b => b[1].width);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1
        && p.top < q.bottom - 3 && q.top < p.bottom - 3).map(([b]) => `${svg.ariaLabel}: ${a} / ${b}`)); })"""


@pytest.fixture(scope="module")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    write_eight(folder / "runs")
    names = ("Los Formantes", "W" * 40, "<b>bold</b>")
    facts = dataclasses.replace(
        gather_facts(Sources(runs=folder / "runs", title="A title that goes on and on, as titles of courses do")),
        sweeps=eight_sweeps(64),
        agents=make_agents(),
        contest=make_contest_facts(names),
    )
    (folder / "report.html").write_bytes(render_report(facts))
    return folder / "report.html"


@pytest.fixture(scope="module")
def bare_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    long = {f"train__{word}": 0.123456789 for word in ("learning_rate", "weight_decay", "label_smoothing", "warmup")}
    write_run(folder / "runs", "a" * 16, make_config("columns", "bilateral+aug", **long))
    write_run(folder / "runs", "b" * 16, make_config("lenet5", "raw"))
    (folder / "report.html").write_bytes(render_report(gather_facts(Sources(runs=folder / "runs"))))
    return folder / "report.html"


@pytest.fixture(scope="module")
def held_out_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held-out")
    speakers = tuple(f"{'W' * 30 if n < 9 else ''}{n:02d}" for n in range(1, 25))
    both = ("lenet5", "columns")
    long = ("train.learning_rate=0.00123456", "train.weight_decay=0.123456", "augment.tempo=0.123456", "train.warmup=0.123456")
    write_evaluation(folder / "runs", EvaluationPlan(folds="3", models=both, n_seeds=2), speakers=speakers)
    write_evaluation(folder / "runs", EvaluationPlan(folds="3", models=both, overrides=long), speakers=speakers, without=1)
    (folder / "report.html").write_bytes(render_report(gather_facts(Sources(runs=folder / "runs"))))
    return folder / "report.html"


@pytest.fixture(scope="module")
def spanish_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With all that clips bring: pictures, sound, ages."""
    folder = tmp_path_factory.mktemp("spanish")
    eight = write_eight(folder / "runs", n_speakers=6)
    clips = sorted({row.id for row in eight[0].predictions()})
    write_tiles(folder / "tiles", eight[0].config(), clips, tone_wav())
    sources = Sources(runs=folder / "runs", tiles=folder / "tiles", lang="es")
    facts = dataclasses.replace(
        gather_facts(sources), sweeps=eight_sweeps(64), agents=make_agents(), contest=make_contest_facts()
    )
    assert facts.mistakes
    assert all(media.sound and media.raw for media in facts.media.values())
    (folder / "report.html").write_bytes(render_report(facts))
    return folder / "report.html"


SIGHTS = [
    (1280, "light"),
    (1280, "dark"),
    (1024, "light"),
    (900, "light"),
    (800, "light"),
    (390, "light"),
    (390, "dark"),
    (360, "light"),
]
ENGLISH = [(kind, *sight) for kind in ("full_page", "bare_page", "held_out_page") for sight in SIGHTS]
SPANISH = [("spanish_page", 1280, "light"), ("spanish_page", 800, "light"), ("spanish_page", 390, "light")]


@pytest.mark.parametrize(("kind", "width", "scheme"), [*ENGLISH, *SPANISH])
def test_nothing_is_cut_off_or_loaded_or_complained_of(
    request: pytest.FixtureRequest, browser: Browser, kind: str, width: int, scheme: str
) -> None:
    path: Path = request.getfixturevalue(kind)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light")
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(TEXT_OUTSIDE) == []
    assert page.evaluate(OVERLAPS) == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert messages == []
    page.close()


def test_a_heading_sorts_its_table_both_ways(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{full_page.as_uri()}#trainings")
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
    assert page.locator("table").count() == 7 + 2 * 8  # agents and trials of each study
    assert page.locator("#trainings tbody tr").count() == 24
    page.get_by_text("8 studies, 512 trials").click()
    assert page.locator("article.study:visible").count() == 8
    context.close()


def test_a_switch_hides_a_model_everywhere_and_shows_it_again(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(full_page.as_uri())
    page.get_by_role("button", name="open all").click()
    rows, figures = page.locator("#trainings tbody tr:visible"), page.locator("#curves figure:visible")
    assert (rows.count(), figures.count()) == (24, 16)
    page.get_by_role("button", name="columns").first.click()
    assert (rows.count(), figures.count()) == (12, 8)
    page.get_by_role("button", name="no aug").click()
    assert (rows.count(), figures.count()) == (6, 4)
    page.get_by_role("button", name="columns").first.click()
    page.get_by_role("button", name="no aug").click()
    assert (rows.count(), figures.count()) == (24, 16)
    page.close()


def test_rows_are_filtered_by_words(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(full_page.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    article = page.locator("#sweeps article").first
    rows = article.locator("table.filterable tbody tr:visible")
    n = rows.count()
    article.get_by_placeholder("filter rows").fill("failed memory")
    assert 0 < rows.count() < n
    assert all("out of memory" in text for text in rows.all_inner_texts())
    page.close()


def test_the_csv_of_a_figure_is_saved_from_the_page_itself(browser: Browser, full_page: Path) -> None:
    page = browser.new_page()
    page.goto(full_page.as_uri())
    with page.expect_download() as waiting:
        page.locator("a.csv[download='curves.csv']").first.click()
    assert waiting.value.suggested_filename == "curves.csv"
    text = Path(waiting.value.path()).read_text()
    assert text.startswith("run,model,variant,epoch,train_loss,")
    assert len(text.splitlines()) == 1 + 8 * 12
    page.close()


def test_a_clip_can_be_heard(browser: Browser, spanish_page: Path) -> None:
    page = browser.new_page()
    page.goto(spanish_page.as_uri())
    length = page.locator("audio").first.evaluate(
        "e => e.readyState ? e.duration : new Promise(done => e.onloadedmetadata = () => done(e.duration))"
    )
    assert length == pytest.approx(0.4, abs=0.01)
    assert page.locator("#mistakes img").first.evaluate("e => e.naturalWidth") == 32
    page.close()


def test_paper_shows_everything(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 688, "height": 900})
    page.goto(full_page.as_uri())
    page.emulate_media(media="print")
    assert page.locator("article.study:visible").count() == 8
    assert (
        page.evaluate("[...document.querySelectorAll('details')].filter(d => d.lastElementChild.offsetHeight < 9).length") == 0
    )
    assert page.locator(".settings dd").first.evaluate("e => e.getBoundingClientRect().height") > 0
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(TEXT_OUTSIDE) == []
    assert page.pdf(prefer_css_page_size=True)[:5] == b"%PDF-"
    page.close()


@pytest.mark.parametrize("kind", ["full_page", "spanish_page"])
def test_all_that_is_not_folded_fits_two_screens(request: pytest.FixtureRequest, browser: Browser, kind: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(request.getfixturevalue(kind).as_uri())
    assert page.locator("main details[open]").count() == 0
    assert page.locator("#curves figure:visible, #confusions figure:visible").count() == 8 + 1 + 8
    assert page.locator(".fold").first.bounding_box()["y"] <= 2 * 800  # type: ignore[index]
    page.close()


def test_a_question_mark_lists_the_sections_and_a_letter_opens_one(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(full_page.as_uri())
    page.keyboard.press("g")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Sections and keys")
    items = [text.split("\n")[:2] for text in dialog.locator("ol li").all_inner_texts()]
    assert items[:3] == [["a", "Answer"], ["b", "Curves"], ["c", "Confusions"]]
    letter = next(key for key, name in items if name == "Sweeps")
    page.keyboard.press(letter)
    assert dialog.is_hidden()
    assert page.locator("main details[open]").count() == 1
    assert page.locator("#sweeps table").first.is_visible()
    page.keyboard.press("?")
    page.keyboard.press("+")
    assert page.locator("main details:not([open])").count() == 0
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    page.close()


def test_a_link_opens_the_fold_and_the_study_that_it_leads_to(browser: Browser, full_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(full_page.as_uri())
    page.click("#answer a[href^='#run-']")
    assert page.locator("#lineage tr:target").is_visible()
    page.goto(f"{full_page.as_uri()}#sweeps")
    studies = page.locator("article.study:not([hidden])")
    assert [study.get_attribute("id") for study in studies.all()] == ["study-lenet5-2d-raw"]
    page.click("#sweeps a[href='#study-columns-2d-bilateral']")
    assert [study.get_attribute("id") for study in studies.all()] == ["study-columns-2d-bilateral"]
    page.locator(".chooser select").select_option(label="lenet5 raw + aug")
    assert [study.get_attribute("id") for study in studies.all()] == ["study-lenet5-2d-raw-2d-aug"]
    page.locator("summary", has_text="every term").click()
    page.reload()
    assert page.locator("main details.fold[open]").count() == 3  # lineage, sweeps and how to read
    assert [study.get_attribute("id") for study in studies.all()] == ["study-columns-2d-bilateral"]  # the address says so
    page.close()


@pytest.mark.parametrize("figure", ["#answer .pair > figure", "#confusions .four figure", "#sweeps .across"])
def test_a_figure_is_saved_as_svg_and_png_that_stand_alone(browser: Browser, full_page: Path, figure: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page.goto(f"{full_page.as_uri()}#sweeps")
    picture = page.locator(figure).first
    saved = {}
    for kind in ("SVG", "PNG"):
        picture.get_by_role("button", name=f"save as {kind}").focus()
        with page.expect_download() as waiting:
            page.keyboard.press("Enter")
        assert waiting.value.suggested_filename.endswith(f".{kind.lower()}")
        saved[kind] = Path(waiting.value.path()).read_bytes()
    root = ElementTree.fromstring(saved["SVG"])
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"var(" not in saved["SVG"]
    assert b"#fcfcfa" in saved["SVG"]  # the ground of light mode, in dark mode too
    assert b"#0072b2" in saved["SVG"] or b"rgb(0, 114, 178)" in saved["SVG"]
    assert struct.unpack(">II", saved["PNG"][16:24]) == (int(2 * width), int(2 * height))
    page.close()
