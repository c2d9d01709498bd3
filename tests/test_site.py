"""The documentation site as `make docs` builds it: warnings, links, coverage of the reference, search, and its look."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import arena.cli
from arena.base.project import KEYS
from arena.cli import walk_commands
from cnn.keys import keys
from support.browser import ARGUMENTS, CHROMIUM, needs_chromium
from support.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
COMMANDS = "reference/generated/commands"


class Links(HTMLParser):
    """The anchors of a page, and the addresses of what it links to and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if "href" in values:
            (self.links if tag == "a" else self.loads).add(values["href"])
        self.loads |= {values["src"]} if "src" in values else set()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-d", str(folder / "cache")]
    ended = subprocess.run([*words, str(ROOT / "docs"), str(folder / "html")], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Links]:
    return {path.relative_to(site).as_posix(): Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_link_and_anchor_of_a_page_resolves_and_nothing_comes_from_another_host(
    site: Path, pages: dict[str, Links]
) -> None:
    faults = []
    for name, page in pages.items():
        for link in page.links | page.loads:
            address, _, anchor = unquote(link).partition("#")
            if address.startswith(("http:", "https:", "mailto:")):
                faults += [f"{name} loads {link}"] if link in page.loads else []
                continue
            target = ((site / name).parent / address.partition("?")[0]).resolve() if address else site / name
            target_page = pages.get(target.relative_to(site).as_posix())
            if not target.exists() or (anchor and target_page and anchor not in target_page.anchors):
                faults.append(f"{name}: {link}")
    assert faults == []
    assert len(pages) > 25


def list_options() -> Iterator[str]:
    for words, command in walk_commands():
        if not hasattr(command, "commands") or command.invoke_without_command:
            name = "-".join(("arena", *words.split()))
            yield name
            for parameter in command.params:
                if parameter.param_type_name == "option" and not parameter.hidden:
                    yield f"cmdoption-{name}-{parameter.opts[0].lstrip('-')}"


def test_the_reference_has_every_command_option_key_and_python_name(pages: dict[str, Links]) -> None:
    commands = {anchor for name, page in pages.items() if name.startswith(COMMANDS) for anchor in page.anchors}
    settings, project, python = (
        pages[f"reference/generated/{name}.html"].anchors for name in ("settings", "project", "python")
    )
    expected = set(list_options())
    assert expected - commands == set()
    assert {f"setting-{key}" for key in keys()} - settings == set()
    assert {f"project-key-{key}" for key in KEYS} - project == set()
    assert {f"arena.{name}" for name in arena.__all__} - python == set()
    assert len(expected) > 300


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def search(page: Page, site: Path, words: str) -> list[str]:
    page.goto(f"file://{site}/index.html")
    page.fill(".sidebar-search", words)
    page.press(".sidebar-search", "Enter")
    page.wait_for_selector("#search-results > p:not(:empty)")
    page.wait_for_function("/found/.test(document.querySelector('#search-results > p').textContent)")
    links = page.locator("#search-results li > a").all()
    return [str(link.get_attribute("href")).partition("?")[0] for link in links]


@needs_chromium
def test_search_from_a_folder_finds_options_keys_and_pasted_messages(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    assert f"{COMMANDS}/contest.html#cmdoption-arena-contest-pack-n-test-speakers" in search(page, site, "--n-test-speakers")
    assert search(page, site, "train.learning_rate")[0] == "reference/generated/settings.html#setting-train.learning_rate"
    assert "how-to/colab.html" in search(page, site, "Expected all tensors to be on the same device")
    message = "error: wrong7.csv line 93: id 'zz_ann_1' is not one of the 41 ids of the contest; fix the row and send it again"
    assert "faq.html" in search(page, site, message)
    assert errors == []
    page.close()


@needs_chromium
def test_no_page_is_wider_than_a_phone(site: Path, pages: dict[str, Links], browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    too_wide = []
    for name in pages:
        page.goto(f"file://{site}/{name}", wait_until="domcontentloaded")
        too_wide += [name] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    assert too_wide == []
    page.close()


@needs_chromium
def test_axe_finds_no_serious_fault_in_light_and_dark(site: Path, browser: Browser) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page()
    faults = []
    for scheme, name in (("light", "index.html"), ("dark", "how-to/colab.html"), ("dark", "reference/generated/project.html")):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"file://{site}/{name}")
        violations = axe.run(page).response["violations"]
        faults += [(name, v["id"], v["nodes"][0]["html"]) for v in violations if v["impact"] in ("serious", "critical")]
    assert faults == []
    page.close()
