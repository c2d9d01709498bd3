"""An import as a stranger meets it: tables as spreadsheets save them, a look before the first clip, imports again."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from arena.base.errors import ArenaError
from arena.cli import app
from cnn.collect.import_plan import ImportOptions
from cnn.collect.importing import plan_import, write_import
from support.paths import ROOT

RATE_HZ = 8000
ROWS = [("clip_1.wav", "0", "ana"), ("clip_2.wav", "0", "luis"), ("clip_3.wav", "5", "ana"), ("clip_4.wav", "7", "luis")]
WRITTEN = ["0_ana_0.wav", "0_luis_0.wav", "5_ana_0.wav", "7_luis_0.wav"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def speak(*names: str) -> None:
    """Write recordings, each of its own sound."""
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
        time = np.arange(1760) / RATE_HZ
        wave = 0.3 * np.hanning(1760) * np.sin(2 * np.pi * (120 + seed % 200) * time + seed)
        soundfile.write(path, wave, RATE_HZ, format="WAV")


def arena(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line))


def refusal(line: str) -> str:
    result = arena(line)
    assert isinstance(result.exception, ArenaError), result.output
    return str(result.exception)


def written(out: str = "out") -> list[str]:
    return sorted(path.name for path in Path(out).glob("*.wav"))


def record(out: str = "out") -> list[tuple[str, str, str]]:
    with (Path(out) / "imported.csv").open(newline="", encoding="utf-8") as file:
        return [(row["file"], row["source"], row["earlier"]) for row in csv.DictReader(file)]


def table(separator: str = ",", prefix: str = "", blank: str = "") -> str:
    lines = [("path", "label", "speaker"), *((prefix + path, label, speaker) for path, label, speaker in ROWS)]
    return "".join(separator.join(cell + blank for cell in line) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (table(prefix="audios/"), "utf-8"),
        (table(blank=" "), "utf-8-sig"),
        (table(";"), "utf-8"),
        (table("\t", prefix="./"), "utf-8"),
        (table("|").replace("path|label|speaker", " Path | LABEL |Speaker"), "utf-8"),
        ("sep=;\n" + table(";"), "utf-8-sig"),
        (table(prefix="audios\\"), "utf-8"),
        (table().replace(".wav", ""), "utf-8"),
        (table().replace("\n", ",,\n").replace("clip_1.wav", "CLIP_1.WAV") + "\n,,\n", "utf-8"),
    ],
    ids=["below its folder", "blanks", "semicolons", "tabs", "bars", "excel", "windows", "no suffix", "other case"],
)
def test_a_table_is_read_as_spreadsheets_save_it(content: str, encoding: str) -> None:
    speak(*(f"14/audios/{path}" for path, _, _ in ROWS))
    Path("14/tabla.csv").write_text(content, encoding=encoding)
    result = arena("data import 14/audios out --table 14/tabla.csv")
    assert result.exit_code == 0
    assert written() == WRITTEN
    assert result.stdout.splitlines()[-2:] == [
        "out: 4 clips of 2 speakers written, 0 files left out", "next: `arena data scan out`"
    ]  # fmt: skip


def test_rows_without_a_file_and_files_without_a_row_are_named() -> None:
    speak(*(f"14/audios/{path}" for path, _, _ in ROWS), "14/audios/extra.wav")
    Path("14/tabla.csv").write_text(table() + "clip_99.wav,3,eva\n")
    result = arena("data import 14/audios out --table 14/tabla.csv --dry-run")
    assert "14/tabla.csv has 1 row without a file: line 6: clip_99.wav" in result.stdout.splitlines()
    assert "  extra.wav has no row in 14/tabla.csv" in result.stdout.splitlines()
    assert json.loads(arena("data import 14/audios out --table 14/tabla.csv --dry-run --json").stdout)["rows_without_file"] == [
        "line 6: clip_99.wav"
    ]


def test_paths_of_a_table_that_are_no_files_are_refused_with_the_folders_tried() -> None:
    speak(*(f"14/audios/{path}" for path, _, _ in ROWS))
    Path("14/tabla.csv").write_text(table(prefix="C:\\clases\\audios\\"))
    assert refusal("data import 14/audios out --table 14/tabla.csv") == (
        "none of 4 paths of the table lies below 14/audios, the first is C:\\clases\\audios\\clip_1.wav; "
        "they are relative to one of: 14, 14/audios, the working folder"
    )


def test_paths_that_mean_other_files_from_another_folder_are_refused() -> None:
    speak(*(f"mine/{path}" for path, _, _ in ROWS), *(f"mine/mine/{path}" for path, _, _ in ROWS))
    Path("tabla.csv").write_text(table(prefix="mine/"))
    assert refusal("data import mine out --table tabla.csv") == (
        "paths of the table mean different files, the first is mine/clip_1.wav: 4 are files from the working folder, "
        "4 are files from mine; write whole paths"
    )
    Path("tabla.csv").write_text(table(prefix=f"{Path.cwd()}/mine/"))
    assert arena("data import mine out --table tabla.csv").exit_code == 0


def test_a_table_that_is_not_utf_8_is_refused_as_what_it_is() -> None:
    speak(*(f"mine/{path}" for path, _, _ in ROWS))
    Path("tabla.csv").write_text(table().replace("luis", "Jörg"), encoding="cp1252")
    assert refusal("data import mine out --table tabla.csv").startswith("tabla.csv line 3: ")
    Path("tabla.csv").write_text(table(";"), encoding="utf-16")
    assert refusal("data import mine out --table tabla.csv").startswith("tabla.csv: the file is UTF-16")


def phones() -> None:
    """Names of three shapes, copies, other files and one that says nothing."""
    speak(
        *(f"phones/ana/{word}.wav" for word in ("cero", "uno", "dos", "siete")), "phones/luis/nueve.wav", "phones/luis/memo.wav"
    )
    shutil.copy("phones/ana/uno.wav", "phones/ana/uno - copia.wav")
    for name in ("a.txt", "b.txt", "old.zip", ".DS_Store"):
        Path("phones", name).write_text("x")


PLAN = """\
speaker   clips   digits
────────────────────────
luis          1   9
ana           4   0-2 7

