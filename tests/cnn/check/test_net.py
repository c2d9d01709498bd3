"""A team's own net is tried before training: each mistake is told in one line, and so is what trains badly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnn.check.net import check_net
from cnn.errors import ModelError
from cnn.nets import NETS
from cnn.settings.model import model_defaults
from support.nets import WRITTEN
from support.own_nets import HEAD, PAGE_NET, format_net, write_net


def tried(path: Path, name: str = "Net", size: int = 64) -> str:
    """Return the refusal of the net in `path`; empty where it can be trained."""
    try:
        check_net(model_defaults(f"{path}:{name}"), size, 10)
    except ModelError as error:
        return str(error).replace(str(path), "net.py")
    return ""


@pytest.mark.parametrize("size", [32, 64])
def test_the_example_of_the_readme_can_be_trained(tmp_path: Path, size: int) -> None:
    path = write_net(tmp_path, PAGE_NET, "my_net.py")
    assert tried(path, "MyNet", size) == ""


def test_trying_a_net_leaves_the_random_state_alone(tmp_path: Path) -> None:
    path = write_net(tmp_path, PAGE_NET)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert tried(path, "MyNet") == ""
    assert torch.equal(torch.rand(3), expected)


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
        "net.py: Net is made with any of settings, size, n_classes, by name, and asks for a, b too; rename it, or give it a",
    ),
    "no super": (
        format_net(FLAT).replace("super().__init__()", "pass"),
        "net.py line 7 (Net, making it): AttributeError: cannot assign module before Module.__init__() call; begin",
    ),
    "list of layers": (
        format_net("return self.last[0](torch.flatten(x, 1))", "self.last = [nn.Linear(64 * 64, 10)]"),
        "net.py: Net: self.last holds weights that torch does not see; wrap it: nn.ModuleList",
    ),
    "loose tensor": (
        format_net("return torch.flatten(x, 1) @ self.w", "self.w = torch.zeros(64 * 64, 10, requires_grad=True)"),
        "net.py: Net: self.w holds weights that torch does not see",
    ),
    "no weights": (format_net("return x.flatten(1)[:, :10]", "pass"), "net.py: Net: no weights to train"),
    "lazy, and never used": (
        format_net(FLAT, "self.last, self.other = nn.Linear(64 * 64, 10), nn.LazyLinear(10)"),
        "net.py: Net: self.other is a Lazy layer that forward does not use in evaluation; use it, or give it its size: nn.Lin",
    ),
    "written for 28 x 28": (
        format_net(FLAT, "self.last = nn.Linear(28 * 28, 10)"),
        "net.py line 9 (Net, forward on (4, 1, 64, 64)): RuntimeError: mat1 and mat2 shapes cannot be multiplied "
        "(4x4096 and 784x10); pictures are 64 x 64",
    ),
    "view to 28 x 28": (
        format_net("return self.last(x.view(-1, 28 * 28))", "self.last = nn.Linear(28 * 28, 10)"),
        "net.py line 9 (Net, forward on (4, 1, 64, 64)): RuntimeError: shape '[-1, 784]' is invalid for input of size 16384",
    ),
    "three channels": (
        format_net("return self.first(x)", "self.first = nn.Conv2d(3, 8, 3)"),
        "to have 3 channels, but got 1 channels instead; a picture has one channel: begin with nn.Conv2d(1, ...)",
    ),
    "view": (
        format_net("x = self.first(x)\nreturn x.view(len(x), -1)[:, :10]", "self.first = nn.Conv2d(1, 8, 3)"),
        "batches are laid out channels last: write torch.flatten(x, 1) or x.reshape for x.view",
    ),
    "pooled away": (
        format_net("return self.first(x)", "self.first = nn.Sequential(nn.Conv2d(1, 10, 3), nn.MaxPool2d(80))"),
        "pictures are 64 x 64: pool less, or pad",
    ),
    "shape": (
        format_net("return self.last(x.flatten(1))[:, :7]"),
        "net.py: Net: forward makes (4, 7) of (4, 1, 64, 64); wanted are logits (4, 10): clips, classes",
    ),
    "squeezed": (
        format_net("return self.last(x.flatten(1)).squeeze()"),
        "net.py: Net: forward makes (10,) of (1, 1, 64, 64); wanted are logits (1, 10): clips, classes",
    ),
    "tuple": (
        format_net("return self.last(x.flatten(1)), x"),
        "net.py: Net: forward returns a tuple; return one tensor of logits (4, 10)",
    ),
    "nothing": (
        format_net("self.last(x.flatten(1))"),
        "net.py: Net: forward returns a NoneType; return one tensor of logits (4, 10)",
    ),
    "not finite": (
        format_net("return self.last(x.flatten(1)).log()"),
        "net.py: Net: forward gives no finite numbers on random pictures",
    ),
    "gradient": (
        format_net("return self.last(x.flatten(1) * 0).sub(self.last.bias).abs().sqrt()"),
        "net.py: Net: the gradient is no finite number; look for sqrt(0)",
    ),
    "no gradient": (
        format_net("with torch.no_grad():\n    return self.last(x.flatten(1))"),
        "(Net, backward): RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn; the output",
    ),
    "in place": (
        format_net("x = self.last(x.flatten(1)).sigmoid()\ny = x * x\nx += 1\nreturn x + y"),
        "net.py line 10 (Net, backward): RuntimeError: one of the variables needed for gradient computation has been modified "
        "by an inplace operation: [torch.FloatTensor [4, 10]], which is output 0 of AddBackward0, is at version 1; expected "
        "version 0 instead; what this line needs for the backward pass is changed in place later (such as x += y, x.relu_() or "
        "inplace=True): write x = x + y",
    ),
    "state": (
        format_net(
            "self.h = self.last(x.flatten(1)).tanh() + self.h\nreturn self.h", "self.last, self.h = nn.Linear(4096, 10), 0"
        ),
        "net.py line 9 (Net, backward): RuntimeError: Trying to backward through the graph a second time (or directly access "
        "saved tensors after they have already been freed); the net keeps a tensor of one batch for the next: keep x.detach() "
        "in a self.register_buffer(...) that changes in training alone, or nothing",
    ),
    "state of a batch": (
        format_net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = x.detach()\nreturn x + self.h.mean(0)",
            "self.last = nn.Linear(4096, 10); self.register_buffer('h', torch.zeros(1, 10))",
        ),
        "what register_buffer holds must keep its shape: of a batch keep the mean over its clips, or nothing",
    ),
    "state in a plain tensor": (
        format_net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = 0.9 * self.h + 0.1 * x.mean().detach()\n"
            "return x - self.h",
            "self.last, self.h = nn.Linear(4096, 10), torch.zeros(1)",
        ),
        "net.py: Net: the net depends on self.h, which is not in its state_dict: `arena predict`, and a training that goes on, "
        "would not have it; hold it in self.register_buffer(...), or keep nothing between batches",
    ),
    "state that evaluation cannot do without": (
        format_net(
            "x = self.last(x.flatten(1))\nif self.training:\n    self.h = x.mean().detach()\nreturn x - self.h",
            "self.last, self.h = nn.Linear(4096, 10), None",
        ),
        "the net depends on self.h, which is not in its state_dict",
    ),
    "a count of batches that training alone depends on": (
        format_net(
            "self.n += self.training\nx = self.last(x.flatten(1))\nreturn F.dropout(x, min(0.5, self.n / 1000), self.training)",
            "self.last, self.n = nn.Linear(4096, 10), 0",
        ),
        "the net depends on self.n, which is not in its state_dict",
    ),
    "weights kept from an evaluation": (
        format_net(
            "if self.training:\n    return self.last(x.flatten(1))\n"
            "self.w = self.last.weight.detach().clone() if self.w is None else self.w\nreturn x.flatten(1) @ self.w.T",
            "self.last, self.w = nn.Linear(4096, 10), None",
        ),
        "the net depends on self.w, which is not in its state_dict",
    ),
    "drawn when it is made": (
        format_net(
            "return self.last(x.flatten(1)) + self.shift", "self.last, self.shift = nn.Linear(4096, 10), torch.randn(10)"
        ),
        "the net depends on self.shift, which is not in its state_dict",
    ),
    "a generator of its own": (
        format_net(
            "x = self.last(x.flatten(1))\nreturn x + torch.rand(1, generator=self.g) if self.training else x",
            "self.last, self.g = nn.Linear(4096, 10), torch.Generator()",
        ),
        "the net depends on something of its own (a generator, a list), which is not in its state_dict",
    ),
    "draws in evaluation": (
        format_net("return self.last(x.flatten(1)) * torch.rand(1)"),
        "the same pictures get other logits the second time; use nn.Dropout",
    ),
    "batches of 64": (
        format_net("return self.last(x.reshape(64, -1))"),
        "net.py: Net: forward works on batches of 64 clips alone, and a batch may hold any number; write torch.flatten(x, 1), "
        "or len(x) for 64",
    ),
    "batches of 4": (
        format_net("return self.last(x.reshape(4, -1))"),
        "net.py: Net: forward works on batches of 4 clips alone, and a batch may hold any number",
    ),
    "layers made late": (
        format_net("if not hasattr(self, 'b'):\n    self.b = nn.Linear(10, 10)\nreturn self.b(self.last(x.flatten(1)))"),
        "net.py line 10: Net: forward makes self.b (Linear), which would never be trained; make it in __init__",
    ),
    "always dropout": (
        format_net("return self.last(F.dropout(x.flatten(1), 0.5))"),
        "net.py: Net: the same pictures get other logits the second time; use nn.Dropout",
    ),
    "blind": (
        format_net("return self.last(torch.ones_like(x).flatten(1))"),
        "net.py: Net: all pictures get the same logits: the output does not depend on the input",
    ),
    "mixes clips": (
        format_net("x = self.last(x.flatten(1))\nreturn x - 0.5 * x.mean(0)"),
        "net.py: Net: a clip's logits depend on the other clips of its batch",
    ),
    "a layer made for one batch": (
        format_net("return self.last(nn.Linear(4096, 4096)(x.flatten(1)))"),
        "net.py line 9: Net: forward makes a Linear, which would never be trained; make it in __init__",
    ),
    "a weight made late": (
        format_net(
            "if not hasattr(self, 'g'):\n    self.g = nn.Parameter(torch.ones(1))\nreturn self.last(x.flatten(1)) * self.g"
        ),
        "net.py line 10: Net: forward makes self.g, which would never be trained",
    ),
    "a layer outside the class": (
        format_net("return OUTSIDE(x.flatten(1)) + self.last(x.flatten(1))").replace(
            "class Net", "OUTSIDE = nn.Linear(64 * 64, 10)\nclass Net"
        ),
        "net.py line 10: Net: forward uses weights that the net does not hold, and that would never be trained; make their",
    ),
    "input +=": (
        format_net("x += 1\nreturn self.last(x.flatten(1))"),
        "net.py line 9: Net: forward changes its input in place (add_); write x = x + y for x += y, x.relu() for x.relu_(), "
        "and no inplace=True",
    ),
    "a view of the input": (
        format_net("y = x.flatten(1)\ny[:, 0] = 0\nreturn self.last(y)"),
        "net.py line 10: Net: forward changes its input in place (__setitem__)",
    ),
    "a layer that works in place on the input": (
        format_net(
            "return self.last(x.flatten(1))", "self.last = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(64 * 64, 10))"
        ),
        "net.py line 9: Net: forward changes its input in place (relu)",
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_told_in_one_line_before_training(tmp_path: Path, text: str, said: str) -> None:
    path = write_net(tmp_path, text)
    message = tried(path)
    assert said in message
    assert message.isprintable()


def test_what_is_held_in_a_buffer_or_changes_no_answer_is_taken(tmp_path: Path) -> None:
    held = format_net(
        "x = self.last(x.flatten(1))\nif self.training:\n    self.h = 0.9 * self.h + 0.1 * x.mean(0).detach()\n"
        "return x - self.h",
        "self.last = nn.Linear(64 * 64, 10); self.register_buffer('h', torch.zeros(10))",
    )
    assert tried(write_net(tmp_path, held)) == ""
    for_a_look = format_net("self.seen = self.last(x.flatten(1))\nreturn self.seen")
    assert tried(write_net(tmp_path, for_a_look)) == ""


def test_a_net_may_have_columns(tmp_path: Path) -> None:
    text = "from cnn.models.columns import Columns\n\n\nclass MyNet(Columns):\n    pass\n"
    settings = model_defaults(f"{write_net(tmp_path, text)}:MyNet")
    report = check_net(settings, 32, 10)
    assert (report.warnings, report.ignored) == ((), ())


def test_a_line_is_named_without_torchs_text_being_cut_within_a_word(tmp_path: Path) -> None:
    message = tried(write_net(tmp_path, format_net(f"raise ValueError('{'long ' * 100}')")))
    assert message.startswith("net.py line 9 (Net, forward on (4, 1, 64, 64)): ValueError: long long")
    assert message.endswith("long long ...; mend it and try again")


CNN = "self.a, self.p, self.last = nn.Conv2d(1, 8, 5, 2), nn.AdaptiveAvgPool2d(4), nn.Linear(128, 10)"
LSTM = "self.r, self.last = nn.LSTM(64, 16, batch_first=True), nn.Linear(16, 10)"
ON_GPU = {  # forward, __init__, line and text
    "zeros": ("return self.last(x.flatten(1) + torch.zeros(len(x), 4096))", "", 9, "the tensor made by torch.zeros"),
    "training alone": (
        "x = x.flatten(1)\nif self.training:\n    x = x + 0.1 * torch.randn(x.shape)\nreturn self.last(x)",
        "",
        11,
        "the tensor made by torch.randn",
    ),
    "after a branch by values": (
        "x = x.flatten(1)\nif x.mean() > 100:\n    x = -x\nreturn self.last(x * torch.linspace(0, 1, 4096))",
        "",
        12,
        "the tensor made by torch.linspace",
    ),
    "the state of an LSTM": (
        "h = torch.zeros(1, len(x), 16)\n_, (h, c) = self.r(x[:, 0], (h, h))\nreturn self.last(h[-1])",
        LSTM,
        9,
        "the tensor made by torch.zeros",
    ),
    "a filter": (
        "return self.last(F.conv2d(x, self.k, padding=1).flatten(1))",
        "self.last, self.k = nn.Linear(4096, 10), torch.ones(1, 1, 3, 3)",
        9,
        "self.k is a plain tensor, which",
    ),
    "a list": (
        "return self.last(x.flatten(1) * self.w[0])",
        "self.last, self.w = nn.Linear(4096, 10), [torch.ones(4096)]",
        9,
        "self.w is a plain tensor, which",
    ),
    "numpy": ("return self.last(x.flatten(1)) + float(x.detach().numpy().mean())", "", 9, "numpy takes no tensor of a GPU"),
    "from numpy": (
        "import numpy as np\nreturn self.last(x.flatten(1) * torch.from_numpy(np.ones(4096, np.float32)))",
        "",
        10,
        "a tensor from outside forward, or from numpy,",
    ),
    "moved": ("x = x.to('cpu')\nreturn self.last(x.flatten(1))", "", 9, "what .to(...) moves to the CPU"),
}


def test_what_fails_on_a_gpu_is_refused_without_one(tmp_path: Path) -> None:
    plain = "self.last = nn.Linear(64 * 64, 10)"
    messages = {
        name: tried(write_net(tmp_path, format_net(forward, init or plain))) for name, (forward, init, _, _) in ON_GPU.items()
    }
    assert {
        name: text[: text.find(said) + len(said)]
        for (name, text), (*_, said) in zip(messages.items(), ON_GPU.values(), strict=True)
    } == {name: f"net.py line {line}: Net: {said}" for name, (_, _, line, said) in ON_GPU.items()}
    assert messages["zeros"].endswith(
        "stays on the CPU when the net runs on a GPU, and fails there; make it with device=x.device"
    )
    assert messages["a list"].endswith("and fails there; hold it: self.register_buffer('w', ...)")


SOUND = {  # forward, __init__
    "values": (
        "x = self.p(self.a(x)).flatten(1)\nreturn self.last(x if x.mean() < 100 else self.b(x))",
        f"{CNN}; self.b = nn.Linear(9, 9)",
    ),
    "chance": (
        "import random\nx = self.p(self.a(x)).flatten(1)\n"
        "if self.training and random.random() < 0:\n    x = self.b(x)\nreturn self.last(x)",
        f"{CNN}; self.b = nn.Linear(9, 9)",
    ),
    "devices": (
        "x = self.p(self.a(x)).flatten(1)\n"
        "x = x + x.new_zeros(128) + torch.ones(128).to(x) + torch.ones(128, device=x.device)\n"
        "with torch.device(x.device):\n    x = x * torch.ones(128)\n"
        "x = x[:, torch.arange(128)] * torch.tensor(2.0) + torch.rand_like(x) * 0\n"
        "self.w = self.w if self.w.device == x.device else self.w.to(x.device)\nreturn self.last(x * self.w)",
        f"{CNN}; self.w = torch.ones(128)",
    ),
    "sequences": (
        "n = torch.full((len(x),), 64)\nx = nn.utils.rnn.pack_padded_sequence(x[:, 0], n, batch_first=True)\n"
        "h = torch.zeros(1, len(n), 16, device=x.data.device)\n"
        "x, _ = nn.utils.rnn.pad_packed_sequence(self.r(x, (h, h))[0], batch_first=True)\nreturn self.last(x[:, -1])",
        LSTM,
    ),
    "attention": (
        "x = self.i(x[:, 0]) + self.e(torch.arange(64, device=x.device))\n"
        "x, _ = self.m(x, x, x)\nreturn self.last(self.t(x).mean(1))",
        "self.i, self.e, self.m = nn.Linear(64, 16), nn.Embedding(64, 16), nn.MultiheadAttention(16, 2, batch_first=True)\n"
        "self.t, self.last = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), nn.Linear(16, 10)",
    ),
    "below Python": (
        "class Reverse(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x\n"
        "    @staticmethod\n    def backward(ctx, g):\n        return -g\n"
        "x = F.interpolate(x, (32, 32)).flatten(1)\n"
        "return self.last(Reverse.apply(x) + F.one_hot(x.argmax(1), 1024))",
        "self.last = nn.LazyLinear(10)",
    ),
    "borrowed weights": (
        "x = F.linear(self.p(self.a(x)).flatten(1), self.b.weight)\n"
        "return 4 * torch.sigmoid(self.last(x)) - self.g * x[:, :10]",
        f"{CNN}; self.b, self.g = nn.utils.parametrizations.weight_norm(nn.Linear(128, 128)), nn.Parameter(torch.zeros(1))",
    ),
}


def test_sound_nets_cause_no_word(tmp_path: Path) -> None:
    nets = {name: format_net(*texts) for name, texts in SOUND.items()}
    nets |= {
        name: f"from cnn.models.{name} import {NETS[name].class_name} as Base\nclass Net(Base): pass\n"
        for name in WRITTEN
        if name != "scratch"  # a file of NumPy
    }
    words: dict[str, tuple[str, ...]] = {}
    for name, text in nets.items():
        size = 32 if name in NETS else 64  # ours take small pictures too, in a quarter of the time
        try:
            words[name] = check_net(model_defaults(f"{write_net(tmp_path, text)}:Net"), size, 10).warnings
        except ModelError as error:
            words[name] = (str(error),)
    assert words == dict.fromkeys(nets, ())


DOUBTFUL = {  # forward, __init__, warning
    "softmax": (
        "x = self.last(x.flatten(1))\nreturn x.softmax(1)",
        "",
        "net.py line 10: Net: forward ends in softmax, and trains badly: the training's loss does the softmax itself; "
        "return what goes into it",
    ),
    "log_softmax as a layer": (
        "return self.last(x.flatten(1))",
        "self.last = nn.Sequential(nn.Linear(4096, 10), nn.LogSoftmax(1))",
        "net.py line 9: Net: forward ends in log_softmax, and trains badly: the training's loss does the softmax itself; "
        "return what goes into it",
    ),
    "probabilities": (
        "x = self.last(x.flatten(1)).exp()\nreturn x / x.sum(1, keepdim=True)",
        "",
        "net.py line 10: Net: forward ends in probabilities, and trains badly: the training's loss does the softmax itself; "
        "return what goes into it",
    ),
    "relu": (
        "x = self.last(x.flatten(1))[:, :, None].relu_()\nreturn x.squeeze(2)",
        "",
        "net.py line 9: Net: forward ends in relu, and trains badly: logits may be any numbers; return what goes into it",
    ),
    "never used": (
        "return self.last(x.flatten(1))",
        "self.last = nn.Linear(4096, 10)\nself.drop = nn.Dropout(0.5)\nself.g = nn.Parameter(torch.ones(1))\n"
        "self.more = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])",
        "net.py line 9: Net: forward never uses self.g, self.drop (line 8), self.more (line 10); use it, or take it out",
    ),
    "no gradient": (
        "x = self.p(self.a(x)).detach()\nreturn self.last(x.flatten(1))",
        CNN,
        "net.py line 9: Net: the loss gives no gradient to self.a, so it never learns; look for detach(), no_grad(), .data, "
        "argmax or numpy after it",
    ),
}


def test_what_trains_badly_is_said_with_its_line(tmp_path: Path) -> None:
    plain = "self.last = nn.Linear(64 * 64, 10)"
    warnings = {}
    for name, (forward, init, _) in DOUBTFUL.items():
        path = write_net(tmp_path, format_net(forward, init or plain))
        warnings[name] = [
            text.replace(str(path), "net.py") for text in check_net(model_defaults(f"{path}:Net"), 64, 10).warnings
        ]
    assert warnings == {name: [text] for name, (_, _, text) in DOUBTFUL.items()}


def test_settings_that_a_net_does_not_read_are_refused(tmp_path: Path) -> None:
    path = write_net(
        tmp_path, PAGE_NET.replace("__init__(self, settings, size, n_classes)", "__init__(self, n_classes, settings, size)")
    )
    defaults = model_defaults(f"{path}:MyNet")
    assert check_net(defaults, 64, 10).unread == {"activation", "sees"}
    assert check_net(replace(defaults, depth=3, dropout=0.5), 64, 10).ignored == ()
    with pytest.raises(ModelError) as error:
        check_net(replace(defaults, activation="tanh"), 64, 10)
    assert str(error.value) == (
        f"{path}: MyNet does not read settings.activation, so model.activation would change nothing; "
        "leave that out, or use it in __init__"
    )
    late = format_net(
        "return F.dropout(self.last(x.flatten(1)), self.s.dropout, self.training)",
        "self.s, self.last = settings, nn.Linear(4096, 10)",
    )
    assert "dropout" not in check_net(model_defaults(f"{write_net(tmp_path, late)}:Net"), 64, 10).unread
    without = (
        "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Flatten(), nn.Linear(4096, 10))\n"
    )
    report = check_net(model_defaults(f"{write_net(tmp_path, HEAD + without)}:Net"), 64, 10)
    assert report.unread == {"depth", "width", "activation", "dropout", "sees"}
