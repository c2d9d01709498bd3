"""Names and tags: one run has a name, it is no other reference, and no digest changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnn.errors import RunError
from cnn.runs.folder import RunFolder
from cnn.runs.marks import RunLabel, label_run, read_label, remove_name, remove_tags
from support.run_folders import make_result, write_run


def test_a_name_moves_only_when_it_is_free_and_tags_gather(tmp_path: Path) -> None:
    first, second = (write_run(tmp_path, name, make_result(20)) for name in ("aa11", "bb22"))
    assert label_run(first, "base", ("wide", "old")) == RunLabel(name="base", tags=("wide", "old"))
    assert label_run(first, tags=("old", "slow")) == RunLabel(name="base", tags=("wide", "old", "slow"))
    with pytest.raises(RunError) as caught:
        label_run(second, "base", ("new",))
    assert str(caught.value) == (
        "a name belongs to one run, and 'base' is aa11's; choose another, or free it with `arena runs name base --remove`"
    )
    assert read_label(second) == RunLabel()
    with pytest.raises(RunError, match="a name belongs to one run"):
        label_run(RunFolder(tmp_path / "cc33"), "base")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aa11", "bb22"]  # nothing is left behind
    assert remove_name(first) == "base"
    assert label_run(second, "base").name == "base"
    assert label_run(second, "other").name == "other"
    assert remove_tags(first, ("wide", "none")) == RunLabel(tags=("old", "slow"))
    assert {path.name for path in first.path.iterdir()} == {"config.json", "result.json", "label.json"}


def test_a_training_that_never_began_holds_no_name(tmp_path: Path) -> None:
    label_run(RunFolder(tmp_path / "aa11"), "base")
    assert label_run(write_run(tmp_path, "bb22"), "base").name == "base"
    assert read_label(RunFolder(tmp_path / "aa11")) == RunLabel()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("beef", "a name is no hexadecimal text of four or more"),
        ("00AF12", "a name is no hexadecimal text of four or more"),
        ("Latest", "latest and best name the last finished and the best training"),
        ("best", "latest and best name the last finished and the best training"),
        ("lenet5.raw+aug", "a name is up to 40 letters, digits, - or _"),
        ("runs/a", "a name is up to 40 letters, digits, - or _"),
        ("-x", "a name is up to 40 letters, digits, - or _"),
        ("x" * 41, "a name is up to 40 letters, digits, - or _"),
    ],
)
def test_what_could_be_another_reference_is_no_name(tmp_path: Path, name: str, rule: str) -> None:
    with pytest.raises(RunError, match=rule):
        label_run(RunFolder(tmp_path / "aa11"), name)
    assert list(tmp_path.iterdir()) == []
    assert label_run(RunFolder(tmp_path / "aa11"), "añejo_2", ("cafe",)).tags == ("cafe",)


def test_a_damaged_label_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "aa11")
    (folder.path / "label.json").write_text('{"name": 1}')
    with pytest.raises(RunError, match=r"label\.json is damaged; delete it, and name the run again"):
        read_label(folder)


def test_a_tag_that_goes_while_another_comes_takes_none_along(tmp_path: Path) -> None:
    for n in range(5):
        run = write_run(tmp_path, f"aa1{n}", make_result(20))
        label_run(run, tags=("old",))
        with ThreadPoolExecutor(2) as pool:
            changes = [pool.submit(label_run, run, tags=("new",)), pool.submit(remove_tags, run, ["old"])]
            assert all(change.result() for change in changes)
        assert read_label(run).tags == ("new",)
