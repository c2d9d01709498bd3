"""Files with a net of a team's own."""

from __future__ import annotations

import re
from pathlib import Path

from support.paths import ROOT

PAGE = (ROOT / "docs" / "how-to" / "own-net.md").read_text(encoding="utf-8")
PAGE_NET = next(text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if text.startswith("# my_net.py"))
HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"  # three lines


def write_net(folder: Path, text: str, name: str = "net.py") -> Path:
    """Write the file of a net and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def format_net(forward: str, init: str = "self.last = nn.Linear(64 * 64, 10)") -> str:
    """Return a file whose __init__ begins its layers in line 7; with one line of them forward begins in line 9."""
    init, forward = (text.replace("\n", "\n        ") for text in (init, forward))
    lines = "class Net(nn.Module):\n    def __init__(self, settings, size, n_classes):\n        super().__init__()\n"
    return f"{HEAD}{lines}        {init}\n    def forward(self, x):\n        {forward}\n"
