"""The corpus card: what stands on it, that it is one file, the same bytes each time, and safe whatever names people type."""

from __future__ import annotations

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread
from playwright.sync_api import Browser
from typer.testing import CliRunner

from arena.base.media import palette_png
from cnn.cli.data import app
from cnn.corpus.balance import corpus_words, measure_balance
from cnn.corpus.card import N_EXAMPLES, choose_examples, make_card, write_card
from cnn.corpus.card_pictures import Bins, compute_bins, draw_histogram, nice_step
from cnn.corpus.card_sound import FRAMES_PER_S, N_ROWS, SpectrogramAxes, compute_spectrogram, make_player_wav
from cnn.corpus.listing import ProblemKind
from cnn.corpus.scan import scan
from cnn.decoding.flags import MEANINGS
from cnn.errors import CorpusError
from support.browser import CUT_OFF, TEXT_OUTSIDE, needs_chromium

HOSTILE = "<script>alert(1)<\u2215script>\"'&{{7*7}}"


class Reader(HTMLParser):
    """Texts and elements of a page; complains of tags that do not match."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.text, self.tags, self.open = "", [], []  # type: ignore[var-annotated]
        self.feed(page.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "path", "rect", "br") or self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += f" {' '.join(data.split())}"

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def tone(path: Path, seed: int, rate_hz: int = 8000, length_s: float = 0.3) -> None:
    rng = np.random.default_rng(seed)
    soundfile.write(path, 0.4 * rng.standard_normal(round(length_s * rate_hz)).clip(-1, 1), rate_hz)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cards") / "my <corpus> & co"
    root.mkdir()
    for digit in range(9):
        tone(root / f"{digit}_{HOSTILE}_0.wav", digit)
        tone(root / f"{digit}_bob_0.wav", 100 + digit, rate_hz=48_000)
    (root / f"1_{HOSTILE}_9.wav").write_bytes(b"nothing")
    soundfile.write(root / "2_bob_1.wav", np.sign(np.sin(np.arange(4000))), 8000)
    (root / "SOURCE.json").write_text(json.dumps({"licence": "<b>mine</b>", "citation": "me", "title": "T&C"}))
    return root


def test_a_card_says_what_the_corpus_holds(corpus_folder: Path) -> None:
    page = Reader(make_card(scan(corpus_folder)))
    for words in (
        "200 recordings of all ten digits by 5 speakers",
        "8,000 Hz",
        "mono",
        "Every recording can be used.",
        "not stated",
        scan(corpus_folder).digest,
    ):
        assert words in page.text
    cells = [attributes for attributes in page.all("td") if "--heat" in attributes.get("style", "")]
    assert [cell["style"] for cell in cells] == ["--heat: 1.0"] * 50


def test_a_card_in_spanish_quotes_english_as_such(hostile: Path) -> None:
    page = make_card(scan(hostile), language="es")
    text = Reader(page).text
    assert b'<html lang="es">' in page
    assert "19 grabaciones de 9 dígitos de 2 hablantes," in text
    assert "1 archivo sin usar: 1 ilegible." in text
    assert "Conviene el aumento de datos: algunos dígitos tienen 2 audios o ninguno" in text
    (reason,) = re.findall(rb'<span lang="en">(.*?)</span>', page)
    assert reason.decode() == scan(hostile).problems[0].reason
    spanish = text.replace(reason.decode(), "")
    assert re.findall(r"\b(the|with|recordings?|speakers?|which|clips?|of|digits?)\b", spanish) == []


def test_every_text_of_the_card_is_used_and_every_used_one_is_there() -> None:
    package = Path(measure_balance.__code__.co_filename).parent
    keys = corpus_words("en").table.keys()
    code = "\n".join((package / name).read_text("utf-8") for name in ("card.py", "templates/card.html.j2"))
    used = set(re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", code)) & {key for key in keys if not key.startswith("balance.")}
    called = set(re.findall(r"""\bt(?:\.n)?\(\s*["']([a-z]+\.[a-z_]+)["']""", code))
    judged = {f"balance.{key}" for key in re.findall(r'"(\w+)"', (package / "balance.py").read_text("utf-8"))} & keys
    named = {*(f"kind.{kind}" for kind in ProblemKind), *(f"flag.{flag}" for flag in MEANINGS)}
    assert called - keys == set()
    assert used | judged | named == keys


def test_a_card_is_one_file_that_loads_nothing(corpus_folder: Path) -> None:
    page = Reader(make_card(scan(corpus_folder)))
    sources = [a.get("src", "") for tag in ("img", "audio", "script") for a in page.all(tag) if "src" in a]
    assert len(sources) == 2 * 10 * N_EXAMPLES
    assert all(source.startswith("data:") for source in sources)
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert page.all("link") == []


def test_equal_recordings_give_equal_bytes(corpus_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / corpus_folder.name
    shutil.copytree(corpus_folder, copy)
    assert make_card(scan(corpus_folder)) == make_card(scan(copy))


def test_names_that_people_type_are_text_and_nothing_else(hostile: Path) -> None:
    page = Reader(make_card(scan(hostile)))
    assert HOSTILE in page.text
    assert "<b>mine</b>" in page.text
    assert len(page.all("script")) == 1
    assert page.all("b") == []
    assert f"1_{HOSTILE}_9.wav" in page.text
    assert "2_bob_1.wav" in page.text
    assert "T&C" in page.text
    assert "9 digits by 2 speakers" in page.text


def test_a_damaged_or_absent_source_file_is_no_licence(corpus_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    shutil.copytree(corpus_folder, folder)
    for content in ("[", "[]", '"x"', '{"title": ""}'):
        (folder / "SOURCE.json").write_text(content)
        assert "No licence is stated" in Reader(make_card(scan(folder))).text


def test_examples_are_of_the_same_speakers_and_of_middle_length(corpus_folder: Path) -> None:
    examples = choose_examples(scan(corpus_folder).clips)
    assert [[clip.speaker for clip in line] for line in examples.values()] == [["ann", "cleo", "eve"]] * 10
    takes = sorted(clip.length_s for clip in scan(corpus_folder).clips if (clip.label, clip.speaker) == ("3", "ann"))
    assert examples["3"][0].length_s == takes[2]


def test_many_speakers_are_cut_to_those_with_most(tmp_path: Path) -> None:
    for speaker in range(90):
        tone(tmp_path / f"1_s{speaker:02}_0.wav", speaker, length_s=0.1)
    tone(tmp_path / "1_s89_1.wav", 999, length_s=0.1)
    page = Reader(make_card(scan(tmp_path)))
    assert "The 80 speakers with the most recordings; 10 more are left out here" in page.text
    assert "s89" in page.text


def test_sound_is_limited_however_long_the_clips_are(tmp_path: Path) -> None:
    for digit in range(10):
        for speaker in ("a", "b", "c"):
            tone(tmp_path / f"{digit}_{speaker}_0.wav", digit * 3 + ord(speaker), rate_hz=16_000, length_s=5)
    page = make_card(scan(tmp_path))
    assert len(page) < 2_100_000
    sounds = [base64.b64decode(text) for text in re.findall(rb"audio/wav;base64,([^\"]+)", page)]
    assert len(sounds) == 30
    assert {len(sound) for sound in sounds} == {44 + 2 * 2 * 8_000}


def test_a_tone_stands_in_its_row_and_time() -> None:
    axes = SpectrogramAxes(span_s=1.0, highest_hz=4000)
    time = np.arange(4000) / 8000
    picture = compute_spectrogram(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 8000, axes)
    assert picture.shape == (N_ROWS, FRAMES_PER_S)
    mel = 2595 * np.log10(1 + np.array([60, 1000, 4000]) / 700)
    row = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (N_ROWS - 1)
    assert abs(int(picture[:, 40].argmax()) - row) <= 1
    assert picture[:, 40].max() > 250
    assert picture[:, 90:].max() == 0


def test_what_a_rate_cannot_hold_is_black() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    picture = compute_spectrogram(noise, 8000, SpectrogramAxes(span_s=0.5, highest_hz=8000))
    mel = 2595 * np.log10(1 + np.array([60, 4100, 8000]) / 700)
    assert picture[int(np.ceil((mel[1] - mel[0]) / (mel[2] - mel[0]) * (N_ROWS - 1))) :].max() == 0
    assert picture[:60].mean() > 100


def test_a_png_is_read_back_as_drawn(tmp_path: Path) -> None:
    from matplotlib import colormaps

    picture = np.random.default_rng(0).integers(0, 256, (7, 13)).astype(np.uint8)
    (tmp_path / "x.png").write_bytes(palette_png(picture))
    read = imread(tmp_path / "x.png")[..., :3]
    np.testing.assert_allclose(read, colormaps["magma"](picture[::-1], bytes=True)[..., :3] / 255, atol=1e-6)


def test_a_player_keeps_pitch_at_another_rate(tmp_path: Path) -> None:
    time = np.arange(48_000) / 48_000
    (tmp_path / "x.wav").write_bytes(
        make_player_wav(np.sin(2 * np.pi * 440 * time).astype(np.float32) * 0.5, 48_000, 16_000, 2.0)
    )
    samples, rate_hz = soundfile.read(tmp_path / "x.wav")
    assert (rate_hz, len(samples)) == (16_000, 16_000)
    assert np.abs(np.fft.rfft(samples)).argmax() == 440
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.01)


def test_bins_count_every_value() -> None:
    assert compute_bins([0.1, 0.12, 0.31]) == Bins(start=0.1, width=0.01, counts=(1, 0, 1, *[0] * 18, 1), n_above=0)
    values = [*np.linspace(0.2, 0.9, 999), 50.0]
    bins = compute_bins(values)
    assert sum(bins.counts) + bins.n_above == 1000
    assert bins.start + bins.width * len(bins.counts) < 1.0
    for same in (0.5, -30.0, 0.0):
        assert sum(compute_bins([same] * 3).counts) == 3


@pytest.mark.parametrize(("span", "most", "step"), [(1, 10, 0.1), (7, 7, 1), (7.1, 7, 2), (300, 3, 100), (0.03, 20, 0.002)])
def test_steps_are_round(span: float, most: int, step: float) -> None:
    assert nice_step(span, most) == pytest.approx(step)


def test_a_histogram_names_its_marks_alike() -> None:
    svg = draw_histogram(Bins(start=-40, width=2.5, counts=(1, 2, 3, 4), n_above=0), "x", "y", str)
    assert re.findall(r'middle">([^<]+)<', svg) == [f"\u2212{mark}" for mark in (40, 38, 36, 34, 32, 30)]
    svg = draw_histogram(Bins(start=0.0, width=0.05, counts=(1,) * 20, n_above=0), "x", "y", str)
    assert re.findall(r'middle">([^<]+)<', svg) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]


def test_a_card_that_cannot_be_written_is_one_line(corpus_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"cannot write .*card\.html: No such file or directory"):
        write_card(scan(corpus_folder), tmp_path / "no" / "card.html")


def test_the_command_writes_the_page_and_says_how_large(corpus_folder: Path, tmp_path: Path) -> None:
    words = ["card", str(corpus_folder), "-o", str(tmp_path / "c.html"), "--cache", str(tmp_path / "cache"), "--jobs", "1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0
    assert re.fullmatch(
        rf"{re.escape(str(tmp_path))}/c.html: 200 recordings on one page \(0\.\d MB\); open it in any browser\n", result.stdout
    )
    content = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert content["size_bytes"] == (tmp_path / "c.html").stat().st_size


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark"), (360, "light")])
def test_nothing_is_cut_off_or_loaded_or_complained_about(
    browser: Browser, hostile: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "card.html"
    path.write_bytes(make_card(scan(hostile)))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light")
    urls: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: urls.append(request.url.partition(";")[0]))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [cut for cut in page.evaluate(CUT_OFF) if "figcaption" not in cut and 'class="name"' not in cut] == []
    assert page.evaluate(TEXT_OUTSIDE) == []
    page.evaluate("document.querySelector('audio').addEventListener('play', () => { window.pressed = true; })")
    page.locator(".clip").first.click()
    page.wait_for_function("window.pressed")  # the browser tells it a moment after the click
    assert page.evaluate("document.querySelector('audio').error") is None
    assert {url for url in urls if not url.startswith("data:")} == {path.as_uri()}
    assert messages == []
    page.close()
