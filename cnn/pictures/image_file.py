"""A picture file: PNG, JPEG and the like, decoded to grey or colour. Its head is looked at before its cells are."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cnn.errors import CorpusError
from cnn.pictures.source import MAX_SIDE, Pixels

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_MAX_CELLS = 1 << 26
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
_DAMAGE = (
    *(EOFError, ValueError, TypeError, SyntaxError, KeyError, IndexError, MemoryError, OverflowError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)


def is_in_colour(path: Path) -> bool:
    """Return whether the file has colours; one that cannot be read has none."""
    try:
        with _open(path) as image:
            return image.mode not in _GREY
    except CorpusError:
        return False


def read_image(path: Path, channels: int) -> Pixels:
    """Decode a picture file to (H, W), or (H, W, 3) for three channels, uint8, the right way up, on white where it is clear.

    Raises:
        CorpusError: it is damaged, too large, or of an unknown format; the text is the rest of a sentence that begins with
            its name.
    """
    with _open(path) as image:
        try:
            return _decode(image, channels)
        except (*_DAMAGE, OSError) as error:
            raise _damaged(path, error) from error


def _decode(image: Image.Image, channels: int) -> Pixels:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16") or upright.mode in ("I", "F"):
        levels = np.asarray(upright, dtype=np.float64)
        top = 65535 if levels.max(initial=0) > 255 else 255
        upright = Image.fromarray((levels.clip(0, top) * (255 / top)).round().astype(np.uint8))
    if upright.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in upright.info:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return np.asarray(upright.convert("L" if channels == 1 else "RGB"))


def _open(path: Path) -> Image.Image:
    if path.exists() and not path.is_file():
        raise CorpusError("is no ordinary file")  # a pipe would be waited for
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=_FORMATS)
    except (*_DAMAGE, OSError) as error:
        raise _damaged(path, error) from error
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > _MAX_CELLS:
        image.close()
        raise CorpusError(f"is of {height:,} x {width:,} cells, not up to {MAX_SIDE:,} a side; make it smaller")
    return image


def _damaged(path: Path, error: Exception) -> CorpusError:
    if isinstance(error, OSError) and error.strerror:
        return CorpusError(f"cannot be opened: {error.strerror}")
    reason = str(error).splitlines()[0].replace(str(path), "it")[:120] if str(error) else type(error).__name__
    return CorpusError(f"is damaged, or no picture that is known: {reason}")
