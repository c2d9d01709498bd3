"""Corpus card: one self-contained HTML page of counts, balance, examples to see and hear, problems, licence and digest.

Equal recordings give equal bytes. Names of files and speakers are untrusted text, and are escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from arena.base.media import data_uri, palette_png, png_uri
from arena.base.texts import ENGLISH, Words
from cnn.corpus.audio import read_clip
from cnn.corpus.balance import Balance, corpus_words, measure_balance
from cnn.corpus.card_pictures import compute_bins, draw_histogram
from cnn.corpus.card_sound import HIGHEST_HZ, LOWEST_HZ, RANGE_DB, SpectrogramAxes, compute_spectrogram, make_player_wav
from cnn.corpus.join import PLAIN_NAMES
from cnn.corpus.metadata import read_about
from cnn.corpus.scan import Clip, Corpus
from cnn.errors import CorpusError, RunError
from cnn.files import write_whole
from cnn.reconstruction.anomalies import Anomalies
from cnn.settings.data import DIGITS

N_EXAMPLES = 3  # examples of each digit
_MOST_ROWS = 80  # speakers in the table
_MOST_PROBLEMS = 60
_MOST_SOUND_BYTES = 1_000_000  # base64 makes a third more of it
_LONGEST_S = 2.0  # an example's sound is cut to this
_SPAN_S = (0.5, 1.5)  # least and most that a picture shows
_PLAYER_RATES_HZ = (16_000, 11_025, 8_000)
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitCell:
    """Recordings of one digit by one speaker."""

    n: int
    heat: float  # 0 to 1: `n` divided by that of the fullest cell


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerCounts:
    """One row of the table of speakers; `name` is empty for recordings whose speaker is not known."""

    name: str
    about: str
    n: int
    cells: tuple[DigitCell, ...]  # digits 0 to 9
    median_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One recording to see and hear; picture and sound are data URIs."""

    label: str
    speaker: str
    id: str
    length_s: float
    picture: str
    sound: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Values of the page's template."""

    corpus: Corpus
    facts: Balance
    title: str
    about: dict[str, str]  # licence, citation and so on; empty if not known
    total_s: float
    median_peak_db: float
    rows: tuple[SpeakerCounts, ...]
    n_speakers_left_out: int
    examples: dict[str, tuple[Example, ...]]  # by digit
    axes: SpectrogramAxes
    lengths: str
    levels: str
    n_longer: int
    kinds: dict[str, int]  # number of problems by kind
    flagged: tuple[tuple[str, str], ...]
    n_flagged: int
    anomalies: Anomalies | None = None  # by the autoencoder, where one was named


def make_card(
    corpus: Corpus,
    advance: Callable[[int], None] = lambda n: None,
    language: str = ENGLISH,
    anomalies: Anomalies | None = None,
) -> bytes:
    """Return the page in one language; `advance(1)` is called for each example that is drawn."""
    t = corpus_words(language)
    return _render(replace(_compute_card(corpus, advance, t), anomalies=anomalies), t)


def write_card(
    corpus: Corpus,
    out: Path,
    advance: Callable[[int], None] = lambda n: None,
    language: str = ENGLISH,
    anomalies: Anomalies | None = None,
) -> int:
    """Write the page in one language to `out`; return its size in bytes.

    Raises:
        CorpusError: `out` cannot be written, or a recording vanished meanwhile.
    """
    page = make_card(corpus, advance, language, anomalies)
    try:
        write_whole(out, page)
    except RunError as error:
        raise CorpusError(str(error)) from error
    return len(page)


def choose_examples(clips: Sequence[Clip]) -> dict[str, tuple[Clip, ...]]:
    """Return up to N_EXAMPLES clips of each digit by different speakers, preferring speakers who say every digit.

    Of several takes the one of median length is chosen.
    """
    takes: dict[str, dict[str, list[Clip]]] = {label: defaultdict(list) for label in DIGITS}
    for clip in clips:
        takes[clip.label][clip.speaker].append(clip)
    n_digits = Counter(speaker for by_speaker in takes.values() for speaker in by_speaker)
    full = sorted(speaker for speaker, n in n_digits.items() if n == max(n_digits.values()))
    indices = np.linspace(0, len(full) - 1, min(N_EXAMPLES, len(full))).round().astype(int)
    first = [full[index] for index in indices]
    order = first + sorted(set(n_digits) - set(first), key=lambda speaker: (n_digits[speaker], speaker))
    examples = {}
    for label in DIGITS:
        speakers = [speaker for speaker in order if speaker in takes[label]][:N_EXAMPLES]
        examples[label] = tuple(_choose_take(takes[label][speaker]) for speaker in speakers)
    return examples


