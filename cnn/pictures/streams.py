"""Files that hold many pictures, read piece by piece: nothing is believed of their heads but what their bytes bear out."""

from __future__ import annotations

import gzip
import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from cnn.errors import CorpusError
from cnn.pictures.source import MAX_SIDE, Pixels

_GZIP = b"\x1f\x8b"
_DAMAGE = (
    *(EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError, OverflowError, RecursionError),
    *(NotImplementedError, RuntimeError, SyntaxError, UnicodeError, tokenize.TokenError, struct.error, zlib.error),
    *(pickle.UnpicklingError, zipfile.BadZipFile, gzip.BadGzipFile),
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the errors of a damaged or unreadable file into one line that begins with its path.

    Raises:
        CorpusError: in place of any of them.
    """
    try:
        yield
    except CorpusError:
        raise
    except _DAMAGE as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise CorpusError(f"{path} is damaged, or no such file: {reason}; download it again") from error
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}; give one that you may read") from error


@contextmanager
def open_stream(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, and unpack it on the way if its bytes are gzip's, whatever its name says."""
    with reading(path), path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
        file.seek(0)
        if is_packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast("IO[bytes]", unpacked)
        else:
            yield file


def read_exactly(file: IO[bytes], n_bytes: int) -> bytes:
    """Read so many bytes. Raises EOFError where the file ends before."""
    content = file.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError(f"it ends {n_bytes - len(content):,} bytes before its head says")
    return content


def read_pictures(file: IO[bytes], n: int, shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Yield n pictures of this shape, one after another. Raises EOFError where the file ends before."""
    n_bytes = int(np.prod(shape))
    for _ in range(n):
        yield np.frombuffer(read_exactly(file, n_bytes), dtype=np.uint8).reshape(shape)


def check_shape(path: Path, height: int, width: int) -> None:
    """Check the sides of a picture. Raises CorpusError."""
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise CorpusError(
            f"{path} holds pictures of {height:,} x {width:,} cells, not 1 to {MAX_SIDE:,} a side; check its head"
        )
