"""The sound of a team's own file: read by libsndfile, cut where asked, and given back as wav. S samples, C channels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from cnn.audio import MOST_CHANNELS, RATES_HZ, Samples, loudness, mono
from cnn.corpus import SILENT_PEAK
from cnn.cutting import Piece, pieces

LONGEST_S, LONGEST_ROW_S = 60.0, 600.0  # of one digit; of several in a row


class MisfitError(Exception):
    """Why a file is left out: the rest of a sentence that begins with its path."""


def read_sound(path: Path, longest_s: float) -> tuple[Samples, int, str]:
    """Samples (S, C), rate in Hz and coding of what libsndfile reads.

    Raises:
        MisfitError: it cannot be used.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if not RATES_HZ[0] <= file.samplerate <= RATES_HZ[1] or file.channels > MOST_CHANNELS:
                raise MisfitError(f"has {file.channels} channels at {file.samplerate} Hz, which is no recording of speech")
            most = int(longest_s * file.samplerate)
            samples: Samples = file.read(min(file.frames, most + 1), dtype="float32", always_2d=True)
            rate_hz, coding = file.samplerate, file.subtype
    except (OSError, soundfile.SoundFileError) as error:
        reason = " ".join(str(error).rpartition("': ")[2].split()).rstrip(".")
        raise MisfitError(f"cannot be read: {reason}") from error
    if len(samples) > most:
        raise MisfitError(f"lasts longer than {longest_s:g} s; cut it, or use --split-silence where it holds several digits")
    if not len(samples) or not np.isfinite(samples).all() or loudness(mono(samples)) < SILENT_PEAK:
        raise MisfitError("holds no sound")
    return samples, rate_hz, coding


def cuts_in_row(wave: Samples, rate_hz: int, n_digits: int, min_gap_s: float) -> list[Piece]:
    """Where each of `n_digits` words stands in `wave` (S,).

    Raises:
        MisfitError: there are more or fewer, with the times of those found.
    """
    found = pieces(wave, rate_hz, min_gap_s)
    if len(found) != n_digits:
        times = ", ".join(f"{cut.start / rate_hz:.2f}-{cut.end / rate_hz:.2f}" for cut in found[:15])
        raise MisfitError(
            f"has {len(found)} pieces between pauses, not {n_digits} (seconds {times}); "
            f"try --min-gap above or below {min_gap_s:g}, or cut it by hand"
        )
    return found


def wav_of(source: Path, cut: Piece | None) -> bytes:
    """The wav: the source's own bytes where it is one and stays whole.

    Raises:
        OSError, MisfitError: the source cannot be read any more.
    """
    if cut is None and source.suffix.lower() == ".wav":
        return source.read_bytes()
    samples, rate_hz, coding = read_sound(source, LONGEST_ROW_S)
    part = samples[cut.start : cut.end] if cut else samples
    content = io.BytesIO()
    subtype = "PCM_24" if coding == "PCM_24" else "PCM_16"
    soundfile.write(content, np.clip(part, -1, 1), rate_hz, format="WAV", subtype=subtype)
    return content.getvalue()
