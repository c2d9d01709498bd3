"""A net of a team's own: named by its content, kept with its run, tried before training, and each mistake told in one line."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn.config import RunConfig, config_to_dict, default_config, model_defaults
from cnn.corpus.recordings import find_recordings
from cnn.errors import ConfigError, ModelError
from cnn.inference.predict import predict_recordings
from cnn.models.check import check_net
from cnn.models.registry import build_net
from cnn.overrides import apply_values, config_from_dict, override
from cnn.runs.folder import RunState
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import Decision, train
from support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = next(block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if block.startswith("# my_net.py"))


def write(folder: Path, text: str, name: str = "net.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def config(tiles: TileSet, path: Path) -> RunConfig:
    return override(default_config(tiles.corpus, tiles.settings, f"{path}:MyNet", "raw"), ["train.epochs=2"])


def tried(path: Path, name: str = "Net", size: int = 64) -> str:
    """What is said against the net in `path`; empty where it can be trained."""
    try:
        check_net(model_defaults(f"{path}:{name}"), size, 10)
    except ModelError as error:
        return str(error).replace(str(path), "net.py")
    return ""


@pytest.mark.parametrize("size", [32, 64])
def test_the_example_of_the_readme_can_be_trained(tmp_path: Path, size: int) -> None:
    path = write(tmp_path, EXAMPLE, "my_net.py")
    assert tried(path, "MyNet", size) == ""


def test_a_run_is_named_by_the_files_content_and_the_class(tmp_path: Path, tiles: TileSet) -> None:
    here, there = write(tmp_path / "a", EXAMPLE), write(tmp_path / "b", EXAMPLE, "other.py")
    assert config(tiles, here).digest == config(tiles, there).digest
    before = config(tiles, here)
    write(tmp_path / "a", EXAMPLE + "\nclass Other(MyNet): pass\n")
    assert config(tiles, here).digest != before.digest
    assert apply_values(before, {"model.name": f"{here}:Other"}).digest != config(tiles, here).digest
    here.unlink()
    assert config_from_dict(config_to_dict(before)) == before


def test_depth_and_width_are_free_within_wide_bounds(tmp_path: Path, tiles: TileSet) -> None:
    base = config(tiles, write(tmp_path, EXAMPLE))
    assert override(base, ["model.depth=900", "model.width=0.02"]).model.depth == 900
    with pytest.raises(ConfigError, match=r"model\.depth of a plug-in lies between 1 and 1000, not 1001"):
        override(base, ["model.depth=1001"])
    with pytest.raises(ConfigError, match=r"unknown key 'model\.source'"):
        override(base, ["model.source=0"])


def test_a_run_goes_on_and_predicts_when_the_original_is_gone(tmp_path: Path, tiles: TileSet, corpus_folder: Path) -> None:
    path = write(tmp_path / "team", EXAMPLE)
    wanted = config(tiles, path)
    whole = train(wanted, tiles, tmp_path / "whole", device="cpu")
    paused = train(wanted, tiles, tmp_path / "runs", device="cpu", on_epoch=lambda _row: Decision.PAUSE)
    assert (paused.path / "model.py").read_text() == EXAMPLE
    path.write_text("changed")
    train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert paused.state() is RunState.FINISHED
    assert paused.predictions() == whole.predictions()
    path.unlink()
    clips = find_recordings(corpus_folder)[:4]
    found = predict_recordings(paused, clips, "cpu", lambda *_: None)
    assert [answer.id for answer in found.answers] == [clip.name for clip in clips]


def test_a_changed_file_without_a_copy_is_told(tmp_path: Path, tiles: TileSet) -> None:
    path = write(tmp_path, EXAMPLE)
    wanted = config(tiles, path)
    path.write_text("changed")
    with pytest.raises(ModelError, match=r"net\.py has changed since this run was named, and .*model\.py is no copy of it"):
        train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert not (tmp_path / "runs").exists()


def test_trying_a_net_leaves_the_random_state_alone(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert tried(path, "MyNet") == ""
    assert torch.equal(torch.rand(3), expected)


def test_a_class_may_take_nothing_at_all(tmp_path: Path) -> None:
    text = HEAD + "class Net(nn.Sequential):\n    def __init__(self, hidden=8, k=10, bias=True):\n"
    text += "        super().__init__(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, k, bias))\n"
    path = write(tmp_path, text)
    assert tried(path) == ""
    assert build_net(model_defaults(f"{path}:Net"), 32, 10)[2].out_features == 10  # type: ignore[index]


HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"  # three lines


def net(forward: str, init: str = "self.last = nn.Linear(64 * 64, 10)") -> str:
    """A file whose __init__ ends in line 7 and whose forward begins in line 9."""
    lines = "class Net(nn.Module):\n    def __init__(self, settings, size, n_classes):\n        super().__init__()\n"
    lines += f"        {init}\n"
    body = "\n".join(f"        {line}" for line in forward.splitlines())
    return HEAD + lines + f"    def forward(self, x):\n{body}\n"


FLAT = "return self.last(torch.flatten(x, 1))"
WRONG = {
    "syntax": (HEAD + "class Net(nn.Module)\n", "net.py line 4 is not Python: expected ':'"),
    "no class": (HEAD + "class Nett(nn.Module): pass\n", "net.py has no class 'Net'; did you mean Nett?"),
    "other class": (HEAD + "class Abc(nn.Module): pass\n", "net.py has no class 'Net'; it has Abc"),
    "empty": ("", "net.py has no class 'Net'; it has no class at all"),
    "import": (
        "import torch\nimport torchvison_\nclass Net: pass\n",
        "net.py line 2 (running the file): ModuleNotFoundError: No module named 'torchvison_'; one file holds the whole net",
    ),
    "error on import": (HEAD + "1 / 0\nclass Net(nn.Module): pass\n", "net.py line 4 (running the file): ZeroDivisionError"),
    "exit": ("raise SystemExit('bye')\nclass Net: pass\n", "net.py line 1 (running the file): SystemExit: bye"),
    "no module": (HEAD + "class Net: pass\n", "net.py: Net is no net; write `class Net(torch.nn.Module)`"),
    "function": (HEAD + "def Net(): pass\n", "net.py: Net is no net; write `class Net(torch.nn.Module)`"),
    "no forward": (HEAD + "class Net(nn.Module): pass\n", "net.py: Net has no method `forward`; write `def forward(self, x)`"),
    "foward": (
        HEAD + "class Net(nn.Module):\n    def foward(self, x): return x\n",
        "net.py: Net has no method `forward`; rename foward",
    ),
    "arguments": (
        HEAD + "class Net(nn.Module):\n    def __init__(self, a, b): pass\n    def forward(self, x): return x\n",
        "net.py: Net is made with (settings, size, n_classes), or with nothing, but takes (a, b); write `def __init__(self, s",
    ),
    "no super": (
        net(FLAT).replace("super().__init__()", "pass"),
        "net.py line 7 (Net, making it): AttributeError: cannot assign module before Module.__init__() call; begin",
    ),
    "list of layers": (
        net("return self.last[0](torch.flatten(x, 1))", "self.last = [nn.Linear(64 * 64, 10)]"),
        "net.py: Net: self.last holds weights that torch does not see; wrap it: nn.ModuleList",
    ),
    "loose tensor": (
        net("return torch.flatten(x, 1) @ self.w", "self.w = torch.zeros(64 * 64, 10, requires_grad=True)"),
        "net.py: Net: self.w holds weights that torch does not see",
    ),
    "no weights": (net("return x.flatten(1)[:, :10]", "pass"), "net.py: Net: no weights to train"),
    "lazy": (net(FLAT, "self.last = nn.LazyLinear(10)"), "net.py: Net: a Lazy layer has no weights before its first batch"),
    "written for 28 x 28": (
        net(FLAT, "self.last = nn.Linear(28 * 28, 10)"),
        "net.py line 9 (Net, forward on (4, 1, 64, 64)): RuntimeError: mat1 and mat2 shapes cannot be multiplied "
        "(4x4096 and 784x10); pictures are 64 x 64",
    ),
    "view to 28 x 28": (
        net("return self.last(x.view(-1, 28 * 28))", "self.last = nn.Linear(28 * 28, 10)"),
        "net.py line 9 (Net, forward on (4, 1, 64, 64)): RuntimeError: shape '[-1, 784]' is invalid for input of size 16384",
    ),
    "three channels": (
        net("return self.first(x)", "self.first = nn.Conv2d(3, 8, 3)"),
        "to have 3 channels, but got 1 channels instead; a picture has one channel: begin with nn.Conv2d(1, ...)",
    ),
    "view": (
        net("x = self.first(x)\nreturn x.view(len(x), -1)[:, :10]", "self.first = nn.Conv2d(1, 8, 3)"),
        "batches are laid out channels last: write torch.flatten(x, 1) or x.reshape for x.view",
    ),
    "pooled away": (
        net("return self.first(x)", "self.first = nn.Sequential(nn.Conv2d(1, 10, 3), nn.MaxPool2d(80))"),
        "pictures are 64 x 64: pool less, or pad",
    ),
    "shape": (
        net("return self.last(x.flatten(1))[:, :7]"),
        "net.py: Net: forward makes (4, 7) of (4, 1, 64, 64); wanted are logits (4, 10): clips, classes",
    ),
    "squeezed": (
        net("return self.last(x.flatten(1)).squeeze()"),
        "net.py: Net: forward makes (10,) of (1, 1, 64, 64); wanted are logits (1, 10): clips, classes",
    ),
    "tuple": (
        net("return self.last(x.flatten(1)), x"),
        "net.py: Net: forward returns a tuple; return one tensor of logits (4, 10)",
    ),
    "nothing": (net("self.last(x.flatten(1))"), "net.py: Net: forward returns a NoneType; return one tensor of logits (4, 10)"),
    "softmax": (
        net("return self.last(x.flatten(1)).softmax(1)"),
        "net.py: Net: forward returns probabilities; return the logits",
    ),
    "not finite": (
        net("return self.last(x.flatten(1)).log()"),
        "net.py: Net: forward gives no finite numbers on random pictures",
    ),
    "gradient": (
        net("return self.last(x.flatten(1) * 0).sub(self.last.bias).abs().sqrt()"),
        "net.py: Net: the gradient is no finite number; look for sqrt(0)",
    ),
    "no gradient": (
        net("with torch.no_grad():\n    return self.last(x.flatten(1))"),
        "(Net, backward): RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn; the output",
    ),
    "in place": (
        net("x = self.last(x.flatten(1)).sigmoid()\ny = x * x\nx += 1\nreturn x + y"),
        "net.py line 10 (Net, backward): RuntimeError: one of the variables needed for gradient computation has been modified "
        "by an inplace operation: [torch.FloatTensor [4, 10]], which is output 0 of AddBackward0, is at version 1; expected "
        "version 0 instead; what this line needs for the backward pass is changed in place later (such as x += y, x.relu_() or "
        "inplace=True): write x = x + y",
    ),
    "state": (
        net("self.h = self.last(x.flatten(1)).tanh() + self.h\nreturn self.h", "self.last, self.h = nn.Linear(4096, 10), 0"),
        "net.py line 9 (Net, backward): RuntimeError: Trying to backward through the graph a second time (or directly access "
        "saved tensors after they have already been freed); the net keeps a tensor of one batch for the next: keep x.detach() "
        "in a self.register_buffer(...) that changes in training alone, or nothing",
    ),
    "state of a batch": (
        net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = x.detach()\nreturn x + self.h.mean(0)",
            "self.last = nn.Linear(4096, 10); self.register_buffer('h', torch.zeros(1, 10))",
        ),
        "what register_buffer holds must keep its shape: of a batch keep the mean over its clips, or nothing",
    ),
    "state in a plain tensor": (
        net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = 0.9 * self.h + 0.1 * x.mean().detach()\n"
            "return x - self.h",
            "self.last, self.h = nn.Linear(4096, 10), torch.zeros(1)",
        ),
        "net.py: Net: the net depends on self.h, which is not in its state_dict: `arena predict`, and a training that goes on, "
        "would not have it; hold it in self.register_buffer(...), or keep nothing between batches",
    ),
    "state that evaluation cannot do without": (
        net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = x.mean().detach()\nreturn x - self.h",
            "self.last, self.h = nn.Linear(4096, 10), None",
        ),
        "the net depends on self.h, which is not in its state_dict",
    ),
    "a count of batches that training alone depends on": (
        net(
            "self.n += self.training\nx = self.last(x.flatten(1))\nreturn F.dropout(x, min(0.5, self.n / 1000), self.training)",
            "self.last, self.n = nn.Linear(4096, 10), 0",
        ),
        "the net depends on self.n, which is not in its state_dict",
    ),
    "weights kept from an evaluation": (
        net(
            "if self.training:\n    return self.last(x.flatten(1))\n"
            "self.w = self.last.weight.detach().clone() if self.w is None else self.w\nreturn x.flatten(1) @ self.w.T",
            "self.last, self.w = nn.Linear(4096, 10), None",
        ),
        "the net depends on self.w, which is not in its state_dict",
    ),
    "drawn when it is made": (
        net("return self.last(x.flatten(1)) + self.shift", "self.last, self.shift = nn.Linear(4096, 10), torch.randn(10)"),
        "the net depends on self.shift, which is not in its state_dict",
    ),
    "a generator of its own": (
        net(
            "x = self.last(x.flatten(1))\nreturn x + torch.rand(1, generator=self.g) if self.training else x",
            "self.last, self.g = nn.Linear(4096, 10), torch.Generator()",
        ),
        "the net depends on something of its own (a generator, a list), which is not in its state_dict",
    ),
    "draws in evaluation": (
        net("return self.last(x.flatten(1)) * torch.rand(1)"),
        "the same pictures get other logits the second time; use nn.Dropout",
    ),
    "batches of 64": (
        net("return self.last(x.reshape(64, -1))"),
        "net.py: Net: forward works on batches of 64 clips alone, and a batch may hold any number; write torch.flatten(x, 1), "
        "or len(x) for 64",
    ),
    "batches of 4": (
        net("return self.last(x.reshape(4, -1))"),
        "net.py: Net: forward works on batches of 4 clips alone, and a batch may hold any number",
    ),
    "layers made late": (
        net("if not hasattr(self, 'b'):\n    self.b = nn.Linear(10, 10)\nreturn self.b(self.last(x.flatten(1)))"),
        "net.py: Net: forward makes or drops weights (b.bias, b.weight); make every layer in __init__",
    ),
    "always dropout": (
        net("return self.last(F.dropout(x.flatten(1), 0.5))"),
        "net.py: Net: the same pictures get other logits the second time; use nn.Dropout",
    ),
    "blind": (
        net("return self.last(torch.ones_like(x).flatten(1))"),
        "net.py: Net: all pictures get the same logits: the output does not depend on the input",
    ),
    "mixes clips": (
        net("x = self.last(x.flatten(1))\nreturn x - 0.5 * x.mean(0)"),
        "net.py: Net: a clip's logits depend on the other clips of its batch",
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_told_in_one_line_before_training(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    message = tried(path)
    assert said in message
    assert message.isprintable()


def test_what_is_held_in_a_buffer_or_changes_no_answer_is_taken(tmp_path: Path) -> None:
    held = net(
        "x = self.last(x.flatten(1))\nif self.training:\n    self.h = 0.9 * self.h + 0.1 * x.mean(0).detach()\n"
        "return x - self.h",
        "self.last = nn.Linear(64 * 64, 10); self.register_buffer('h', torch.zeros(10))",
    )
    assert tried(write(tmp_path, held)) == ""
    for_a_look = net("self.seen = self.last(x.flatten(1))\nreturn self.seen")
    assert tried(write(tmp_path, for_a_look)) == ""


def test_a_line_is_named_without_torchs_text_being_cut_within_a_word(tmp_path: Path) -> None:
    message = tried(write(tmp_path, net(f"raise ValueError('{'long ' * 100}')")))
    assert message.startswith("net.py line 9 (Net, forward on (4, 1, 64, 64)): ValueError: long long")
    assert message.endswith("long long ...; mend it and try again")


DRAWS = """
import random
import numpy as np
from torch import nn

