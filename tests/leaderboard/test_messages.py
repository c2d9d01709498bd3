"""Messages on a wrong file: all of them used, in the reader's language on pages, in English on the command line."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from arena.base.texts import Localized, Words
from leaderboard.errors import Fault, SubmissionError, TooManyRefusals
from leaderboard.files.csv_table import Problems
from leaderboard.files.submission import parse_submission
from leaderboard.messages import TEXTS, message
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from support.contests import solution
from support.paths import ROOT
from support.service import make, submission

PACKAGE = ROOT / "leaderboard"
GOOD = "".join(f"clip_{n:02d},{n % 2}\n" for n in range(40))
KEYS = Words.read(TEXTS, "en").section("message").table.keys()

BAD_FILES = {  # name: bytes of a submission, its refusal in English, in Spanish
    "a label": (
        f"id,label\n{GOOD}".replace("clip_03,1", "clip_03,7"),
        "p.csv line 5: label '7' is not one of 0, 1; fix the row and send it again",
        "p.csv, línea 5: la etiqueta '7' no es una de 0, 1; corrige la fila y envía el archivo otra vez",
    ),
    "an id, and further": (
        f"id,label\n{GOOD}".replace("clip_03", "clip_3").replace("clip_04,0", "clip_04,9"),
        "p.csv line 5: id 'clip_3' is not one of the 40 ids of the contest, the nearest is 'clip_03': "
        "numbers have leading zeros in the ids of the contest; write it so and send it again (2 more problems in this file)",
        "p.csv, línea 5: el id 'clip_3' no es uno de los 40 del concurso, lo más parecido es 'clip_03': "
        "en los ids del concurso los números llevan ceros delante; "
        "escríbelo así y envíalo otra vez (2 problemas más en este archivo)",
    ),
    "an id twice": (
        f"id,label\n{GOOD}clip_00,0\n",
        "p.csv line 42: id 'clip_00' stands in line 2 already; keep one of the two rows and send it again",
        "p.csv, línea 42: el id 'clip_00' ya está en la línea 2; deja una de las dos filas y envía el archivo otra vez",
    ),
    "ids without a row": (
        "id,label\nclip_00,0\n",
        "p.csv: 39 of 40 ids have no row: 'clip_01', 'clip_02', 'clip_03', …; add one row for each and send it again",
        "archivo p.csv: 39 de 40 ids no tienen fila: 'clip_01', 'clip_02', 'clip_03', …; "
        "añade una fila para cada uno y envía el archivo otra vez",
    ),
    "a row too wide": (
        f"id,label\n{GOOD}".replace("clip_03,1", "clip_03,1,1"),
        "p.csv line 5: the header has 2 columns and this row 3 values; fix the row and send the file again",
        "p.csv, línea 5: la cabecera tiene 2 columnas y esta fila 3 valores; corrige la fila y envía el archivo otra vez",
    ),
    "no label column": (
        "id,labels\n",
        "p.csv line 1: column 'label' is missing, the nearest is 'labels'; "
        "the first line of the file is id,label: write it and send it again",
        "p.csv, línea 1: falta la columna 'label', lo más parecido es 'labels'; "
        "la primera línea del archivo es id,label: escríbela y envíalo otra vez",
    ),
    "semicolons": (
        "id;label\nclip_00;0\n",
        "p.csv line 1: columns are separated by commas and this file uses semicolons; save it with commas and try again",
        "p.csv, línea 1: las columnas se separan con comas y este archivo usa punto y coma; "
        "guárdalo con comas e inténtalo otra vez",
    ),
}


def test_every_message_is_used_and_every_one_that_is_used_is_there() -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path.name != "messages.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    keys = set(re.findall(r"""\bmessage\(\s*["'](\w+)["']""", text))
    assert keys
    assert keys <= KEYS, keys - KEYS
    named = set(re.findall(r"""["'](\w+)["']""", text))
    assert KEYS - named == set()


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_refusal_is_told_in_the_readers_language_and_in_english_as_text(case: str) -> None:
    content, english, spanish = BAD_FILES[case]
    with pytest.raises(SubmissionError) as caught:
        parse_submission(content.encode(), "p.csv", solution())
    assert (str(caught.value), caught.value.translate("en"), caught.value.translate("es")) == (english, english, spanish)


def test_a_refusal_that_goes_to_another_process_keeps_its_languages() -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(b"id;label\n", "p.csv", solution())
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.translate("es") == caught.value.translate("es") != str(again)


def test_further_faults_are_told_in_the_readers_language() -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(
            f"id,label\n{GOOD}".replace("clip_03,1", "clip_03,7").replace("clip_09,1", "nine,1").encode(), "p.csv", solution()
        )
    row, missing = pickle.loads(pickle.dumps(caught.value)).others
    assert row.translate("es").startswith("línea 11: el id 'nine' no es uno de los 40")
    assert missing.translate("es").startswith("1 de 40 ids no tiene fila: 'clip_09'")


def test_words_of_a_hosts_metric_are_the_same_in_every_language() -> None:
    error = SubmissionError("p.csv", Fault(None, "your rows are odd"))
    assert (error.translate("en"), error.translate("es")) == ("p.csv: your rows are odd", "archivo p.csv: your rows are odd")


def test_a_text_is_made_when_it_is_shown_and_not_for_each_of_a_thousand_lines() -> None:
    class Costly(Localized):
        n_told = 0

        def translate(self, language: str) -> str:
            Costly.n_told += 1
            return language

    problems = Problems("p.csv", SubmissionError)
    for line in range(900):
        problems.add(line, message("label_unknown", label="7", labels=Costly()))
    assert Costly.n_told == 0
    with pytest.raises(SubmissionError) as caught:
        problems.raise_any()
    assert Costly.n_told == 0
    assert "is not one of en;" in str(caught.value)
    assert Costly.n_told == 1


def test_a_spanish_page_tells_a_line_in_spanish_and_the_api_in_english(tmp_path: Path) -> None:
    tokens = make(tmp_path / "contest.db", ["Ann"])
    content = submission(1).replace(b"clip_0003,3", b"clip_0003,x")
    with TestClient(
        create_app(ServiceSettings(where=str(tmp_path / "contest.db"))), headers={"Accept-Language": "es"}
    ) as client:
        token = re.findall(r'name="csrf" value="(\w+)"', client.get("/login").text)[0]
        client.post("/login", data={"csrf": token, "token": tokens["Ann"]})
        for path in ("/validate", "/attempts"):
            page = client.post(path, data={"csrf": token}, files={"file": ("m.csv", content)}).text
            alert = page[page.index('role="alert"') :].split("</div>")[0]
            assert "m.csv, línea 5: la etiqueta &#39;x&#39;" in alert
            assert "no es una de 0..9; corrige la fila" in alert
            assert "lang=" not in alert
        headers = {"Authorization": f"Bearer {tokens['Ann']}", "Content-Type": "text/csv"}
        answer = client.post("/api/v1/validate", content=content, headers=headers).json()
        assert "line 5: label 'x'" in answer["message"]
        assert "is not one of 0..9; fix the row and send it again" in answer["message"]


def test_braces_in_a_file_are_no_places() -> None:
    with pytest.raises(SubmissionError, match=re.escape("{file}.csv line 2: label '{n}{0}' is not one of 0, 1")):
        parse_submission(b"id,label\nclip_00,{n}{0}\n", "{file}.csv", solution())


def test_numbers_are_set_apart_as_each_language_does() -> None:
    text = message("id_unknown", id="'x'", n=12000, near="")
    assert "12,000" in text.translate("en")
    assert "12\u202f000" in text.translate("es")


def test_waiting_after_many_refusals_is_told_in_both_languages() -> None:
    error = TooManyRefusals("Ann", 60, 61)
    assert "wait 2 min" in str(error)
    assert "espera 2 min" in error.translate("es")
