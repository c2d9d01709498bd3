"""`arena data get`: whole or nothing, what it should be or refused, and hostile archives that reach no other file."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cnn.collect.catalogue
import cnn.collect.fetch
from arena.base.locks import hold_lock
from cnn.cli.data_collect import app
from cnn.collect.catalogue import SOURCES, Source, find_source
from cnn.collect.download import Hooks
from cnn.collect.fetch import FetchedCorpus, FetchOptions
from cnn.collect.picture_catalogue import PICTURE_CORPORA
from cnn.collect.unpack import content_digest
from cnn.corpus.scan import scan
from cnn.errors import CorpusError
from support.downloads import Behaviour, Server
from support.tones import SHARED, write_tones

FSDD = find_source("fsdd")


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An archive's content: ten digits of two speakers."""
    folder = write_tones(tmp_path_factory.mktemp("tones"), 1, 2)
    return {f"top-1.0/recordings/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def small(tones: dict[str, bytes]) -> Source:
    digests = {Path(name).name: hashlib.sha256(sound).hexdigest() for name, sound in tones.items()}
    return dataclasses.replace(
        FSDD, per_digit=(2,) * 10, checked_digest=content_digest(digests), archive_bytes=1000, unpacked_bytes=1000
    )


def make_tar(files: dict[str, bytes], extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for info in extra:
            tar.addfile(info)
        for name, sound in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(sound)
            tar.addfile(info, io.BytesIO(sound))
    return content.getvalue()


def make_zip(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as box:
        for name, sound in files.items():
            box.writestr(name, sound)
    return content.getvalue()


@contextmanager
def no_bar(title: str, total: int) -> Iterator[object]:
    yield lambda n: None


def get(source: Source, out: Path, lines: list[str] | None = None, **options: object) -> FetchedCorpus:
    hooks = Hooks(say=(lines if lines is not None else []).append, timeout_s=5, wait_s=0.001)
    return cnn.collect.fetch.fetch_corpus(source, out, FetchOptions(**options), no_bar, hooks)  # type: ignore[arg-type]


def refusal(source: Source, out: Path, **options: object) -> str:
    with pytest.raises(CorpusError) as caught:
        get(source, out, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_corpus_is_fetched_verified_and_ready_to_scan(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    got = get(small, tmp_path / "out", mirrors=(server.url,))
    assert (got.n_clips, got.was_there) == (20, False)
    assert visible(tmp_path) == ["out"]
    corpus = scan(tmp_path / "out")
    assert (len(corpus.clips), corpus.problems) == (20, ())
    about = json.loads((tmp_path / "out" / "SOURCE.json").read_bytes())
    assert (about["name"], about["licence"], about["fetched_from"]) == ("fsdd", "CC BY-SA 4.0", server.url)
    assert about["verified"].endswith("each recording by its SHA-256 against a known copy")
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "Licence: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/." in readme
    assert FSDD.citation in readme


def test_a_second_call_is_answered_from_the_folder(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    get(small, tmp_path / "out", mirrors=(server.url,))
    assert get(small, tmp_path / "out", mirrors=(server.url,)).was_there
    assert len(server.behaviour.ranges) == 1
    next((tmp_path / "out").glob("*.wav")).unlink()
    assert refusal(small, tmp_path / "out", mirrors=(server.url,)) == (
        f"{tmp_path / 'out'} holds 19 of its 20 recordings; remove the folder and get it again"
    )


def test_an_archive_at_hand_needs_no_network_and_stays(small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    archive = tmp_path / "saved.zip"
    archive.write_bytes(make_zip(tones))
    assert get(small, tmp_path / "out", archive=archive).n_clips == 20
    assert visible(tmp_path) == ["out", "saved.zip"]
    assert "is no file" in refusal(small, tmp_path / "two", archive=tmp_path / "none")


def test_an_archive_is_kept_when_asked(server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    get(small, tmp_path / "out", mirrors=(server.url,), keep_archive=True)
    assert visible(tmp_path) == ["free-spoken-digit-dataset-1.0.10.tar.gz", "out"]
    get(small, tmp_path / "again", mirrors=(server.url,))
    assert len(server.behaviour.ranges) == 1
    assert visible(tmp_path) == ["again", "free-spoken-digit-dataset-1.0.10.tar.gz", "out"]


def test_other_recordings_than_known_are_refused_unless_asked(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    changed = dict(tones)
    changed["top-1.0/recordings/3_ann_0.wav"] += b"\0\0"
    server.behaviour = Behaviour(content=make_tar(changed))
    aside = tmp_path / "free-spoken-digit-dataset-1.0.10.tar.gz.unverified"
    assert refusal(small, tmp_path / "out", mirrors=(server.url,)) == (
        f"what {server.url} gave has the right number of recordings, yet other ones than are known; it lies in {aside}: "
        f"get another with --mirror URL, or take it as it is with --archive {aside} --unverified"
    )
    assert visible(tmp_path) == [aside.name]
    assert "or take it with --unverified" in refusal(small, tmp_path / "out", archive=aside)
    got = get(small, tmp_path / "out", archive=aside, verify=False)
    assert got.verified == "nothing was verified, as asked for"
    assert visible(tmp_path) == [aside.name, "out"]
    assert get(small, tmp_path / "two", mirrors=(server.url,), verify=False).verified == got.verified
    assert len(server.behaviour.ranges) == 2


def test_a_refused_download_is_not_taken_by_the_next_call(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    bad = make_tar({name: sound for name, sound in tones.items() if "_bob_" not in name})
    server.behaviour = Behaviour(content=bad)
    assert "1 of digit 0 instead of 2" in refusal(small, tmp_path / "out", mirrors=(server.url,))
    assert "1 of digit 0 instead of 2" in refusal(small, tmp_path / "out", mirrors=(server.url,), keep_archive=True)
    server.behaviour = Behaviour(content=make_tar(tones))
    assert get(small, tmp_path / "out", mirrors=(server.url,)).n_clips == 20
    assert server.behaviour.ranges == [""]
    assert visible(tmp_path) == ["free-spoken-digit-dataset-1.0.10.tar.gz.unverified", "out"]


def test_an_archive_beside_the_folder_that_is_no_good_one_is_set_aside(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    archive = tmp_path / small.archive_name
    archive.write_bytes(make_tar({name: sound for name, sound in tones.items() if "/3_" not in name}))
    server.behaviour = Behaviour(content=make_tar(tones))
    lines: list[str] = []
    assert get(small, tmp_path / "out", lines, mirrors=(server.url,)).n_clips == 20
    assert lines[1].startswith(f"{archive} is not the Free Spoken Digit Dataset (FSDD) 1.0.10 that is known: 0 of digit 3")
    assert lines[1].endswith(f"; it is {archive.name}.unverified now, and another is fetched")
    assert visible(tmp_path) == [f"{archive.name}.unverified", "out"]


def test_what_had_come_when_unpacking_was_killed_is_not_sent_again(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cnn.collect.fetch, "unpack", killed)
        with pytest.raises(KeyboardInterrupt):
            get(small, tmp_path / "out", mirrors=(server.url,))
    get(small, tmp_path / "out", mirrors=(server.url,))
    assert server.behaviour.ranges == ["", f"bytes={len(server.behaviour.content)}-"]
    assert visible(tmp_path) == ["out"]


def test_missing_recordings_are_counted_by_digit(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    server.behaviour = Behaviour(content=make_tar({name: sound for name, sound in tones.items() if "/3_" not in name}))
    assert "0 of digit 3 instead of 2; " in refusal(small, tmp_path / "out", mirrors=(server.url,))


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"\x1f\x8b" + b[2:900] + b"x" * 999, lambda b: b"hello"]
)
def test_a_damaged_archive_is_thrown_away(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path, damage: object
) -> None:
    server.behaviour = Behaviour(content=damage(make_tar(tones)))  # type: ignore[operator]
    assert "is damaged: " in refusal(small, tmp_path / "out", mirrors=(server.url,))
    assert visible(tmp_path) == []
    server.behaviour = Behaviour(content=make_tar(tones))
    assert get(small, tmp_path / "out", mirrors=(server.url,)).n_clips == 20


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_hostile_tar_writes_nothing_elsewhere(small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    hostile = {
        "../../escaped.wav": b"x",
        "/tmp/escaped.wav": b"x",
        "top-1.0/recordings/../../../0_eve_0.wav": b"x",
        "top-1.0/recordings/..\\0_eve_0.wav": b"x",
        "top-1.0/setup.py": b"x",
        "top-1.0/recordings/.bashrc": b"x",
    }
    links = (
        link("top-1.0/recordings", "/tmp", tarfile.SYMTYPE),
        link("top-1.0/recordings/0_ann_0.wav", str(secret), tarfile.SYMTYPE),
        link("top-1.0/recordings/1_ann_0.wav", str(secret), tarfile.LNKTYPE),
        link("top-1.0/recordings/2_ann_0.wav", "", tarfile.FIFOTYPE),
    )
    archive = tmp_path / "bad.tar.gz"
    archive.write_bytes(make_tar({**hostile, **tones}, links))
    assert get(small, tmp_path / "in" / "out", archive=archive).n_clips == 20
    assert secret.read_text() == "mine"
    assert visible(tmp_path) == ["bad.tar.gz", "in", "secret"]
    assert visible(tmp_path / "in") == ["out"]
    written = [path for path in (tmp_path / "in" / "out").rglob("*") if path.suffix == ".wav"]
    assert len(written) == 20
    assert not any(path.is_symlink() for path in written)


def test_a_hostile_zip_writes_nothing_elsewhere(small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    info = zipfile.ZipInfo("top-1.0/recordings/0_ann_0.wav")
    info.external_attr = 0o120777 << 16  # a symbolic link
    with zipfile.ZipFile(archive, "w") as box:
        box.writestr(info, "/etc/passwd")
        box.writestr("top-1.0/../../../0_eve_0.wav", b"x")
    with zipfile.ZipFile(archive, "a") as box:
        for name, sound in tones.items():
            if name != info.filename:
                box.writestr(name, sound)
    archive_two = tmp_path / "bad2.zip"
    archive_two.write_bytes(archive.read_bytes())
    assert "1 of digit 0 instead of 2" in refusal(small, tmp_path / "out", archive=archive_two)
    with zipfile.ZipFile(archive, "a") as box:
        box.writestr(info.filename.replace("top-1.0", "other"), tones[info.filename])
    assert get(small, tmp_path / "out", archive=archive).n_clips == 20
    assert visible(tmp_path) == ["bad.zip", "bad2.zip", "out"]


def test_a_file_too_large_for_a_digit_is_refused(small: Source, tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("top-1.0/recordings/0_ann_0.wav", bytes(33 << 20))
    assert "has 34,603,008 bytes" in refusal(small, tmp_path / "out", archive=archive)
    assert visible(tmp_path) == ["bomb.zip"]


def test_a_folder_of_something_else_is_left_alone(small: Source, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert "is not empty and holds no corpus of `arena data get`" in refusal(small, tmp_path / "out")
    assert "is a file" in refusal(small, tmp_path / "out" / "thesis.txt")
    (tmp_path / "out" / "SOURCE.json").write_text('{"name": "audiomnist", "n_clips": 0, "verified": ""}')
    assert "holds the corpus 'audiomnist'" in refusal(small, tmp_path / "out")


def test_an_empty_folder_is_filled(server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    (tmp_path / "out").mkdir()
    assert get(small, tmp_path / "out", mirrors=(server.url,)).n_clips == 20


def test_too_little_space_is_told_before_anything_comes(server: Server, small: Source, tmp_path: Path) -> None:
    huge = dataclasses.replace(small, archive_bytes=10**18)
    assert "needs about 1000000000.1 GB in" in refusal(huge, tmp_path / "out", mirrors=(server.url,))
    assert server.behaviour.ranges == []


def test_two_calls_at_once_fetch_once(server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    results: list[FetchedCorpus] = []
    calls = [
        threading.Thread(target=lambda: results.append(get(small, tmp_path / "out", mirrors=(server.url,)))) for _ in range(3)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert sorted(corpus.was_there for corpus in results) == [False, True, True]
    assert len(server.behaviour.ranges) == 1
    assert visible(tmp_path) == ["out"]


def test_two_calls_at_once_for_two_folders_do_not_mix_what_comes(
    server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path
) -> None:
    server.behaviour = Behaviour(content=make_tar(tones))
    results: list[FetchedCorpus] = []
    lines: list[str] = []
    with hold_lock(tmp_path / f".{small.archive_name}.lock"):
        call = threading.Thread(target=lambda: results.append(get(small, tmp_path / "out", lines, mirrors=(server.url,))))
        call.start()
        wait_until(lambda: bool(lines))
        assert lines == [f"another process is fetching {small.archive_name}; waiting"]
        assert server.behaviour.ranges == []
    call.join()
    assert results[0].n_clips == 20


def test_a_published_checksum_is_checked(server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    content = make_tar(tones)
    published = dataclasses.replace(small, sha256=hashlib.sha256(content).hexdigest())
    server.behaviour = Behaviour(content=content[:-1] + b"\1")
    assert "is not the published one" in refusal(published, tmp_path / "out", mirrors=(server.url,))
    server.behaviour = Behaviour(content=content)
    assert get(published, tmp_path / "out", mirrors=(server.url,)).verified.startswith(
        "the archive's published SHA-256, the 20 "
    )
    saved = tmp_path / "saved.tar.gz"
    saved.write_bytes(content + b"\0")
    assert "is not the published file" in refusal(published, tmp_path / "two", archive=saved)


def test_speech_commands_become_corpus_names_with_their_lists(tones: dict[str, bytes], tmp_path: Path) -> None:
    sound = next(iter(tones.values()))
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    files = {f"./{word}/0a7c2a8d_nohash_0.wav": sound + bytes([2 * digit, 0]) for digit, word in enumerate(words)}
    files["./bed/0a7c2a8d_nohash_0.wav"] = sound
    files["./_background_noise_/white.wav"] = sound
    files["./testing_list.txt"] = b"bed/0a7c2a8d_nohash_0.wav\nseven/0a7c2a8d_nohash_0.wav\n"
    files["./validation_list.txt"] = b"nine/0a7c2a8d_nohash_0.wav\n"
    source = dataclasses.replace(
        find_source("speech-commands-digits"), sha256="", per_digit=(1,) * 10, archive_bytes=1, unpacked_bytes=1
    )
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(make_tar(files))
    get(source, tmp_path / "out", archive=archive)
    assert visible(tmp_path / "out") == sorted(
        ["README.md", "SOURCE.json", "testing_list.txt", "validation_list.txt", *(f"{d}_0a7c2a8d_0.wav" for d in range(10))]
    )
    assert (tmp_path / "out" / "testing_list.txt").read_text() == "7_0a7c2a8d_0.wav\n"
    assert (tmp_path / "out" / "7_0a7c2a8d_0.wav").read_bytes() == files["./seven/0a7c2a8d_nohash_0.wav"]


def test_audiomnist_keeps_its_folders_and_metadata(tones: dict[str, bytes], tmp_path: Path) -> None:
    sound = next(iter(tones.values()))
    files = {f"AudioMNIST-x/data/04/{digit}_04_0.wav": sound + bytes([2 * digit, 0]) for digit in range(10)}
    files["AudioMNIST-x/data/audioMNIST_meta.txt"] = b'{"04": {"gender": "female", "age": "30"}}'
    files["AudioMNIST-x/LICENSE"] = b"MIT"
    files["AudioMNIST-x/data/04/1_05_0.wav"] = sound
    source = dataclasses.replace(find_source("audiomnist"), per_digit=(1,) * 10, archive_bytes=1, unpacked_bytes=1)
    archive = tmp_path / "a.zip"
    archive.write_bytes(make_zip(files))
    got = get(source, tmp_path / "out", archive=archive)
    assert got.verified.startswith(
        "the 10 recordings and their number per digit; 0 of them by their SHA-256 against a known copy"
    )
    assert visible(tmp_path / "out") == ["04", "LICENSE", "README.md", "SOURCE.json", "audioMNIST_meta.txt"]
    corpus = scan(tmp_path / "out")
    assert corpus.speakers == {"04": {"gender": "female", "age": 30}}


@pytest.mark.skipif(not (SHARED / "fsdd").exists(), reason="needs the shared corpora")
def test_the_known_digests_are_of_the_real_corpora() -> None:
    for name, folder in (("fsdd", SHARED / "fsdd" / "recordings"), ("audiomnist", SHARED / "audiomnist_sample" / "data")):
        source = find_source(name)
        assert source.checked_paths is not None
        paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")]
        checked = {p: hashlib.sha256((folder / p).read_bytes()).hexdigest() for p in paths if source.checked_paths.fullmatch(p)}
        assert content_digest(checked) == source.checked_digest


def test_every_source_says_what_a_user_must_know() -> None:
    assert [(source.name, source.n_clips) for source in SOURCES] == [
        ("audiomnist", 30_000), ("fsdd", 3_000), ("speech-commands-digits", 38_908),
    ]  # fmt: skip
    for source in SOURCES:
        assert all(url.startswith("https://") for url in source.urls)
        assert all((source.licence, source.licence_url, source.citation, source.homepage))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_list_shows_licence_size_and_address() -> None:
    printed = run("get", "--list").stdout
    for text in ("38,908", "2.43 GB", "about 16 MB", "CC BY-SA 4.0", *(source.urls[0] for source in SOURCES)):
        assert text in printed
    assert [entry["name"] for entry in json.loads(run("get", "--list", "--json").stdout)] == [
        source.name for source in (*SOURCES, *PICTURE_CORPORA)
    ]
    assert run("get").stdout == printed


def test_the_command_ends_with_licence_citation_and_what_comes_next(
    small: Source, tones: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cnn.collect.catalogue, "SOURCES", (small,))
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(make_tar(tones))
    first = run("get", "fsdd", tmp_path / "out", "--archive", archive)
    lines = first.stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'out'}: 20 recordings; verified: the 20 recordings")
    assert lines[1:] == [
        "licence CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)",
        f"cite {FSDD.citation}",
        f"next: arena data prepare {tmp_path / 'out'}",
    ]
    assert run("get", "fsdd", tmp_path / "out").stdout.splitlines()[0] == f"{tmp_path / 'out'}: 20 recordings, there already"
    assert json.loads(run("get", "fsdd", tmp_path / "out", "--json").stdout)["was_there"] is True


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    result = run("get", "audiominst")
    assert str(result.exception) == (
        "the corpora that can be fetched are audiomnist, fsdd, speech-commands-digits, mnist, fashion-mnist, cifar10, "
        "not 'audiominst'; "
        "did you mean audiomnist?"
    )


def test_a_kill_leaves_nothing_half_done(server: Server, small: Source, tones: dict[str, bytes], tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(make_tar(tones))
    code = (
        "import os, sys, dataclasses, cnn.collect.fetch, contextlib\n"
        "from pathlib import Path\nfrom cnn.collect.catalogue import find_source\nfrom cnn.collect.download import Hooks\n"
        "@contextlib.contextmanager\n"
        "def bar(title, total):\n"
        "    done = []\n"
        "    yield lambda n: done.append(n) or (len(done) == 7 and os._exit(9))\n"
        "source = dataclasses.replace(find_source('fsdd'), per_digit=(2,) * 10)\n"
        "options = cnn.collect.fetch.FetchOptions(archive=Path(sys.argv[2]))\n"
        "cnn.collect.fetch.fetch_corpus(source, Path(sys.argv[1]), options, bar, Hooks())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out"), str(archive)], env=os.environ, check=False)
    assert ended.returncode == 9
    assert not (tmp_path / "out").exists()
    assert get(small, tmp_path / "out", archive=archive).n_clips == 20
    assert visible(tmp_path) == ["a.tar.gz", "out"]
