"""Synthetic speakers: voices of eSpeak NG that differ in variant, accent, pitch, rate, vocal tract and room."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from cnn.errors import CorpusError

# Three kinds of the 104 variants of eSpeak NG 1.52 are left out: voices unlike any person (robots, croak, klatt); one of each
# pair that differs by less than 0.1 RMS in the mean log spectrum of "seven"; and those with breath noise, which differs from
# process to process (Alicia, Demonic, f2, f3, f5, sandro, victor, whisper, whisperf; 5 processes, 2026-11).
_WOMEN = ("Andrea", "Annie", "anika", "aunty", "belinda", "f1", "f4", "grandma", "linda", "shelby", "steph")
_MEN = (
    *(
        "Alex",
        "Andy",
        "Denis",
        "Diogo",
        "Gene",
        "Hugo",
        "Lee",
        "Michael",
        "Mike",
        "Mr serious",
        "Nguyen",
        "Reed",
        "RicishayMax",
    ),
    *(
        "adam",
        "announcer",
        "antonio",
        "benjamin",
        "boris",
        "caleb",
        "david",
        "ed",
        "edward",
        "grandpa",
        "gustave",
        "ian",
        "iven",
    ),
    *("iven3", "iven4", "john", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "marcelo", "max", "miguel", "norbert", "pablo"),
    *("paul", "quincy", "robert"),
)
_GENDERS = {"female": _WOMEN, "male": _MEN}
_ACCENTS = {  # eSpeak NG's name of the voice: ours
    "en": {
        "en-us": "American English",
        "en": "British English",
        "en-gb-x-rp": "Received Pronunciation",
        "en-gb-scotland": "Scottish English",
        "en-us-nyc": "New York English",
        "en-gb-x-gbclan": "Lancaster English",
        "en-gb-x-gbcwmd": "West Midlands English",
        "en-029": "Caribbean English",
    },
    "es": {"es": "Castilian Spanish", "es-419": "Latin American Spanish"},
}
LANGUAGES = tuple(_ACCENTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One synthetic speaker and the room that it speaks in."""

    speaker: str  # 01, 02, ..
    language: str
    accent: str  # such as Scottish English
    name: str  # eSpeak NG's voice and variant, such as en-us+f3
    gender: str
    words_per_minute: int
    pitch: int  # 0 to 99, 50 the variant's own
    pitch_range: int  # 0 to 99, 50 the variant's own
    tract: float  # factor on formants and pitch: 0.95 a larger, 1.05 a smaller person
    peak_db: float  # mean peak of the speaker's clips, relative to full scale
    noise_db: float  # level of the room's noise below the voice
    reverb_s: float  # time in which the room's echo decays by 60 dB
    direct_db: float  # level of the voice above its echo


def draw_voices(n_speakers: int, languages: Sequence[str], seed: int) -> tuple[Voice, ...]:
    """Draw `n_speakers` voices, alternating languages and genders while they last; no two share variant and accent.

    Raises:
        CorpusError: there are too few voices.
    """
    rng = random.Random(f"voices {seed}")
    pools = {(language, gender): _pool(language, gender, rng) for language in languages for gender in _GENDERS}
    n_most = len(languages) * min(sum(len(pools[language, gender]) for gender in _GENDERS) for language in languages)
    if n_speakers > n_most:
        raise CorpusError(f"--n-speakers is at most {n_most} for --language {','.join(languages)}, not {n_speakers}")
    width = max(2, len(str(n_speakers)))
    voices = []
    for number in range(n_speakers):
        language = languages[number % len(languages)]
        gender = tuple(_GENDERS)[number // len(languages) % 2]
        if not pools[language, gender]:
            gender = next(gender for gender in _GENDERS if pools[language, gender])
        voices.append(_voice(f"{number + 1:0{width}}", language, gender, pools[language, gender].pop(), rng))
    return tuple(voices)


def _pool(language: str, gender: str, rng: random.Random) -> list[tuple[str, str]]:
    """Return all pairs of accent and variant, to be popped from the end: every variant once before any repeats."""
    accents, variants = list(_ACCENTS[language]), list(_GENDERS[gender])
    rng.shuffle(accents)
    rng.shuffle(variants)
    n = len(accents)
    pairs = [(accents[(turn + i) % n], variant) for turn in range(n) for i, variant in enumerate(variants)]
    return pairs[::-1]


def _voice(speaker: str, language: str, gender: str, pair: tuple[str, str], rng: random.Random) -> Voice:
    accent, variant = pair
    return Voice(
        speaker=speaker,
        language=language,
        accent=_ACCENTS[language][accent],
        name=f"{accent}+{variant}",
        gender=gender,
        words_per_minute=rng.randint(130, 200),  # about what people speak; eSpeak NG's own is 175
        pitch=rng.randint(30, 70),
        pitch_range=rng.randint(25, 75),
        tract=rng.uniform(0.94, 1.06),
        peak_db=rng.uniform(-16, -4),
        noise_db=rng.uniform(20, 40),
        reverb_s=rng.uniform(0.08, 0.35),  # a cupboard to a classroom
        direct_db=rng.uniform(8, 20),
    )