def _choose_take(takes: Sequence[Clip]) -> Clip:
    return sorted(takes, key=lambda clip: (clip.length_s, clip.id))[len(takes) // 2]


def _compute_card(corpus: Corpus, advance: Callable[[int], None], t: Words) -> Card:
    clips, facts, about = corpus.clips, measure_balance(corpus, t.language), _read_about(corpus)
    examples = choose_examples(clips)
    highest_hz = min(HIGHEST_HZ, max(clip.rate_hz for line in examples.values() for clip in line) / 2)
    span_s = float(np.clip(max(clip.length_s for line in examples.values() for clip in line), *_SPAN_S))
    axes = SpectrogramAxes(span_s=span_s, highest_hz=highest_hz)
    rows = _count_speakers(corpus)
    visible = sorted(sorted(rows, key=lambda row: -row.n)[:_MOST_ROWS], key=lambda row: (not row.name, row.name))
    lengths, peaks = compute_bins([clip.length_s for clip in clips]), [20 * np.log10(clip.peak) for clip in clips]
    flagged = [(clip.path.as_posix(), ", ".join(t(f"flag.{flag}") for flag in clip.flags)) for clip in clips if clip.flags]
    return Card(
        corpus=corpus,
        facts=facts,
        title=about.get("title") or (corpus.name if corpus.parts else _title(corpus.folder)),
        about=about,
        total_s=sum(clip.length_s for clip in clips),
        median_peak_db=float(np.median(peaks)),
        rows=tuple(visible),
        n_speakers_left_out=len(rows) - len(visible),
        examples=_make_examples(corpus.folder, examples, axes, advance),
        axes=axes,
        lengths=draw_histogram(lengths, t("sound.length_axis"), t("sound.length_alt"), t.number),
        levels=draw_histogram(compute_bins(peaks), t("sound.level_axis"), t("sound.level_alt"), t.number),
        n_longer=lengths.n_above,
        kinds=dict(Counter(problem.kind.value for problem in corpus.problems).most_common()),
        flagged=tuple(flagged[:_MOST_PROBLEMS]),
        n_flagged=len(flagged),
    )


def _read_about(corpus: Corpus) -> dict[str, str]:
    """Read licence and so on of the corpus; of several, name by name where all of them state it."""
    if not corpus.parts:
        return read_about(corpus.folder)
    by_name = {name: read_about(folder) for name, folder in corpus.parts.items()}
    keys = [key for key in ("licence", "citation") if all(key in about for about in by_name.values())]
    return {key: "; ".join(f"{name}: {about[key]}" for name, about in by_name.items()) for key in keys}


def _title(folder: Path) -> str:
    """Return the folder's name, after its parent's if it is a generic one such as `recordings`."""
    parts = folder.resolve().parts[-2:]
    return "/".join(parts) if parts[-1].lower() in PLAIN_NAMES else parts[-1]


def _count_speakers(corpus: Corpus) -> list[SpeakerCounts]:
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in corpus.clips:
        by_speaker[clip.speaker].append(clip)
    counts = {speaker: Counter(clip.label for clip in clips) for speaker, clips in by_speaker.items()}
    most = max(max(count.values()) for count in counts.values())
    return [
        SpeakerCounts(
            name=speaker,
            about=_describe_speaker(corpus.speakers.get(speaker, {})),
            n=len(clips),
            cells=tuple(DigitCell(n=counts[speaker][label], heat=round(counts[speaker][label] / most, 3)) for label in DIGITS),
            median_s=float(np.median([clip.length_s for clip in clips])),
        )
        for speaker, clips in by_speaker.items()
    ]


def _describe_speaker(about: dict[str, object]) -> str:
    words = [str(about[key]) for key in ("gender", "age", "accent") if about.get(key) not in (None, "")]
    return ", ".join(words)


def _make_examples(
    folder: Path, clips_by_label: dict[str, tuple[Clip, ...]], axes: SpectrogramAxes, advance: Callable[[int], None]
) -> dict[str, tuple[Example, ...]]:
    most_hz = _player_rate_hz([clip for line in clips_by_label.values() for clip in line])
    examples = {}
    for label, clips in clips_by_label.items():
        line = []
        for clip in clips:
            wave, rate_hz = read_clip(folder / clip.path)
            line.append(
                Example(
                    label=label,
                    speaker=clip.speaker,
                    id=clip.id,
                    length_s=clip.length_s,
                    picture=png_uri(palette_png(compute_spectrogram(wave, rate_hz, axes))),
                    sound=data_uri("audio/wav", make_player_wav(wave, rate_hz, most_hz, _LONGEST_S)),
                )
            )
            advance(1)
        examples[label] = tuple(line)
    return examples


def _player_rate_hz(clips: Sequence[Clip]) -> int:
    """Return the highest rate at which all examples together stay small enough to mail."""
    for rate_hz in _PLAYER_RATES_HZ:
        if sum(2 * min(rate_hz, clip.rate_hz) * min(clip.length_s, _LONGEST_S) for clip in clips) <= _MOST_SOUND_BYTES:
            return rate_hz
    return _PLAYER_RATES_HZ[-1]


def _mark_safe(t: Words) -> Words:
    """Return the texts as safe markup: they are our own and are not escaped, unlike the values that fill them."""
    from markupsafe import Markup

    return replace(t, table={key: tuple(map(Markup, forms)) for key, forms in t.table.items()})


def _render(card: Card, t: Words) -> bytes:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = (_TEMPLATES / "card.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment.get_template("card.html.j2").render(
        card=card,
        t=_mark_safe(t),
        labels=DIGITS,
        range_db=RANGE_DB,
        lowest_hz=LOWEST_HZ,
        most_problems=_MOST_PROBLEMS,
        style=Markup((_TEMPLATES / "card.css").read_text(encoding="utf-8")),
        script=Markup(script),
        lengths=Markup(card.lengths),  # our own drawing: numbers and our own texts
        levels=Markup(card.levels),
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
    )
    return page.encode("utf-8", "replace")
