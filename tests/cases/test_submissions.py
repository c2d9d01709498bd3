"""Submissions and solutions as people write them: each fault has its line, and nothing that looks right is scored wrong."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import arena
import arena.cli
from leaderboard.errors import LeaderboardError
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest

SOLUTION = "id,label\n" + "".join(f"{n:04d},{(n - 1) % 10}\n" for n in range(1, 41))
HEADER = "id,label," + ",".join(map(str, range(10)))


def call(*words: object) -> tuple[int, str]:
    """Return the exit code of a command, and its refusal or what it printed."""
    done = CliRunner().invoke(arena.cli.app, list(map(str, words)))
    if isinstance(done.exception, LeaderboardError):
        return 1, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contest")
    (folder / "solution.csv").write_text(SOLUTION)
    assert call("contest", "init", folder / "solution.csv", "--name", "D", "--contest", folder / "x.db")[0] == 0
    call("contest", "team", "add", "A", "--contest", folder / "x.db")
    return folder / "x.db"


@pytest.fixture
def folder(contest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(contest, tmp_path)
    return tmp_path


def validate(content: str | bytes, *words: str) -> tuple[int, str]:
    Path("p.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return call("contest", "validate", "p.csv", "--contest", "x.db", *words)


def rows(*cells: str, header: str = "id,label") -> str:
    """Return a submission whose first rows begin as given and whose other rows are right."""
    right = SOLUTION.splitlines()[1:]
    return "\n".join([header, *cells, *right[len(cells) :], ""])


def probability_row(*values: str) -> str:
    """Return a submission of probabilities whose first row is given."""
    lines = SOLUTION.splitlines()[1:]
    right = [line + "".join(",1" if line.endswith(f",{k}") else ",0" for k in range(10)) for line in lines]
    return "\n".join([HEADER, ",".join(["0001", "0", *values]), *right[1:], ""])


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("submission.csv", SOLUTION)
    return file.getvalue()


UNKNOWN = "p.csv line 2: id {} is not one of the 40 ids of the contest"
NEAREST = UNKNOWN + ", the nearest is '0001': {}; write it so and send it again"
AS_TEXT = UNKNOWN + ", the nearest is '0001': {}; keep the column as text (dtype=str in pandas) and send it again"
ZEROS = "a spreadsheet took the leading zeros"
DECIMAL = f"a spreadsheet or pandas made a decimal number of it, and {ZEROS}"
LABELS = "p.csv line 2: label {} is not one of 0..9; write '0' and send it again"
TRY = "and try again"
COLUMN = "p.csv line 1: column {} is none of id, label and one probability per class (0..9); {} and send it again"
FAULTS: dict[str, tuple[str | bytes, str]] = {
    "a suffix": (rows("0001.wav,0"), NEAREST.format("'0001.wav'", "the ids of the contest have no .wav")),
    "a folder": (rows("test/0001,0"), NEAREST.format("'test/0001'", "the ids of the contest name no folder")),
    "a folder of Windows and a suffix": (
        rows(r"C:\test\0001.WAV,0"),
        NEAREST.format(
            repr(r"C:\test\0001.WAV"), "the ids of the contest name no folder, and the ids of the contest have no .WAV"
        ),
    ),
    "no leading zeros": (rows("1,0"), AS_TEXT.format("'1'", ZEROS)),
    "more leading zeros": (rows("000001,0"), NEAREST.format("'000001'", "the ids of the contest have no such leading zeros")),
    "a float": (rows("1.0,0"), AS_TEXT.format("'1.0'", DECIMAL)),
    "quotes": (rows("'0001',0"), NEAREST.format("\"'0001'\"", "quotes became part of it")),
    "a zero-width space": (
        rows("\u200b0001,0"),
        NEAREST.format(r"'\u200b0001'", "there are spaces or invisible characters in it"),
    ),
    "another beginning": (
        rows("clip_0001,0"),
        "p.csv line 2: id 'clip_0001' is not one of the 40 ids of the contest, the nearest is '0001': the ids of the contest "
        "have no 'clip_' before the number; check that the file answers the test of the contest and send it again",
    ),
    "a list of Python": (rows("['0001'],0"), NEAREST.format("\"['0001']\"", "quotes became part of it")),
    "a path of Python": (rows("PosixPath('0001'),0"), NEAREST.format("\"PosixPath('0001')\"", "quotes became part of it")),
    "a copy": (rows("0001 (1),0"), NEAREST.format("'0001 (1)'", "the number of a copy became part of it")),
    "numbers counted from 0": (
        rows("0000,0"),
        UNKNOWN.format("'0000'") + ": its numbers look counted from 0 and those of the contest from 1, "
        "so that every row may answer another one; write the ids of the contest and send it again",
    ),
    "another number": (rows("0041,0"), UNKNOWN.format("'0041'") + "; fix the row and send it again"),
    "a huge number as a label": (
        rows("0001," + "9" * 5000),
        f"p.csv line 2: label '{'9' * 39}…' is not one of 0..9; fix the row and send it again",
    ),
    "an empty id": (
        rows(",0"),
        UNKNOWN.format("''") + ": it is empty; write the ids of the contest and send it again",
    ),
    "a word": (rows("0001,cero"), LABELS.format("'cero'")),
    "an English word": (rows("0001,Zero"), LABELS.format("'Zero'")),
    "a float as a label": (rows("0001,0.0"), LABELS.format("'0.0'")),
    "a tensor as a label": (rows("0001,tensor(0)"), LABELS.format("'tensor(0)'")),
    "a zip": (zipped(), "p.csv: this is a zip archive, no CSV; send the CSV inside"),
    "JSON": (b'[{"id": "0001"}]', "p.csv: this is JSON, no CSV; write its table as CSV and send that"),
    "UTF-16": (
        SOLUTION.encode("utf-16"),
        f"p.csv: the file is UTF-16, as Excel's 'Unicode Text' and PowerShell's > write it; save it as 'CSV UTF-8' {TRY}",
    ),
    "Windows-1252": (
        rows("señal,0").encode("cp1252"),
        f"p.csv line 2: the file is not UTF-8 (byte 0xf1, ñ in Windows' own encoding); save it as 'CSV UTF-8' {TRY}",
    ),
    "semicolons": (
        SOLUTION.replace(",", ";"),
        f"p.csv line 1: columns are separated by commas and this file uses semicolons; save it with commas {TRY}",
    ),
    "no header": (
        SOLUTION.removeprefix("id,label\n"),
        "p.csv line 1: the first line is a row already; write the names of the columns above it, id,label, and send it again",
    ),
    "another name of the id": (
        rows(header="filename,label"),
        "p.csv line 1: column 'id' is missing, the nearest is 'filename'; "
        "the first line of the file is id,label: write it and send it again",
    ),
    "another name of the label": (
        rows(header="id,prediction"),
        "p.csv line 1: column 'label' is missing, the nearest is 'prediction'; "
        "the first line of the file is id,label: write it and send it again",
    ),
    "pandas' row numbers": (
        "".join(f"{'' if n == 0 else n - 1},{row}\n" for n, row in enumerate(SOLUTION.splitlines())),
        "p.csv line 1: the first column, '', holds pandas' row numbers; write the file with index=False and send it again",
    ),
    "commas at the end": (
        SOLUTION.replace("\n", ",\n"),
        "p.csv line 1: column '' has no name; delete it, or the comma at the end of the lines, and send it again",
    ),
    "another name of a class": (HEADER.replace(",0", ",prob_0"), COLUMN.format("'prob_0'", "name it '0'")),
    "a further column": (rows(header="id,label,sure"), COLUMN.format("'sure'", "delete it")),
    "a row in one pair of quotes": (
        rows('"0001,0"'),
        "p.csv line 2: one pair of quotes holds the whole row; leave them out and send the file again",
    ),
    "id and label in each other's place": (
        rows("0,0001"),
        "p.csv line 2: ids stand in the column label and labels in the column id; swap their names and send it again",
    ),
    "a label after the last": (
        rows("0001,10"),
        "p.csv line 2: label '10' is not one of 0..9; "
        "fix the row, or all rows if labels were counted from 1, and send it again",
    ),
    "a decimal comma": (
        probability_row('"0,91"', *["0.01"] * 9),
        "p.csv line 2: probability '0,91' is not a number; write 0.91 and send it again",
    ),
    "a percent sign": (
        probability_row("91%", *["1%"] * 9),
        "p.csv line 2: probability '91%' is not a number; write 0.91 and send it again",
    ),
    "percentages": (
        probability_row("91", *["1"] * 9),
        "p.csv line 2: probabilities of a row sum to 1 and these to 100, as percentages; divide them by 100 and send it again",
    ),
    "rounded probabilities": (
        probability_row("0.95", *["0.01"] * 4, *["0.00"] * 5),
        "p.csv line 2: probabilities of a row sum to 1 and these to 0.99, as where they were rounded; "
        "write more decimals and send it again",
    ),
    "logarithms": (
        probability_row("-0.0943", *["-4.605"] * 9),
        "p.csv line 2: probability '-0.0943' is not between 0 and 1, and the row looks like logarithms: "
        "write their exponentials; fix the row and send it again",
    ),
    "outputs before softmax": (
        probability_row("7.5", *["-1.25"] * 9),
        "p.csv line 2: probability '-1.25' is not between 0 and 1, and the row looks like a net's outputs before softmax: "
        "write what softmax makes of them; fix the row and send it again",
    ),
    "a solution": (
        rows(header="id,label,Usage"),
        "p.csv line 1: column 'Usage' belongs to a solution, not to a submission; delete it and send it again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_nearly_right_submission_is_told_the_likely_cause_in_one_line(folder: Path, case: str) -> None:
    content, message = FAULTS[case]
    code, text = validate(content)
    assert (code, text.removesuffix(" (1 more problem in this file)")) == (1, message)


def test_a_cause_that_all_rows_share_is_told_once_and_then_in_short(folder: Path) -> None:
    code, text = validate(SOLUTION.replace(",", ".wav,").replace("id.wav", "id"))
    assert (code, text.endswith(" (40 more problems in this file)")) == (1, True)
    assert text.count("have no .wav") == 1


def test_no_message_tells_the_order_of_the_hidden_rows(folder: Path) -> None:
    header, *lines = SOLUTION.splitlines()
    Path("sorted.csv").write_text("\n".join([header, *sorted(lines, key=lambda line: line[::-1]), ""]))
    assert call("contest", "init", "sorted.csv", "--name", "S", "--contest", "s.db")[0] == 0
    Path("p.csv").write_text("\n".join([header, *lines[20:]]))
    assert call("contest", "validate", "p.csv", "--contest", "s.db") == (
        1,
        "p.csv: 20 of 40 ids have no row: '0001', '0002', '0003', …; add one row for each and send it again",
    )
    Path("p.csv").write_text(with_probabilities([1, 1, *TRUTH[2:]], [0, 0, *TRUTH[2:]]))
    assert "such as id '0001'" in call("contest", "validate", "p.csv", "--contest", "s.db")[1]


def test_what_has_one_reading_is_read(folder: Path) -> None:
    header, *lines = SOLUTION.splitlines()
    for content in (
        "\ufeff" + SOLUTION,
        "sep=,\n" + SOLUTION,
        "\r\n".join([header, *reversed(lines), "", ",", ""]),
        "\n".join([header, *(f'"{name}", "{label}"' for name, label in (line.split(",") for line in lines))]),
    ):
        assert validate(content) == (0, "p.csv can be sent: 40 rows, without probabilities\n")


def with_probabilities(labels: list[int], tops: list[int]) -> str:
    lines = [
        f"{n:04d},{label}," + ",".join("0.91" if k == top else "0.01" for k in range(10))
        for n, (label, top) in enumerate(zip(labels, tops, strict=True), 1)
    ]
    return "\n".join([HEADER, *lines, ""])


TRUTH = [(7 * n) % 10 for n in range(40)]
ORDER = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
SLIPS = {  # name: labels, their most probable classes, cause
    "labels counted from 1": (
        [(label + 1) % 10 for label in TRUTH],
        TRUTH,
        "the labels look counted from 1, or the columns shifted by one to the left",
    ),
    "shifted columns": ([(label - 1) % 10 for label in TRUTH], TRUTH, "the columns look shifted by one to the right"),
    "columns in another order": (
        [ORDER[label] for label in TRUTH],
        TRUTH,
        "the columns look like another order, since column '0' holds class '3'",
    ),
    "a sorted column": (
        sorted(TRUTH),
        TRUTH,
        "the labels look like those of other rows, as where one column alone was sorted",
    ),
    "rows that were sorted each": (TRUTH, [0] * 40, "column '0' is the largest in every row, as where each row was sorted"),
    "a sample submission": ([3] * 40, TRUTH, "all labels are '3', as in a sample submission"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_labels_that_contradict_their_probabilities_are_refused_before_an_attempt_and_sent_by_a_clear_yes(
    folder: Path, slip: str
) -> None:
    labels, tops, cause = SLIPS[slip]
    n = sum(label != top for label, top in zip(labels, tops, strict=True))
    first = next(k for k, pair in enumerate(zip(labels, tops, strict=True)) if pair[0] != pair[1])
    fault = (
        f"in {n} of 40 rows the label is not the most probable class, such as id '{first + 1:04d}' "
        f"with label '{labels[first]}' where '{tops[first]}' is most probable: {cause}"
    )
    refusal = f"p.csv: {fault}; correct the file, and no attempt is used; add --yes if it is meant so"
    content = with_probabilities(labels, tops)
    assert validate(content) == (1, refusal)
    assert validate(content, "--yes") == (0, f"note: {fault}\np.csv can be sent: 40 rows, with probabilities\n")
    words = ("contest", "submit", "p.csv", "--team", "A", "--contest", "x.db")
    assert call(*words) == (1, refusal)
    assert call("contest", "attempts", "A", "--contest", "x.db")[1] == "A has sent nothing yet\n"
    code, text = call(*words, "--yes")
    assert (code, "A, attempt 1: " in text, text.startswith(f"note: {fault}\n")) == (0, True, True)


def test_labels_that_leave_the_most_probable_class_in_a_few_rows_are_a_note_and_ties_are_none(folder: Path) -> None:
    labels = [9, *TRUTH[1:]]
    assert validate(with_probabilities(labels, TRUTH)) == (
        0,
        "note: in 1 of 40 rows the label is not the most probable class, such as id '0001' with label '9' where '0' is "
        "most probable\np.csv can be sent: 40 rows, with probabilities\n",
    )
    ties = "\n".join([HEADER, *(f"{n:04d},{n % 10}" + ",0.1" * 10 for n in range(1, 41))])
    assert validate(ties) == (0, "p.csv can be sent: 40 rows, with probabilities\n")


def test_a_sample_submission_sent_as_it_came_is_a_note(folder: Path) -> None:
    sample = "id,label\n" + "".join(f"{n:04d},0\n" for n in range(1, 41))
    note = "note: all labels are '0', as in a sample submission\n"
    assert validate(sample) == (0, f"{note}p.csv can be sent: 40 rows, without probabilities\n")


def init(text: str, *words: str) -> tuple[int, str]:
    Path("other.csv").write_text(text, encoding="utf-8")
    return call("contest", "init", "other.csv", "--name", "D", "--contest", "y.db", *words)


MEANT = "; add --yes if it is meant so"
DOUBTS = {
    "floats": (
        SOLUTION.replace("\n", ".0\n").replace("label.0", "label"),
        "other.csv: labels 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0 look like whole numbers that went through "
        f"a spreadsheet or pandas, and files of `arena predict` say 0..9; write 0..9{MEANT}",
    ),
    "leading zeros": (
        "id,label\na,00\nb,01\nc,02\n",
        f"other.csv: labels 00, 01, 02 have leading zeros, and files of `arena predict` say 0..2; write 0..2{MEANT}",
    ),
    "a word beside its number": (
        "id,label\na,7\nb,seven\nc,1\n",
        "other.csv: labels seven are words of digits, and files of `arena predict` say 7; write 7 "
        f"(1 more problem in this file){MEANT}",
    ),
    "words of digits": (
        "id,label\na,cero\nb,uno\nc,dos\n",
        f"other.csv: labels cero, dos, uno are words of digits, and files of `arena predict` say 0..2; write 0..2{MEANT}",
    ),
    "one speaker in two spellings": (
        "id,label,Group\na,1,Ana\nb,2,ana\nc,1,luis\n",
        f"other.csv: groups 'Ana' and 'ana' look like one speaker; write both alike{MEANT}",
    ),
    "a decomposed letter": (
        "id,label\na,león\nb,gato\n".replace("ó", "o\u0301"),
        f"other.csv: label 'leo\u0301n' holds invisible, wide or decomposed characters; write it as 'león'{MEANT}",
    ),
    "no value": (
        "id,label\na,1\nb,None\nc,2\n",
        f"other.csv: label 'None' is what programs write for no value; give its rows their label{MEANT}",
    ),
    "a truth value": (
        "id,label\na,1\nb,True\n",
        f"other.csv: label 'True' stands beside numbers; write all labels as numbers or all as words{MEANT}",
    ),
    "powers of ten": (
        "id,label\n1E+05,1\n1.5E+05,2\nx,1\n",
        "other.csv: id '1E+05' looks like a long number that a spreadsheet wrote as a power of ten (2 of 3 ids); "
        f"write ids as text{MEANT}",
    ),
    "dates": (
        "id,label\n02-Jan,1\nb,2\n",
        f"other.csv: id '02-Jan' looks like what a spreadsheet makes a date of (1 of 2 ids); write ids as text{MEANT}",
    ),
    "float ids": (
        "id,label\n1.0,1\n2.0,2\n",
        "other.csv: id '1.0' looks like a whole number that went through a spreadsheet or pandas (2 of 2 ids); "
        f"write ids as text{MEANT}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTS)
def test_a_solution_that_looks_like_a_slip_is_asked_for_at_init(folder: Path, case: str) -> None:
    text, message = DOUBTS[case]
    assert init(text) == (1, message)
    assert not Path("y.db").exists()
    assert init(text, "--yes")[0] == 0


REFUSED = {
    "a submission": (
        f"{HEADER}\n",
        "other.csv line 1: this is a submission, with a probability of each class; give the file with the true labels",
    ),
    "another word for a part": (
        "id,label,Usage\na,1,Público\nb,2,Public\n",
        "other.csv line 2: Usage 'Público' is neither Public nor Private nor Ignored; write Public",
    ),
    "a misspelt part": (
        "id,label,Usage\na,1,Privat\nb,2,Public\n",
        "other.csv line 2: Usage 'Privat' is neither Public nor Private nor Ignored; write Private",
    ),
    "predictions of a run": (
        f"{HEADER},truth,speaker,split\n",
        "other.csv line 1: this is a submission, with a probability of each class; give the file with the true labels",
    ),
    "other names of the columns": (
        "filename,digit\na,1\n",
        "other.csv line 1: column 'id' is missing, the nearest is 'filename'; "
        "the first line names the columns: id,label and optionally Usage,Group",
    ),
    "row numbers": (
        ",id,label\n0,a,1\n",
        "other.csv line 1: the columns are id,label and optionally Usage and Group, not ''; "
        "pandas writes its row numbers there without index=False; rename or delete it",
    ),
    "a zip": ("PK\x03\x04", "other.csv: this is a zip archive, no CSV; send the CSV inside"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_solution_that_cannot_be_meant_is_refused_whatever_is_said(folder: Path, case: str) -> None:
    text, message = REFUSED[case]
    assert init(text, "--yes") == (1, message)


def test_ids_that_are_times_in_seconds_are_no_doubt(folder: Path) -> None:
    assert init("id,label\n0.0,1\n1.5,2\n3.0,1\n")[0] == 0


def test_a_contest_without_private_rows_under_a_usage_column_is_remarked_on(folder: Path) -> None:
    code, text = init("id,label,Usage\na,1,Public\nb,2, PUBLIC\n")
    assert (code, "no row is Private, so that the scores" in text) == (0, True)


def test_a_corrected_solution_keeps_the_spelling_of_ids_and_labels(folder: Path) -> None:
    Path("a.csv").write_text(SOLUTION.replace("\n", ".0\n").replace("label.0", "label"))
    Path("b.csv").write_text(SOLUTION.replace("\n0", "\n"))
    words = ("--reason", "a slip", "--contest", "x.db")
    assert call("contest", "rescore", "a.csv", *words) == (
        1,
        "label '0.0' would be a class of its own; the contest writes it '0': write it so",
    )
    assert "the nearest is '0001': a spreadsheet took the leading zeros" in call("contest", "rescore", "b.csv", *words)[1]


def test_pages_and_api_ask_for_the_same_yes_in_the_readers_language(folder: Path) -> None:
    with open_contest("x.db") as opened:
        token = opened.new_token(opened.team("A"), datetime.now(UTC))
    content = with_probabilities([(label - 1) % 10 for label in TRUTH], TRUTH).encode()
    few = with_probabilities([9, *TRUTH[1:]], TRUTH).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    with TestClient(create_app(ServiceSettings(where="x.db")), headers={"Accept-Language": "es"}) as client:
        for path in ("validate", "attempts"):
            answer = client.post(f"/api/v1/{path}", content=content, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (422, "contradiction")
        assert client.post("/api/v1/validate?yes=true", content=content, headers=headers).json()["notes"] != []
        csrf = re.findall(r'name="csrf" value="(\w+)"', client.get("/login").text)[0]
        client.post("/login", data={"csrf": csrf, "token": token})
        for path, has_choice in (("/validate", False), ("/attempts", True)):
            page = client.post(path, data={"csrf": csrf}, files={"file": ("m.csv", content)})
            assert (page.status_code, 'id="yes"' in page.text) == (422, has_choice)
            assert "las columnas parecen corridas una a la derecha" in page.text
        page = client.post("/attempts", data={"csrf": csrf, "yes": "on"}, files={"file": ("m.csv", content)})
        assert (page.status_code, "Nota: en 40 de 40 filas la etiqueta no es" in page.text) == (200, True)
        answer = client.post("/api/v1/attempts?again=true", content=few, headers=headers)
        assert (answer.status_code, len(answer.json()["notes"])) == (201, 1)
        page = client.post("/attempts", data={"csrf": csrf, "yes": "on"}, files={"file": ("m.csv", content + b"\n")})
        assert (page.status_code, re.findall(r'id="(again|yes)" name="\w+"( checked)?', page.text)) == (
            409,
            [("again", ""), ("yes", " checked")],
        )


def test_scores_without_a_contest_say_it_too(folder: Path) -> None:
    Path("solution.csv").write_text(SOLUTION)
    Path("p.csv").write_text(with_probabilities([9, *TRUTH[1:]], TRUTH))
    assert "; in 1 of 40 rows the label is not the most probable class, such as id '0001'" in repr(
        arena.score("p.csv", "solution.csv")
    )
    Path("p.csv").write_text(with_probabilities(sorted(TRUTH), TRUTH))
    code, text = call("contest", "score", "solution.csv", "p.csv")
    assert (code, text.endswith("; add --yes if it is meant so")) == (1, True)
    assert call("contest", "score", "solution.csv", "p.csv", "--yes")[0] == 0
    refused = json.loads(call("contest", "score", "solution.csv", "p.csv", "--format", "gradescope")[1])
    assert (refused["score"], refused["output"].startswith("p.csv: in 36 of 40 rows the label")) == (0, True)
