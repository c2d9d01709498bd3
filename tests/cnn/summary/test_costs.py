"""`arena models`: costs that are stored, costs of a whole file, and the table of them in the documents."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from cnn.cli.models import models_command
from cnn.errors import ConfigError, ModelError
from cnn.summary import costs
from support.paths import ROOT

FILE = """
from dataclasses import dataclass
from torch import nn

@dataclass
class Options:
    n: int = 3

class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding=1)
    def forward(self, x):
        return self.conv(x).relu()
"""
NET = """
class Small(nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        self.layers = nn.Sequential(Block(1, 4), nn.MaxPool2d(8), nn.Flatten(), nn.Linear(4 * (size // 8) ** 2, n_classes))
    def forward(self, x):
        return self.layers(x)
"""


def test_the_stored_costs_are_those_of_the_nets() -> None:
    stored = (ROOT / "cnn/summary/default_costs.json").read_text(encoding="utf-8")
    assert stored == costs.format_default_costs(), "write them again: python -m cnn.summary.costs"


def test_the_documents_show_the_table_of_arena_models() -> None:
    page = (ROOT / "docs/reference/nets.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if re.match(r"\| `[\w-]+` \| (Model|base|autoenc)", line)]
    table = [asdict(cost) for cost in costs.compute_costs((), 64, {})]
    assert [re.split(r" *\| *", line.strip("| ")) for line in lines] == [
        [
            *(f"`{cost['name']}`", cost["role"], cost["paper"], str(cost["depth"]), "{}, {}".format(*cost["depths"])),
            *(f"{cost['n_parameters']:,}", f"{cost['n_multiply_adds']:,}", cost["counts"]),
        ]
        for cost in table
    ]


def test_our_nets_are_listed_without_torch() -> None:
    program = "import sys, cnn.cli.models as m; m.models_command(); print([n for n in ('torch', 'numpy') if n in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert re.search(r"lenet5 +Model A +LeCun et al. 1998 +674,190 +13,632,680\b", printed)
    assert printed.endswith("[]\n")


def test_a_file_is_a_list_of_its_torch_modules_and_says_which_are_no_nets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nets.py"
    path.write_text(FILE + NET)
    models_command([str(path)])
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if line.strip(" ─")] == ["net", "Small", "net", "Small"]
    assert re.search(rf"Small +your own +{36 + 4 + 256 * 10 + 10:,} +{64 * 64 * 36 + 2560:,}\n", out)
    assert err.startswith(f"left out: {path}: Block is made with")
    path.write_text(FILE)
    with pytest.raises(ModelError, match="Block is made with"):
        models_command([str(path)])
    path.write_text("class Options: pass\n")
    with pytest.raises(ModelError, match=r"nets\.py has no net; write `class MyNet\(torch\.nn\.Module\)`"):
        models_command([str(path)])


def test_nets_are_taken_by_name_at_a_depth_and_a_width(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(FILE + NET)
    own, resnet = costs.compute_costs([f"{tmp_path}/net.py:Small", "resnet"], 32, {"model.depth": 3, "model.width": 2.0})
    assert (own.label, own.role, own.paper, own.depth, own.depths) == ("Small", "your own", "", 3, (1, 1000))
    assert (resnet.role, resnet.depth, resnet.n_parameters) == ("Model B", 3, 1_093_482)  # counted by hand
    assert [cost.name for cost in costs.compute_costs((), 32, {"model.depth": 6})] == ["columns", "densenet"]
    with pytest.raises(ConfigError, match="no net of ours takes a depth of 9"):
        costs.compute_costs((), 32, {"model.depth": 9})
    with pytest.raises(ConfigError, match="lies between 1 and 4, not 9"):
        costs.compute_costs(["resnet"], 32, {"model.depth": 9})
