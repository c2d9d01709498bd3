"""The dashboard: several journals as one storage, served on this machine alone, and nothing can be changed."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage

from support.paths import ARENA
from support.studies import World, claimed, finished, make_study, open_engine, work_off
from sweeps.cli.dashboard import MergedJournals, serve_dashboard
from sweeps.errors import StudyError
from sweeps.results import read_outline
from sweeps.study.database import close_databases
from sweeps.study.folder import StudyFolder


def test_journals_read_as_one_say_what_each_says_also_as_they_grow(tmp_path: Path) -> None:
    folders = [make_study(tmp_path, budget=4, name=name) for name in ("a", "b")]
    engines = [open_engine(tmp_path, name) for name in ("a", "b", "a")]
    storage = JournalStorage(MergedJournals(folders))
    work_off(engines[1], 1)
    for turn in range(3):
        engines[turn % 2].finish(claimed(engines[turn % 2]), finished(0.1 * turn, 0.2))
        for name in ("a", "b"):
            ours = read_outline(tmp_path, name).trials
            theirs = optuna.load_study(study_name=name, storage=storage).trials
            assert [trial.number for trial in theirs] == [trial.number for trial in ours]
            assert [trial.value for trial in theirs] == [trial.value for trial in ours]
            assert [trial.user_attrs["run"] for trial in theirs] == [trial.run for trial in ours]
    engines[0].report(claimed(engines[0]), 1, 0.3)
    study = optuna.load_study(study_name="a", storage=storage)
    assert (study.metric_names, study.trials[-1].intermediate_values) == (["val_macro_f1"], {1: 0.3})


@pytest.mark.filterwarnings("default")
def test_it_is_served_read_only(world: World) -> None:
    pytest.importorskip("optuna_dashboard")
    world.make(budget=2)
    work_off(world.engine())
    before = world.facts()
    command = [ARENA, "sweep", "dashboard", "--studies", str(world.studies), "--port", "0"]
    with world.warm.start(*command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            root = url.removesuffix("/dashboard/")
            with urllib.request.urlopen(f"{root}/api/studies", timeout=60) as answer:
                studies = json.load(answer)["study_summaries"]
            assert [study["study_name"] for study in studies] == ["lenet5.raw"]
            (number,) = (study["study_id"] for study in studies)
            request = urllib.request.Request(f"{root}/api/studies/{number}", method="DELETE")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=60)
            assert refused.value.code == 405
            refused.value.close()
        finally:
            process.terminate()
    assert world.facts() == before


def test_studies_of_several_places_are_refused_by_name(tmp_path: Path, postgres_url: str) -> None:
    make_study(tmp_path, name="a")
    make_study(tmp_path, name="b", storage=postgres_url)
    folders = [StudyFolder(tmp_path / name) for name in "ab"]
    with pytest.raises(StudyError, match=r"^these studies are in 2 places \(files, database .*\); name those of one$"):
        serve_dashboard(folders, 0, print)
    close_databases()
