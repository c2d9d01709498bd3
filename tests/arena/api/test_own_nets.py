"""Classes of a script become files that run alone, and scripts need no guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.paths import ROOT
from support.tones import write_tones

SCRIPT = """
import math as m
from fractions import Fraction
from pathlib import Path

import nets
import numpy as np

from arena.api.own_nets import name_net
from arena.base.errors import ArenaError

WIDTHS = [8, 16]
table = np.zeros(3)


def double(n):
    return 2 * n


class Base:
    pass


class Net(Base):
    def forward(self, x):
        names = [abs(width) for width in WIDTHS]
        return double(m.pi), Fraction(1), names, Net


class Bad(Base):
    def forward(self, x):
        return table


class Later(Base):
    def forward(self, x):
        return missing


def make():
    class Inner(Base):
        pass

    return Inner


print(name_net("nets.py:Net", Path("runs")))
print(name_net(nets.Known, Path("runs")))
print(Path(name_net(Net, Path("runs")).rpartition(":")[0]).read_text())
for wrong in (Bad, Later, make(), Net(), int, [Net]):
    try:
        name_net(wrong, Path("runs"))
    except ArenaError as error:
        print(error)
"""
PRINTED = """nets.py:Net
nets.py:Known
from fractions import Fraction
import math as m


class Base:
    pass


WIDTHS = [8, 16]


def double(n):
    return 2 * n


class Net(Base):
    def forward(self, x):
        names = [abs(width) for width in WIDTHS]
        return double(m.pi), Fraction(1), names, Net

a run holds its net as a file that runs alone, and Bad uses 'table', ndarray; put both into nets.py, and train 'nets.py:Bad'
Later uses 'missing', which is not there; run its cell first
make.<locals>.Inner is made inside something else; write the class at the left margin
a net is a name, `file.py:Class` or a class, not an object of Net; give the class: Net
int is made in no Python file; write a `class int(torch.nn.Module)` of your own
one net is taken here, and several came; `train_all` and `sweep_all` take several
"""
TRAINING = """
from torch import nn

import arena


class Tiny(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(16, n_classes))

    def forward(self, x):
        return self.layers(x)


print("begun")
arena.prepare("recordings", size=32, jobs=2)
run = arena.train(Tiny, epochs=1, wandb="off")
print(run.net, run.state, (run.folder / "model.py").read_text().splitlines()[0])
try:
    arena.train(Tiny, epochs=2, depth=3, wandb="off")
except arena.Error as error:
    print(str(error).rpartition(": ")[2])
"""


def run(text: str, folder: Path) -> str:
    (folder / "script.py").write_text(text)
    words = [sys.executable, "script.py"]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_class_is_written_with_all_that_it_uses_or_refused(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("class Known:\n    pass\n")
    assert run(SCRIPT, tmp_path) == PRINTED


def test_a_script_without_guard_trains_its_own_class_once(tmp_path: Path) -> None:
    write_tones(tmp_path / "recordings", 1)
    assert run(TRAINING, tmp_path).splitlines() == [
        "begun",
        "Tiny.raw finished import torch.nn as nn",
        "Tiny does not read settings.depth, so model.depth would change nothing; leave that out, or use it in __init__",
    ]
