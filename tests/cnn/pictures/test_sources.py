"""Sources of pictures as courses hand them out, written by the tests themselves, and hostile ones, refused in one line."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn.corpus.listing import list_recordings
from cnn.errors import CorpusError
from cnn.pictures.open import open_source
from cnn.pictures.prepare import prepare_pictures
from cnn.pictures.source import PictureSource
from cnn.processes import WorkOptions
from cnn.settings.tiles import TileSettings
from cnn.tiles.tile_set import TileSet

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (12, 6, 5), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
NUMBERS = [n % 3 for n in range(12)]


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx(folder: Path, *, packed: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    for stem, rows in (("train", slice(0, 8)), ("t10k", slice(8, 12))):
        for what, array in (("images-idx3", GREY[rows]), ("labels-idx1", np.array(NUMBERS, dtype=np.uint8)[rows])):
            content, name = idx(array), f"{stem}-{what}-ubyte"
            (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    return folder


def write_cifar(folder: Path, *, binary: bool) -> Path:
    folder.mkdir()
    planes = COLOUR.transpose(0, 3, 1, 2).reshape(12, -1)
    names = ["cat", "dog", "frog"]
    for name, rows in (("data_batch_1", slice(0, 5)), ("data_batch_2", slice(5, 8)), ("test_batch", slice(8, 12))):
        if binary:
            records = np.column_stack([np.array(NUMBERS, dtype=np.uint8)[rows], planes[rows]])
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            content = {"batch_label": name, "labels": NUMBERS[rows], "data": planes[rows], "filenames": []}
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    if binary:
        (folder / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    else:
        (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}, protocol=2))
    return folder


def write_npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def write_files(folder: Path, paths: dict[str, np.ndarray]) -> Path:
    for name, pixels in paths.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def read(source: PictureSource) -> list[np.ndarray]:
    return [pixels for pixels in source.read() if isinstance(pixels, np.ndarray)]


def tabulate(source: PictureSource) -> list[tuple[str, str, str]]:
    return [(row.id, row.label, row.part) for row in source.rows]


PUBLISHED = [(f"train/{n:05}", str(n % 3), "train") for n in range(8)] + [
    (f"test/{n:05}", str((n + 8) % 3), "test") for n in range(4)
]


@pytest.mark.parametrize("packed", [True, False])
def test_idx_gives_pictures_parts_and_numbers_for_names(tmp_path: Path, packed: bool) -> None:
    source = open_source(write_idx(tmp_path / "four", packed=packed))
    assert tabulate(source) == PUBLISHED
    assert (source.classes, source.channels, source.name) == (("0", "1", "2"), 1, "four")
    assert (np.stack(read(source)) == GREY).all()
    named = open_source(tmp_path / "four", name="Letters", labels=["a", "b", "c"])
    assert [row.label for row in named.rows] == ["abc"[n] for n in NUMBERS]
    assert named.name == "Letters"


@pytest.mark.parametrize("binary", [True, False])
def test_batches_of_cifar_give_their_names_and_colours(tmp_path: Path, binary: bool) -> None:
    source = open_source(write_cifar(tmp_path / "batches", binary=binary))
    names = ("cat", "dog", "frog")
    assert tabulate(source) == [(name, names[int(number)], part) for name, number, part in PUBLISHED]
    assert (source.classes, source.channels, source.name) == (names, 3, "CIFAR-10")
    assert (np.stack(read(source)) == COLOUR).all()


def test_npz_of_keras_and_one_pair_without_parts(tmp_path: Path) -> None:
    parts = {"x_train": GREY[:8], "y_train": np.array(NUMBERS[:8]), "x_test": GREY[8:], "y_test": np.array(NUMBERS[8:])}
    source = open_source(write_npz(tmp_path / "mnist.npz", **parts))
    assert tabulate(source) == PUBLISHED
    assert (np.stack(read(source)) == GREY).all()
    source = open_source(write_npz(tmp_path / "pair.npz", images=GREY[:, :, :, None], labels=np.array(NUMBERS)))
    assert {row.part for row in source.rows} == {""}
    assert (np.stack(read(source)) == GREY).all()


def test_the_npz_of_medmnist_with_nine_classes_in_colour_becomes_tiles_with_three_parts(tmp_path: Path) -> None:
    pictures = RNG.integers(0, 256, (45, 28, 28, 3), dtype=np.uint8)
    numbers = np.arange(45, dtype=np.uint8)[:, None] % 9
    arrays = {}
    for part, rows in (("train", slice(0, 27)), ("val", slice(27, 36)), ("test", slice(36, 45))):
        arrays |= {f"{part}_images": pictures[rows], f"{part}_labels": numbers[rows]}
    lines: list[str] = []
    source = open_source(write_npz(tmp_path / "pathmnist.npz", **arrays))
    tiles = prepare_pictures(source, TileSettings(size=32), tmp_path / "tiles", WorkOptions(log=lines.append))
    assert tiles.shape == (45, 3, 32, 32)
    raw = tiles.pictures("raw")
    assert (raw[:, :, 2:30, 2:30] == pictures.transpose(0, 3, 1, 2)).all()
    assert raw[:, :, :2].max() == raw[:, :, :, 30:].max() == 0
    assert tiles.data.labels == tuple("012345678")
    assert (tiles.data.side, tiles.data.split, tiles.data.name) == (28, "official", "pathmnist")
    assert [clip.part for clip in tiles.clips] == ["train"] * 27 + ["val"] * 9 + ["test"] * 9
    levels = raw[:36].transpose(1, 0, 2, 3).reshape(3, -1) / 255
    assert tiles.data.mean == pytest.approx(levels.mean(1), abs=1e-6)
    assert tiles.data.spread == pytest.approx(levels.std(1), abs=1e-6)
    assert lines[0] == "note: classes have numbers for names, as the file does; give names in their order with --labels"
    assert lines[1] == "pictures of 28 x 28 cells in tiles of 32 x 32: a black margin around"


def test_folders_per_class_give_names_parts_and_one_form_of_colour(tmp_path: Path) -> None:
    clear = np.zeros((4, 4, 4), dtype=np.uint8)
    paths = {"train/cat/1.png": COLOUR[0], "train/dog/a.png": GREY[0], "train/dog/b.png": clear, "test/cat/deep/1.png": GREY[1]}
    source = open_source(write_files(tmp_path / "pets", paths))
    assert tabulate(source) == [
        ("test/cat/deep/1", "cat", "test"),
        ("train/cat/1", "cat", "train"),
        ("train/dog/a", "dog", "train"),
        ("train/dog/b", "dog", "train"),
    ]
    assert (source.classes, source.channels) == (("cat", "dog"), 3)
    pictures = read(source)
    assert [picture.shape for picture in pictures] == [(6, 5, 3), (32, 32, 3), (6, 5, 3), (4, 4, 3)]
    assert (pictures[2] == GREY[0][:, :, None]).all()
    assert (pictures[3] == 255).all()  # clear cells are on white


def test_folders_per_class_without_parts_sort_as_people_do(tmp_path: Path) -> None:
    source = open_source(write_files(tmp_path / "numbers", {f"{n}/x.png": GREY[0] for n in (10, 2, 1)}))
    assert source.classes == ("1", "2", "10")
    assert {row.part for row in source.rows} == {""}


def make(source: Path, tiles_dir: Path) -> tuple[TileSet, list[str]]:
    lines: list[str] = []
    return prepare_pictures(open_source(source), TileSettings(size=32), tiles_dir, WorkOptions(log=lines.append)), lines


def test_broken_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "pets", {f"{name}/{n}.png": GREY[n] for n in range(6) for name in ("cat", "dog")})
    whole = (folder / "cat/0.png").read_bytes()
    (folder / "cat/0.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog/1.png").write_bytes(b"no picture")
    (folder / "cat/notes.txt").write_text("")
    tiles, lines = make(folder, tmp_path / "tiles")
    assert len(tiles.clips) == len(tiles.pictures("raw")) == 10
    assert lines[0] == "note: 1 file is not read: 1 .txt"
    assert lines[1].startswith(
        f"warning: 2 of 12 pictures are left out: {folder}/cat/0.png is damaged, or no picture that is known"
    )
    assert tiles.data.split == "random"


def test_equal_pictures_in_training_and_test_are_counted(tmp_path: Path) -> None:
    parts = {"train/cat/1.png": GREY[0], "train/dog/1.png": GREY[1], "test/cat/1.png": GREY[0], "test/dog/1.png": GREY[2]}
    _, lines = make(write_files(tmp_path / "parts", {**parts, "test/dog/2.png": GREY[0]}), tmp_path / "tiles")
    assert lines[-2:] == [
        "warning: 2 of 3 test pictures are also trained on or validate, cell for cell: "
        "scores of the test are that much too good",
        "warning: 1 equal pictures have different classes; look at them",
    ]


class Program:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.system, ("touch owned",)


def huge_idx(folder: Path) -> Path:
    write_idx(folder, packed=False)
    for stem in ("train", "t10k"):
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**32 - 1, 28, 28))
    return folder


def short_idx(folder: Path) -> Path:
    path = write_idx(folder, packed=False) / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    return folder


def cut_gzip(folder: Path) -> Path:
    path = write_idx(folder) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    return folder


def lonely_idx(folder: Path) -> Path:
    (write_idx(folder) / "t10k-labels-idx1-ubyte.gz").unlink()
    return folder


def program_batch(folder: Path) -> Path:
    (write_cifar(folder, binary=False) / "data_batch_2").write_bytes(pickle.dumps({"data": Program(), "labels": []}))
    return folder


def object_npz(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "objects.npz"
    np.savez(path, x_train=np.array([Program()], dtype=object), y_train=np.array([0]))
    return path


def bomb_npz(folder: Path) -> Path:
    folder.mkdir()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (80, 1024, 1024)})
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as file:
            file.write(head.getvalue())
            for _ in range(80):
                file.write(bytes(1 << 20))
        archive.writestr("y_train.npy", b"")
    return folder / "bomb.npz"


def float_npz(folder: Path) -> Path:
    folder.mkdir()
    return write_npz(folder / "floats.npz", x_train=GREY / 255, y_train=np.array(NUMBERS))


def several_labels(folder: Path) -> Path:
    folder.mkdir()
    return write_npz(folder / "chest.npz", train_images=GREY, train_labels=np.zeros((12, 14), dtype=np.uint8))


def million_classes(folder: Path) -> Path:
    folder.mkdir()
    return write_npz(folder / "many.npz", x_train=GREY, y_train=np.arange(12) + 10**6)


def class_folders(*names: str) -> Callable[[Path], Path]:
    return lambda folder: write_files(folder, {f"{name}/1.png": GREY[0] for name in names})


HOSTILE = [
    (huge_idx, r"says that it holds 4,294,967,295 pictures, not 1 to 2,000,000; check its head"),
    (short_idx, r"train-images-idx3-ubyte is damaged, or no such file: it ends 1 bytes before its head says"),
    (cut_gzip, r"train-images-idx3-ubyte.gz is damaged, or no such file: "),
    (lonely_idx, r"t10k-images-idx3-ubyte.gz needs the file of its labels beside it"),
    (program_batch, r"data_batch_2 wants to run (posix|nt)\.system, which no batch of pictures needs: nothing of it was run"),
    (object_npz, r"x_train.npy holds Python objects, which are programs; save plain numbers"),
    (bomb_npz, r"x_train.npy would unpack to 0\.1 GB from 0\.1 MB, as no pictures do; nothing of it was unpacked"),
    (float_npz, r"x_train.npy holds float64, not uint8 of 0 to 255; scale and save it anew"),
    (several_labels, r"train_labels.npy is uint8 of shape \(12, 14\), not 12 whole numbers, one class a picture"),
    (million_classes, r"y_train.npy runs from 1,000,000 to 1,000,011; classes are numbers from 0 to 999"),
    (class_folders("cat, black", "dog"), r"holds no comma, semicolon or quote, which tables need, not 'cat, black'"),
    (class_folders("cat\nblack", "dog"), r"printable characters, none of them blank at an end, .* not 'cat\\nblack'"),
    (class_folders("Cat", "cat"), r"classes 'Cat' and 'cat' read alike, and a contest would mix them up; rename one"),
    (class_folders("label", "dog"), r"no table's column, not 'label'; rename it"),
    (class_folders("cat"), r"pictures have 2 to 1,000 classes, and .* has 1; give those of one task"),
    (class_folders(*map(str, range(1001))), r"pictures have 2 to 1,000 classes, and .* has 1,001"),
]


@pytest.mark.parametrize(("write", "said"), HOSTILE, ids=[said[:30] for _, said in HOSTILE])
def test_a_hostile_source_is_refused_in_one_line(
    write: Callable[[Path], Path], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match=said) as refused:
        make(write(tmp_path / "source"), tmp_path / "tiles")
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.glob("tiles/*"))
    assert not list(tmp_path.glob("tiles/.*"))
    assert not Path("owned").exists()


def test_a_decompression_bomb_is_left_out_by_its_head(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "pets", {"cat/1.png": GREY[0], "dog/1.png": GREY[1]})
    content = bytearray((folder / "cat/1.png").read_bytes())
    content[16:24] = struct.pack(">2I", 50_000, 50_000)
    (folder / "cat/2.png").write_bytes(content)
    _, lines = make(folder, tmp_path / "tiles")
    assert lines[0].startswith(f"warning: 1 of 3 pictures are left out: {folder}/cat/2.png is ")


def test_a_pipe_among_pictures_is_left_out_and_not_waited_for(tmp_path: Path) -> None:
    source = write_files(tmp_path / "source", {f"{label}/{n}.png": GREY[n] for label in "ab" for n in range(3)})
    os.mkfifo(source / "a" / "pipe.png")
    tiles, lines = make(source, tmp_path / "tiles")
    assert (len(tiles.clips), "pipe.png is no ordinary file" in "".join(lines)) == (6, True)


def test_what_is_no_source_is_told_what_is(tmp_path: Path) -> None:
    forms = "IDX files, CIFAR batches, an .npz, or a folder of picture files per class"
    (tmp_path / "empty").mkdir()
    for place, said in (("missing", "does not exist; give"), ("empty", "holds no pictures; give")):
        with pytest.raises(CorpusError, match=f"{place} {said} {forms}"):
            open_source(tmp_path / place)
    write_files(tmp_path / "flat", {"1.png": GREY[0]})
    with pytest.raises(CorpusError, match=r"such as cat/1\.png or train/cat/1\.png, and those of .*flat do not"):
        open_source(tmp_path / "flat")


def test_a_scan_of_pictures_says_which_command_takes_them(tmp_path: Path) -> None:
    write_files(tmp_path / "files", {"cat/1.png": GREY[0]})
    for folder in (tmp_path / "files", write_idx(tmp_path / "four")):
        with pytest.raises(CorpusError, match=f"; tiles of pictures are made by `arena data pictures {folder}`$"):
            list_recordings(folder)
