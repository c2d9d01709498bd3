"""Plan of a contest pack: test speakers, ids of test clips, public and private rows, and facts for the host alone.

A plan reads the corpus and writes nothing. All random choices derive from a secret: whoever knows it and has the recordings
can make the same pack, and read the labels off it.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from arena.base.suggest import did_you_mean
from cnn.corpus.scan import Clip, Corpus
from cnn.errors import CorpusError, SplitError
from cnn.pack.audio import HIDDEN_DISGUISE, Alteration, Disguise, Format, KeyedRandom, choose_format, choose_length
from cnn.pack.near_duplicates import Matches
from cnn.pack.public_corpora import describe_publicity

ENOUGH_SPEAKERS = 8  # from which the public and the private part have at least 4 voices each
USAGES = ("auto", "speaker", "row")
_LETTERS = "bcdfghjkmnpqrstvwxz"  # no vowel, so no word; no digit, so nothing that a spreadsheet takes for a number
_N_LETTERS = 10
_HIDDEN = "hidden"  # begins the purpose of the hidden part's random numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class PackSettings:
    """Settings of a pack, chosen by its host."""

    test_speakers: tuple[str, ...] = ()  # their names
    n_test_speakers: int = 0  # number of speakers to draw, if none are named
    n_hidden_speakers: int = 0  # number of further speakers, drawn for the hidden part; 0: the test clips, disguised anew
    secret: str = field(default="", repr=False)  # empty: a new one is drawn
    disguise: Disguise = field(default_factory=Disguise)
    length_s: float = 0.0  # length of every test file; 0: that of the longest clip, at most two seconds
    public: float = 0.5  # share of test rows whose score is shown while the contest runs; 1: all, without a Usage column
    usage: str = "auto"  # public part: whole speakers, or rows of every speaker
    address: str = ""  # page of the contest, for the students' arena.toml and README
    deadline: str = ""  # ISO 8601 with its offset, for the README, as the next two
    licence: str = ""  # licence of the recordings; empty: the one that lies beside them
    sources: str = ""  # who recorded them

    def __post_init__(self) -> None:
        if bool(self.test_speakers) == bool(self.n_test_speakers):
            raise SplitError("a pack holds out --test-speakers by name or --n-test-speakers by number; give one of the two")
        if not 0 < self.public <= 1:
            raise SplitError(f"--public is a share above 0 and at most 1, not {self.public:g}")
        if self.usage not in USAGES:
            raise SplitError(f"--usage is one of {', '.join(USAGES)}, not {self.usage!r}")
        if self.length_s and not 0.1 <= self.length_s <= 60:
            raise SplitError(f"--length-s lies between 0.1 and 60 seconds, not {self.length_s:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TestRow:
    """One row of the test set: a clip under its public id."""

    __test__ = False  # no test class of pytest

    id: str
    clip: Clip = field(repr=False)
    is_public: bool
    alteration: Alteration


@dataclass(frozen=True, kw_only=True, slots=True)
class PackPlan:
    """Content of a pack."""

    corpus: Corpus = field(repr=False)
    settings: PackSettings  # with the secret
    train: tuple[Clip, ...] = field(repr=False)
    test: tuple[TestRow, ...] = field(repr=False)  # sorted by id
    hidden: tuple[TestRow, ...] = field(repr=False)  # the part that nobody is given; sorted by id
    train_speakers: tuple[str, ...]
    test_speakers: tuple[str, ...]
    hidden_speakers: tuple[str, ...]  # those of `test`, unless further ones were held out
    format: Format
    length_s: float  # length of every test file
    usage: str  # speaker or row; empty without a Usage column
    notes: tuple[str, ...]
    left_out: tuple[Clip, ...]  # clips of held-out speakers that are not tested
    matches: Matches | None = field(default=None, repr=False)  # recordings and voices on both sides; None: not searched

    @property
    def public_speakers(self) -> tuple[str, ...]:
        return tuple(sorted({row.clip.speaker for row in self.test if row.is_public}))


def plan_pack(corpus: Corpus, settings: PackSettings, without: Collection[str] = ()) -> PackPlan:
    """Plan a pack; equal corpus, settings and secret give equal packs.

    Args:
        without: ids of test clips to leave out.

    Raises:
        SplitError: the speakers cannot be held out, or leave nothing to train on or to rank by.
        CorpusError: the recordings changed meanwhile.
    """
    settings = _ensure_secret(settings)
    random = KeyedRandom(settings.secret)
    spellings = _speakers(corpus.clips)
    keys = _choose_test_keys(spellings, settings, random)
    hidden_keys = _choose_hidden_keys(set(spellings) - keys, settings.n_hidden_speakers, random)
    held_out = [clip for clip in corpus.clips if speaker_key(clip.speaker) in keys | hidden_keys]
    test, hidden = (
        [clip for clip in held_out if clip.id not in without and speaker_key(clip.speaker) in side]
        for side in (keys, hidden_keys or keys)
    )
    if not test or not hidden:
        raise SplitError("every test clip is a training recording too and none is left; hold out other speakers")
    train = tuple(clip for clip in corpus.clips if speaker_key(clip.speaker) not in keys | hidden_keys)
    _check_labels(train, test, hidden)
    usage = _choose_usage(settings, len({speaker_key(clip.speaker) for clip in test}))
    public = _choose_public(test, settings.public, usage, random)
    ids = _draw_ids([*(clip.id for clip in test), *(f"{_HIDDEN} {clip.id}" for clip in hidden)], random)
    rows = [
        TestRow(id=ids[clip.id], clip=clip, is_public=clip.id in public, alteration=random.alter(clip.id, settings.disguise))
        for clip in test
    ]
    hidden_rows = [
        TestRow(id=ids[name], clip=clip, is_public=False, alteration=random.alter(name, HIDDEN_DISGUISE))
        for clip in hidden
        for name in [f"{_HIDDEN} {clip.id}"]
    ]
    length_s = settings.length_s or choose_length([*test, *hidden])
    try:
        wav_format = choose_format(corpus.folder, corpus.clips)
    except (OSError, RuntimeError) as error:
        raise CorpusError(f"{corpus.folder} changed while it was read: {error}; run the same command again") from error
    return PackPlan(
        corpus=corpus,
        settings=settings,
        train=train,
        test=tuple(sorted(rows, key=lambda row: row.id)),
        hidden=tuple(sorted(hidden_rows, key=lambda row: row.id)),
        train_speakers=tuple(sorted({clip.speaker for clip in train})),
        test_speakers=tuple(sorted({clip.speaker for clip in test})),
        hidden_speakers=tuple(sorted({clip.speaker for clip in hidden})),
        format=wav_format,
        length_s=length_s,
        usage=usage,
        notes=(*_notes(corpus, spellings, wav_format, test, length_s), *describe_publicity(corpus)),
        left_out=tuple(clip for clip in held_out if clip.id in without),
    )


def speaker_key(name: str) -> str:
    """Return the name without case, spaces, leading zeros and Unicode variants: equal for all spellings of one speaker."""
    key = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return key.lstrip("0") or key


def _ensure_secret(settings: PackSettings) -> PackSettings:
    return settings if settings.secret else replace(settings, secret=secrets.token_hex(16))


def _speakers(clips: Sequence[Clip]) -> dict[str, list[str]]:
    """Return the spellings of each speaker's name, by `speaker_key`."""
    unknown = [clip for clip in clips if not clip.speaker]
    if unknown:
        raise SplitError(
            f"a pack holds speakers out and {len(unknown)} of {len(clips)} clips name none ({unknown[0].path}); "
            "name the files {digit}_{speaker}_{take}.wav, or take these out"
        )
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for clip in clips:
        spellings[speaker_key(clip.speaker)].add(clip.speaker)
    return {key: sorted(names) for key, names in sorted(spellings.items())}


