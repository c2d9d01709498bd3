"""The contest's pages in headless Chromium: sending, refusals, both languages, a phone, no script, no console error, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from leaderboard.actions.announcements import announce
from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.submit import submit
from leaderboard.contest_file.changes import apply_changes
from leaderboard.contest_file.read import read_contest_file
from leaderboard.store import Contest, open_contest
from leaderboard.verification.sent_models import attach_model, read_sent_models, record_verification
from leaderboard.verification.verify import Verification
from support.browser import ARGUMENTS, CHROMIUM, CUT_OFF, needs_chromium
from support.onnx_models import net_of_digits
from support.service import NOW, host_token_of, make, running, submission

pytestmark = needs_chromium
LONG = "The Cepstral Coefficients of a rather long name that goes on"
NET = net_of_digits()
TEAMS = ["Los Formantes", LONG, "<b>bold</b>", "Ruido Rosa", "Nyquist & Söhne", "W" * 60]
DROP = """([selector, files]) => {
    const data = new DataTransfer(), made = { dataTransfer: null, bubbles: true, cancelable: true };
    for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", { ...made, dataTransfer: data }));
}"""


INTL = "m => new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'short'}).format(new Date(m))"


class World:
    """A running service, a browser, and who may sign in."""

    def __init__(self, url: str, browser: Browser, tokens: dict[str, str], host: str) -> None:
        self.url, self.browser, self.tokens, self.host = url, browser, tokens, host

    @contextmanager
    def page(self, token: str = "", **options: object) -> Iterator[Page]:
        """A page, signed in with the token; whatever the console says fails the test."""
        context: BrowserContext = self.browser.new_context(**options)  # type: ignore[arg-type]
        said: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        if token:
            page.goto(f"{self.url}/login")
            page.fill("#token", token)
            follow(page, "button.main")
        yield page
        context.close()
        assert [text for text in said if "status of 4" not in text] == []  # Chromium tells of each refusal's status


def models(contest: Contest) -> None:
    """A model beside each attempt of three teams: run with the same answers, run with others, not run yet."""
    for name, is_equal in ((TEAMS[2], True), (TEAMS[5], False), (TEAMS[1], None)):
        team = contest.team(name)
        for attempt in contest.attempts(team):
            attach_model(contest, team, attempt.number, (NET, "resnet-bilateral-aug.onnx"), NOW)
        if is_equal is not None:
            remark = "300 of 300 rows equal" if is_equal else "280 of 300 rows equal, 20 differ (clip_0001, clip_0002, ...)"
            for model in read_sent_models(contest, [team]):
                record_verification(
                    contest, model, Verification(is_verified=is_equal, remark=remark, n_equal=0, n_rows=300), NOW
                )


OVERVIEW = """
pages:
  task: Which digit is spoken in each recording?
  rules: |
    # Teams
    - **No labels by ear**, [see](https://forum.example.org/a/rather/long/address/that/goes/on/and/on/without/an/end/in/sight)

    | Part | What it is and how it is marked | Points |
    |---|---|---|
    | Contest | averylongwordwithoutanyspaceinitthatwouldnotfitonthescreenofaphone | 10 |
  licence: CC BY 4.0
downloads:
  a_rather_long_name_of_a_file_with_recordings_of_spoken_digits_2026.zip: Training and test recordings
"""


def describe(contest: Contest, folder: Path) -> None:
    """Give the contest texts, a file and an announcement."""
    decision = HostDecision(reason="the term begins", decided_at=NOW)
    (folder / "a_rather_long_name_of_a_file_with_recordings_of_spoken_digits_2026.zip").write_bytes(b"recordings")
    (folder / "contest.yaml").write_text(OVERVIEW)
    apply_changes(read_contest_file(folder / "contest.yaml"), contest, decision)
    announce(contest, "The lab is open until **22:00**: `" + "x" * 60 + "`", decision)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    where = tmp_path_factory.mktemp("browser") / "contest.db"
    tokens = make(where, [*TEAMS, "Fresh", "Dropper", "Adder", "Scriptless"])
    with open_contest(where) as contest:
        for index, name in enumerate(TEAMS):
            for number in range(1 + index % 3):
                submit(contest, name, submission(10 * index + number, 0.1 + 0.1 * index), f"try {number}.csv", NOW)
        models(contest)
        describe(contest, where.parent)
        host = host_token_of(contest)
    with running(where, "--zone", "Europe/Madrid") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield World(service.url, browser, tokens, host)
        browser.close()


def follow(page: Page, name: str) -> None:
    """Click what leads to a page, and wait until that one is there."""
    with page.expect_navigation():
        page.click(name)


def choose(page: Page, content: bytes, name: str = "mine.csv") -> None:
    page.set_input_files("#file", files=[{"name": name, "mimeType": "text/csv", "buffer": content}])


def test_a_file_is_chosen_scored_and_shown_and_a_broken_one_explained(world: World) -> None:
    with world.page(world.tokens["Fresh"]) as page:
        assert page.title() == "Fresh · Digits 2026"
        choose(page, b"id,label\nclip_0000,77\n")
        follow(page, "text=Send and score")
        assert "mine.csv line 2: label '77' is not one of 0..9" in page.inner_text("[role=alert]")
        choose(page, submission(1))
        follow(page, "text=Check only")
        assert "mine.csv can be sent: 300 rows" in page.inner_text("[role=status]")
        page.goto(f"{world.url}/team")
        choose(page, submission(1))
        follow(page, "text=Send and score")
        assert page.url.endswith("/attempts/1")
        assert page.inner_text("h1").startswith("Attempt 1 is scored: macro-F1 0.")
        page.reload()
        follow(page, "text=All attempts of your team")
        assert "2 attempts left" in page.inner_text("main")


def test_a_file_that_is_dropped_is_sent(world: World) -> None:
    with world.page(world.tokens["Dropper"]) as page:
        page.evaluate(DROP, ("h2", [("dropped.csv", list(submission(7)))]))  # anywhere on the page
        assert page.evaluate("document.querySelector('#file').files[0].name") == "dropped.csv"
        page.evaluate(
            DROP, (".drop", [("net.onnx", list(NET)), ("dropped.csv", list(submission(2)))])
        )  # both on the first field
        follow(page, "text=Send and score")
        assert page.url.endswith("/attempts/1"), page.inner_text("[role=alert]")
        assert "dropped.csv" in page.inner_text("main")
        assert "net.onnx. The host has not run it yet." in page.inner_text("#model-part")


def test_a_model_is_added_to_an_attempt_and_what_is_none_or_too_large_is_explained(world: World) -> None:
    with world.page(world.tokens["Adder"]) as page:
        choose(page, submission(4))
        follow(page, "text=Send and score")
        net = {"name": "net.onnx", "mimeType": "application/octet-stream", "buffer": b"PK\x03\x04"}
        page.set_input_files("#model", files=[net])
        follow(page, "text=Send the model")
        assert "net.onnx is a zip archive, as torch.save writes, and no ONNX model" in page.inner_text("[role=alert]")
        assert page.evaluate("document.querySelector('[role=alert]').getBoundingClientRect().bottom < innerHeight")
        for most, message in ((len(NET) - 1, "The model is too large"), (len(NET), "")):
            page.evaluate("most => { document.querySelector('#model').dataset.most = most; }", most)
            page.set_input_files("#model", files=[net | {"buffer": NET}])
            assert page.evaluate("document.querySelector('#model').validationMessage").startswith(message)
        assert page.evaluate("document.querySelector('#model').validationMessage") == ""
        follow(page, "text=Send the model")
        assert "net.onnx. The host has not run it yet." in page.inner_text("#model-part")
        page.goto(f"{world.url}/standings")
        assert "model sent" in page.inner_text("tr.own")


def test_everything_works_without_script(world: World) -> None:
    with world.page(world.tokens["Scriptless"], java_script_enabled=False) as page:
        choose(page, submission(3))
        page.set_input_files("#model", files=[{"name": "net.onnx", "mimeType": "", "buffer": NET}])
        follow(page, "text=Send and score")
        assert page.url.endswith("/attempts/1")
        assert "net.onnx" in page.inner_text("#model-part")
        page.goto(f"{world.url}/standings?sort=team&order=desc")
        assert "UTC" in page.inner_text(".under")
        assert re.search(r"\bCES?T\b", page.inner_text(".under"))  # in winter, in summer
        follow(page, "text=Español")
        assert page.inner_text("nav [aria-current]") == "Clasificación"
        follow(page, "text=Salir")
        assert page.locator("nav >> text=Entrar").count() == 1


def test_the_deadline_is_told_in_the_readers_own_time(world: World) -> None:
    with world.page(timezone_id="Asia/Tokyo", locale="en-GB") as page:
        page.goto(f"{world.url}/")
        moment = page.get_attribute("time[data-local]", "datetime")
        local = page.evaluate(INTL, moment)
        assert page.inner_text("time[data-local]") == local
        assert "your time" in page.inner_text(".under")
        assert page.inner_text("[data-until]").startswith("in 2 d ")
        page.goto(f"{world.url}/standings")
        sent = page.inner_text("tbody tr:nth-child(1) td:has(time)")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d\s+.+ your time", sent)


@pytest.mark.parametrize(("width", "language", "scheme"), [(390, "es", "dark"), (1200, "en", "light")])
def test_no_page_is_cut_off_and_axe_finds_nothing(world: World, width: int, language: str, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 800}, "locale": language, "color_scheme": scheme}
    axe = Axe()
    for token, paths in (
        ("", ["/", "/standings", "/login", "/nothing", "/api"]),
        (world.tokens["<b>bold</b>"], ["/", "/team", "/attempts/3", "/validate"]),  # its models are verified
        (world.tokens["W" * 60], ["/attempts/3"]),  # its models differ
        (world.tokens[LONG], ["/team"]),  # its models were not run
        (world.host, ["/host", "/host/teams/1", "/host/teams/1/acts/grant", "/host/acts/announce", "/host/alike"]),
    ):
        with world.page(token, **options) as page:
            for path in paths:
                page.goto(world.url + path)
                assert page.get_attribute("html", "lang") == language
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                assert page.evaluate(CUT_OFF_OUTSIDE_SCROLLERS) == [], path
                violations = axe.run(page).response["violations"]
                assert [(path, violation["id"], violation["nodes"][0]["html"]) for violation in violations] == []


CUT_OFF_OUTSIDE_SCROLLERS = CUT_OFF.replace(
    "&& e.getClientRects().length", "&& e.getClientRects().length && !e.closest('.scroll, .unseen, .skip')"
)


def test_a_host_acts_without_script_and_reads_what_was_done(world: World) -> None:
    with world.page(world.host, java_script_enabled=False) as page:
        page.goto(f"{world.url}/host")
        follow(page, "text=Scriptless")
        follow(page, "text=Grant attempts")
        assert "Scriptless has sent" in page.inner_text("#effect")
        page.fill("#value", "500")
        page.fill("#reason", "their <file> was lost")
        follow(page, "button.main")
        assert "1 to 100 attempts are granted at once" in page.inner_text("[role=alert]")
        assert page.input_value("#reason") == "their <file> was lost"
        page.fill("#value", "2")
        follow(page, "button.main")
        assert page.inner_text("[role=status]") == "Done: Grant attempts (3 → 5)"
        assert "their <file> was lost" in page.inner_text(".log")


def test_the_keyboard_reaches_everything_in_order_and_can_skip_the_menu(world: World) -> None:
    with world.page(world.tokens["Ruido Rosa"]) as page:
        page.goto(f"{world.url}/validate")
        seen = []
        for _ in range(10):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("(document.activeElement.innerText || document.activeElement.id).trim()"))
        wanted = [
            "Skip to content",
            "Digits 2026",
            "Overview",
            "Standings",
            "Your team",
            "Check a file",
            "Español",
            "Sign out",
            "file",
        ]
        assert seen == [*wanted, "Check a file"]


def test_the_final_board_fits_a_phone_in_spanish_also_beside_a_models_tag(world: World, tmp_path: Path) -> None:
    make(tmp_path / "c.db", TEAMS[:3])
    with open_contest(tmp_path / "c.db") as contest:
        for n, name in enumerate(TEAMS[:3]):
            submit(contest, name, submission(n), "p.csv", NOW)
        attach_model(contest, contest.team(TEAMS[2]), 1, (NET, "net.onnx"), NOW)
        (model,) = read_sent_models(contest, [contest.team(TEAMS[2])])
        record_verification(contest, model, Verification(is_verified=True, remark="equal", n_equal=300, n_rows=300), NOW)
        close_contest(contest, HostDecision(reason="the end", decided_at=NOW))
    with running(tmp_path / "c.db") as service:
        page = world.browser.new_context(viewport={"width": 390, "height": 800}, locale="es").new_page()
        page.goto(f"{service.url}/standings")
        assert page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.scroll'))") <= 1
