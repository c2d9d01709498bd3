"""MP3s of variable bit rate without the frame that says their length, as recorders that cannot go back leave them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnn.corpus.audio import decode
from support.sounds import encode, voice

LENGTHS_S = {8000: 3, 16_000: 2, 22_050: 2, 44_100: 2, 48_000: 1}


@pytest.mark.parametrize("rate_hz", LENGTHS_S)
@pytest.mark.parametrize("tag", [b"", b"ID3\3\0\0\0\0\1\0" + bytes(128)])
def test_an_mp3_that_does_not_say_its_length_is_read_to_its_end(tmp_path: Path, rate_hz: int, tag: bytes) -> None:
    rng = np.random.default_rng(rate_hz)
    wave = (
        voice(1, LENGTHS_S[rate_hz] * rate_hz, rate_hz)
        * np.repeat(rng.uniform(0, 1, LENGTHS_S[rate_hz] * 4), rate_hz // 4 + 1)[: LENGTHS_S[rate_hz] * rate_hz]
    )
    content = encode(wave, "MP3", rate_hz=rate_hz)
    second_frame = content.index(content[:2], 4 + content.index(b"Xing"))
    path = tmp_path / "a.mp3"
    path.write_bytes(tag + content[second_frame:])
    recording = decode(path)
    assert not recording.truncated
    assert abs(len(recording.samples) - len(wave)) < 5 * 1152
    similarity = np.fft.irfft(np.fft.rfft(recording.samples[:, 0], 2**18) * np.fft.rfft(wave, 2**18).conj())
    assert similarity.max() > 0.97 * np.linalg.norm(recording.samples) * np.linalg.norm(wave)
    path.write_bytes(content)
    assert len(decode(path).samples) == len(wave)  # one that says it is taken at its word
