"""One recording on both sides of a split, whatever was done to it; takes of one word are not one; one voice under two names."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import arena.cli
from cnn.corpus.scan import Clip, scan
from cnn.errors import SplitError
from cnn.pack.fingerprints import Fingerprint, compute_fingerprint
from cnn.pack.near_duplicates import SAME_RECORDING_FROM, compute_similarity, find_near_duplicates, match_recordings
from cnn.pack.plan import PackSettings, plan_pack
from cnn.processes import WorkOptions
from cnn.speakers.voices import MIN_CLIPS
from support.paths import ROOT
from support.voices import RATE_HZ, Wave, synthesise_word

FSDD = ROOT.parent / "shared" / "corpora" / "fsdd" / "recordings"


def fingerprint(wave: Wave, folder: Path, rate_hz: int = RATE_HZ) -> Fingerprint:
    soundfile.write(folder / "one.wav", np.clip(wave, -1, 1), rate_hz, subtype="PCM_16")
    return compute_fingerprint(folder / "one.wav")


def encode(wave: Wave, form: str, subtype: str) -> Wave:
    held = io.BytesIO()
    soundfile.write(held, wave, RATE_HZ, format=form, subtype=subtype)
    held.seek(0)
    decoded: Wave = soundfile.read(held, dtype="float32")[0]
    return decoded


def add_noise(wave: Wave) -> Wave:
    return wave + np.random.default_rng(0).normal(0, float(wave.std()) / 10, len(wave))


CHANGES: dict[str, Callable[[Wave], Wave]] = {
    "itself": lambda wave: wave,
    "quieter": lambda wave: 0.2 * wave,
    "upside down": lambda wave: -wave,
    "silence around it": lambda wave: np.pad(wave, (3000, 1500)),
    "a fifth cut off": lambda wave: wave[len(wave) // 5 :],
    "noise, 20 dB": add_noise,
    "MP3": lambda wave: encode(wave, "MP3", "MPEG_LAYER_III"),
    "GSM": lambda wave: encode(wave, "WAV", "GSM610"),
    "cut and coded": lambda wave: 0.5 * encode(wave[: -len(wave) // 4], "OGG", "VORBIS"),
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Fingerprint]:
    """Takes of all digits by other speakers."""
    folder = tmp_path_factory.mktemp("others")
    return [fingerprint(synthesise_word(speaker, digit, 0), folder) for speaker in range(1, 5) for digit in range(10)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_recording_is_found_again_whatever_was_done_to_it(change: str, others: list[Fingerprint], tmp_path: Path) -> None:
    wave = synthesise_word(0, 3, 0)
    train = [*others, fingerprint(wave, tmp_path), *others]
    matches = match_recordings(train, [fingerprint(CHANGES[change](wave), tmp_path)], lambda n: None)
    assert [(i, j) for i, j, _ in matches] == [(0, len(others))]
    assert matches[0][2] >= SAME_RECORDING_FROM


def test_a_recording_at_another_rate_is_found_again(others: list[Fingerprint], tmp_path: Path) -> None:
    wave = synthesise_word(0, 3, 0)
    finer = np.interp(np.arange(len(wave) * 6) / 6, np.arange(len(wave)), wave)
    matches = match_recordings([*others, fingerprint(wave, tmp_path)], [fingerprint(finer, tmp_path, 48_000)], lambda n: None)
    assert [j for _, j, _ in matches] == [len(others)]


def test_two_cuts_of_one_recording_are_found_by_what_they_share(others: list[Fingerprint], tmp_path: Path) -> None:
    wave = synthesise_word(0, 3, 0)
    early, late = wave[: -len(wave) // 6], wave[len(wave) // 6 :]
    matches = match_recordings([*others, fingerprint(early, tmp_path)], [fingerprint(late, tmp_path)], lambda n: None)
    assert [j for _, j, _ in matches] == [len(others)]


def test_takes_of_one_word_are_not_one_recording(others: list[Fingerprint], tmp_path: Path) -> None:
    takes = [fingerprint(synthesise_word(0, digit, take), tmp_path) for digit in range(10) for take in (1, 2)]
    assert match_recordings(others, takes, lambda n: None) == []
    assert match_recordings(takes[::2], takes[1::2], lambda n: None) == []


def test_similarity_is_symmetric_and_silence_matches_nothing(others: list[Fingerprint], tmp_path: Path) -> None:
    first, second = others[0].wave, others[1].wave
    assert compute_similarity(first, second) == pytest.approx(compute_similarity(second, first))
    assert compute_similarity(first, first) == pytest.approx(1)
    silent = [fingerprint(np.zeros(n), tmp_path) for n in (1, 100, 4000)]
    assert match_recordings([*others, *silent], silent, lambda n: None) == []


@pytest.mark.parametrize("rate_hz", [4000, 11_025, 44_100, 192_000])
def test_any_rate_and_length_has_a_fingerprint(rate_hz: int, tmp_path: Path) -> None:
    for length_s in (0.001, 0.3, 3):
        wave = np.random.default_rng(0).normal(0, 0.1, max(1, int(rate_hz * length_s)))
        result = fingerprint(wave, tmp_path, rate_hz)
        assert np.isfinite(result.edges).all()
        assert result.edges.shape[0] == 20
        assert np.linalg.norm(result.edges.astype(np.float64)) <= 1.001
        assert len(result.wave) <= 6001


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people; `eve` is `ann` under another name, and two recordings of `dan` stand under `bob` as well."""
    folder = tmp_path_factory.mktemp("mixed")
    people = {"ann": 0, "bob": 1, "cleo": 2, "dan": 3, "eve": 0}
    for number, name in enumerate(people):
        for digit in range(10):
            for take in range(4):
                wave = synthesise_word(people[name], digit, 10 * number + take)
                soundfile.write(folder / f"{digit}_{name}_{take}.wav", wave, RATE_HZ, subtype="PCM_16")
    for digit in (4, 7):
        wave = soundfile.read(folder / f"{digit}_dan_0.wav", dtype="float32")[0]
        soundfile.write(folder / f"{digit}_bob_9.wav", 0.5 * wave[300:], RATE_HZ, subtype="PCM_16")
    return folder