class MyNet(nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        self.last = nn.Linear(size * size, n_classes)
        self.last.weight.data *= 1 + np.random.rand()

    def forward(self, x):
        if self.training:
            x = x * (0.5 + random.random()) + 0.3 * np.random.randn()
        return self.last(x.flatten(1))
"""


def test_draws_of_numpy_and_python_are_the_same_when_repeated_and_when_gone_on_with(tmp_path: Path, tiles: TileSet) -> None:
    wanted = override(config(tiles, write(tmp_path, DRAWS)), ["train.epochs=3"])
    random.seed(1)
    np.random.seed(1)
    whole = train(wanted, tiles, tmp_path / "whole", device="cpu")
    drawn = random.random(), np.random.rand()
    random.seed(2)
    np.random.seed(2)
    train(wanted, tiles, tmp_path / "runs", device="cpu", on_epoch=lambda _row: Decision.PAUSE)
    np.random.seed(3)
    again = train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert [replace(row, seconds=0) for row in again.epochs()] == [replace(row, seconds=0) for row in whole.epochs()]
    assert again.predictions() == whole.predictions()
    random.seed(1)
    np.random.seed(1)
    assert drawn == (random.random(), np.random.rand())  # training has left both as they were


def test_a_missing_file_and_a_missing_class_name_are_told_with_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE, "my_net.py")
    with pytest.raises(
        ModelError, match=r"cannot read the net in .*my_nett.py \(No such file or directory\); did you mean .*my_net.py"
    ):
        model_defaults(f"{tmp_path}/my_nett.py:MyNet")
    with pytest.raises(ModelError, match=r"named path/to/file.py:ClassName; write .*my_net.py:MyNet"):
        model_defaults(str(path))
