"""A team's own net in a sweep: named by its class, pinned by its content, refused before the first trial if it is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnn.errors import ModelError
from cnn.overrides import apply_values, config_from_dict
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from sweeps.errors import SweepError, SweepFileError
from sweeps.linting.lint import read_sweep
from sweeps.pool.agent_options import AgentOptions
from sweeps.pool.plan import Locations, Search, SweepRequest, open_studies, plan
from sweeps.training import configuration

NET = """
from torch import nn

class MyNet(nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        n = 4 * settings.depth
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(size * size, n), nn.Linear(n, n_classes))

    def forward(self, x):
        return self.layers(x)
"""


def sweep_file(folder: Path, class_name: str = "MyNet", depths: str = "[1, 20]") -> str:
    (folder / "net.py").write_text(NET)
    path = folder / "s.yaml"
    name = f"{folder / 'net.py'}:{class_name}"
    path.write_text(f"method: grid\nparameters:\n  model.name: {{value: '{name}'}}\n  model.depth: {{values: {depths}}}\n")
    return str(path)


def test_a_trial_trains_the_file_as_it_was_when_the_study_began(tmp_path: Path, tiles: TileSet) -> None:
    request = SweepRequest(
        search=Search(files=(sweep_file(tmp_path),), variants=("raw",), overrides=("train.epochs=1",)),
        locations=Locations(tiles=tiles.folder, runs=tmp_path / "runs"),
    )
    (spec,), _ = plan(request)
    assert (spec.name, spec.budget) == ("MyNet.raw", 2)
    params = {"model.name": spec.base["model"]["name"], "model.depth": 20}
    run = train(apply_values(config_from_dict(spec.base), params), tiles, spec.runs, device="cpu")
    assert run.digest == configuration.make_point(spec.bases, params).run
    assert (run.path / "model.py").read_text() == NET
    (tmp_path / "net.py").write_text(NET + "# changed\n")
    assert configuration.make_point(spec.bases, params).run == run.digest
    with pytest.raises(ModelError, match=r"net\.py has changed since this run was named"):
        train(apply_values(config_from_dict(spec.base), {**params, "model.depth": 1}), tiles, spec.runs, device="cpu")


def test_a_sweep_file_names_the_net_beside_it_from_any_folder_and_its_study_goes_on(
    tmp_path: Path, tiles: TileSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_file(tmp_path)
    (tmp_path / "s.yaml").write_text((tmp_path / "s.yaml").read_text().replace(f"{tmp_path}/", ""))
    (tmp_path / "below").mkdir()
    notes: list[str] = []
    for folder, file, net in ((tmp_path, "s.yaml", "net.py:MyNet"), (tmp_path / "below", "../s.yaml", "../net.py:MyNet")):
        monkeypatch.chdir(folder)
        request = SweepRequest(
            search=Search(files=(file,), variants=("raw",)),
            locations=Locations(tiles=tiles.folder, runs=tmp_path / "runs"),
            options=AgentOptions(studies_dir=tmp_path / "studies"),
        )
        (spec,) = open_studies(request, notes.append)
        assert (spec.base["model"]["name"], spec.sweep.constants["model.name"]) == (net, net)
    assert notes == ["study MyNet.raw goes on"]


def test_lint_says_what_is_wrong_with_the_net_and_its_depth(tmp_path: Path) -> None:
    assert read_sweep(sweep_file(tmp_path)).constants["model.name"] == f"{tmp_path / 'net.py'}:MyNet"
    with pytest.raises(SweepFileError, match=r"s\.yaml line 3: .*net\.py has no class 'MyNat'; did you mean MyNet\?"):
        read_sweep(sweep_file(tmp_path, "MyNat"))
    with pytest.raises(SweepFileError, match=r"line 4: model\.depth of a net of your own lies between 1 and 1000, not 2000"):
        read_sweep(sweep_file(tmp_path, depths="[1, 2000]"))


def test_a_sweep_over_what_the_net_does_not_read_is_refused_and_a_bad_end_is_said(tmp_path: Path, tiles: TileSet) -> None:
    sweep, net = sweep_file(tmp_path), tmp_path / "net.py"
    search = Search(files=(sweep,), variants=("raw",), overrides=("model.dropout=0.5",))
    locations = Locations(tiles=tiles.folder, runs=tmp_path / "runs")

    def refuse(search: Search) -> str:
        with pytest.raises(SweepError) as error:
            plan(SweepRequest(search=search, locations=locations))
        return str(error.value).replace(str(tmp_path), "")

    rule = "/net.py: MyNet does not read settings.{0}, so model.{0} would change nothing; leave that out, or use it in __init__"
    assert refuse(search) == rule.format("dropout")
    net.write_text(NET.replace("4 * settings.depth", "4"))
    assert refuse(replace(search, overrides=())) == "/s.yaml line 4: " + rule.format("depth")
    net.write_text(NET.replace("return self.layers(x)", "return self.layers(x).relu()"))
    both = replace(search, files=(sweep, "lenet5"), budget=2)
    specs, notes = plan(SweepRequest(search=both, locations=locations))
    assert [text.replace(str(tmp_path), "") for text in notes] == [
        "warning: /net.py line 11: MyNet: forward ends in relu, and trains badly: logits may be any numbers; "
        "return what goes into it",
        "MyNet does not read model.dropout: its trials run without model.dropout=0.5",
    ]
    assert [spec.overrides for spec in specs] == [(), ("model.dropout=0.5",)]
