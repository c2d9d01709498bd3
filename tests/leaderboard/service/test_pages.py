"""Pages of readers and teams: signing in, sending, results, standings in two languages, the clock, the end of a contest."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.actions.host import HostDecision, close_contest, extend_team, void_attempt
from leaderboard.actions.submit import submit
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.standings import Part
from leaderboard.store import open_contest
from support.service import NOW, make, submission


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "contest.db"


@pytest.fixture
def tokens(where: Path) -> dict[str, str]:
    return make(where, ["Ann", "Bob", "Cleo"])


@pytest.fixture
def client(where: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    settings = ServiceSettings(where=str(where), zone="Europe/Madrid")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def csrf(client: TestClient, path: str) -> str:
    return re.findall(r'name="csrf" value="(\w+)"', client.get(path).text)[0]


def sign_in(client: TestClient, token: str) -> None:
    assert client.post("/login", data={"csrf": csrf(client, "/login"), "token": f" {token}\n"}).headers["location"] == "/team"


def upload(
    client: TestClient, content: bytes, path: str = "/attempts", name: str = "mine.csv", **fields: str
) -> tuple[int, str, str]:
    """Status, where the browser is sent on to, page."""
    files = {"file": (name, content)} if name else {"file": ("", b"")}
    answer = client.post(path, data={"csrf": csrf(client, "/team"), **fields}, files=files)
    return answer.status_code, answer.headers.get("location", ""), answer.text


def names(page: str) -> list[str]:
    return re.findall(r'class="who">([^<]+?)(?: <|</th>)', page.partition("</table>")[0])  # the chart's table has names too


def test_a_team_signs_in_sends_three_files_and_is_shown_each_result_at_once(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    assert "3 attempts left" in client.get("/team").text
    for number in (1, 2, 3):
        status, location, _ = upload(client, submission(number))
        assert (status, location) == (303, f"/attempts/{number}")
        page = client.get(location).text
        assert f"Attempt {number} is scored: macro-F1 0." in page
        assert "Rank 1 of 1" in page
        assert {0: "no attempt left", 1: "1 attempt left", 2: "2 attempts left"}[3 - number] in page
    page = client.get("/team").text
    assert page.count('class="matrix"') == 0
    assert page.count("follow when the host closes the contest") == 1
    assert page.count(">counts<") == 1
    assert "All attempts are used" in page
    assert 'type="file"' not in page


def test_the_result_page_shows_the_stored_matrix_scores_by_class_and_what_was_taken_for_what(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    sign_in(client, tokens["Ann"])
    upload(client, submission(1, 0.3))
    with open_contest(where) as contest:
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        details = contest.details(contest.team("Ann"), 1)
    page = client.get("/attempts/1").text
    cells = [int(text) if text.isdigit() else 0 for text in re.findall(r'<td class="(?:zero|right-\d|wrong-\d)">([^<]+)', page)]
    assert cells == [n for row in details.confusion for n in row]
    for line in details.classes:
        assert f'<th scope="row">{line.label}</th><td class="n soft">{line.n_rows}</td><td class="n">{line.f1:.4f}</td>' in page
    wrong = {(i, j): n for i, row in enumerate(details.confusion) for j, n in enumerate(row) if i != j}
    (i, j), n = max(wrong.items(), key=lambda item: item[1])
    assert f"<span>{i} taken for {j}</span>" in page
    assert f"{n} of {sum(details.confusion[i])}" in page
    assert client.get("/attempts/2").status_code == 404
    assert client.get("/attempts/none").status_code == 404


def test_the_same_file_sent_twice_costs_nothing_and_says_so(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    upload(client, submission(1))
    status, location, _ = upload(client, submission(1), name="again.csv")
    assert (status, location) == (303, "/attempts/1?before=1")
    page = client.get(location).text
    assert "No attempt was used" in page
    assert "2 attempts left" in page


def test_the_labels_of_an_earlier_attempt_need_a_tick_that_appears_then(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    upload(client, submission(1))
    assert 'name="again"' not in client.get("/team").text
    status, _, page = upload(client, submission(1) + b"\n")
    assert status == 409
    assert "The file was not scored: an earlier attempt has the same labels." in page
    assert "the labels in mine.csv are those of attempt 1, which scored 0." in page
    assert '<input type="checkbox" id="again" name="again">' in page
    client.get("/team?lang=es")
    assert "Enviarlo de todos modos" in upload(client, submission(1) + b"\n")[2]
    assert "2 intentos" in client.get("/team").text
    assert upload(client, submission(1) + b"\n", again="on")[:2] == (303, "/attempts/2")


def test_a_refused_file_is_explained_on_the_teams_page_and_costs_nothing(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    status, _, page = upload(client, b"id,label\nclip_0000,77\n")
    assert status == 422
    assert 'role="alert"' in page
    assert "mine.csv line 2: label &#39;77&#39; is not one of 0..9" in page
    assert "3 attempts left" in page
    assert upload(client, b"", name="")[0] == 422
    _, _, page = upload(client, b"id,label\nclip_0000,77\n<i>,1\n")
    faults = re.findall("<li>(.*?)</li>", page[page.index('<ul class="faults">') : page.index("</ul>", page.index("faults"))])
    assert [fault.partition(" is not ")[0] for fault in faults[:1]] == ["line 3: id &#39;&lt;i&gt;&#39;"]
    assert faults[1].startswith("299 of 300 ids have no row: ")


def test_after_the_third_attempt_and_after_the_end_nothing_more_is_taken(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    sign_in(client, tokens["Ann"])
    token = csrf(client, "/team")
    for number in (1, 2, 3):
        upload(client, submission(number))
    answer = client.post("/attempts", data={"csrf": token}, files={"file": ("d.csv", submission(4))})
    assert answer.status_code == 409
    sign_in(client, tokens["Bob"])
    token = csrf(client, "/team")
    with open_contest(where) as contest:
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    answer = client.post("/attempts", data={"csrf": token}, files={"file": ("e.csv", submission(5))})
    assert answer.status_code == 403
    assert "closed: nothing more is scored" in answer.text


def test_checking_a_file_never_scores_it(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    sign_in(client, tokens["Ann"])
    status, _, page = upload(client, submission(1), "/validate")
    assert status == 200
    assert "mine.csv can be sent: 300 rows, without probabilities." in page
    assert not re.search(r"0\.\d{4}", page)
    status, _, page = upload(client, b"id,label\n", "/validate")
    assert status == 422
    assert "cannot be sent as it is" in page
    with open_contest(where) as contest:
        assert contest.attempts(contest.team("Ann")) == ()


@pytest.mark.parametrize("path", ["/team", "/validate", "/attempts/1", "/host"])
def test_a_reader_without_a_token_is_led_to_the_sign_in(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.get("/logout").status_code == 405


def test_a_note_stands_with_its_attempt_for_the_team_alone(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    status, _, page = upload(client, b"id,label\nx,1\n", note='a "b" <c>')
    assert status == 422
    assert 'name="note" value="a &#34;b&#34; &lt;c&gt;"' in page  # to be sent again with the next file
    assert upload(client, submission(1), note=' a "b"\n<c> ')[:2] == (303, "/attempts/1")
    for path in ("/team", "/attempts/1"):
        assert "<dt>Note</dt><dd>a &#34;b&#34; &lt;c&gt;</dd>" in client.get(path).text
    assert "a note on an attempt has at most 300 printable characters" in upload(client, submission(2), note="x" * 301)[2]
    for path in ("/", "/standings", "/standings.csv", "/api/v1/standings"):
        assert "&lt;c&gt;" not in client.get(path).text


def test_a_team_with_more_time_is_told_so_and_sends_after_the_others(tmp_path: Path) -> None:
    where = tmp_path / "contest.db"
    tokens = make(where, ["Ann", "Bob"], deadline=NOW + timedelta(seconds=1))
    with open_contest(where) as contest:
        extend_team(contest, contest.team("Ann"), NOW + timedelta(days=2), HostDecision(reason="ill", decided_at=NOW))
    with TestClient(create_app(ServiceSettings(where=str(where))), follow_redirects=False) as client:
        time.sleep(max(0.0, (NOW + timedelta(seconds=2) - datetime.now(UTC)).total_seconds()))
        sign_in(client, tokens["Ann"])
        assert "more time for your team alone" in client.get("/team").text
        assert upload(client, submission(1))[0] == 303
        sign_in(client, tokens["Bob"])
        page = client.get("/team").text
    assert "The contest is closed: nothing more is scored." in page
    assert "Send an attempt" not in page
    assert "more time" not in page


def test_after_the_close_a_team_reads_what_was_final(client: TestClient, where: Path, tokens: dict[str, str]) -> None:
    with open_contest(where) as contest:
        for number, share in ((1, 0.3), (2, 0.1)):
            submit(contest, "Ann", submission(number, share), "a.csv", NOW)
        submit(contest, "Bob", submission(9, 0.9), "b.csv", NOW)
        sign_in(client, tokens["Ann"])
        page = client.get("/team").text
        assert "1 attempt left" in page
        assert "Final: rank" not in page
        close_contest(contest, HostDecision(reason="the lecture begins", decided_at=NOW))
        (line,) = [line for line in contest.standings(Part.PRIVATE) if line.team == "Ann"]
        public = contest.attempts(contest.team("Ann"))[1].score
    page = client.get("/team").text
    assert "Final: rank 1 of 2." in page
    assert "attempt left" not in page + client.get("/attempts/1").text
    assert (
        f"Attempt 2 counted, your best one by the public score, {public:.4f}: its private macro-F1 is {line.score:.4f}." in page
    )
    assert 'type="file"' not in page
    assert "Resultado final: puesto 1 de 2." in client.get("/team?lang=es").text


def test_signing_out_forgets_the_token(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    assert client.post("/logout", data={"csrf": csrf(client, "/team")}).headers["location"] == "/"
    assert client.get("/team").headers["location"] == "/login"


def fill(where: Path, n_teams: int) -> list[str]:
    """Teams that are worse and worse, one attempt each."""
    teams = [f"Team {n:03d}" for n in range(n_teams)]
    with open_contest(where) as contest:
        for n, name in enumerate(teams):
            contest.add_team(name, NOW)
            submit(contest, name, submission(n, 0.02 + 0.9 * n / n_teams), "p.csv", NOW + timedelta(seconds=n))
    return teams


def test_standings_show_the_top_and_ones_own_neighbours_and_all_on_request(client: TestClient, where: Path) -> None:
    fill(where, 34)
    with open_contest(where) as contest:
        order = [line.team for line in contest.standings()]
        sign_in(client, contest.new_token(contest.team(order[30]), NOW))
    page = client.get("/standings").text
    assert names(page) == order[:20] + order[27:34]
    assert "7 teams between" in page
    assert f'{order[30]} <span class="tag">you</span>' in page
    assert names(client.get("/standings?show=all").text) == order


def test_standings_are_sorted_by_the_column_that_a_link_names(client: TestClient, where: Path) -> None:
    fill(where, 5)
    with open_contest(where) as contest:
        submit(contest, "Team 002", submission(99), "p.csv", NOW + timedelta(days=1))
        lines = list(contest.standings())
    keys = {"rank": "rank", "team": "team", "score": "score", "attempts": "n_attempts"}
    for sort in ("rank", "team", "score", "attempts", "sent"):
        values = {line.team: line.attempts[-1].arrived_at if sort == "sent" else getattr(line, keys[sort]) for line in lines}
        for order in ("asc", "desc"):
            page = client.get("/standings", params={"sort": sort, "order": order}).text
            shown = [values[name] for name in names(page)]
            assert shown == sorted(values.values(), reverse=order == "desc"), sort
            assert page.count(f'aria-sort="{order}ending"') == 1


def test_ranks_and_the_first_sentence_say_what_chance_could_explain(client: TestClient, where: Path) -> None:
    with open_contest(where) as contest:
        for name, share in (("Ann", 0.0), ("Bob", 0.05), ("Cleo", 0.9)):
            submit(contest, name, submission(3, share), "p.csv", NOW)
        ranks = [(line.rank_low, line.rank_high, line.letters) for line in contest.standings()]
    page = client.get("/standings").text
    assert ranks == [(1, 2, "a"), (1, 2, "a"), (3, 3, "b")]
    assert re.findall(r'<td class="n soft">(\S+)</td><td class="wide letters">(\w+)<', page) == [
        *(("1–2", "a"), ("1–2", "a"), ("3", "b")),  # noqa: RUF001
    ]
    assert "<h1>Ann has the best score; 2 speakers are too few to name one leader, which takes 10.</h1>" in page
    with open_contest(where) as contest:
        (line,) = [line for line in contest.board().lines if line.team == "Bob"]
    assert f"{line.interval.low:.2f} – {line.interval.high:.2f}" in page  # noqa: RUF001


def test_standings_change_with_the_next_attempt(client: TestClient, where: Path) -> None:
    assert "No team has sent an attempt yet." in client.get("/standings").text
    with open_contest(where) as contest:
        submit(contest, "Ann", submission(1), "p.csv", NOW)
    assert names(client.get("/standings").text) == ["Ann"]


def test_standings_refresh_by_header_while_the_contest_runs_and_can_be_held(client: TestClient, where: Path) -> None:
    assert client.get("/standings").headers["refresh"] == "60"
    assert "refresh" not in client.get("/standings?refresh=no").headers
    with open_contest(where) as contest:
        submit(contest, "Ann", submission(1), "p.csv", NOW)
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    assert "refresh" not in client.get("/standings").headers


def test_after_the_close_the_private_score_ranks_and_is_shown(client: TestClient, where: Path) -> None:
    with open_contest(where) as contest:
        for n, name in enumerate(("Ann", "Bob", "Cleo")):
            submit(contest, name, submission(n, 0.2), "p.csv", NOW)
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        lines = contest.standings(Part.PRIVATE)
    page = client.get("/standings").text
    assert names(page) == [line.team for line in lines]
    assert re.findall(r"<b>(0\.\d{4})</b>", page) == [f"{line.score:.4f}" for line in lines]
    assert "Private macro-F1" in page


def test_a_pseudonym_is_all_that_others_see(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    with open_contest(where) as contest:
        contest.set_pseudonym(contest.team("Ann"), "Vega", NOW)
        submit(contest, "Ann", submission(1), "p.csv", NOW)
    public = [client.get(path).text for path in ("/standings", "/standings.csv", "/api/v1/standings")]
    assert all("Vega" in text and "Ann" not in text for text in public)
    sign_in(client, tokens["Ann"])
    assert '<span class="tag">you</span>' in client.get("/standings").text


def test_a_baseline_counts_in_no_rank_on_the_page_of_a_team(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    with open_contest(where) as contest:
        contest.add_team("MFCC", NOW, is_baseline=True)
        submit(contest, "MFCC", submission(2), "p.csv", NOW)
        submit(contest, "Ann", submission(1), "p.csv", NOW)
    sign_in(client, tokens["Ann"])
    assert "Rank 1 of 1 · " in client.get("/team").text


def test_the_page_of_a_voided_attempt_says_that_it_does_not_count(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    with open_contest(where) as contest:
        submit(contest, "Ann", submission(1), "p.csv", NOW)
        void_attempt(contest, contest.team("Ann"), 1, HostDecision(reason="last week's file", decided_at=NOW))
    sign_in(client, tokens["Ann"])
    assert "voided by the host, does not count" in client.get("/attempts/1").text