def _choose_test_keys(spellings: dict[str, list[str]], settings: PackSettings, random: KeyedRandom) -> set[str]:
    if settings.test_speakers:
        keys = {speaker_key(name): name for name in settings.test_speakers}
        for key, name in keys.items():
            if key not in spellings:
                texts = {key: repr(names[0]) for key, names in spellings.items()}
                choices = ", ".join(names[0] for names in list(spellings.values())[:12])
                hint = did_you_mean(key, texts, f"choose from {choices}", cutoff=0.5)
                raise SplitError(f"--test-speakers names {name!r}, who speaks in no clip{hint}")
    else:
        order = sorted(spellings, key=lambda key: random.integer("speaker", key))
        keys = {key: key for key in order[: settings.n_test_speakers]}
    n_test = max(len(keys), settings.n_test_speakers)
    if n_test >= len(spellings):
        raise SplitError(f"{n_test} test speakers leave none of {len(spellings)} for training; hold out fewer")
    return set(keys)


def _choose_hidden_keys(rest: Collection[str], n_speakers: int, random: KeyedRandom) -> set[str]:
    if n_speakers and n_speakers >= len(rest):
        raise SplitError(f"{n_speakers} hidden speakers leave none of {len(rest)} for training; hide fewer")
    return set(sorted(rest, key=lambda key: random.integer("hidden speaker", key))[:n_speakers])


