"""Public corpora of pictures: known by the content of each file, however it is packed and wherever it comes from."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
import cnn.collect.catalogue
from cnn.collect.download import Hooks
from cnn.collect.fetch import FetchOptions
from cnn.collect.picture_catalogue import PICTURE_CORPORA, PictureCorpus
from cnn.errors import CorpusError
from cnn.pictures.fetch import fetch_pictures
from support.downloads import Server
from support.paths import ROOT

SHARED = ROOT.parent / "shared/corpora/pictures"
CONTENTS = {"train-images": b"cells" * 100, "train-labels": b"numbers"}


@pytest.fixture
def corpus() -> PictureCorpus:
    """A corpus of two files, each by another kind of digest."""
    first, second = CONTENTS.values()
    digests = (hashlib.sha256(first).hexdigest(), hashlib.md5(second).hexdigest())
    return dataclasses.replace(PICTURE_CORPORA[0], files=tuple(zip(CONTENTS, digests, strict=True)))


def fetch(corpus: PictureCorpus, out: Path, archive: Path | None = None, *, verify: bool = True, mirror: str = "") -> bool:
    options = FetchOptions(archive=archive, verify=verify, mirrors=(mirror,) if mirror else ())
    return fetch_pictures(corpus, out, options, Hooks(wait_s=0.01)).was_there


def make_folder(folder: Path) -> Path:
    """Debian's way: one file packed anew, one as it is, below a folder of its own."""
    inner = folder / "inner"
    inner.mkdir(parents=True)
    (inner / "train-images.gz").write_bytes(gzip.compress(CONTENTS["train-images"], 1))
    (inner / "train-labels").write_bytes(CONTENTS["train-labels"])
    return folder


def make_tar(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in CONTENTS.items():
            member = tarfile.TarInfo(f"../top/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_files_at_hand_are_unpacked_and_verified_once(form: str, corpus: PictureCorpus, tmp_path: Path) -> None:
    archive = make_folder(tmp_path / "debian") if form == "folder" else make_tar(tmp_path / "a.tar.gz")
    out = tmp_path / "out"
    assert not fetch(corpus, out, archive)
    assert {name: (out / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "SOURCE.json", *CONTENTS]
    assert json.loads((out / "SOURCE.json").read_bytes())["licence"] == "CC BY-SA 3.0"
    assert fetch(corpus, out)  # no network is asked
    assert not list(tmp_path.glob(".*"))


def test_other_content_is_refused_and_nothing_is_left(corpus: PictureCorpus, tmp_path: Path) -> None:
    folder, out = make_folder(tmp_path / "debian"), tmp_path / "out"
    (folder / "inner" / "train-labels").write_bytes(b"other")
    with pytest.raises(CorpusError, match=r"train-labels in .*debian is not the published train-labels \(the digest of its"):
        fetch(corpus, out, folder)
    assert not out.exists()
    assert not fetch(corpus, out, folder, verify=False)
    with pytest.raises(CorpusError, match=r"out is not empty, and its train-labels is not that of MNIST; give a new folder"):
        fetch(corpus, out)
    (folder / "inner" / "train-labels").unlink()
    with pytest.raises(CorpusError, match=r"debian lacks train-labels of MNIST"):
        fetch(corpus, tmp_path / "third", folder)
    (folder / "inner" / "train-images.gz").write_bytes(gzip.compress(CONTENTS["train-images"])[:-9])
    with pytest.raises(CorpusError, match=r"train-images.gz in .* is damaged: "):
        fetch(corpus, tmp_path / "third", folder)
    with pytest.raises(CorpusError, match=r"nowhere is not there; give the folder"):
        fetch(corpus, tmp_path / "third", tmp_path / "nowhere")


def test_each_file_is_downloaded_and_what_comes_instead_is_refused(
    corpus: PictureCorpus, server: Server, tmp_path: Path
) -> None:
    server.behaviour.content = gzip.compress(CONTENTS["train-images"])
    single = dataclasses.replace(corpus, files=corpus.files[:1])
    assert not fetch(single, tmp_path / "out", mirror=server.url)
    assert (tmp_path / "out" / "train-images").read_bytes() == CONTENTS["train-images"]
    server.behaviour.content = gzip.compress(b"other")
    with pytest.raises(CorpusError, match=r"what http.*/train-images\.gz gave is not the published train-images"):
        fetch(single, tmp_path / "other", mirror=server.url)
    assert not (tmp_path / "other").exists()


def test_the_command_says_licence_and_what_comes_next(
    corpus: PictureCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cnn.collect.catalogue, "PICTURE_CORPORA", (corpus,))
    words = ["data", "get", "mnist", str(tmp_path / "out"), "--archive", str(make_folder(tmp_path / "debian"))]
    lines = CliRunner().invoke(arena.cli.app, words).stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'out'}: 70,000 pictures; verified: each of its 2 files by its content"
    assert lines[1].startswith("licence CC BY-SA 3.0 (")
    assert lines[3] == f"next: arena data pictures {tmp_path / 'out'}"


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared corpora")
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_known_digests_are_of_the_real_corpora(name: str) -> None:
    (corpus,) = (corpus for corpus in PICTURE_CORPORA if corpus.name == name)
    folder = SHARED / name.replace("-", "_")
    for stem, digest in corpus.files:
        assert hashlib.sha256(gzip.decompress((folder / f"{stem}.gz").read_bytes())).hexdigest() == digest
