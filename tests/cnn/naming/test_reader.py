"""Names of recordings: digit and speaker of every clip that is read are right, and the others are refused with the cause."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnn.errors import CorpusError
from cnn.naming.reader import describe_merges, read_names
from cnn.naming.reading import NameReading, NameRules
from cnn.naming.speakers import clean_speaker
from cnn.naming.words import label_table

SPEAKERS = ("ana", "luis", "Jörg", "O'Brien")
LANGUAGES = {
    name: tuple(words.split())
    for name, words in {
        "en": "zero one two three four five six seven eight nine",
        "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "de": "null eins zwei drei vier fünf sechs sieben acht neun",
        "de without umlaut": "null eins zwo drei vier fuenf sechs sieben acht neun",
        "fr": "zéro un deux trois quatre cinq six sept huit neuf",
        "it": "zero uno due tre quattro cinque sei sette otto nove",
        "pt": "zero um dois tres quatro cinco seis sete oito nove",
        "nl": "nul een twee drie vier vijf zes zeven acht negen",
        "pl": "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
        "ru": "ноль один два три четыре пять шесть семь восемь девять",
        "uk": "нуль один два три чотири п'ять шість сім вісім дев'ять",
        "da": "nul en to tre fire fem seks syv otte ni",
        "sv": "noll ett två tre fyra fem sex sju åtta nio",
        "ca": "zero un dos tres quatre cinc sis set vuit nou",
        "eu": "zero bat bi hiru lau bost sei zazpi zortzi bederatzi",
        "tr": "sifir bir iki üç dört beş alti yedi sekiz dokuz",
        "hi": "शून्य एक दो तीन चार पांच छह सात आठ नौ",
        "zh": "零 一 二 三 四 五 六 七 八 九",
        "pinyin": "ling yi er san si wu liu qi ba jiu",
    }.items()
}
# Layouts of public corpora: digit {d} or its word {w}, speaker {s} or the speaker's number {i}, take {k}.
READ = """
{d}_{s}_{k}
{d}_0{i}_{k}
0{i}/{d}_0{i}_{k}
{d}/{d}_{s}_{k}
0{d}_{s}_0{k}
{w}/{s}_nohash_{k}
{s}_{d}_{k}
{d}_{k}_{s}
{d}-{s}
{s}_{d}
{s}_0{d}
{s}{d}_{k}
{d}{s}_{k}
{s}{W}{k}
{s}/{d}
{s}/0{d}
{s}/{d}_{k}
{s}/{s}_0{d}
{s}/{w}
{s}/{w}_{k}
{s}/{w}/{k}
{s}/{d}/{k}
{d}/{s}_{k}
{d}/{s}{k}
{d}/{s} ({k})
0{d}/{s}_{k}
{w}/{s}_{k}
{w}/{k}_{s}
{d}_{w}/{s}_{k}
digit_{d}/{s}-{k}
{w}/{s}_F_{W}_0{k}
mis_audios/{d}/{d}_{s}
data/train/{w}/{s}_{k}
recordings/{s}/{w}-{k}
{s}/session{k}/{d}
session{k}/{s}/{d}
{s}-{w}-{k}
{s}.{w}.{k}
[{s}] {d} take {k}
{s} take {k} - {d}
{s}_digit{d}_{k}
{w}_{s}_{k}
hombre_{i}/hombre_{i}_0{d}
man_{i}_0{d}
s{i}_{d}_{k}
speaker_{i}/digit_{d}_take_{k}
sub-{i}/{d}
2024013{k}_{s}_{d}
{s}_{d}_2024-01-3{k} 12-30-05
{s}_8k_{d}_{k}
{s}_{d}_16kHz_mono_v{k}
{s}_25y_{w}_{k}
{w}/{s}/PTT-20240131-WA00{d}{k}
{s}_noisy_{d}
{s}_{d} - Copy ({k})
Copia de {s} {d}
""".strip().splitlines()
REFUSED = {
    "{s}_{k}_{w}": "for a take or for part of the speaker's name; give --pattern '{speaker}_{take}_{label}'",
    "{s}/Recording ({k}{d})": "does not say its digit",
    "{s}/Voice 00{d}": "does not say its digit",
    "{s}/PTT-20240131-WA000{d}": "does not say its digit",
    "{s}/grabación {d}": "does not say its digit; if 0 is the digit, give --pattern '{speaker}/{any} {label}'",
    "{i}/{d}": "says 1 by its folder '1' and 0 by '0' in its name; give --pattern '{label}/{take}' for 1 or --pattern "
    "'{speaker}/{label}' for 0",
    "{k}_{s}_{d}": "says 1 by '1' in its name and 0 by '0' in its name; give --pattern '{label}_{speaker}_{take}' for 1 or "
    "--pattern '{take}_{speaker}_{label}' for 0",
    "{w}/{k}": "does not say who speaks",
    "{d}/{k}_recording": "does not say who speaks",
}
Truth = Mapping[str, tuple[str, str]]  # digit and speaker by path


def make_tree(
    layout: str,
    *,
    speakers: Iterable[str] = SPEAKERS,
    digits: Iterable[int] = range(10),
    takes: Iterable[int] = range(1, 4),
    words: tuple[str, ...] = LANGUAGES["en"],
) -> dict[str, tuple[str, str]]:
    takes, digits = list(takes), list(digits)
    return {
        layout.format(s=speaker, i=i, d=digit, k=take, w=words[digit], W=words[digit].capitalize()) + ".wav": (
            str(digit),
            speaker,
        )
        for i, speaker in enumerate(speakers, start=1)
        for digit in digits
        for take in takes
    }


def read(paths: Iterable[str], **rules: str) -> tuple[NameReading, ...]:
    return read_names([PurePosixPath(path) for path in paths], NameRules(**rules))  # type: ignore[arg-type]


def faults(truth: Truth, readings: Iterable[NameReading]) -> list[str]:
    """Return clips with a wrong label, and speakers who were merged or split."""
    clips = [reading for reading in readings if not reading.fault]
    wrong = [f"{clip.path} is {clip.label}" for clip in clips if clip.label != truth[str(clip.path)][0]]
    people, names = defaultdict(set), defaultdict(set)
    for clip in clips:
        people[clip.speaker].add(truth[str(clip.path)][1])
        names[truth[str(clip.path)][1]].add(clip.speaker)
    merged = [f"{name} merges {persons}" for name, persons in people.items() if len(persons) > 1]
    return wrong + merged + [f"{person} is split into {several}" for person, several in names.items() if len(several) > 1]


@pytest.mark.parametrize("layout", READ)
def test_layouts_of_public_corpora_are_read(layout: str) -> None:
    truth = make_tree(layout)
    readings = read(truth)
    assert [reading for reading in readings if reading.fault] == []
    assert faults(truth, readings) == []


@pytest.mark.parametrize("layout", REFUSED)
def test_layouts_that_may_mean_two_things_are_refused_with_the_cause(layout: str) -> None:
    truth = make_tree(layout)
    readings = read(truth)
    refused = [reading for reading in readings if reading.fault]
    assert faults(truth, readings) == []  # two readings that agree are read: 1_ana_1
    assert len(refused) >= 0.9 * len(readings)
    assert REFUSED[layout] in refused[0].fault
    for text, label in re.findall(r"--pattern '([^']+)'(?: for ([0-9]))?", refused[0].fault):
        (reading,) = read([str(refused[0].path)], pattern=text, speaker="x")
        assert (reading.label, reading.fault) == (label or truth[str(reading.path)][0], "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layout", ["{w}/{s}_{k}", "{s}/{w}{k}", "{s}_{w}_{k}", "{W}-{s}", "{s}{W}{k}"])
def test_words_of_many_languages_are_digits(language: str, layout: str) -> None:
    truth = make_tree(layout, words=LANGUAGES[language])
    readings = read(truth)
    assert [reading for reading in readings if reading.fault] == []
    assert faults(truth, readings) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layout", ["{s}{w}{k}", "{w}{s}{k}", "{k}{s}{w}"])
@pytest.mark.parametrize("takes", [(0,), (0, 1), range(10)])
def test_words_glued_to_a_name_are_never_read_over(language: str, layout: str, takes: tuple[int, ...]) -> None:
    truth = make_tree(layout, words=LANGUAGES[language], speakers=("ana", "luis"), takes=takes)
    assert faults(truth, read(truth)) == []


@pytest.mark.parametrize("name", ["x", "X", "\u00d7", "k", "s", "y", "v", "ch", "kHz", "li"])
@pytest.mark.parametrize("digits", [(1,), (0, 1), (3, 7)])
def test_a_first_digit_glued_to_what_may_be_a_unit_is_never_read_over(name: str, digits: tuple[int, ...]) -> None:
    truth = make_tree("group_2/{d}{s}_{k}", speakers=(name,), digits=digits, takes=(0,))
    beside = truth | make_tree("group_2/{d}{s}_{k}", speakers=("ana",), digits=digits, takes=(0,))
    assert all(reading.fault for reading in read(truth))
    assert faults(beside, read(beside)) == []


def test_a_rate_before_a_digit_that_is_shown_is_none() -> None:
    for layout in ("8k_{s}_{d}", "{s}/8k_{w}_{k}", "{d}/8k_{s}_{k}"):
        truth = make_tree(layout)
        readings = read(truth)
        assert [reading for reading in readings if reading.fault] == []
        assert faults(truth, readings) == []


def test_a_word_glued_to_a_name_is_told() -> None:
    (first, *_) = read(make_tree("{s}{w}{k}", takes=range(2)))
    assert first.fault == "says 0 by a number, unless 'zero' in 'anazero' is the digit; say which by --table"


def test_people_whose_names_end_in_words_of_digits_are_read() -> None:
    truth = make_tree("{d}_{s}_{k}", speakers=("Simone", "Jeannine", "Liyi", "Lisi", "Liwu", "Bruno", "Andre"))
    assert faults(truth, read(truth)) == []
    assert not any(reading.fault for reading in read(truth))


def read_one(path: str, **rules: str) -> tuple[str, str]:
    (reading,) = read([path], **rules)
    return reading.label, reading.spelling


@pytest.mark.parametrize(
    ("path", "label", "speaker"),
    [
        ("3_ann_0.wav", "3", "ann"),
        ("siete/ana.wav", "7", "ana"),
        ("Drei/Jörg 2.wav", "3", "Jörg"),
        ("ana/nueve.wav", "9", "ana"),
        ("ana/9.wav", "9", "ana"),
        ("ana/TRÊS-4.wav", "3", "ana"),
        ("ana-seven-2.wav", "7", "ana"),
        ("null/0b7c_nohash_1.wav", "0", "0b7c"),
        ("ana/0 take 0.wav", "0", "ana"),
    ],
)
def test_a_single_path_is_read_where_it_means_one_thing(path: str, label: str, speaker: str) -> None:
    assert read_one(path) == (label, speaker)


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        (
            "clase/ana/5/uno.wav",
            "says 5 by its folder '5' and 1 by 'uno' in its name; give --pattern '{any}/{speaker}/{label}/{any}'",
        ),
        ("7/5_ana_2.wav", "says 7 by its folder '7' and 5 by '5' in its name"),
        ("siete/ana_seis.wav", "says 7 by its folder 'siete' and 6 by 'seis' in its name"),
        ("ana_7_2.wav", "says 7 by '7' in its name and 2 by '2' in its name"),
        ("hombre_3/3_07.wav", "does not say its digit; if 07 is the digit, give --pattern '{speaker}/{take}_{label}'"),
        ("man_7.wav", "does not say its digit"),
        ("bed/0b7c_nohash_1.wav", "lies in no folder named by a digit"),
        ("12_ana_1.wav", "names '12', which is no digit"),
        ("Recording 12.wav", "does not say its digit"),
        ("Recording (3).wav", "does not say its digit"),
        ("WhatsApp Audio 2024-01-31 at 12.30.05.wav", "does not say its digit"),
        ("550e8400-e29b-41d4-a716-446655440000.wav", "does not say its digit"),
        ("ana 20240131_123005.wav", "does not say its digit"),
        ("ana 12-30-05 8k v2 44100 7y.wav", "does not say its digit"),
    ],
)
def test_a_single_path_is_refused_where_it_means_nothing_or_two_things(path: str, cause: str) -> None:
    (reading,) = read([path])
    assert cause in reading.fault


def test_a_number_that_repeats_a_folders_is_no_digit() -> None:
    truth = {f"man_{i}/{i}_{digit:02}.wav": (str(digit), f"man_{i}") for i in (1, 2, 3) for digit in range(10)}
    readings = read(truth)
    assert [reading.fault for reading in readings if reading.fault] == []
    assert faults(truth, readings) == []


def test_a_file_in_the_wrong_class_folder_is_refused_among_those_in_the_right_one() -> None:
    truth = make_tree("{d}/{s}_{d}", takes=[1]) | {"5/ana_7.wav": ("7", "ana")}
    refused = [reading for reading in read(truth) if reading.fault]
    assert [str(reading.path) for reading in refused] == ["5/ana_7.wav"]
    assert "says 5 by its folder '5' and 7 by '7' in its name" in refused[0].fault


def test_a_word_for_a_digit_in_somebodys_name_is_no_digit() -> None:
    speakers = ("maria dos santos", "Otto", "luis")
    for layout in ("{s}_{d}", "{s}_{w}_{k}", "{s}/{d}", "{d}/{s}_{k}"):
        truth = make_tree(layout, speakers=speakers, words=LANGUAGES["it"])
        readings = read(truth)
        assert [reading for reading in readings if reading.fault] == []
        assert faults(truth, readings) == []


def test_a_spelling_that_nobody_knows_is_no_part_of_the_speakers_name() -> None:
    words = ("sero", "un", "dos", "tress", "quatro", "zinco", "zeis", "ziete", "otxo", "nuebe")
    truth = {
        f"{digit}/{speaker}_F_{words[digit].upper()}_0{take}.wav": (str(digit), speaker)
        for speaker in SPEAKERS
        for digit in range(10)
        for take in (1, 2)
    }
    readings = read(truth)
    assert {reading.speaker for reading in readings} == {"ana-F", "luis-F", "Jörg-F", "O-Brien-F"}
    assert faults(truth, readings) == []


@pytest.mark.parametrize(
    "mark", [" (1)", " - Copy", " - copia", " copy 2", "_copy", " - Kopie (3)", " (copia)", " (1) (2)", " [1]"]
)
@pytest.mark.parametrize("layout", ["{d}/{s}{m}", "{s}/{d}{m}", "{d}_{s}{m}", "{s} {w}{m}"])
def test_copies_are_takes(layout: str, mark: str) -> None:
    truth = make_tree(layout.replace("{m}", ""), takes=[1]) | make_tree(layout.replace("{m}", mark), takes=[1])
    readings = read(truth)
    assert [reading for reading in readings if reading.fault] == []
    assert faults(truth, readings) == []
    assert [reading.take for reading in readings].count("") == len(truth) / 2


def test_spellings_of_one_name_are_one_speaker_with_a_note() -> None:
    paths = ["0/Ana.wav", "1/ana.wav", "2/ana.wav"]
    paths += ["3/Jose\u0301.wav", "4/Jos\u00e9.wav", "5/eva lopez.wav", "6/eva_lopez.wav"]
    readings = read(paths)
    assert [reading.speaker for reading in readings] == ["ana", "ana", "ana", "José", "José", "eva-lopez", "eva-lopez"]
    assert describe_merges(readings) == (
        "speaker ana is spelled in 2 ways and taken for one person: 'ana' (2), 'Ana' (1)",
        "speaker eva-lopez is spelled in 2 ways and taken for one person: 'eva lopez' (1), 'eva_lopez' (1)",
    )


def test_two_people_whose_names_would_be_one_in_file_names_are_refused() -> None:
    readings = read(["0/ana! b.wav", "1/ana? b.wav", "2/eva.wav"])
    assert ["whose name in a file would be that of another" in reading.fault for reading in readings] == [True, True, False]


def test_the_answer_does_not_depend_on_the_folder_that_was_named() -> None:
    for layout in ("mis_audios/{d}/{d}_{s}", "voces/hombre_{i}/hombre_{i}_0{d}", "x/{w}/{s}_{k}", "data/{s}/{d}"):
        paths = list(make_tree(layout))
        expected = {reading.path.name + reading.label + reading.speaker for reading in read(paths)}
        for above in ("", "home/", "3 voces/lab/"):
            assert {r.path.name + r.label + r.speaker for r in read([above + path for path in paths])} == expected
        inner = [path.partition("/")[2] for path in paths]
        assert {r.path.name + r.label + r.speaker for r in read(inner, folder=paths[0].partition("/")[0])} == expected
    seven = read([f"ana_{take}.wav" for take in range(1, 6)], folder="seven")
    assert {reading.label for reading in seven} == {"7"}


@pytest.mark.parametrize(
    ("pattern", "path", "label", "speaker"),
    [
        ("{speaker}/{label}-{take}", "ana/7-2.wav", "7", "ana"),
        ("{speaker}/{label}-{take}", "ana/siete-2.wav", "7", "ana"),
        ("{any}/{speaker}_{label}_{take}", "x/ana_7_2.wav", "7", "ana"),
        ("{speaker}_{label}", "man_1_07.wav", "7", "man_1"),
        ("{speaker}_{label}_{take}", "man_1_07_2.wav", "7", "man_1"),
        ("{speaker}/{any}_{label}", "ana/ana_00.wav", "0", "ana"),
        ("{speaker}_{label}.wav", "ana_7 (2).wav", "7", "ana"),
        ("./{speaker}_{label}.WEBM", "ana_7.webm", "7", "ana"),
        ("{speaker} ({label})", "ana (7).wav", "7", "ana"),
        ("{speaker}/{speaker}/{label}", "lab a/01/7.wav", "7", "lab a-01"),
        ("{label}[{speaker}]", "7[ana].wav", "7", "ana"),
    ],
)
def test_a_pattern_reads_paths(pattern: str, path: str, label: str, speaker: str) -> None:
    assert read_one(path, pattern=pattern) == (label, speaker)


@pytest.mark.parametrize(
    ("pattern", "path", "cause"),
    [
        ("{speaker}/{label}", "a/b/7.wav", "does not fit --pattern '{speaker}/{label}'"),
        ("{speaker}/{label}", "ana/77.wav", "names '77', which is no digit"),
        ("{any}_{label}_{any}", "a_7_2_b.wav", "fits --pattern '{any}_{label}_{any}' in two ways, as 2 or 7"),
        ("{label}_{any}", "7_x.wav", "does not say who speaks"),
    ],
)
def test_a_path_that_a_pattern_cannot_read_is_refused(pattern: str, path: str, cause: str) -> None:
    (reading,) = read([path], pattern=pattern)
    assert cause in reading.fault


@pytest.mark.parametrize("pattern", ["{name}/{label}", "{label}{label}", "x", "{}", "{any}"])
def test_a_wrong_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(CorpusError, match="--pattern has the fields"):
        read([], pattern=pattern)


def test_ten_words_of_any_language_can_be_given() -> None:
    words = "a,b,c,d,e,f,g,h,ii,jj"
    assert read_one("II/aino.wav", words=words) == ("8", "aino")
    with pytest.raises(CorpusError, match="--words is ten different words"):
        read([], words="a,b")


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Ana María", "Ana-María"),
        ("a_b/c\\d", "a-b-c-d"),
        ("../..", ""),
        ("e\u0301", "é"),
        (" .x. ", "x"),
        ("अमित", "अमित"),
        ("a" * 99, "a" * 40),
    ],
)
def test_speakers_get_harmless_names(name: str, cleaned: str) -> None:
    assert clean_speaker(name) == cleaned


def test_no_clear_word_means_two_digits() -> None:
    assert set(LANGUAGES["es"]) - set(label_table("")) == set()
    everything = {word for language in LANGUAGES.values() for word in language}
    assert label_table("", everything)["sette"] == "7"
    assert "san" not in label_table("")


PEOPLE = ("ana", "Jörg", "Otto", "Una", "maria dos santos", "de la Cruz", "O'Brien", "Ana B", "Li", "x", "王", "अमित")
FOLDERS = ("", "mis_audios/", "data/train/", "Proyecto/", "group_2/")
MARKS = ("", " - Copy", " (copia)", "_16kHz", "_v2", " 20240131")


@st.composite
def trees(draw: st.DrawFn) -> dict[str, tuple[str, str]]:
    """Draw a corpus of one layout, whole or in part."""
    layout = draw(st.sampled_from(FOLDERS)) + draw(st.sampled_from(READ)) + draw(st.sampled_from(MARKS))
    first = draw(st.integers(0, 1))
    tree = make_tree(
        layout,
        speakers=draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True)),
        digits=draw(st.just(range(10)) | st.lists(st.integers(0, 9), min_size=1, unique=True)),
        takes=range(first, first + draw(st.integers(1, 3))),
        words=LANGUAGES[draw(st.sampled_from(sorted(LANGUAGES)))],
    )
    names = draw(st.just(sorted(tree)) | st.lists(st.sampled_from(sorted(tree)), min_size=1, unique=True))
    return {name: tree[name] for name in names}


@settings(max_examples=150, deadline=None)
@given(trees())
@example({f"{s}/{w}_0.wav": (str(d), s) for s in ("Otto", "ana") for d, w in enumerate(LANGUAGES["it"])})
@example({"group_2/0x_0.wav": ("0", "x"), "group_2/1x_0.wav": ("1", "x")})
@example({"group_2/1x_0.wav": ("1", "x")})
def test_every_clip_that_is_read_has_its_label_and_speaker(truth: dict[str, tuple[str, str]]) -> None:
    readings = read(truth)
    assert [str(reading.path) for reading in readings] == list(truth)
    assert faults(truth, readings) == []
    assert all(reading.fault or (reading.label and reading.speaker) for reading in readings)
