"""Join pages and handouts in headless Chromium: nothing is cut off, axe finds nothing, a sheet is one page of A4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from leaderboard.actions.host import HostDecision
from leaderboard.classes.handout_pages import write_handout_pages
from leaderboard.classes.handouts import HandoutSettings, make_handouts
from leaderboard.classes.join_links import new_join_link
from leaderboard.classes.members import Person, insert_member
from leaderboard.store import open_contest
from support.browser import ARGUMENTS, CHROMIUM, CUT_OFF, needs_chromium
from support.service import make, running

pytestmark = needs_chromium
NOW = datetime.now(UTC)
LONG = "The Cepstral Coefficients of a rather long name that goes on"
DECISION = HostDecision(reason="the class", decided_at=NOW)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contest of two teams, one of five people, with handouts and the tokens of three join links."""
    folder = tmp_path_factory.mktemp("class")
    make(folder / "c.db", [LONG, "W" * 60])
    with open_contest(folder / "c.db") as contest:
        team = contest.team(LONG)
        with contest.database.write() as connection:
            for n in range(5):
                insert_member(connection, team.id, Person(name=f"María Fernández de la Cruz y Ybarra {n}"), NOW)
        settings = HandoutSettings(
            folder=folder / "h", address="https://digits.a-rather-long-name.example.org/contest", language="es", zone=None
        )
        write_handout_pages(make_handouts(contest, settings, DECISION), settings)
        links = [new_join_link(contest, to, hours, 9, DECISION)[1] for to, hours in ((team, 1), (None, 1), (None, 1e-9))]
    (folder / "links").write_text("\n".join(links))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def list_violations(page: Page) -> list[tuple[str, str]]:
    return [(violation["id"], violation["nodes"][0]["html"]) for violation in Axe().run(page).response["violations"]]


def test_join_pages_are_whole_and_accessible_and_lead_in(folder: Path, browser: Browser) -> None:
    to_team, to_new, expired = (folder / "links").read_text().split()
    n = 0
    with running(folder / "c.db") as service:
        for width, scheme, language in ((390, "dark", "en"), (390, "light", "es"), (1280, "dark", "es"), (1280, "light", "en")):
            page = browser.new_context(  # type: ignore[call-overload]
                viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language
            ).new_page()
            for link in (to_team, expired, to_new):
                page.goto(f"{service.url}/join/{link}")
                assert page.get_attribute("html", "lang") == language
                assert page.evaluate(CUT_OFF) == []
                assert list_violations(page) == []
            n += 1
            page.fill("#name", f"Ana {n}")
            page.fill("#team", f"Mel Street {n}")
            with page.expect_navigation():
                page.click("button.main")
            assert page.evaluate(CUT_OFF) == []
            assert list_violations(page) == []
            with page.expect_navigation():
                page.click("button.main")
            assert page.url == f"{service.url}/team"
            assert page.inner_text("h1") == f"Mel Street {n}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_sheet_is_whole_and_accessible(folder: Path, browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_context(  # type: ignore[call-overload]
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ).new_page()
    for path in sorted((folder / "h").glob("team *.html")):
        page.goto(path.as_uri())
        assert page.evaluate(CUT_OFF) == []
        assert list_violations(page) == []


def test_all_sheets_print_on_a_page_of_a4_each(folder: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((folder / "h" / "all.html").as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b[^s]", printed)) == 2
    (width, height), *_ = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert (round(float(width)), round(float(height))) in ((595, 842), (596, 842))  # points