def _check_labels(train: Sequence[Clip], test: Sequence[Clip], hidden: Sequence[Clip]) -> None:
    labels, trained, unseen = ({clip.label for clip in side} for side in (test, train, hidden))
    if missing := sorted(labels - trained):
        raise SplitError(f"nobody who is left for training says {', '.join(missing)}; hold out other speakers")
    if other := sorted(labels ^ unseen):
        raise SplitError(f"test and hidden clips have the same labels, and {', '.join(other)} is in one of them; hide others")


def _choose_usage(settings: PackSettings, n_speakers: int) -> str:
    if settings.public == 1:
        return ""
    if settings.usage == "speaker" and n_speakers < 2:
        raise SplitError("--usage speaker needs at least 2 test speakers and there is 1; hold out more or use --usage row")
    if settings.usage != "auto":
        return settings.usage
    return "speaker" if n_speakers >= ENOUGH_SPEAKERS else "row"


def _choose_public(test: Sequence[Clip], share: float, usage: str, random: KeyedRandom) -> set[str]:
    """Return the ids of the public clips: those of whole speakers, or an equal share of every speaker's every digit."""
    if not usage:
        return {clip.id for clip in test}
    if usage == "speaker":
        keys = sorted({speaker_key(clip.speaker) for clip in test}, key=lambda key: random.integer("public", key))
        public_keys = set(keys[: min(max(round(share * len(keys)), 1), len(keys) - 1)])
        public = {clip.id for clip in test if speaker_key(clip.speaker) in public_keys}
    else:  # systematic sampling: equal steps through the clips, sorted by digit and speaker, from a random start
        order = sorted(test, key=lambda clip: (clip.label, speaker_key(clip.speaker), random.integer("row", clip.id)))
        first = random.fraction("first row")
        steps = [int(first + share * i) for i in range(len(order) + 1)]
        public = {clip.id for i, clip in enumerate(order) if steps[i + 1] > steps[i]}
    for part, ids in (("public", public), ("private", {clip.id for clip in test} - public)):
        missing = sorted({clip.label for clip in test} - {clip.label for clip in test if clip.id in ids})
        if missing:
            raise SplitError(
                f"both parts of the test rows need every label, and no {part} row is {missing[0]}; "
                "hold out more speakers, or make all rows public with --public 1"
            )
    return public


def _draw_ids(names: Sequence[str], random: KeyedRandom) -> dict[str, str]:
    ids: dict[str, str] = {}
    used: set[str] = set()
    for source in names:
        number = random.integer("id", source)
        name = ""
        while not name or name in used:
            number, name = random.integer("again", number), ""
            rest = number
            for _ in range(_N_LETTERS):
                rest, letter = divmod(rest, len(_LETTERS))
                name += _LETTERS[letter]
        used.add(name)
        ids[source] = name
    return ids


def _notes(
    corpus: Corpus, spellings: dict[str, list[str]], wav_format: Format, test: Sequence[Clip], length_s: float
) -> list[str]:
    notes = [f"{', '.join(names)} are taken for one speaker" for names in spellings.values() if len(names) > 1]
    rates = Counter(clip.rate_hz for clip in corpus.clips)
    if len(rates) > 1:
        n_others = sum(rates.values()) - rates[wav_format.rate_hz]
        notes.append(f"recordings of other rates, resampled to {wav_format.rate_hz} Hz: {n_others}")
    n_stereo = sum(clip.n_channels > 1 for clip in corpus.clips)
    if n_stereo:
        notes.append(f"recordings of several channels, averaged to one: {n_stereo}")
    n_longer = sum(clip.length_s > length_s for clip in test)
    if n_longer:
        notes.append(f"test clips longer than {length_s:g} s, cut around the middle of their energy: {n_longer}")
    if corpus.problems:
        notes.append(f"files left out: {len(corpus.problems)}; `arena data scan {corpus.folder}` lists them")
    return notes
