"""Names and digits that one person under several names has, and those of public corpora, which have them not."""

from __future__ import annotations

import random

import pytest

from cnn.speakers.names import find_namesakes, find_shared_names, find_single_digits

ALL = set("0123456789")


@pytest.mark.parametrize(
    ("spoken", "groups"),
    [
        ({"ANA-F": {"2"}, "ANA-F-OTXO": {"8"}, "LUIS-F": {"2", "8"}}, (("ANA-F", "ANA-F-OTXO"),)),
        ({"OTXO-ANA": {"8"}, "ANA": ALL - {"8"}}, (("ANA", "OTXO-ANA"),)),
        ({"ana-uno": ALL, "ana-dos": ALL, "luis": ALL}, (("ana-dos", "ana-uno"),)),
        ({"Ana": ALL, "ana": ALL, "aná": ALL, "luis": ALL}, (("Ana", "ana", "aná"),)),
        ({"ana": ALL, "ana-2": ALL, "ana3": ALL}, (("ana", "ana-2", "ana3"),)),
        ({"ana-1": ALL, "ana1": ALL, "ana-01": ALL}, (("ana-01", "ana-1", "ana1"),)),
        ({"ana-1": set("01234"), "ana-2": set("56789"), "luis": ALL}, (("ana-1", "ana-2"),)),
        ({"1": ALL, "01": ALL, "2": ALL}, (("01", "1"),)),
    ],
)
def test_names_that_differ_as_spellings_do_are_of_one_person(
    spoken: dict[str, set[str]], groups: tuple[tuple[str, ...], ...]
) -> None:
    assert find_namesakes(spoken) == groups


def make_hashes(n_speakers: int) -> dict[str, set[str]]:
    """Speakers as Speech Commands names them, some of whom say few of the digits."""
    draw = random.Random(0)
    return {
        f"{draw.getrandbits(32):08x}": set(draw.sample("0123456789", draw.choice([1, 3, 6, 8, 10, 10])))
        for _ in range(n_speakers)
    }


@pytest.mark.parametrize(
    "spoken",
    [
        dict.fromkeys(("george", "jackson", "lucas", "nicolas", "theo", "yweweler"), ALL),
        {f"{number:02}": ALL for number in range(1, 61)},
        {f"{number}": ALL for number in range(1, 61)},
        make_hashes(2600),
        {"hombre-3": ALL, "hombre-7": ALL},
        {f"speaker{number}": ALL for number in range(200)},
        {f"{kind}-{number}": ALL for kind in ("man", "woman") for number in range(12)},
        {"a1": set("01"), "a2": set("23"), "b1": ALL},
        {"maria": ALL, "maria-luisa": ALL, "luisa": ALL},
    ],
    ids=["fsdd", "audiomnist", "numbers", "speech commands", "case 01", "speakers", "men and women", "codes", "two names"],
)
def test_people_of_public_corpora_are_not_taken_for_one(spoken: dict[str, set[str]]) -> None:
    assert (find_namesakes(spoken), find_single_digits(spoken)) == ((), ())


def test_one_digit_alone_is_doubtful_where_there_are_more() -> None:
    assert find_single_digits({"ana": {"1"}, "luis": {"1"}}) == ()
    assert find_single_digits({"ana": {"1"}, "luis": {"2", "3"}}) == ("ana",)
    crowd = {f"{number:08x}": ALL for number in range(95)}
    assert find_single_digits(crowd | {"ana": {"1"}}) == ()
    assert len(find_single_digits(crowd | {f"ana-{number}": {"1"} for number in range(24)})) == 24


def test_a_name_in_two_corpora_is_found_in_any_spelling_and_a_code_is_not() -> None:
    speakers = [
        "a/José",
        "b/jose",
        "b/ann",
        "a/s01",
        "b/s01",
        "a/x",
        "b/x",
        "a/12",
        "b/12",
        "a/Luis",
        "c/ana maria",
        "a/Ana-María",
    ]
    assert find_shared_names(speakers) == (("a/Ana-María", "c/ana maria"), ("a/José", "b/jose"))
