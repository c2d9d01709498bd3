"""Synthetic speech: the same bytes from the same seed, voices that differ, and nothing half-written."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from arena.base.install import install_command
from cnn.collect.espeak import Utterance, speak
from cnn.collect.synth import SynthSettings, plan_clips, synthesise
from cnn.collect.voices import draw_voices
from cnn.corpus.balance import measure_balance
from cnn.corpus.scan import scan
from cnn.errors import CorpusError
from support.paths import ROOT

SMALL = SynthSettings(clips=66, speakers=6, languages=("en", "es"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("synth") / "small"
    assert synthesise(folder, SMALL)
    return folder


def test_equal_settings_give_equal_bytes_in_another_process(small: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cnn.collect.synth import *;"
        "synthesise(Path(sys.argv[1]), SynthSettings(clips=66, speakers=6, languages=('en', 'es')))"
    )
    root = ROOT
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "again")], check=True, cwd=root, env={"LONG": "x" * 9999})
    assert files(tmp_path / "again") == files(small)


def test_every_voice_that_can_be_drawn_repeats_itself_byte_for_byte() -> None:
    pytest.importorskip("espeakng_loader")
    voices = draw_voices(400, ("en",), 0)
    names = {voice.name.partition("+")[2]: voice.name for voice in voices}
    assert len(names) > 50
    utterances = [
        Utterance(voice=name, text=text, words_per_minute=160, pitch=45, pitch_range=55)
        for name in names.values()
        for text in ("six.", "seven!")
    ]
    runs = []
    for _ in range(2):
        with speak(utterances) as samples:
            runs.append([wave.tobytes() for wave in samples])
    assert [utterance.voice for utterance, first, second in zip(utterances, *runs, strict=True) if first != second] == []


def test_another_seed_gives_other_voices_and_sounds(small: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "other", SynthSettings(clips=66, speakers=6, languages=("en", "es"), seed=1))
    first, second = scan(small), scan(tmp_path / "other")
    assert not {clip.audio_digest for clip in first.clips} & {clip.audio_digest for clip in second.clips}
    assert first.speakers != second.speakers


def test_the_corpus_has_audiomnist_layout_and_says_that_it_is_synthetic(small: Path) -> None:
    corpus = scan(small)
    facts = measure_balance(corpus)
    assert [clip.id for clip in corpus.clips][:3] == ["01/0_01_0", "01/0_01_1", "01/1_01_0"]
    assert (facts.n_clips, facts.n_speakers, facts.rates_hz, facts.channels) == (66, 6, {16_000: 66}, {1: 66})
    assert (corpus.problems, corpus.notes, facts.flags, facts.missing_by_speaker) == ((), (), {}, {})
    assert set(corpus.speakers) == {f"{n:02}" for n in range(1, 7)}
    assert all("synthetic voice" in about["origin"] for about in corpus.speakers.values())
    assert Counter(about["gender"] for about in corpus.speakers.values()) == {"female": 4, "male": 2}
    assert 0.2 < facts.length_s["shortest"] < facts.length_s["longest"] < 1.5


def test_takes_are_shared_out_fairly() -> None:
    for n_clips in (60, 61, 66, 119, 125, 600):
        plan = plan_clips(SynthSettings(clips=n_clips, speakers=6))
        of_pair = Counter((clip.voice.speaker, clip.digit) for clip in plan)
        of_digit = Counter(clip.digit for clip in plan)
        assert (len(plan), len({clip.path for clip in plan})) == (n_clips, n_clips)
        assert max(of_pair.values()) - min(of_pair.values()) <= 1
        assert max(of_digit.values()) - min(of_digit.values()) <= 2


def test_no_two_speakers_share_variant_and_accent() -> None:
    for languages in (("en",), ("es",), ("en", "es")):
        voices = draw_voices(60, languages, 3)
        assert len({voice.name for voice in voices}) == 60
        assert {voice.language for voice in voices} == set(languages)
        genders = Counter(voice.gender for voice in voices)
        assert genders["female"] >= 20


def test_takes_of_one_word_differ_and_stay_in_range(small: Path) -> None:
    clips = [clip for clip in scan(small).clips if clip.label == "0" and clip.speaker == "01"]
    assert len({clip.audio_digest for clip in clips}) == len(clips) == 2
    assert all(10 ** (-30 / 20) < clip.peak < 10 ** (-0.5 / 20) for clip in scan(small).clips)


def test_the_same_corpus_is_answered_at_once_and_any_other_folder_is_left_alone(small: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert not synthesise(small, SMALL)
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before
    (tmp_path / "mine.txt").write_text("mine")
    cases = [
        (
            small,
            SynthSettings(clips=66, speakers=6),
            "holds a corpus of other settings (synth.json says which); give a new folder",
        ),
        (tmp_path, SMALL, "is not empty and no corpus of `arena data synth`; give a new folder"),
        (tmp_path / "mine.txt", SMALL, "is a file, or lies in one; give a new folder"),
    ]
    for folder, settings, message in cases:
        with pytest.raises(CorpusError) as refused:
            synthesise(folder, settings)
        assert str(refused.value) == f"{folder} {message}"
    assert files(tmp_path) == {"mine.txt": b"mine"}


def test_a_corpus_that_lost_clips_is_not_taken_for_whole(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    settings = SynthSettings(clips=3, speakers=3)
    synthesise(tmp_path / "c", settings)
    next((tmp_path / "c").glob("*/*.wav")).unlink()
    with pytest.raises(CorpusError) as refused:
        synthesise(tmp_path / "c", settings)
    assert str(refused.value) == f"{tmp_path / 'c'} holds 2 of its 3 clips; remove it and make it again"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    (tmp_path / "c").mkdir()
    assert synthesise(tmp_path / "c", SynthSettings(clips=2, speakers=2))
    assert (tmp_path / "c" / "01" / "0_01_0.wav").exists()


def test_what_a_kill_left_is_cleared_away(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    (tmp_path / ".c.part" / "99").mkdir(parents=True)
    synthesise(tmp_path / "c", SynthSettings(clips=2, speakers=2))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert not (tmp_path / "c" / "99").exists()


def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")

    def interrupted(_n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise(tmp_path / "c", SynthSettings(clips=20, speakers=2), interrupted)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CorpusError) as refused:
        synthesise(tmp_path / "file" / "c", SMALL)
    assert str(refused.value) == f"{tmp_path / 'file' / 'c'} is a file, or lies in one; give a new folder"
    with pytest.raises(CorpusError) as refused:
        synthesise(Path("/proc/c"), SMALL)  # read-only for everyone, root too
    assert str(refused.value) == "cannot write /proc/c: No such file or directory; free some space or choose another folder"


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
    try:
        with pytest.raises(CorpusError) as refused:
            synthesise(tmp_path / "c", SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(refused.value) == f"cannot write {tmp_path / 'c'}: File too large; free some space or choose another folder"
    assert list(tmp_path.iterdir()) == []


def test_without_the_synthesiser_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(CorpusError) as refused:
        synthesise(tmp_path / "c", SMALL)
    assert str(refused.value) == f"synthetic speech needs eSpeak NG: {install_command('speech')}"
    assert list(tmp_path.iterdir()) == []


def test_a_voice_that_does_not_exist_is_named() -> None:
    pytest.importorskip("espeakng_loader")
    nobody = Utterance(voice="xx-nobody", text="one", words_per_minute=160, pitch=50, pitch_range=50)
    with pytest.raises(CorpusError) as refused, speak([nobody]) as samples:
        next(samples)
    assert str(refused.value) == (
        "eSpeak NG failed: RuntimeError: there is no voice 'xx-nobody'; "
        "reinstall it: pip install --force-reinstall espeakng-loader"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"languages": ("fr",)}, "--language is en or es, or both as en,es, not 'fr'"),
        ({"languages": ("en", "en")}, "--language is en or es, or both as en,es, not 'en,en'"),
        ({"languages": ("",)}, "--language is en or es, or both as en,es, not ''"),
        (
            {"clips": 5, "speakers": 6},
            "--n-clips lies between the number of speakers, at least 1, and 1000000; not 5 clips of 6 speakers",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(CorpusError) as refused:
        SynthSettings(**settings)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_more_speakers_than_voices_are_refused() -> None:
    with pytest.raises(CorpusError) as refused:
        plan_clips(SynthSettings(speakers=500, languages=("es",)))
    assert str(refused.value) == "--n-speakers is at most 110 for --language es, not 500"


def test_clips_of_one_speaker_sound_alike(small: Path) -> None:
    """The nearest clip by mean spectrum is more often one of the same speaker than chance, 1 in 6."""
    import soundfile

    clips = scan(small).clips
    spectra = []
    for clip in clips:
        samples, _ = soundfile.read(small / clip.path)
        frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256] * np.hanning(512)
        spectrum = np.log(np.abs(np.fft.rfft(frames)).mean(axis=0) + 1e-6)
        spectra.append(spectrum - spectrum.mean())
    distance = np.linalg.norm(np.array(spectra)[:, None] - np.array(spectra)[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    same = [clips[i].speaker == clips[int(j)].speaker for i, j in enumerate(distance.argmin(axis=1))]
    assert np.mean(same) > 0.5


def test_the_metadata_file_is_json_with_one_object_for_each_speaker(small: Path) -> None:
    content = json.loads((small / "audioMNIST_meta.txt").read_text())
    assert sorted(content) == [f"{n:02}" for n in range(1, 7)]
    assert set(content["01"]) == {"accent", "gender", "native speaker", "origin", "recordingroom"}
