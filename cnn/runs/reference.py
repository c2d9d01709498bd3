"""Ways to name a run: its path, the beginning of its digest, its name, `latest`, `best`, or net and variant `lenet5.raw+aug`.

Each may follow the folder of runs that is meant: `runs-before/best`; `train.start` takes all of them. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from arena.base.project import find_project
from arena.base.suggest import did_you_mean
from cnn.config import EVERY_VARIANT, TILES_FORMAT, RunConfig
from cnn.errors import CnnError, ConfigError, RunError
from cnn.files import read_json
from cnn.overrides import apply_values, config_from_dict
from cnn.plugin import shorten_name
from cnn.runs.folder import RunFolder, RunState, list_runs
from cnn.runs.index import RunLine, describe_split, read_line
from cnn.runs.marks import BEST, LATEST, read_label
from cnn.settings.train import TrainSettings
from cnn.start import identify_start

_N_NAMED = 6  # in a message


def find_run(reference: str, runs_dir: Path) -> RunFolder:
    """Find the run that `reference` names.

    `latest` is the training that finished last and `best` the one of highest validation macro-F1; `lenet5.raw+aug` is the
    newest of that net and variant. Trials of sweeps are none of these, and the last two look at one corpus and one split, and
    at tiles of the format of this version of Arena where there are such runs.

    Raises:
        RunError: none, or several.
    """
    path = Path(reference)
    folder, word = (runs_dir, path.name) if path.parent == Path() else (path.parent, path.name)
    runs = list_runs(folder)
    hits = [RunFolder(path)] if (path / "config.json").exists() else []
    if word:
        hits += [run for run in runs if run.digest.startswith(word) or _read_name(run) == word]
    if word in (LATEST, BEST) or word.rpartition(".")[2] in EVERY_VARIANT:
        hits += [RunFolder(folder / line.digest) for line in _choose_trainings(word, folder, runs)]
    unique = {run.path.resolve(): run for run in hits}
    if not unique:
        raise RunError(f"no run {reference!r} in {folder}{_suggest(word, runs)}")
    if len(unique) > 1:
        raise RunError(f"{reference!r} names {len(unique)} runs: {_list(unique.values())}; write more of the digest of one")
    return next(iter(unique.values()))


def list_seeds(run: RunFolder) -> list[RunLine]:
    """List the finished trainings that differ from `run` in their seed alone, and `run` itself."""
    trainings = [rival for rival in list_runs(run.path.parent) if _is_training(rival)]
    lines = {rival: line for rival in trainings if (line := read_line(rival)).state == RunState.FINISHED}
    config = _drop_seed(run)
    return [line for rival, line in lines.items() if _drop_seed(rival) == config]


def _drop_seed(run: RunFolder) -> dict[str, Any]:
    config = run.config()
    return {**config, "data": None, "train": {**config["train"], "seed": None}}  # data are the corpus's, which counts


def _read_name(run: RunFolder) -> str:
    try:
        return read_label(run).name
    except RunError:
        return ""  # `arena runs` reports damage


def _choose_trainings(word: str, folder: Path, runs: Sequence[RunFolder]) -> list[RunLine]:
    """Choose the training that `latest`, `best` or `lenet5.raw+aug` names; none where there is no such training."""
    lines = [read_line(run) for run in runs if _is_training(run)]
    lines = [line for line in lines if line.state == RunState.FINISHED]
    if word not in (LATEST, BEST):
        lines = [line for line in lines if line.net == shorten_name(word)]
    if word == BEST:
        lines = [line for line in lines if line.val_macro_f1 is not None]  # an autoencoder has none
    if word != LATEST:
        lines = [line for line in lines if line.tiles_format == TILES_FORMAT] or lines
        lines = _keep_comparable(word, lines, folder)
    lines.sort(key=lambda line: ((line.val_macro_f1 or 0.0) if word == BEST else 0.0, line.changed_at, line.digest))
    return lines[-1:]


def _is_training(run: RunFolder) -> bool:
    try:
        return not run.is_trial
    except RunError:
        return False


def _keep_comparable(word: str, lines: list[RunLine], folder: Path) -> list[RunLine]:
    """Keep the trainings of one corpus and split: of several those of the project's split, and of the tiles prepared last.

    Raises:
        RunError: several are left.
    """
    project = find_project()
    settings = {key: value for key, value in project.settings.items() if key.startswith("split.")}
    split = apply_values(RunConfig(corpus=""), settings).split
    wishes = {"split": describe_split(asdict(split)), "corpus": _read_corpus(project.locate_folder("tiles"))}
    for key, wish in wishes.items():
        if len({(line.corpus, line.split) for line in lines}) > 1:
            lines = [line for line in lines if getattr(line, key) == wish] or lines
    if len({(line.corpus, line.split) for line in lines}) > 1:  # folds measure a recipe; none of them is its net
        lines = [line for line in lines if not line.split.startswith("folds ")] or lines
    newest = {(line.corpus, line.split): line for line in lines}
    if len(newest) > 1:
        groups = "; ".join(f"{line.digest} (corpus {line.corpus[:8]}, split {line.split})" for line in newest.values())
        raise RunError(
            f"{word!r} is a training of one corpus and split, and {folder} holds {len(newest)} such groups, with "
            f"{groups}; name the run by its digest"
        )
    return lines


def _read_corpus(tiles: Path) -> str:
    """Return the digest of the recordings of the tiles that were prepared last; empty where there are none."""
    paths = [tiles / "settings.json", *tiles.glob("*/settings.json")]
    paths = sorted((path for path in paths if path.exists()), key=lambda path: path.stat().st_mtime)
    try:
        return str(read_json(paths[-1]).get("corpus", "")) if paths else ""
    except CnnError:
        return ""


def _suggest(word: str, runs: Sequence[RunFolder]) -> str:
    if not runs:
        return ", which holds none; `arena train` makes one"
    if word in (LATEST, BEST):
        return ": no training in it is finished; `arena runs` lists them"
    lines = [read_line(run) for run in runs]
    names = {name for line in lines for name in (line.name, line.digest)} - {""}
    nets = {line.net for line in lines if line.state == RunState.FINISHED and not line.is_trial}
    return did_you_mean(word, sorted({LATEST, BEST} | names | nets), "`arena runs` lists them")


def _list(runs: Iterable[RunFolder]) -> str:
    texts = [f"{line.digest} ({', '.join(filter(None, (line.name, line.net, line.state)))})" for line in map(read_line, runs)]
    return ", ".join(texts[:_N_NAMED]) + (f" and {len(texts) - _N_NAMED} more" if len(texts) > _N_NAMED else "")


def resolve_start(config: RunConfig, runs: Path) -> RunConfig:
    """Return `config` with a start that was given by a run's name: the run's folder, the SHA-256 of its weights, its labels.

    A run that has begun needs its start no more: one of `runs` that began with this start says what it was.

    Raises:
        ConfigError: no file, no run, or a run without weights.
    """
    train = config.train
    if not train.start or train.start_digest:
        return config
    try:
        path = find_run(train.start, runs).path
    except RunError as error:
        begun = _find_begun(train.start, runs)
        if begun is None:
            rule = f"train.start={train.start} is no file of weights and no run of {runs}"
            raise ConfigError(f"{rule}; `arena runs` lists the runs") from error
        return replace(config, train=replace(train, start_digest=begun.start_digest, start_labels=begun.start_labels))
    resolved = identify_start(replace(train, start=str(path)))
    if not resolved.start_digest:
        raise ConfigError(f"train.start={train.start}: {path} has no weights yet; train it to its end, or choose another")
    return replace(config, train=resolved)


def _find_begun(start: str, runs: Path) -> TrainSettings | None:
    """Return the settings of the run that began with `start`, if all that did agree on what it was."""
    settings: dict[tuple[str, tuple[str, ...]], TrainSettings] = {}
    for run in list_runs(runs):
        try:
            train = config_from_dict(run.config()).train
        except (CnnError, ValueError, TypeError):
            continue  # `arena runs` reports damage
        if train.start and (Path(train.start) == Path(start) or Path(train.start).name.startswith(start)):
            settings[train.start_digest, train.start_labels] = train
    return next(iter(settings.values())) if len(settings) == 1 else None
