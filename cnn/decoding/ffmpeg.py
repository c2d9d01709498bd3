"""Conversion of phones' and browsers' recordings (M4A, WebM, AMR ..) by the user's own ffmpeg, where one is on the path."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cnn.decoding.kinds import FileKind
from cnn.errors import CorpusError

_LIMIT_S = 60.0  # a minute of sound takes well below a second


def find_ffmpeg() -> str | None:
    return shutil.which("ffmpeg")


def convert(program: str, path: Path, kind: FileKind, longest_s: float) -> bytes:
    """Return the first sound of the file as a wav of 16 bits, at its own rate, at most a second more than `longest_s`.

    Raises:
        CorpusError: ffmpeg fails; the text is the rest of a sentence that begins with the file's name.
    """
    source = ["-protocol_whitelist", "file,pipe", "-f", kind.demuxer, "-i", f"file:{path}"]
    target = ["-map", "0:a:0", "-t", f"{longest_s + 1:g}", "-c:a", "pcm_s16le", "-f", "wav", "-"]
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", *source, *target]
    name = kind.name.partition(",")[0]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise CorpusError(f"is {name}, which ffmpeg did not convert in {_LIMIT_S:g} s; convert it to wav by hand") from None
    except OSError as error:
        raise CorpusError(f"is {name}, and ffmpeg cannot be run: {error.strerror or error}") from error
    if done.returncode or not done.stdout:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1].strip() if lines else f"exit code {done.returncode}"
        raise CorpusError(f"is {name}, which ffmpeg cannot convert: {reason[:150]}; record it again")
    return done.stdout
