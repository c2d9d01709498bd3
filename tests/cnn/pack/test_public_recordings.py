"""Recordings that others have too: the attack that finds the labels of a pack of them, and the warning before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from cnn.corpus.scan import scan
from cnn.pack import public_corpora
from cnn.pack.fingerprints import compute_fingerprint
from cnn.pack.near_duplicates import match_recordings
from cnn.pack.plan import PackSettings, plan_pack
from cnn.pack.public_corpora import describe_publicity, write_known
from cnn.pack.write import write_pack
from support.paths import ROOT
from support.tones import write_tones
from support.voices import write_words

FSDD = ROOT.parent / "shared" / "corpora" / "fsdd" / "recordings"
TAKES = ("0", "1")


@pytest.fixture(params=["words", "fsdd"])
def public(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A corpus that an attacker has too, and whom a pack tests."""
    folder = tmp_path / "public"
    if request.param == "words":
        for voice, name in enumerate(("ann", "bob", "cleo")):
            write_words(folder, name, voice, "0123456789", range(len(TAKES)))
        return folder, "cleo"
    if not FSDD.is_dir():
        pytest.skip("needs the recordings of FSDD")
    folder.mkdir()
    for path in FSDD.iterdir():
        if path.stem.split("_")[2] in TAKES:
            (folder / path.name).symlink_to(path)
    return folder, "theo"


def find_labels(known: list[Path], clips: list[Path]) -> dict[str, str]:
    """Return the label of the known recording that each clip is found to be, as an attacker would."""
    prints = [compute_fingerprint(path) for path in (*known, *clips)]
    matches = match_recordings(prints[: len(known)], prints[len(known) :], lambda n: None)
    return {clips[index].stem: known[other].name[0] for index, other, _ in matches}


def read_labels(path: Path) -> dict[str, str]:
    return dict(line.split(",")[:2] for line in path.read_text().splitlines()[1:])  # type: ignore[misc]


def test_whoever_has_the_recordings_finds_the_given_clips_and_not_the_hidden_ones(
    public: tuple[Path, str], tmp_path: Path
) -> None:
    folder, tested = public
    plan = plan_pack(scan(folder), PackSettings(test_speakers=(tested,), public=1))
    write_pack(plan, tmp_path / "pack", with_zip=False, advance=lambda n: None)
    host, given = tmp_path / "pack" / "host", tmp_path / "pack" / "students" / "test"
    known = sorted(folder.iterdir())
    answers, truth = find_labels(known, sorted(given.iterdir())), read_labels(host / "solution.csv")
    assert {name: truth[name] for name in answers} == answers
    assert len(answers) >= 0.9 * len(truth)
    hidden = find_labels(known, sorted((host / "hidden").glob("*.wav")))
    assert len(hidden) <= 0.1 * len(truth)


@pytest.mark.skipif(not FSDD.is_dir(), reason="needs the recordings of FSDD")
def test_a_pack_of_public_recordings_says_so_whatever_they_are_called(tmp_path: Path) -> None:
    for number, path in enumerate(sorted(FSDD.iterdir())[:3]):
        (tmp_path / f"{number}_someone_{number}.wav").symlink_to(path)
    (sentence,) = describe_publicity(scan(tmp_path))
    assert sentence.startswith("3 of 3 recordings are of the Free Spoken Digit Dataset, which is public")


def test_recordings_that_nobody_has_are_not_called_public(tmp_path: Path) -> None:
    assert describe_publicity(scan(write_tones(tmp_path / "own", 1))) == []


def test_a_public_corpus_is_known_by_its_digests_and_by_what_fetched_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = scan(write_tones(tmp_path / "tones", 2))
    monkeypatch.setattr(public_corpora, "_FOLDER", tmp_path)
    monkeypatch.setattr(public_corpora, "KNOWN", {"tones": "Tones"})
    assert write_known("tones", corpus) == len(corpus.clips)
    assert describe_publicity(corpus)[0].startswith(f"{len(corpus.clips)} of {len(corpus.clips)} recordings are of Tones")
    write_known("tones", scan(write_tones(tmp_path / "fewer", 1, 1)))
    (corpus.folder / "SOURCE.json").write_text('{"title": "Spoken Tones"}')
    assert "of Tones" in describe_publicity(corpus)[0]
    (tmp_path / "tones.bin").write_bytes(b"")
    assert describe_publicity(corpus)[0].startswith("the recordings are of Spoken Tones, which is public (SOURCE.json)")


@pytest.mark.parametrize(
    ("content", "is_told"),
    [('{"seed": 0}', True), ('{"seed": 18446744073709551615}', True), (f'{{"seed": {1 << 128}}}', False)],
)
def test_synthetic_recordings_of_a_seed_that_can_be_guessed_are_told(tmp_path: Path, content: str, is_told: bool) -> None:
    folder = write_tones(tmp_path / "tones", 2)
    (folder / "synth.json").write_text(content)
    sentences = describe_publicity(scan(folder))
    assert [sentence for sentence in sentences if "`arena data synth --for-contest`" in sentence] == sentences
    assert bool(sentences) == is_told


def test_synthetic_recordings_for_a_contest_have_a_seed_that_nobody_guesses(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    words = ["data", "synth", "--n-clips", "20", "--n-speakers", "2", "--for-contest"]
    seeds = []
    for name in ("a", "b"):
        done = CliRunner().invoke(arena.cli.app, [*words, str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert "holds the secret seed" in done.stderr
        seeds.append(json.loads((tmp_path / name / "synth.json").read_text())["seed"])
    assert min(seeds) >= 1 << 128
    assert seeds[0] != seeds[1]
    assert describe_publicity(scan(tmp_path / "a")) == []
    assert CliRunner().invoke(arena.cli.app, [*words, "--seed", "3", str(tmp_path / "c")]).exit_code == 2
