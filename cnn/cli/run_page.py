"""One run for `arena runs show`: all its facts as plain values, and the page that a person reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.base.terminal import CONTROLS, duration, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnn.runs.folder import RunFolder, RunResult

_BARS = "▁▂▃▄▅▆▇█"
_N_BARS = 40
_INDENT = 12
_CURVES = {"train loss": "train_loss", "val loss": "val_loss", "val F1": "val_macro_f1", "gradient": "gradient_norm"}


def read_page(run: RunFolder, tiles: Path) -> dict[str, Any]:
    """Read all facts of a run.

    Raises:
        RunError: one of its files is damaged.
    """
    from arena.base.project import find_project
    from cnn.commands import format_net, format_retraining, format_train_command
    from cnn.config import TILES_FORMAT, describe_format
    from cnn.errors import RunError
    from cnn.runs import read_kind
    from cnn.runs.index import DAMAGED, list_notes, read_line
    from cnn.runs.looks import read_looks

    line = read_line(run)
    if line.state == DAMAGED:
        raise RunError(f"{run.path} is damaged: {line.cause}")
    config, result = run.config(), run.result()
    return {
        "run": str(run.path),
        **dataclasses.asdict(line),
        "model": format_net(line.model, find_project()),
        "tiles": "" if line.tiles_format == TILES_FORMAT else describe_format(line.tiles_format),
        "settings": _list_settings(config),
        "scores": _read_scores(run, result) if result else {},
        "reconstruction": dataclasses.asdict(result.reconstruction) if result and result.reconstruction else None,
        "notes": list_notes([result], read_kind(config)) if result else [],
        "kind": read_kind(config),
        "verdict": dataclasses.asdict(result.verdict) if result and result.verdict else None,
        "best_epoch": result.best_epoch if result else 0,
        "wall_s": result.wall_s if result else sum(row.seconds for row in run.epochs()),
        "device": result.device if result else "",
        "curves": [row.to_json() for row in run.epochs()],
        "looks": [dataclasses.asdict(row) for row in read_looks(run)],
        "files": {path.name: path.stat().st_size for path in sorted(run.path.iterdir()) if not path.name.startswith(".")},
        "command": format_train_command(run.digest, config, tiles, run.path.parent)
        if line.tiles_format == TILES_FORMAT
        else format_retraining(run.path),
    }


def _list_settings(content: dict[str, Any]) -> list[str]:
    """List the settings that differ from the net's defaults; none where another version of Arena wrote them."""
    from arena.base.project import Project
    from cnn.commands import list_overrides
    from cnn.errors import CnnError
    from cnn.overrides import config_from_dict

    try:
        return list_overrides(config_from_dict(content), Project(folder=Path()))
    except (CnnError, KeyError, TypeError, ValueError):
        return []


def _read_scores(run: RunFolder, result: RunResult) -> dict[str, dict[str, Any]]:
    """Read the scores by part, those of stored predictions with the report's interval."""
    import numpy as np

    from arena.base.scores import macro_f1_interval
    from cnn.runs.evaluation import count_confusions

    scores = {}
    for part, score in result.scores.items():
        facts: dict[str, Any] = {"macro_f1": score.macro_f1, "accuracy": score.accuracy, "loss": score.loss, "n_clips": score.n}
        by_speaker = count_confusions([run], part) if part != "train" and (run.path / "predictions.csv").exists() else {}
        if by_speaker:
            interval = macro_f1_interval(np.concatenate(list(by_speaker.values())))
            facts["interval"] = {name: getattr(interval, name) for name in ("low", "high", "unit", "n_units")}
        scores[part] = facts
    return scores


