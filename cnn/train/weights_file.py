"""Tensors in a file that names its own SHA-256: one that has changed since it was written is refused, not loaded.

The file is the zip archive that `torch.save` writes, with the digest of all that stands before it as the archive's comment,
so that `torch.load` reads it as ever, without asking the digest.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from cnn.errors import RunError

_MARK = b"sha256:"
_N_HEX = 64
_N_COMMENT = len(_MARK) + _N_HEX
_NO_COMMENT = b"\0\0"  # an archive's last field: the length of its comment (APPNOTE.TXT 4.3.16)


def dump_checksummed(state: dict[str, Any]) -> bytes:
    """Return the content of a file of `state`."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    end = buffer.seek(-len(_NO_COMMENT), io.SEEK_END)
    assert buffer.read() == _NO_COMMENT
    buffer.seek(end)
    buffer.write(_N_COMMENT.to_bytes(2, "little") + _MARK)
    buffer.write(hashlib.sha256(buffer.getbuffer()).hexdigest().encode())
    return buffer.getvalue()


def load_weights(net: torch.nn.Module, run: Path, device: torch.device) -> None:
    """Load the weights that a finished run kept, its model.pt, into its net.

    Raises:
        RunError: they are damaged, or another net's.
    """
    try:
        net.load_state_dict(load_checksummed(run / "model.pt", device))
    except RunError as error:
        raise RunError(f"{error}; delete {run} and train again") from error
    except RuntimeError as error:
        raise RunError(f"{run / 'model.pt'} is of another net; delete {run} and train again") from error


def load_checksummed(path: Path, device: torch.device) -> dict[str, Any]:
    """Return the state in `path`.

    Raises:
        RunError: the file is missing, or not as it was written; what to do is the caller's to say.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    if content[-_N_COMMENT:-_N_HEX] != _MARK:
        raise RunError(f"{path} is damaged or of an older Arena (it does not end with its SHA-256)")
    if hashlib.sha256(memoryview(content)[:-_N_HEX]).hexdigest().encode() != content[-_N_HEX:]:
        raise RunError(f"{path} is damaged (its SHA-256 is not the one that it was written with)")
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    except Exception as error:  # torch raises a dozen kinds
        raise RunError(f"{path} cannot be loaded with torch {torch.__version__} ({type(error).__name__})") from error
    return state
