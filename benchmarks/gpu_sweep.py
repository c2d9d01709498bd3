"""Benchmark of fused trials on a GPU: `steps` of one net and of many as one, and a `whole` sweep of eight studies.

Each writes benchmarks/results/<device>-gpu-<command>.md and ends by itself within its time, with what was measured until then.
Without a GPU, `--tiny` tries the command and says nothing of speed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.bench import RESULTS, slug
from benchmarks.gpu import steps, whole
from benchmarks.gpu.budget import TimeBudget, choose_device, name_device
from benchmarks.gpu.drawn_tiles import draw_tiles
from benchmarks.gpu.page import write_steps, write_whole
from cnn.settings.tiles import TileSettings


def measure_steps(args: argparse.Namespace, budget: TimeBudget) -> str:
    device, size = choose_device(tiny=args.tiny), steps.TINY if args.tiny else steps.FULL
    settings, amounts = (TileSettings(size=32), (10, 1)) if args.tiny else (TileSettings(), (60, 50))
    with tempfile.TemporaryDirectory(prefix="arena-gpu-") as scratch:
        tiles = draw_tiles(Path(scratch) / "tiles", settings, *amounts)
        report = steps.measure_steps(tiles, args.models, device, size, Path(scratch), budget)
    return write_steps(report, name_device(device), budget.spent_s)


def measure_whole(args: argparse.Namespace, budget: TimeBudget) -> str:
    device, size = choose_device(tiny=args.tiny), whole.TINY if args.tiny else whole.FULL
    args.folder.mkdir(parents=True, exist_ok=True)
    settings = TileSettings(size=32) if args.tiny else TileSettings()
    tiles = draw_tiles(args.folder / "tiles", settings, size.n_speakers, size.n_takes)
    report = whole.run_whole(tiles, device, size, args.folder, budget)
    return write_whole(report, name_device(device), budget.spent_s)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in (("steps", measure_steps), ("whole", measure_whole)):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("--tiny", action="store_true", help="a try of the command, also without a GPU")
        command.add_argument("--budget-s", type=float, default=480.0, help="seconds after which it ends with what it has")
        command.add_argument("--out", type=Path, help="the file to write; else benchmarks/results/<device>-gpu-<command>.md")
        if name == "steps":
            command.add_argument("--models", nargs="+", default=["lenet5", "resnet"])
        else:
            command.add_argument("--folder", type=Path, default=Path("gpu-sweep"), help="where it goes on when run again")
    args = parser.parse_args(words)
    text = args.function(args, TimeBudget(args.budget_s))
    out = args.out or RESULTS / f"{slug(text.splitlines()[0].partition(' on ')[2].partition(',')[0])}-gpu-{args.command}.md"
    out.write_text(text, encoding="utf-8")
    print(text)
    print(out)


if __name__ == "__main__":
    main()
