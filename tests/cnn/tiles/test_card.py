"""Card of a corpus of pictures: counts by class and part, pictures in colour, and no word of speech."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.base.texts import read_words
from cnn.cli.data import app
from cnn.errors import CorpusError
from cnn.tiles.card import N_EXAMPLES, TEXTS, compute_card, render_card
from cnn.tiles.tile_set import TileSet
from support.picture_runs import find_speech


def test_counts_are_those_of_the_tiles(colour_tiles: TileSet) -> None:
    card = compute_card(colour_tiles)
    counts = Counter((clip.label, clip.part) for clip in colour_tiles.clips)
    assert card.parts == ("train", "val", "test")
    assert {row.label: row.counts for row in card.rows} == {
        label: tuple(counts[label, part] for part in card.parts) for label in colour_tiles.data.labels
    }
    assert {len(row.examples) for row in card.rows} == {N_EXAMPLES}
    assert (card.is_balanced, card.n_shared) == (True, 0)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_card_of_pictures_holds_no_word_of_speech(colour_tiles: TileSet, digit_tiles: TileSet, language: str) -> None:
    t = read_words(TEXTS, language)
    pages = [render_card(compute_card(tiles), t).decode() for tiles in (colour_tiles, digit_tiles)]
    assert "stripes" in pages[0]
    assert [find_speech(page.replace("digits", "")) for page in pages] == [[], []]  # the name of the second corpus
    assert ("in colour" in pages[0]) == (language == "en")


def test_the_command_takes_tiles_of_pictures_and_refuses_those_of_recordings(
    colour_tiles: TileSet, tiles: TileSet, tmp_path: Path
) -> None:
    out = tmp_path / "card.html"
    result = CliRunner().invoke(app, ["card", str(colour_tiles.folder), "--out", str(out)])
    assert result.exception is None
    assert result.output.endswith(f"{out}: 120 pictures on one page (0.1 MB); open it in any browser\n")
    error = CliRunner().invoke(app, ["card", str(tiles.folder), "--out", str(out)]).exception
    assert isinstance(error, CorpusError)
    assert str(error).startswith("a card of recordings is made from their folder, not from tiles: arena data card ")
