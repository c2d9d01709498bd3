"""Several corpora as one: names that say whose a clip is, one copy of each sound, and the same digits everywhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import soundfile

from cnn.cli.data import ScanOptions, say_left_out, scan_together
from cnn.corpus.join import join_corpora, name_corpora
from cnn.corpus.scan import Corpus, scan
from cnn.errors import CorpusError
from cnn.settings.split import SplitSettings
from cnn.settings.tiles import TileSettings
from cnn.speakers.doubts import SpeakerDoubts, describe_doubts
from cnn.splits import make_split
from cnn.tiles.find import find_folder
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import find_tiles, open_tiles
from support.tones import RATE_HZ, tone, write_tones


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Three speakers and two, ann and bob in both, who say other sounds."""
    home = tmp_path_factory.mktemp("corpora")
    first, second = write_tones(home / "first", 1, 3), home / "deep" / "second" / "recordings"
    second.mkdir(parents=True)
    for digit in range(10):
        for number, name in enumerate(("ann", "bob")):
            soundfile.write(second / f"{digit}_{name}_0.wav", tone(digit, number, 9), RATE_HZ, subtype="PCM_16")
    return first, second


def join(*folders: Path, names: tuple[str, ...] = ()) -> Corpus:
    return join_corpora([scan(folder) for folder in folders], name_corpora(folders, names))


def test_clips_and_speakers_carry_their_corpus(folders: tuple[Path, Path]) -> None:
    corpus = join(*folders)
    assert corpus.name == "first + second"
    assert {clip.speaker for clip in corpus.clips} == {"first/ann", "first/bob", "first/cleo", "second/ann", "second/bob"}
    assert len({clip.id for clip in corpus.clips}) == 50
    assert [clip.id for clip in corpus.clips] == sorted(clip.id for clip in corpus.clips)
    assert all((corpus.folder / clip.path).is_file() for clip in corpus.clips)
    assert corpus.parts == {"first": folders[0], "second": folders[1]}
    assert corpus.digest == join(*folders[::-1]).digest


def test_a_name_in_two_corpora_may_be_one_person_who_trains_and_is_tested(folders: tuple[Path, Path], tmp_path: Path) -> None:
    doubts = join(*folders).doubts
    assert doubts.namesakes == (("first/ann", "second/ann"), ("first/bob", "second/bob"))
    assert describe_doubts(doubts)[0] == (
        "names in more corpora than one: first/ann and second/ann; first/bob and second/bob; "
        "if they are one person, bring the folders into one corpus with `arena data import`"
    )
    assert doubts.are_apart([{"first/ann"}, {"second/ann"}])
    numbered = [tmp_path / name for name in ("one", "two")]
    for folder, source in zip(numbered, folders, strict=True):
        folder.mkdir()
        for path in source.glob("*_ann_*.wav"):
            shutil.copy(path, folder / path.name.replace("ann", "s01"))
    assert join(*numbered).doubts.namesakes == ()  # s01 of two corpora is seldom one person


def test_names_are_given_where_those_of_the_folders_agree(folders: tuple[Path, Path], tmp_path: Path) -> None:
    twin = shutil.copytree(folders[1], tmp_path / "first")
    with pytest.raises(CorpusError) as error:
        join(folders[0], twin)
    assert str(error.value) == (
        f"{folders[0]} and {twin} would both be the corpus 'first'; name all corpora in their order: --name A --name B"
    )
    assert set(join(folders[0], twin, names=("a", "b")).parts) == {"a", "b"}


@pytest.mark.parametrize(
    ("n", "names", "reason"),
    [
        (2, ["a"], "--name tells several corpora apart, one for each in their order, not 2 folders and 1 name; give as many"),
        (1, ["a"], "--name tells several corpora apart, one for each in their order, not 1 folder and 1 name; give as many"),
        (2, ["a,b", "c"], "a corpus's name is of letters, digits, points, hyphens and underscores, not 'a,b' (one)"),
        (2, ["a/b", "c"], "a corpus's name is of letters, digits, points, hyphens and underscores, not 'a/b' (one)"),
    ],
)
def test_names_that_cannot_tell_corpora_apart_are_refused(n: int, names: list[str], reason: str) -> None:
    with pytest.raises(CorpusError, match="^" + re.escape(reason)):
        name_corpora([Path("one"), Path("two")][:n], names)


def test_a_sound_in_two_corpora_stays_in_one_and_its_speakers_are_doubted(folders: tuple[Path, Path], tmp_path: Path) -> None:
    other = shutil.copytree(folders[1], tmp_path / "third")
    shutil.copy(folders[0] / "7_cleo_0.wav", other / "7_ann_4.wav")
    corpus = join(folders[0], other)
    assert [(p.path, p.reason) for p in corpus.problems] == [("third/7_ann_4", "is the same sound as first/7_cleo_0")]
    assert ("first/cleo", "third/ann") in corpus.doubts.alike
    with pytest.raises(CorpusError, match=r"every recording of .*copy stands in another of these corpora, too; leave it out"):
        join(folders[0], shutil.copytree(folders[0], tmp_path / "zcopy"))


