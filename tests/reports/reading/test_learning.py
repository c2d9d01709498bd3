"""Section on how trainings learnt: which trainings it compares, what it times, and what it may say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnn.config import RunConfig, TilesInfo, config_to_json, default_config
from cnn.overrides import override
from cnn.runs.folder import EpochRow, RunFolder, RunResult, RunState
from cnn.runs.looks import LookRow, write_looks
from reports.facts.learning import LearningFacts
from reports.page.learning import learning_pages
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.reading.learning import read_learning
from reports.wording.learning import tell_learning
from reports.wording.page_texts import texts
from support.report_facts import make_config, write_run

SEEDS = (0, 1)


def write(runs: Path, scores: list[float], *settings: str, per_epoch: int = 10, seconds: float = 1.0) -> None:
    """Write a finished run for each seed, whose scores differ by a hundredth; without scores a failed one."""
    for seed in SEEDS:
        base = default_config(TilesInfo(corpus="c"), "mlp", "raw")
        config: RunConfig = override(base, [*settings, f"train.seed={seed}", f"train.epochs={max(len(scores), 2)}"])
        folder = RunFolder(runs / config.digest)
        folder.path.mkdir(parents=True)
        folder.write_config(config_to_json(config))
        row = EpochRow(
            epoch=1, train_loss=1, train_accuracy=0, train_macro_f1=0, val_loss=1, val_accuracy=0, val_macro_f1=0,
            learning_rate=0.1, seconds=seconds,
        )  # fmt: skip
        rows = [
            replace(row, epoch=n, val_macro_f1=f1 + seed / 100, val_loss=1 - f1, updates=n * per_epoch)
            for n, f1 in enumerate(scores, start=1)
        ]
        folder.write_epochs(rows)
        folder.write_result(RunResult(state=RunState.FINISHED if rows else RunState.FAILED, labels=("0", "1")))


def read(runs: Path) -> LearningFacts:
    (facts,) = read_learning(runs, "c", 0.9)
    return facts


def test_each_value_stands_at_its_best_learning_rate_with_the_way_to_the_score(tmp_path: Path) -> None:
    for rate, scores in (("0.001", [0.4, 0.5]), ("0.1", [0.8, 0.93])):
        write(tmp_path, scores, "optimizer=sgd", "momentum=0", f"lr={rate}")
    write(tmp_path, [0.95, 0.92], "optimizer=adam", "momentum=0", "lr=0.001", seconds=2.0)
    write(tmp_path, [0.99, 0.99], "optimizer=adam", "momentum=0", "lr=0.001", "dropout=0.5")  # another setting
    facts = read(tmp_path)
    assert (facts.axis, facts.n_epochs, facts.n_trainings) == ("optimizer", 2, 6)
    adam, sgd = facts.best
    assert (adam.value, adam.rate, sgd.value, sgd.rate) == ("adam", 0.001, "sgd", 0.1)
    assert sgd.last is not None
    assert (sgd.last.mean, sgd.last.low, sgd.last.high, sgd.last.n) == pytest.approx((0.935, 0.93, 0.94, 2))
    assert sgd.reach is not None
    assert (sgd.reach.epochs, sgd.reach.updates, sgd.reach.seconds, sgd.n_updates, sgd.epoch_s) == (2, 20, 2, 10, 1)
    assert adam.reach is not None
    assert (adam.reach.updates, adam.reach.seconds) == (10, 2)
    plain, own, least = tell_learning(facts, texts("en"))
    assert plain == (
        "At a learning rate of 0.001, plain SGD comes to 0.505 (0.500 to 0.510 over 2 seeds) after 2 epochs, "
        "and Adam to 0.925 (0.920 to 0.930 over 2 seeds)."
    )
    assert own.startswith("At its own best rate, 0.1, plain SGD comes to 0.935")
    assert least.startswith("Adam has its least validation loss in epoch 1.0 (1 to 1 over 2 seeds)")


def test_raw_levels_that_do_not_learn_or_end_in_no_number_are_told(tmp_path: Path) -> None:
    plain = ("optimizer=sgd", "momentum=0", "lr=0.1")
    write(tmp_path, [0.8, 0.93], *plain, "normalise=corpus")
    write(tmp_path, [], *plain, "normalise=none")
    write(tmp_path, [0.8, 0.85], "optimizer=sgd", "momentum=0", "lr=0.001", "normalise=none")
    sentence, own = tell_learning(read(tmp_path), texts("en"))
    assert "raw levels of 0 to 255 do not learn: the losses of 2 trainings were no numbers any more" in sentence
    assert own == "At their own best rate, 0.001, they come to 0.855 (0.850 to 0.860 over 2 seeds)."
    spanish, _ = tell_learning(read(tmp_path), texts("es"))
    assert "los niveles crudos de 0 a 255 no aprenden" in spanish
    (page,) = learning_pages(read_learning(tmp_path, "c", 0.9), texts("en"))
    assert [(row.name, row.curve.n_failed) for row in page.rows] == [("corpus", 0), ("none (0 to 255)", 0)]
    assert len(page.panels) == 3


def test_batches_are_compared_at_equal_updates_or_not_at_all(tmp_path: Path) -> None:
    write(tmp_path, [0.8, 0.9], "lr=0.1", "batch_size=64", per_epoch=20)
    write(tmp_path, [0.2, 0.3], "lr=0.1", "batch_size=0", per_epoch=1)
    assert [curve.value for curve in read(tmp_path).best] == ["64", "0"]
    assert tell_learning(read(tmp_path), texts("en")) == ()
    for folder in tmp_path.iterdir():
        if RunFolder(folder).epochs()[0].updates == 20:
            write_looks(RunFolder(folder), [LookRow(updates=2, seconds=0.1, train_loss=1, val_loss=1, val_macro_f1=0.25)])
    (sentence,) = tell_learning(read(tmp_path), texts("en"))
    assert "a batch of all stands at 0.305" in sentence
    assert "The larger has made 2 updates, the smaller 40; after 2 it stood at 0.250" in sentence


def test_a_training_repeated_with_looks_is_no_further_seed(tmp_path: Path) -> None:
    for looks_every in (0, 5):
        write(tmp_path, [0.8, 0.9], "lr=0.1", "optimizer=sgd", "momentum=0", f"looks_every={looks_every}")
    write(tmp_path, [0.8, 0.9], "lr=0.1", "optimizer=adam", "momentum=0")
    facts = read(tmp_path)
    assert facts.n_trainings == 4
    assert [curve.last.n for curve in facts.best if curve.last] == [2, 2]


def test_trainings_of_one_seed_or_of_another_corpus_are_not_compared(tmp_path: Path) -> None:
    write(tmp_path, [0.8, 0.9], "lr=0.1", "batch_size=64")
    assert read_learning(tmp_path, "c", 0.9) == ()
    write(tmp_path, [0.8, 0.9], "lr=0.1", "batch_size=32")
    assert read_learning(tmp_path, "other", 0.9) == ()
    assert len(read_learning(tmp_path, "c", 0.9)) == 1
    assert read_learning(None, "c", 0.9) == ()


def test_the_page_has_the_section_where_trainings_differ_and_no_other_page_has_it(tmp_path: Path) -> None:
    write_run(tmp_path / "one", "a" * 16, make_config("lenet5", "raw"))
    write(tmp_path / "c", [0.8, 0.93], "lr=0.1", "batch_size=64")
    write(tmp_path / "c", [0.2, 0.3], "lr=0.1", "batch_size=0", per_epoch=1)
    for lang, words in (("en", ("How it learnt", "Updates an epoch", ">all<")), ("es", ("Cómo aprendió", "Lote", ">todos<"))):
        facts = gather_facts(Sources(runs=tmp_path / "one", lang=lang))
        assert 'id="learning"' not in render_report(facts).decode()
        page = render_report(replace(facts, learning=read_learning(tmp_path / "c", "c", 0.9))).decode()
        section = page[page.index('<div id="learning">') : page.index('<div id="sweeps">')]
        assert [word for word in words if word not in page] == []
        assert section.count("<svg ") == 2 + 3
        assert "0.935" in section
