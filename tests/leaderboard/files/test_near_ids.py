"""The id that an unknown one stands for is the nearest, or none."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.files.csv_table import quote_short
from leaderboard.files.near_ids import IdHints
from leaderboard.files.near_labels import match_label

CHANGES: dict[str, Callable[[str], str]] = {
    "suffix": lambda name: f"{name}.wav",
    "folder": lambda name: f"audio/{name}",
    "folder of Windows": lambda name: f"C:\\audio\\{name}",
    "no zeros": lambda name: name.lstrip("0") or "0",
    "float": lambda name: f"{name}.0" if name.isdecimal() else name,
    "capitals": str.upper,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "quotes": lambda name: f"'{name}'",
    "invisible": lambda name: f"\u200b{name}\u200b",
    "hyphens": lambda name: name.replace("_", "-"),
}
NUMBERED = st.builds(
    lambda head, width, numbers: [f"{head}{n:0{width}d}" for n in numbers],
    st.sampled_from(["", "clip_", "s1_", "señal-", "a/b/"]),
    st.integers(1, 5),
    st.lists(st.integers(0, 2000), min_size=1, max_size=30, unique=True),
)
FREE = st.lists(st.text("aA10_-é./ ", min_size=1, max_size=6).map(str.strip).filter(bool), min_size=1, max_size=20, unique=True)


def find_nearest(ids: list[str], name: str) -> object:
    """Return the id, in quotes, that is named as the nearest; None where none is named, or there is nothing to explain."""
    message = None if name in ids else IdHints(ids).explain(name)
    return message.values.get("right") if message else None


@settings(max_examples=150)
@given(ids=NUMBERED, data=st.data())
def test_the_nearest_of_numbered_ids_is_the_one_that_was_changed_or_none(ids: list[str], data: st.DataObject) -> None:
    right = data.draw(st.sampled_from(ids))
    change = data.draw(st.sampled_from(sorted(CHANGES)))
    assert find_nearest(ids, CHANGES[change](right)) in (None, repr(right))


@given(ids=FREE, change=st.sampled_from(sorted(CHANGES)))
def test_the_nearest_is_an_id_of_the_contest_or_none(ids: list[str], change: str) -> None:
    assert find_nearest(ids, CHANGES[change](ids[0])) in (None, *map(quote_short, ids))


def test_of_ids_that_one_name_may_stand_for_the_nearest_is_the_one_with_the_least_change() -> None:
    assert find_nearest(["01", "1-"], "1") == "'1-'"
    assert find_nearest(["1/a", "2/a"], "a") is None


@given(ids=NUMBERED, change=st.sampled_from(sorted(set(CHANGES) - {"no zeros", "float", "hyphens"})))
def test_every_change_of_numbered_ids_is_explained(ids: list[str], change: str) -> None:
    name = CHANGES[change](ids[0])
    assert name in ids or IdHints(ids).explain(name) is not None


@given(st.text(max_size=30))
def test_any_id_is_explained_in_one_line_or_not_at_all(name: str) -> None:
    for ids in (["0001", "0002"], ["clip_1", "clip_2"], ["1-2", "3e5"]):
        message = None if name in ids else IdHints(ids).explain(name)
        assert len(str(message).splitlines()) == 1


def test_ids_whose_folders_alone_differ_cost_little_however_many_they_are() -> None:
    ids = [f"s{n:05d}/0.wav" for n in range(2000)]
    assert IdHints(ids).explain("0.wav") is None
    message = IdHints(ids).explain(r"s01234\0.wav")
    assert message is not None
    assert message.values["right"] == "'s01234/0.wav'"


def test_a_label_is_found_only_where_the_text_names_one() -> None:
    labels = tuple(map(str, range(10)))
    texts = ("7.0", "seven", "Siete", "tensor(7)", "['7']", "digit_7", " 7", "07", "7")
    assert [match_label(text, labels) for text in texts] == ["7"] * len(texts)
    others = ("-7", "7.5", "77", "7 or 8", "1_7", "1e9", "ten", "", "nan", "inf", "x")
    assert [match_label(text, labels) for text in others] == [None] * len(others)
