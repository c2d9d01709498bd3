"""Speech synthesis by eSpeak NG through ctypes, in a separate process: `python -P -m cnn.collect.espeak`.

The synthesiser carries state from word to word, so the same word twice differs; the sequence as a whole is the same in every
fresh process, except for variants with breath noise (voices.py). The process reads utterances as one JSON array on stdin and
writes each one's length in bytes and samples, PCM16 at 22,050 Hz.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arena.base.install import install_command
from cnn.errors import CorpusError

RATE_HZ = 22_050
# speak_lib.h of eSpeak NG 1.52
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 0x1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_VOICE_VOLUME = 50  # at most 100; some variants clip with more


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """Text and voice of one clip."""

    voice: str  # such as en-us+f3
    text: str
    words_per_minute: int
    pitch: int
    pitch_range: int


def check_installed() -> None:
    """Check that the synthesiser is installed.

    Raises:
        CorpusError: it is not; the message says how to install it.
    """
    if find_spec("espeakng_loader") is None:
        raise CorpusError(f"synthetic speech needs eSpeak NG: {install_command('speech')}")


@contextlib.contextmanager
def speak(utterances: Sequence[Utterance]) -> Iterator[Iterator[npt.NDArray[np.int16]]]:
    """Yield an iterator over the samples (S,) of the utterances, at `RATE_HZ`; the process ends with the block.

    Raises:
        CorpusError: the synthesiser is missing or fails.
    """
    check_installed()
    request = json.dumps([dataclasses.astuple(utterance) for utterance in utterances])
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "cnn.collect.espeak"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        try:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin:  # `_next_samples` reports a child that failed at once
                process.stdin.write(request.encode())
            yield (_next_samples(process) for _ in utterances)
        finally:
            process.kill()


def _next_samples(process: subprocess.Popen[bytes]) -> npt.NDArray[np.int16]:
    assert process.stdout is not None
    assert process.stderr is not None
    head = process.stdout.read(4)
    n_bytes = struct.unpack("<I", head)[0] if len(head) == 4 else 1
    content = process.stdout.read(n_bytes) if len(head) == 4 else b""
    if len(content) < n_bytes:
        lines = process.stderr.read().decode(errors="replace").strip().splitlines() or ["it ended without a word"]
        raise CorpusError(f"eSpeak NG failed: {lines[-1]}; reinstall it: pip install --force-reinstall espeakng-loader")
    return np.frombuffer(content, dtype="<i2")


class _Synthesiser:
    """The loaded library; there can be one in a process."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        rate_hz = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _DONT_EXIT)
        if rate_hz != RATE_HZ:
            raise RuntimeError(f"espeak_Initialize gave {rate_hz}, not {RATE_HZ}")
        self._parts: list[bytes] = []
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._on_samples = callback(self._collect)  # the reference keeps it alive: C holds only the address
        self._library.espeak_SetSynthCallback(self._on_samples)

    def _collect(self, samples: Any, n_samples: int, _events: Any) -> int:
        if samples and n_samples > 0:
            self._parts.append(ctypes.string_at(samples, 2 * n_samples))
        return 0

    def say(self, utterance: Utterance) -> bytes:
        """Return PCM16 samples in the byte order of the machine."""
        self._parts.clear()
        if self._library.espeak_SetVoiceByName(utterance.voice.encode()):
            raise RuntimeError(f"there is no voice {utterance.voice!r}")
        levels = {_RATE: utterance.words_per_minute, _PITCH: utterance.pitch, _RANGE: utterance.pitch_range}
        for parameter, value in {**levels, _VOLUME: _VOICE_VOLUME}.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        text = utterance.text.encode() + b"\0"
        size = ctypes.c_size_t(len(text))
        if self._library.espeak_Synth(text, size, 0, 1, 0, _CHARS_UTF8, None, None):
            raise RuntimeError(f"{utterance.text!r} cannot be spoken")
        return b"".join(self._parts)


def _serve(read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
    names = [field.name for field in dataclasses.fields(Utterance)]
    utterances = [Utterance(**dict(zip(names, values, strict=True))) for values in json.loads(read())]
    synthesiser = _Synthesiser()
    for utterance in utterances:
        samples = synthesiser.say(utterance)
        write(struct.pack("<I", len(samples)) + samples)


if __name__ == "__main__":
    _serve(sys.stdin.buffer.read, sys.stdout.buffer.write)