recording        digit   speaker   take
───────────────────────────────────────
ana/cero.wav         0   ana          0
ana/dos.wav          2   ana          0
ana/siete.wav        7   ana          0
ana/uno.wav          1   ana          0
luis/nueve.wav       9   luis         0

warning: 1 of 2 speakers says one digit alone (luis): probably one person under several names; \
`arena data import` with --pattern gives each person one name
Left out: 2 files
  ana/uno - copia.wav is the same file as ana/uno.wav
  luis/memo.wav does not say its digit; say how with --pattern, --table or --words
4 files are not read: 2 .txt, 1 .zip, 1 hidden; unpack .zip
"""


def test_a_first_import_by_looks_shows_its_plan_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    phones()
    monkeypatch.setenv("COLUMNS", "80")
    result = arena("data import phones out")
    assert result.stdout == (
        f"{PLAN}out: 5 clips of 2 speakers would be written, 2 files left out\n"
        "nothing is written yet; if this is right:\n  arena data import phones out --yes\n"
        "if it is not, say how names are made, with --pattern or --table\n"
    )
    assert (result.exit_code, Path("out").exists()) == (1, False)
    assert arena("data import phones out --dry-run").stdout == result.stdout
    agreed = arena("data import phones out --yes")
    assert agreed.stdout == f"{PLAN}out: 5 clips of 2 speakers written, 2 files left out\nnext: `arena data scan out`\n"
    assert (agreed.exit_code, len(written())) == (0, 5)


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are of Unix")
def test_a_terminal_asks_and_no_is_the_answer_unless_it_is_yes() -> None:
    speak("phones/ana/cero.wav")
    for answer, n_clips in (("\n", 0), ("y\n", 1)):
        terminal, stdin = os.openpty()
        os.write(terminal, answer.encode())
        words = [sys.executable, "-m", "arena", "data", "import", str(Path("phones").resolve()), str(Path("out").resolve())]
        done = subprocess.run(words, stdin=stdin, capture_output=True, text=True, cwd=ROOT)
        assert "Is this right, and may" in done.stdout
        assert (done.returncode, len(written())) == (1 - n_clips, n_clips)
        os.close(terminal)
        os.close(stdin)


def test_names_of_a_corpus_and_a_pattern_need_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("mine/0_ana_0.wav", "mine/deep/7_Jörg_12.wav", "other/ana/take 7 of 0.wav")
    assert arena("data import mine out").exit_code == 0
    assert written() == ["0_ana_0.wav", "7_Jörg_12.wav"]
    assert arena("data import other new --pattern '{speaker}/take {label} of {take}'").exit_code == 0
    assert written("new") == ["7_ana_0.wav"]


def test_the_line_to_type_has_every_option() -> None:
    speak("my own/ana b/x.wav")
    line = "data import 'my own' out --words 'a,b,c,d,e,f,g,h,i,x' --speaker 'ana b' --trim"
    assert arena(line).stdout.splitlines()[-2] == (
        "  arena data import 'my own' out --words a,b,c,d,e,f,g,h,i,x --speaker 'ana b' --trim --yes"
    )


def test_a_plan_of_many_sums_the_rest_and_wide_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(*(f"mine/p{n:02}/{word}.wav" for n in range(20) for word in ("cero", "uno")), "mine/p03/dos.wav")
    lines = arena("data import mine out").stdout.splitlines()
    assert lines[2:15] == [
        *(f"p{n:02}              2   0 1" for n in (*range(3), *range(4, 12))), "and 9 more      19   0-2", ""
    ]  # fmt: skip
    assert "and 36 more; --wide lists all" in lines
    assert sum(".wav" in line for line in arena("data import mine out --wide").stdout.splitlines()) == 41


def test_importing_again_by_other_rules_renames_and_back_again() -> None:
    speak("mine/ana/1_7.wav", "mine/ana/2_8.wav", "mine/luis/3_9.wav")
    first = "data import mine out --pattern '{speaker}/{label}_{any}'"
    assert arena(first).exit_code == 0
    before = {path.read_bytes() for path in Path("out").glob("*.wav")}
    other = "data import mine out --pattern '{speaker}/{any}_{label}'"
    shown = arena(other)
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[:5] == [
        "in the corpus   now reads      recording",
        "───────────────────────────────────────────",
        "1_ana_0.wav     7_ana_0.wav    ana/1_7.wav",
        "2_ana_0.wav     8_ana_0.wav    ana/2_8.wav",
        "3_luis_0.wav    9_luis_0.wav   luis/3_9.wav",
    ]
    assert written() == ["1_ana_0.wav", "2_ana_0.wav", "3_luis_0.wav"]
    assert "out: 3 clips renamed, 0 files left out" in arena(f"{other} --yes").stdout.splitlines()
    assert record() == [
        ("7_ana_0.wav", "ana/1_7.wav", "1_ana_0.wav"),
        ("8_ana_0.wav", "ana/2_8.wav", "2_ana_0.wav"),
        ("9_luis_0.wav", "luis/3_9.wav", "3_luis_0.wav"),
    ]
    assert {path.read_bytes() for path in Path("out").glob("*.wav")} == before
    assert "out: nothing new, 3 there already, 0 files left out" in arena(other).stdout.splitlines()
    assert arena(f"{first} --yes").exit_code == 0
    assert written() == ["1_ana_0.wav", "2_ana_0.wav", "3_luis_0.wav"]


def test_renames_that_were_killed_go_on() -> None:
    speak("mine/ana/1_7.wav", "mine/ana/2_8.wav", "mine/luis/3_9.wav")
    assert arena("data import mine out --pattern '{speaker}/{label}_{any}'").exit_code == 0
    options = ImportOptions(pattern="{speaker}/{any}_{label}")
    plan = plan_import(Path("mine"), Path("out"), options)

    def kill(n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_import(plan, kill)
    assert written() == ["2_ana_0.wav", "3_luis_0.wav", "7_ana_0.wav"]
    plan = plan_import(Path("mine"), Path("out"), options)
    assert (len(plan.renames), plan.clips, plan.n_existing) == (2, (), 1)
    write_import(plan)
    assert written() == ["7_ana_0.wav", "8_ana_0.wav", "9_luis_0.wav"]


def test_a_rename_never_overwrites() -> None:
    speak("mine/ana/1_7.wav")
    assert arena("data import mine out --pattern '{speaker}/{label}_{any}'").exit_code == 0
    plan = plan_import(Path("mine"), Path("out"), ImportOptions(pattern="{speaker}/{any}_{label}"))
    speak("out/7_ana_0.wav")
    content = Path("out/7_ana_0.wav").read_bytes()
    with pytest.raises(ArenaError, match=r"7_ana_0\.wav was written by someone else meanwhile"):
        write_import(plan)
    assert Path("out/7_ana_0.wav").read_bytes() == content
    assert written() == ["1_ana_0.wav", "7_ana_0.wav"]


def test_no_clip_is_added_twice_wherever_its_source_went() -> None:
    speak("mine/set/ana/cero.wav", "mine/set/ana/siete.wav")
    assert arena("data import mine out --yes").exit_code == 0
    shutil.move("mine/set/ana/cero.wav", "mine/set/ana/cero 2.wav")
    for source in ("mine/set", "mine"):
        assert f"out: nothing new, 2 there already, {0} files left out" in arena(f"data import {source} out").stdout
    shutil.copytree("mine/set", "mine/backup")
    result = arena("data import mine out")
    assert written() == ["0_ana_0.wav", "7_ana_0.wav"]
    assert "nothing new, 2 there already, 2 files left out" in result.stdout


def test_copies_that_say_other_things_are_both_left_out() -> None:
    speak("mine/ana/cero.wav", "mine/ana/uno.wav")
    shutil.copy("mine/ana/cero.wav", "mine/ana/siete.wav")
    lines = arena("data import mine out").stdout.splitlines()
    assert lines[-7:-4] == [
        "Left out: 2 files",
        "  ana/cero.wav is the same file as ana/siete.wav, which is 7 of ana, not 0 of ana",
        "    and 1 more for this cause, such as ana/siete.wav",
    ]


def test_a_source_that_would_be_cut_otherwise_is_not_imported_over() -> None:
    speak("7_ana_0.wav")
    sound, gap = soundfile.read("7_ana_0.wav")[0], np.zeros(RATE_HZ)
    Path("mine").mkdir()
    soundfile.write("mine/7_ana_0.wav", np.concatenate([gap, sound, gap, sound, gap]), RATE_HZ)
    assert arena("data import mine out").exit_code == 0
    result = arena("data import mine out --split-silence --digits 77")
    assert (
        "  7_ana_0.wav was imported in 1 piece and would be 2 now; import it into another folder" in result.stdout.splitlines()
    )
    assert written() == ["7_ana_0.wav"]


def test_files_that_are_no_recordings_are_counted_by_kind() -> None:
    speak("mine/7_ana_0.wav")
    for name in ("a.zip", "b.ZIP", "c.txt", "README", ".DS_Store", "deep/e.txt", "old.7_ana_0.wav.backup copy"):
        Path("mine", name).parent.mkdir(exist_ok=True)
        Path("mine", name).write_text("x")
    line = "6 files are not read: 2 .txt, 2 .zip, 1 hidden, 1 other, 1 without suffix; unpack .zip".replace("6", "7")
    assert f"others    {line}" in arena("data scan mine").stdout.splitlines()
    assert line in arena("data import mine out").stdout.splitlines()
    assert json.loads(arena("data scan mine --json").stdout)["not_read"] == {
        ".txt": 2, ".zip": 2, "hidden": 1, "other": 1, "without suffix": 1
    }  # fmt: skip


@pytest.mark.parametrize("command", ["scan FOLDER", "import FOLDER out", "prepare FOLDER"])
def test_a_folder_without_recordings_says_which_kinds_it_holds(command: str) -> None:
    Path("mine").mkdir()
    for name in ("a.zip", "b.zip", "c.txt"):
        Path("mine", name).write_text("x")
    assert refusal(f"data {command.replace('FOLDER', 'mine')}") == (
        "mine holds no recording that can be read, only 2 .zip, 1 .txt; unpack .zip"
    )


def test_other_names_lead_to_the_command_that_imports_them() -> None:
    speak("mine/eins/ana.wav", "mine/zwei/ana.wav")
    command = "`arena data import mine mine-corpus` reads the digit of 2 files that a scan does not read"
    for line in ("data scan mine", "data prepare mine"):
        assert refusal(line) == f"none of 2 recordings in mine names a digit (the first is eins/ana.wav); {command}"
    speak("mine/7_luis_0.wav")
    assert f"note: {command}" in arena("data scan mine").stdout.splitlines()
    assert command in arena("data prepare mine").stderr.splitlines()
    assert arena("data import mine mine-corpus --yes").exit_code == 0
    assert written("mine-corpus") == ["1_ana_0.wav", "2_ana_0.wav", "7_luis_0.wav"]


def test_a_scan_from_within_the_folder_names_a_corpus_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("mine/1/ana.wav", "mine/2/ana.wav", "mine/2/luis.wav")
    outside = Path("mine-corpus").resolve()
    monkeypatch.chdir("mine")
    note = f"note: `arena data import . {outside}` reads the speaker of 3 files that a scan does not read"
    assert note in arena("data scan .").stdout.splitlines()
    assert arena(f"data import . {outside} --yes").exit_code == 0


def test_a_folder_of_one_digit_says_it_by_its_own_name() -> None:
    speak("mine/nueve/ANA_F_01.wav", "mine/nueve/LUIS_F_01.wav")
    assert refusal("data scan mine/nueve").endswith(
        "`arena data import mine/nueve nueve-corpus` reads the digit of 2 files that a scan does not read"
    )
    assert arena("data import mine/nueve nueve-corpus --yes").exit_code == 0
    assert written("nueve-corpus") == ["9_ANA-F_1.wav", "9_LUIS-F_1.wav"]


def test_tiles_are_not_looked_for_among_recordings() -> None:
    speak("mine/7_ana_0.wav")
    assert refusal("train --tiles mine") == "mine holds recordings, no tiles; make some with `arena data prepare mine`"
