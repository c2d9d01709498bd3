"""Tensors in files: they come back as they were or not at all, whichever byte has changed; torch reads them too."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from cnn.errors import RunError
from cnn.train.weights_file import dump_checksummed, load_checksummed

CPU = torch.device("cpu")
STATE = {"weights": torch.linspace(0, 1, 300), "rows": [{"epoch": 1, "loss": 0.1}], "best": 1}


def test_what_was_sealed_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(dump_checksummed(STATE))
    found = load_checksummed(path, CPU)
    assert torch.equal(found.pop("weights"), STATE["weights"])  # type: ignore[arg-type]
    assert found == {"rows": [{"epoch": 1, "loss": 0.1}], "best": 1}


def test_torch_and_zip_read_the_file_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(dump_checksummed(STATE))
    for is_mapped in (False, True):
        assert torch.load(path, weights_only=True, mmap=is_mapped)["best"] == 1
    with zipfile.ZipFile(path) as archive:
        assert archive.comment.startswith(b"sha256:")
        assert archive.testzip() is None


def test_a_change_of_any_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    content = bytearray(dump_checksummed(STATE))
    for place in range(len(content)):
        content[place] ^= 1
        path.write_bytes(content)
        content[place] ^= 1
        with pytest.raises(RunError, match=r"state\.pt is damaged"):
            load_checksummed(path, CPU)


@pytest.mark.parametrize("keep", [0, 1, 70, 500, -72, -1])
def test_a_file_that_was_cut_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(dump_checksummed(STATE)[:keep])
    with pytest.raises(RunError, match=r"state\.pt is damaged or of an older Arena \(it does not end with its SHA-256\)"):
        load_checksummed(path, CPU)


def test_a_file_without_a_digest_or_with_more_behind_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save(STATE, path)
    for content in (path.read_bytes(), dump_checksummed(STATE) + b"\n"):
        path.write_bytes(content)
        with pytest.raises(RunError, match="does not end with its SHA-256"):
            load_checksummed(path, CPU)


def test_nothing_is_run_that_a_file_brings_along(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(dump_checksummed({"path": path}))  # a whole file, of more than tensors and numbers
    with pytest.raises(RunError, match=r"state\.pt cannot be loaded with torch .* \(UnpicklingError\)"):
        load_checksummed(path, CPU)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"state\.pt cannot be read: No such file or directory"):
        load_checksummed(tmp_path / "state.pt", CPU)