def print_page(page: dict[str, Any]) -> None:
    """Print the page; its lines fit the terminal, but for the command, which is there to be copied."""
    tags = " ".join(f"#{tag}" for tag in page["tags"])
    trial = f"trial {page['trial']['number']} of {page['trial']['study']}" if page["trial"] else ""
    when = page["changed_at"][:16].replace("T", " ")
    _print_fact("run", f"{page['run']}, {page['state']} {when} UTC")
    _print_fact("name", " ".join(filter(None, (page["name"], tags, trial))))
    _print_fact("net", f"{page['model']} on {page['variant']}")
    _print_fact("split", f"{page['split']}, corpus {page['corpus']}")
    _print_fact("tiles", page["tiles"] and f"{page['tiles']}: it answers no new recordings until it is trained again")
    _print_fact("settings", ", ".join(page["settings"]) or "the defaults")
    _print_fact("failure", page["cause"])
    from cnn.runs.folder import PART_NAMES

    for part, title in PART_NAMES.items():
        if part in page["scores"]:
            _print_fact(title, _describe_score(page["scores"][part], page["kind"].items))
        elif page["reconstruction"] and part in page["reconstruction"]["scores"]:
            _print_fact(title, _describe_errors(page["reconstruction"]["scores"][part]))
    if page["reconstruction"]:
        _print_fact("latent", _describe_latent(page["reconstruction"]))
    for note in page["notes"]:
        _print_fact("note", note)
    if page["verdict"]:
        _print_fact("verdict", f"{page['verdict']['state']}: {page['verdict']['reason']}")
    if page["curves"]:
        best = f", the weights are those of epoch {page['best_epoch']}" if page["best_epoch"] else ""
        device = f" on {page['device']}" if page["device"] else ""
        n = page["curves"][-1]["updates"]
        time = f"{duration(page['wall_s'])}{f', {n:,} updates' if n else ''}"
        _print_fact("epochs", f"{page['n_epochs']} of {page['epochs']} in {time}{device}{best}")
        for title, key in _CURVES.items():
            _print_fact(title, _draw_curve([row[key] for row in page["curves"] if row[key] is not None]))
        _print_fact("looks", _draw_curve([row["val_macro_f1"] for row in page["looks"]]))
    _print_fact("files", ", ".join(f"{name} {_format_size(size)}" for name, size in page["files"].items()))
    if page["command"]:
        print(f"\ntrain it again:\n{page['command']}".translate(CONTROLS))


def _print_fact(title: str, text: str) -> None:
    if text:
        print_text(f"{title:<{_INDENT}}{text}", hang=_INDENT)


def _describe_score(score: dict[str, Any], items: str) -> str:
    text, interval = f"macro-F1 {score['macro_f1']:.3f}", score.get("interval")
    is_over_items = interval is not None and interval["unit"] == "clips"
    if interval:
        unit = items if is_over_items else interval["unit"]
        text += f" ({interval['low']:.3f} to {interval['high']:.3f} over {interval['n_units']} {unit})"
    n_clips = "" if is_over_items else f", {score['n_clips']:,} {items}"
    return f"{text}, accuracy {score['accuracy']:.3f}{n_clips}"


def _describe_errors(score: dict[str, Any]) -> str:
    """Describe an autoencoder's error beside that of its input, of the bilateral filter and of PCA."""
    from cnn.reconstruction.result import compute_psnr

    rivals = {"PCA": score["pca_mse"], "the input": score["input_mse"], "the bilateral filter": score["filter_mse"]}
    texts = [f"{name} {mse:.5f} ({compute_psnr(mse):.1f} dB)" for name, mse in rivals.items() if mse is not None]
    return f"MSE {score['mse']:.5f} ({score['psnr_db']:.1f} dB), {score['n']:,} tiles; {', '.join(texts)}"


def _describe_latent(reconstruction: dict[str, Any]) -> str:
    cells, latent = reconstruction["n_cells"], reconstruction["latent"]
    sizes = f"{cells:,} cells as {latent:,} numbers, a compression of {reconstruction['compression']:.3g} to 1"
    return f"{sizes}; PCA of as many, computed from {reconstruction['n_pca']:,} training tiles"


def _format_size(size_bytes: int) -> str:
    return f"{size_bytes} B" if size_bytes < 1000 else f"{size_bytes / 1e3:,.0f} kB"


def _draw_curve(values: Sequence[float]) -> str:
    """Draw values as bars from least to largest, beside the first and the last; of many epochs some; of none, nothing."""
    if not values:
        return ""
    n_bars = min(len(values), _N_BARS)
    picked = [values[round(n * (len(values) - 1) / max(n_bars - 1, 1))] for n in range(n_bars)]
    least, span = min(picked), max(picked) - min(picked)
    bars = "".join(_BARS[round((value - least) / span * (len(_BARS) - 1))] if span else _BARS[0] for value in picked)
    return f"{bars} {values[0]:.3f} to {values[-1]:.3f}"