def test_a_sound_under_two_digits_is_told(folders: tuple[Path, Path], tmp_path: Path) -> None:
    other = shutil.copytree(folders[1], tmp_path / "third")
    shutil.copy(folders[0] / "7_cleo_0.wav", other / "4_ann_4.wav")
    reason = "is the same sound as first/7_cleo_0, yet labelled 4 and not 7: one label is wrong"
    assert [(p.path, p.reason) for p in join(folders[0], other).problems] == [("third/4_ann_4", reason)]


def test_copies_beyond_the_first_are_listed_by_a_command_that_sees_both_corpora(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(folders[1], tmp_path / "the third")
    for digit in range(6):
        shutil.copy(folders[0] / f"{digit}_cleo_0.wav", other)
    say_left_out(join(folders[0], other, names=("a", "b")))
    command = f"arena data card {folders[0]} '{other}' --name a --name b"
    assert capsys.readouterr().err.splitlines()[-1] == f"left out: 1 more; `{command}` lists them"


def test_who_speaks_in_copies_alone_is_neither_counted_nor_doubted(folders: tuple[Path, Path], tmp_path: Path) -> None:
    other = shutil.copytree(folders[1], tmp_path / "third")
    shutil.copy(folders[0] / "7_cleo_0.wav", other / "7_zed_0.wav")
    assert scan(other).doubts.single_digit == ("zed",)
    doubts = join(folders[0], other).doubts
    assert (doubts.n_speakers, doubts.single_digit) == (5, ())
    assert "third/zed" not in {name for group in doubts.alike for name in group}


def test_corpora_say_the_same_digits(folders: tuple[Path, Path], tmp_path: Path) -> None:
    few = shutil.copytree(folders[1], tmp_path / "few")
    for path in few.glob("[37]_*"):
        path.unlink()
    with pytest.raises(CorpusError, match=r"same digits, and nobody in few says 3, 7: .*; leave few out, or record more"):
        join(folders[0], few)
    for digit in "37":
        shutil.copy(folders[0] / f"{digit}_cleo_0.wav", few)
    with pytest.raises(CorpusError, match=r"nobody in b says 3, 7 but in recordings that stand in another of them, too:"):
        join(folders[0], few, names=("a", "b"))


def test_tiles_of_several_know_their_corpora_and_those_of_one_do_not(folders: tuple[Path, Path], tmp_path: Path) -> None:
    settings = TileSettings(size=32)
    tiles = prepare(join(*folders), settings, tmp_path)
    assert tiles.data.corpora == ("first", "second")
    assert {clip.corpus for clip in tiles.clips} == {"first", "second"}
    assert tiles.corpus_folders == tuple(map(str, folders))
    split = make_split(tiles.clips, SplitSettings(test_corpus="second"))
    assert {tiles.clips[index].corpus for index in (*split.val, *split.test)} == {"second"}
    alone = prepare(scan(folders[0]), settings, tmp_path)
    assert (alone.data.corpora, alone.corpora, alone.corpus_folders) == ((), {}, (str(folders[0]),))
    assert '"corpora"' not in (alone.folder / "settings.json").read_text()
    rows = {clip.audio_digest: n for n, clip in enumerate(tiles.clips)}
    for n, clip in enumerate(alone.clips):
        assert (tiles.pictures("raw")[rows[clip.audio_digest]] == alone.pictures("raw")[n]).all()
    assert open_tiles(tiles.folder) == tiles
    with pytest.raises(Exception, match=f"corpus {folders[0]}, {folders[1]}"):
        find_folder(tmp_path, lambda line: None)


def test_damaged_tiles_of_several_name_the_command_that_makes_them(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tiles = prepare(join(*folders, names=("a", "b")), TileSettings(size=32), tmp_path / "tiles")
    (tiles.folder / "raw.npy").unlink()
    with pytest.raises(Exception, match=f"`arena data prepare {folders[0]} {folders[1]} --name a --name b --tiles"):
        find_tiles(tmp_path / "tiles")


def test_one_folder_is_the_corpus_that_it_was(folders: tuple[Path, Path]) -> None:
    assert scan_together([folders[0]], ScanOptions()) == scan(folders[0])


def test_who_says_one_digit_alone_is_nobody_of_another_corpus() -> None:
    doubts = SpeakerDoubts(n_speakers=5, single_digit=("crowd/ana",))
    assert not doubts.are_apart([{"crowd/ana", "crowd/luis", "fsdd/theo"}, {"fsdd/lucas"}, {"fsdd/george"}])
    assert doubts.are_apart([{"crowd/ana", "fsdd/theo"}, {"fsdd/lucas"}, {"crowd/luis"}])
    assert SpeakerDoubts(n_speakers=3, single_digit=("ana",)).are_apart([{"ana"}, {"luis"}])
