"""A contest pack: what students get tells no label, and what the host keeps tells them all."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from typer.testing import CliRunner

import arena.cli
from arena.base.install import build_wheel
from arena.base.project import read_project
from cnn.corpus.scan import scan
from cnn.errors import CorpusError, SplitError
from cnn.pack.audio import Disguise
from cnn.pack.handout import read_deadline
from cnn.pack.plan import PackPlan, PackSettings, plan_pack, speaker_key
from cnn.pack.write import write_pack
from leaderboard.files.solution import parse_solution
from support.tones import RATE_HZ, tone
from support.warm_python import WarmPython

TESTED = ("Zoë Quist", "wilhelmina", "xaver")
TRAINING = ("anna", "bert", "carl")
N_TAKES = 6


def write_telling(folder: Path) -> Path:
    """A corpus whose files tell their digit by length, size, time, title and order."""
    folder.mkdir()
    for digit in range(10):
        for number, name in enumerate((*TESTED, *TRAINING)):
            for take in range(N_TAKES if name in TESTED else 2):
                wave = np.resize(tone(digit, number, take), 1200 + 300 * digit)
                path = folder / f"{digit}_{name}_{take}.wav"
                with soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_16") as file:
                    file.title, file.comment = f"digit {digit}", name
                    file.write(wave)
                os.utime(path, (1e9 + 3600 * digit + take, 1e9 + 3600 * digit + take))
    return folder


def make_pack(folder: Path, out: Path, settings: PackSettings, with_zip: bool = False) -> PackPlan:
    plan = plan_pack(scan(folder), settings)
    write_pack(plan, out, with_zip=with_zip, advance=lambda n: None)
    return plan


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_telling(tmp_path_factory.mktemp("corpus") / "telling")


@pytest.fixture(scope="module")
def pack(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packs") / "pack"
    make_pack(corpus, out, PackSettings(test_speakers=TESTED, secret="a long secret"), with_zip=True)
    return out


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_labels(pack: Path) -> dict[str, str]:
    return {row["id"]: row["label"] for row in table(pack / "host" / "solution.csv")}


def outer_features(paths: list[Path]) -> np.ndarray:
    """Return all features of the files except their sound."""
    states = [path.stat() for path in paths]
    listed = [entry.name for entry in os.scandir(paths[0].parent)]
    rows = []
    for index, (path, state) in enumerate(zip(paths, states, strict=True)):
        letters = [ord(letter) for letter in f"{path.stem:<10}"[-10:]]
        head = list(path.read_bytes()[:44])
        times = [state.st_size, state.st_mtime, state.st_ino, state.st_mode, state.st_nlink]
        rows.append([index, listed.index(path.name), *times, *letters, *head])
    return np.array(rows, dtype=np.float64)


def guess_accuracy(features: np.ndarray, labels: list[str]) -> float:
    """Return the accuracy of a random forest on files that it did not learn from."""
    return float(cross_val_score(RandomForestClassifier(30, random_state=0), features, labels, cv=5).mean())


def test_nothing_about_a_test_file_but_its_sound_tells_the_digit(corpus: Path, pack: Path) -> None:
    before = sorted(path for path in corpus.iterdir() if path.stem.split("_")[1] in TESTED)
    assert guess_accuracy(outer_features(before), [path.name[0] for path in before]) > 0.9  # the forest would find it
    labels, paths = read_labels(pack), sorted((pack / "students" / "test").iterdir())
    chance, spread = 0.1, (0.1 * 0.9 / len(paths)) ** 0.5
    assert guess_accuracy(outer_features(paths), [labels[path.stem] for path in paths]) < chance + 4 * spread


def test_test_files_have_one_header_one_size_and_one_time_and_say_no_name(corpus: Path, pack: Path) -> None:
    paths = sorted((pack / "students" / "test").iterdir())
    contents = [path.read_bytes() for path in paths]
    assert len(paths) == 10 * len(TESTED) * N_TAKES
    assert len({content[:44] for content in contents}) == 1
    assert contents[0][36:40] == b"data"
    assert len({len(content) for content in contents}) == 1
    assert len({path.stat().st_mtime_ns for path in [*paths, pack / "students", pack / "students" / "train"]}) == 1
    secrets = [b"digit ", b"LIST", b"INAM", b".wav", *(name.encode() for name in TESTED)]
    secrets += [path.stem.encode() for path in corpus.iterdir()]
    for path, content in zip(paths, contents, strict=True):
        assert not [word for word in secrets if word in content]
        assert set(path.stem) <= set("bcdfghjkmnpqrstvwxz")


def test_nothing_that_is_handed_out_names_a_tested_speaker_or_holds_their_sound(corpus: Path, pack: Path) -> None:
    sounds = {soundfile.read(path)[0].tobytes() for path in corpus.iterdir() if path.stem.split("_")[1] in TESTED}
    train = list((pack / "students" / "train").iterdir())
    assert {path.stem.split("_")[1] for path in train} == set(TRAINING)
    assert len(train) == 10 * len(TRAINING) * 2
    for path in (path for path in (pack / "students").rglob("*") if path.is_file()):
        assert not [name for name in TESTED if name.encode() in path.read_bytes()]
        assert path.suffix != ".wav" or soundfile.read(path)[0].tobytes() not in sounds


def test_training_clips_keep_their_names_and_samples_and_lose_the_rest(corpus: Path, pack: Path) -> None:
    for path in (pack / "students" / "train").iterdir():
        np.testing.assert_array_equal(
            soundfile.read(path, dtype="int16")[0], soundfile.read(corpus / path.name, dtype="int16")[0]
        )
        assert path.read_bytes()[36:40] == b"data"


def test_the_archive_lists_files_by_name_with_one_time_and_no_compressed_size(pack: Path) -> None:
    with zipfile.ZipFile(pack / "students.zip") as archive:
        entries = archive.infolist()
        assert {entry.filename for entry in entries} == {
            path.relative_to(pack).as_posix() for path in (pack / "students").rglob("*") if path.is_file()
        }
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.compress_type, entry.extra, entry.comment) for entry in entries} == {
        ((2000, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, b"", b"")
    }


def test_the_first_command_of_the_readme_installs_the_wheel_that_is_handed_out(pack: Path) -> None:
    wheel = build_wheel()
    assert (pack / "students" / wheel.name).read_bytes() == wheel.content
    readme = (pack / "students" / "README.md").read_text(encoding="utf-8")
    assert f'## Begin\n\n    pip install "./{wheel.name}[train]" notebook\n' in readme


def test_the_readme_names_page_deadline_licence_and_sources_in_two_languages(corpus: Path, tmp_path: Path) -> None:
    own = write_telling(tmp_path / "corpus")
    about = {
        "title": "Telling Digits",
        "licence": "CC BY 4.0",
        "licence_url": "https://example.org/by",
        "citation": "Bell 1876.",
    }
    (own / "SOURCE.json").write_text(json.dumps(about), encoding="utf-8")
    given = {"address": "https://digits.example.org", "deadline": "2026-12-01T18:00+01:00"}
    make_pack(own, tmp_path / "pack", PackSettings(test_speakers=TESTED, **given))
    for name, licence in (("README.md", "Licence of the recordings"), ("LEEME.md", "Licencia de las grabaciones")):
        readme = (tmp_path / "pack" / "students" / name).read_text(encoding="utf-8")
        assert "<https://digits.example.org>" in readme
        assert "| 2026-12-01 18:00 (UTC+01:00), 2026-12-01 17:00 UTC |" in readme
        assert f"- {licence}: CC BY 4.0, https://example.org/by.\n" in readme
        assert ": Telling Digits. Bell 1876.\n" in readme
    make_pack(own, tmp_path / "other", PackSettings(test_speakers=TESTED, licence="CC0", sources="our class"))
    readme = (tmp_path / "other" / "students" / "README.md").read_text(encoding="utf-8")
    assert "recordings: CC0.\n- Sources: our class.\n" in readme
    assert "| Deadline | the contest's page shows it |" in readme
    with pytest.raises(SplitError, match="ISO 8601 with its offset"):
        read_deadline("2026-12-01 18:00")


def test_the_students_project_names_recordings_contest_and_split_and_a_teams_own_begins_with_it(
    corpus: Path, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_project(pack / "students" / "arena.toml").values == {"corpus": "train", "contest.clips": "test"}
    settings = PackSettings(test_speakers=("xaver", "wilhelmina", "Zoë Quist", "anna"), address="https://digits.example.org")
    make_pack(corpus, tmp_path / "pack", settings)
    monkeypatch.chdir(tmp_path / "pack" / "students")
    assert CliRunner().invoke(arena.cli.app, ["new", "team"]).exit_code == 0
    team = read_project(Path("team/arena.toml"))
    assert (team.text("corpus"), team.text("contest.clips"), team.page) == ("train", "test", "https://digits.example.org")
    assert team.settings["split.kind"] == "random"


def test_the_sample_submission_has_every_id_and_one_label(pack: Path) -> None:
    rows = table(pack / "students" / "sample_submission.csv")
    assert [row["id"] for row in rows] == sorted(read_labels(pack))
    assert {row["label"] for row in rows} == {"0"}


def test_the_hosts_files_are_closed_to_others_and_lead_back_to_the_recordings(corpus: Path, pack: Path) -> None:
    host = pack / "host"
    assert host.stat().st_mode & 0o777 == 0o700
    files = ("solution.csv", "mapping.csv", "pack.json")
    assert {path.name: path.stat().st_mode & 0o777 for path in host.iterdir()} == dict.fromkeys(files, 0o600) | {
        "hidden": 0o700
    }
    assert {path.stat().st_mode & 0o777 for path in (host / "hidden").iterdir()} == {0o600}
    truth = read_labels(pack)
    for row in table(host / "mapping.csv"):
        sound = soundfile.read(pack / "students" / "test" / f"{row['id']}.wav")[0]
        original = soundfile.read(corpus / row["recording"])[0]
        likeness = np.correlate(sound, original, "full").max() / np.sqrt((sound**2).sum() * (original**2).sum())
        assert likeness > 0.98
        assert truth[row["id"]] == row["label"] == row["recording"][0]


def test_the_solution_is_one_that_a_contest_takes_with_half_of_each_voice_and_digit_public(pack: Path) -> None:
    solution = parse_solution((pack / "host" / "solution.csv").read_bytes(), "solution.csv")
    assert solution.groups == tuple(sorted(TESTED))
    cells = Counter(zip(solution.group.tolist(), solution.truth.tolist(), solution.is_public.tolist(), strict=True))
    assert {n for (*_, is_public), n in cells.items() if is_public} == {N_TAKES // 2}
    assert int(solution.is_public.sum()) == len(solution.ids) // 2


def test_many_test_speakers_are_public_or_private_as_a_whole(corpus: Path) -> None:
    plan = plan_pack(scan(corpus), PackSettings(test_speakers=TESTED, usage="speaker"))
    by_speaker = {(row.clip.speaker, row.is_public) for row in plan.test}
    assert len(by_speaker) == len(TESTED)
    assert {is_public for _, is_public in by_speaker} == {True, False}


def test_the_same_secret_makes_the_same_pack_and_another_one_other_ids(corpus: Path, pack: Path, tmp_path: Path) -> None:
    make_pack(corpus, tmp_path / "same", PackSettings(test_speakers=TESTED, secret="a long secret"))
    for path in (path for path in (pack / "students").rglob("*") if path.is_file()):
        assert (tmp_path / "same" / path.relative_to(pack)).read_bytes() == path.read_bytes()
    first = plan_pack(scan(corpus), PackSettings(test_speakers=TESTED))
    assert not {row.id for row in first.test} & set(read_labels(pack))
    second = plan_pack(scan(corpus), PackSettings(test_speakers=TESTED))
    assert first.settings.secret != second.settings.secret


def test_the_hidden_part_is_the_test_clips_disguised_anew_unless_further_speakers_are_hidden(
    corpus: Path, pack: Path, tmp_path: Path
) -> None:
    hidden = table(pack / "host" / "hidden" / "mapping.csv")
    given = table(pack / "host" / "mapping.csv")
    assert sorted(row["recording"] for row in hidden) == sorted(row["recording"] for row in given)
    assert not {row["id"] for row in hidden} & {row["id"] for row in given}
    assert all(0.0249 <= abs(float(row["speed"]) - 1) <= 0.0501 for row in hidden)
    truth = {row["id"]: row["label"] for row in table(pack / "host" / "hidden" / "solution.csv")}
    assert truth == {row["id"]: row["recording"][0] for row in hidden}
    sizes = {path.stat().st_size for path in (pack / "host" / "hidden").glob("*.wav")}
    assert sizes == {path.stat().st_size for path in (pack / "students" / "test").iterdir()}

    plan = make_pack(corpus, tmp_path / "more", PackSettings(test_speakers=TESTED[:2], n_hidden_speakers=2))
    assert len(plan.hidden_speakers) == 2
    assert not {*plan.hidden_speakers} & {*plan.test_speakers, *plan.train_speakers}
    names = [path.name for path in (tmp_path / "more" / "students" / "train").iterdir()]
    assert not [name for name in names if name.split("_")[1] in plan.hidden_speakers]


def test_without_a_disguise_the_samples_stay_but_for_a_constant_offset(corpus: Path, tmp_path: Path) -> None:
    none = Disguise(gain_db=0, shift_ms=0, noise_db=0)
    plan = make_pack(corpus, tmp_path / "pack", PackSettings(test_speakers=("xaver",), disguise=none))
    for row in plan.test[:5]:
        sound = soundfile.read(tmp_path / "pack" / "students" / "test" / f"{row.id}.wav", dtype="int16")[0]
        original = soundfile.read(corpus / row.clip.path, dtype="int16")[0]
        start = np.correlate(sound.astype(float), original.astype(float)).argmax()
        difference = original - sound[start : start + len(original)]
        assert np.abs(difference - round(original.mean())).max() <= 1


def test_all_spellings_of_a_tested_speaker_are_held_out(tmp_path: Path) -> None:
    for take, name in enumerate(("Anna", "anna", "ANNA ", "bert", "01", "1")):
        for digit in range(2):
            soundfile.write(tmp_path / f"{digit}_{name}_{take}.wav", tone(digit, take, take), RATE_HZ)
    plan = plan_pack(scan(tmp_path), PackSettings(test_speakers=("anna", "001"), public=1))
    assert {speaker_key(clip.speaker) for clip in plan.train} == {"bert"}
    assert plan.test_speakers == ("01", "1", "ANNA")
    assert any("are taken for one speaker" in note for note in plan.notes)


def test_recordings_of_other_rates_channels_and_codings_become_one_format(tmp_path: Path) -> None:
    for digit in range(2):
        for number, name in enumerate(("anna", "bert")):
            first, second, third = (tone(digit, number, take) for take in range(3))
            soundfile.write(tmp_path / f"{digit}_{name}_0.wav", first, RATE_HZ)
            soundfile.write(tmp_path / f"{digit}_{name}_1.flac", np.stack([second, second / 2], 1), RATE_HZ)
            soundfile.write(tmp_path / f"{digit}_{name}_2.wav", third, 16_000, subtype="PCM_24")
    corpus = scan(tmp_path)
    plan = make_pack(tmp_path, tmp_path / "out" / "pack", PackSettings(test_speakers=("bert",), public=1, length_s=0.3))
    assert plan.usage == ""
    assert len(corpus.clips) == len(plan.train) + len(plan.test)
    for path in (tmp_path / "out" / "pack" / "students").rglob("*.wav"):
        facts = soundfile.info(path)
        assert (facts.format, facts.subtype, facts.samplerate, facts.channels) == ("WAV", "PCM_16", RATE_HZ, 1)
        assert path.parent.name == "train" or facts.frames == 2400
    assert "Usage" not in table(tmp_path / "out" / "pack" / "host" / "solution.csv")[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_speakers": ("xaverr",)}, "who speaks in no clip; did you mean 'xaver'"),
        ({"n_test_speakers": 3, "n_hidden_speakers": 3}, "3 hidden speakers leave none of 3 for training; hide fewer"),
        ({"n_test_speakers": 6}, "6 test speakers leave none of 6 for training"),
        ({"test_speakers": ("xaver",), "usage": "speaker"}, "needs at least 2 test speakers"),
        ({"n_test_speakers": 2, "test_speakers": ("xaver",)}, "give one of the two"),
        ({"n_test_speakers": 2, "public": 0}, "--public is a share"),
        ({"test_speakers": ("xaver",), "public": 0.01}, "no public row is"),
    ],
)
def test_what_cannot_be_held_out_is_refused_with_what_to_do(corpus: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        plan_pack(scan(corpus), PackSettings(**settings))  # type: ignore[arg-type]


def test_a_pack_is_there_as_a_whole_or_not_at_all_and_never_overwritten(tmp_path: Path) -> None:
    folder = write_telling(tmp_path / "corpus")
    plan = plan_pack(scan(folder), PackSettings(test_speakers=TESTED))
    (folder / plan.test[-1].clip.path).unlink()
    with pytest.raises(CorpusError, match="cannot be opened"):
        write_pack(plan, tmp_path / "pack", with_zip=False, advance=lambda n: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus"]
    (tmp_path / "pack").mkdir()
    with pytest.raises(CorpusError, match="no pack is overwritten"):
        write_pack(plan, tmp_path / "pack", with_zip=False, advance=lambda n: None)


def test_a_dry_run_tells_and_writes_nothing(corpus: Path, tmp_path: Path) -> None:
    words = ["contest", "pack", str(corpus), "--n-test-speakers", "2", "--out", str(tmp_path / "pack")]
    done = CliRunner().invoke(arena.cli.app, [*words, "--cache", str(tmp_path / "cache"), "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert (facts["is_written"], len(facts["test_speakers"]), facts["usage"]) == (False, 2, "row")
    assert facts["n_train"] + facts["n_test"] == 10 * (len(TESTED) * N_TAKES + len(TRAINING) * 2)
    assert not (tmp_path / "pack").exists()


def test_the_starter_runs_and_writes_a_submission_that_the_contest_takes(
    pack: Path, tmp_path: Path, warm_python: WarmPython
) -> None:
    notebook = json.loads((pack / "students" / "starter.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    for name in ("train", "test", "sample_submission.csv", "arena.toml"):
        (tmp_path / name).symlink_to(pack / "students" / name)
    (tmp_path / "cnn.py").write_text("raise SystemExit('a file of the student's own')\n")
    script = code.replace("EPOCHS = 8", "EPOCHS = 1")
    done = warm_python.run("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["id"] for row in table(tmp_path / "submission.csv")} == set(read_labels(pack))
    assert f"submission.csv can be sent: {len(read_labels(pack))} rows, with probabilities" in done.stdout