def split_by_speaker(folder: Path, tested: set[str]) -> tuple[list[Clip], list[Clip]]:
    clips = scan(folder, WorkOptions(n_jobs=1)).clips
    return [clip for clip in clips if clip.speaker not in tested], [clip for clip in clips if clip.speaker in tested]


def test_what_both_sides_have_in_common_is_found_by_clip_and_by_voice(mixed: Path) -> None:
    train, test = split_by_speaker(mixed, {"dan", "eve"})
    steps: list[int] = []
    matches = find_near_duplicates(mixed, train, test, steps.append)
    assert [(pair.test.id, pair.train.id) for pair in matches.pairs] == [("4_dan_0", "4_bob_9"), ("7_dan_0", "7_bob_9")]
    assert [(voice.first, voice.second) for voice in matches.voices] == [("eve", "ann")]
    assert sum(steps) == len(train) + 2 * len(test)


def test_few_clips_of_a_voice_say_nothing(mixed: Path) -> None:
    train, test = split_by_speaker(mixed, {"eve"})
    assert find_near_duplicates(mixed, train, test[: MIN_CLIPS - 1], lambda n: None).voices == ()


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(arena.cli.app, ["contest", "pack", *words])
    return done.exit_code, done.stdout, done.stderr


def test_a_pack_tells_leaves_out_or_does_not_look(mixed: Path, tmp_path: Path) -> None:
    words = [str(mixed), "--test-speakers", "dan,eve", "--secret", "x", "--cache", str(tmp_path / "cache"), "--jobs", "1"]
    code, out, err = run(*words, "--out", str(tmp_path / "a"), "--dry-run", "--json")
    assert code == 0, err
    assert "2 test clips are training recordings too: 4_dan_0.wav is 4_bob_9.wav (0." in err
    assert "`--alike leave-out` leaves them out of the pack" in err
    assert "test speaker eve sounds like training speaker ann (distance 0." in err
    facts = json.loads(out)
    assert (facts["n_test"], facts["left_out"]) == (80, [])
    assert [pair["train"] for pair in facts["alike"]["recordings"]] == ["4_bob_9.wav", "7_bob_9.wav"]

    code, out, err = run(*words, "--out", str(tmp_path / "b"), "--alike", "leave-out", "--json")
    assert code == 0, err
    assert "; left out" in err
    facts = json.loads(out)
    assert (facts["n_test"], facts["left_out"]) == (78, ["4_dan_0.wav", "7_dan_0.wav"])
    assert len(list((tmp_path / "b" / "students" / "test").iterdir())) == 78
    stored = json.loads((tmp_path / "b" / "host" / "pack.json").read_text())
    assert (stored["left_out"], stored["alike"]) == (facts["left_out"], facts["alike"])
    recordings = (tmp_path / "b" / "host" / "mapping.csv").read_text()
    assert "4_dan_0.wav" not in recordings
    assert "4_dan_1.wav" in recordings

    only_eve = ["--test-speakers", "eve", "--out", str(tmp_path / "c"), "--dry-run"]
    code, out, err = run(words[0], *only_eve, *words[3:])
    assert code == 0, err
    assert "no test clip was found among the training recordings" in err

    code, out, err = run(*words, "--out", str(tmp_path / "c"), "--alike", "off", "--dry-run", "--json")
    assert (code, "training recording" in err, json.loads(out)["alike"]) == (0, False, None)


def test_a_pack_of_which_nothing_is_left_is_refused(mixed: Path) -> None:
    corpus = scan(mixed, WorkOptions(n_jobs=1))
    settings = PackSettings(test_speakers=("dan",), secret="x")
    everything = {row.clip.id for row in plan_pack(corpus, settings).test}
    with pytest.raises(SplitError, match="every test clip is a training recording too"):
        plan_pack(corpus, settings, everything)


@pytest.mark.skipif(not FSDD.is_dir(), reason="needs the recordings of FSDD")
def test_real_recordings_of_other_speakers_are_never_taken_for_one() -> None:
    paths = sorted(path for path in FSDD.iterdir() if path.stem.split("_")[2] in ("0", "25"))
    prints = {path: compute_fingerprint(path) for path in paths}
    test = [path for path in paths if path.stem.split("_")[1] == "theo"]
    train = [path for path in paths if path not in test]
    assert len(train) == 100
    assert match_recordings([prints[path] for path in train], [prints[path] for path in test], lambda n: None) == []
    both = [prints[path] for path in (*train, test[0])]
    assert [j for _, j, _ in match_recordings(both, [prints[path] for path in test], lambda n: None)] == [100]
