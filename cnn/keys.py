"""Keys of the configuration: their types, the short names that stand for one, and a hint for a name that is none."""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

from arena.base.suggest import did_you_mean, index_words, is_respelling
from cnn.config import EVERY_VARIANT, RunConfig
from cnn.errors import ConfigError
from cnn.nets import NETS
from cnn.settings import augment, split, tiles
from cnn.settings.data import DataKind
from cnn.settings.fields import describe_values

READ_ONLY = (  # read from the tiles, and from the file that `train.start` names
    *("model.n_channels", "model.side"),
    *("train.start_digest", "train.start_labels"),
)
_FOREIGN = {  # keys that say nothing of data of a kind
    DataKind.SOUND: [f"augment.{name}" for name in augment.PICTURE_KEYS],
    DataKind.PICTURES: [
        *(f"augment.{name}" for name in augment.SOUND_KEYS),
        *(f"tiles.{name}" for name in tiles.SOUND_KEYS),
        *(f"split.{name}" for name in split.SPEAKER_KEYS),
    ],
}
SHORT = {"lr": "train.learning_rate", "model": "model.name"}
_WORDS = {  # key: other words for it, which are only hinted at
    "train.learning_rate": "lrate, eta, max_lr, base_lr, lr0",
    "train.batch_size": "bs, batch, batchsize, train_batch_size, per_device_train_batch_size, minibatch_size",
    "train.epochs": "epoch, n_epochs, num_epochs, max_epochs, nb_epochs, num_train_epochs, n_epoch",
    "train.optimizer": "optim, opt, optimiser, optimizer.name, optimizer.type",
    "train.schedule": "scheduler, lr_scheduler, lr_schedule, lr_scheduler_type, sched",
    "train.warmup": "warmup_ratio",
    "train.weight_decay": "wd, l2, weightdecay",
    "train.label_smoothing": "smoothing, ls",
    "train.loss": "criterion, loss_fn, loss_function, objective",
    "train.patience": "early_stopping_patience, es_patience",
    "train.balance": "class_weight, class_weights, weighted_sampler, oversample, oversampling, imbalance, balanced",
    "train.seed": "random_seed, random_state, manual_seed, rng",
    "model.name": "net, arch, architecture, network, backbone, model_name, model_type",
    "model.depth": "layers, n_layers, num_layers, nlayers, n_blocks, num_blocks, blocks",
    "model.width": "width_mult, width_multiplier, width_factor",
    "model.hidden": "hidden_size, hidden_sizes, hidden_dim, hidden_dims, hidden_layers, hidden_layer_sizes, units",
    "model.dropout": "drop, dropout_rate, dropout_p, p_dropout, drop_rate",
    "model.activation": "act, nonlinearity, act_fn",
    "variant": "variants",
    "tiles.size": "img_size, image_size, imgsz, resolution, n_mels, input_size, tile_size",
    "tiles.rate_hz": "sr, sample_rate, sampling_rate, samplerate",
    "tiles.length_s": "duration, clip_length, clip_s",
    "tiles.f_min_hz": "fmin, f_min",
    "tiles.f_max_hz": "fmax, f_max",
    "split.n_folds": "k_folds, n_splits, nfolds, num_folds",
    "split.kind": "split, splits, split_by, splitter",
}
_RELATED = {  # key: words that mean something like it, in another unit
    "train.warmup": "warmup_steps, warmup_epochs, warmup_iters",
    "train.patience": "early_stopping, early_stop, es, early_terminate",
    "model.width": ("channels, n_channels, filters, n_filters, num_filters, num_channels"),
    "tiles.window_s": "n_fft, win_length, window, fft_size, hop_length",
    "split.test_speakers": "test_size, holdout, test_split, train_size",
    "split.val_speakers": "val_size, val_split, validation_split, valid_size, val_ratio",
    "train.optimizer": "betas",
    "split.kind": "stratify, shuffle, random_split",
    "variant": "aug, augmentation, augment, use_augmentation, bilateral, filter",
    "train.schedule": "lr_decay, decay, decay_rate, gamma, lr_gamma, lr_step, step_size",
    "train.side_views": "tta, test_time_augmentation",
}
_OPTIONS = {  # option: words that are typed as a key
    "--config": "experiment, config, preset, config_name, cfg, exp, recipe",
    "arena eval --folds": "folds, n_folds, k_fold, kfold",
    "arena eval --n-seeds": "seeds, n_seeds, num_seeds",
    "arena sweep run --budget": "budget, n_trials, trials, max_trials, count, run_cap",
    "arena sweep run --agents": "agents, n_agents",
    "arena sweep run --gpus": "gpus, n_gpus, num_gpus",
    "--device": "device, accelerator, cuda, gpu",
    "--jobs": "jobs, n_jobs",
    "--wandb": "wandb, wandb_mode, logger",
    "--tag": "tag, tags",
    "--tiles": "tiles, data, dataset, data_dir, data_path, dataset_path, corpus, root",
    "--runs": "runs, output_dir, out, output, save_dir, log_dir, logdir, run_dir, exp_dir",
    "--name": "run_name, exp_name, experiment_name, study_name, wandb_name",
}
_VALUES = {  # values of other tools
    "--device": {"gpu": "cuda", "true": "cuda", "false": "cpu"},
    "--wandb": {"true": "online", "false": "off", "disabled": "off"},
}
_ABSENT = {  # explanation: words that are typed as a key
    "nothing has to load data beside a training: leave it out (--jobs N is for N trainings at once)": (
        "workers, num_workers, n_workers, max_workers"
    ),
    "the same line again goes on where it stopped: leave it out": (
        "resume, resume_from, ckpt, ckpt_path, checkpoint, resume_from_checkpoint"
    ),
}
_OPTION_OF_WORD = index_words(_OPTIONS)
_ABSENCE_OF_WORD = index_words(_ABSENT)
_KEY_OF_WORD = index_words(_WORDS)
_OF_CHOICES = ("name", "type", "kind", "_target_", "class", "id")  # last parts of other tools' keys for what is chosen
_RUN = re.compile(r"best|latest|(?=.*\d)[0-9a-f]{4,16}")
_LIST = "`arena train --keys` lists them all"
_RELATED_KEY = index_words(_RELATED)
_SECTIONS = {"data prepare": "tiles", "data show": "augment", "data solution": "split"}  # each of these commands takes one
_SEVERAL = re.compile(r"\w*\(.*\)|\[.*\]|.*,.*")


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A configuration key."""

    kind: type  # `tuple` for a list of names
    values: str  # in words
    meaning: str
    choices: tuple[str, ...] = ()  # all allowed values, where they are few and fixed
    is_text: bool = False  # commas and brackets are part of a value


@functools.cache
def keys() -> Mapping[str, Key]:
    """Return every key that may be set; those of `READ_ONLY` and `model.source` are read, not set."""
    fields = {field.name: field for field in dataclasses.fields(RunConfig)}
    result = {"variant": _key(fields["variant"], str)}
    for section in ("tiles", "split", "augment", "model", "train"):
        settings = typing.get_type_hints(RunConfig)[section]
        hints = typing.get_type_hints(settings)
        result |= {f"{section}.{field.name}": _key(field, hints[field.name]) for field in dataclasses.fields(settings)}
    return {key: entry for key, entry in result.items() if key not in (*READ_ONLY, "model.source")}


def is_setting(key: str, kind: DataKind) -> bool:
    """Return whether a key of config.json was chosen for data of this kind: neither read from the tiles nor of another kind."""
    return not key.startswith("data.") and key not in (*READ_ONLY, *_FOREIGN[kind])


def list_keys(command: str) -> dict[str, Key]:
    """Return the keys that a command, such as `data prepare`, takes: those of one section, or all but those of tiles."""
    section = _SECTIONS.get(command)
    return {
        key: entry
        for key, entry in keys().items()
        if (key.startswith(f"{section}.") if section else not key.startswith("tiles."))
    }


def _key(field: dataclasses.Field[Any], hint: Any) -> Key:
    kind = tuple if isinstance(hint, types.GenericAlias) else hint
    choices = tuple(map(str, field.metadata.get("allowed", ())))
    return Key(kind, describe_values(field), field.metadata["meaning"], choices, field.metadata.get("text", False))


def find_keys(name: str, allowed: Collection[str]) -> list[str]:
    """Return the keys that `name` may stand for: itself, `lr` and `model`, or those whose last part it is."""
    if name in allowed:
        return [name]
    if SHORT.get(name) in allowed:
        return [SHORT[name]]
    return [key for key in allowed if key.rpartition(".")[2] == name]


def shorten_key(key: str) -> str:
    """Return the last part of a key where it alone is understood for the key."""
    last = key.rpartition(".")[2]
    return last if find_keys(last, keys()) == [key] else key


def read_assignment(text: str, allowed: Collection[str]) -> tuple[str, str]:
    """Return key and value of a text such as `train.epochs=5`, `epochs=5` or `+epochs=5`.

    Raises:
        ConfigError: no assignment, an unknown name, one that stands for several keys, or several values at once.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if name.startswith("~"):
        raise ConfigError(f"{text!r}: a setting cannot be taken away; left out it has its default (`arena train --keys`)")
    if not equals:
        raise ConfigError(
            f"an override is written key=value, such as train.epochs=5, not {text!r}{_explain_word(name, allowed)}"
        )
    name = name.lstrip("+")
    matches = find_keys(name, allowed)
    if len(matches) > 1:
        raise ConfigError(f"{name!r} could be {' or '.join(matches)}; write {' or '.join(f'{key}={value}' for key in matches)}")
    if not matches:
        raise ConfigError(f"unknown key {name!r}{suggest_key(name, allowed, value)}")
    is_path = value.count(".py:") == 1  # a net, whose folder may be called anything
    key = keys()[matches[0]]
    if _SEVERAL.fullmatch(value) and not (key.kind is tuple or key.is_text or is_path):
        raise ConfigError(_explain_several(matches[0], value))
    return matches[0], value


def suggest_key(key: str, allowed: Collection[str], value: str = "") -> str:
    """Return a hint such as `; did you mean train.learning_rate=0.01?`, or the command that lists all keys."""
    if key.startswith("hydra"):
        return "; Hydra's own settings have no equal: --runs names the folder of runs, `arena sweep run FILE` tries many values"
    if (matches := find_keys(key, keys())) and not any(match in allowed for match in matches):
        command = "arena data prepare CORPUS" if matches[0].startswith("tiles.") else "arena train"
        return f"; that is set by: {command} {_assign(matches[0], value)}"
    parts = re.split(r"[./@]", key)
    if len(parts) > 1 and parts[-1] in _OF_CHOICES:
        parts.pop()
    words = [text.lower().replace("-", "_") for text in (key, parts[-1])]
    section = parts[0].lower()
    for word in words:
        if matches := find_keys(word, allowed) or find_keys(_KEY_OF_WORD.get(word, ""), allowed):
            return f"; did you mean {' or '.join(_assign(match, value) for match in matches)}?"
        if word in _OPTION_OF_WORD:
            return _name_option(_OPTION_OF_WORD[word], value)
        if word in _ABSENCE_OF_WORD:
            return f"; {_ABSENCE_OF_WORD[word]}"
        if _RELATED_KEY.get(word) in allowed:
            return f"; {explain_related(word)}"
    if section in _OPTION_OF_WORD and not any(name.startswith(f"{section}.") for name in keys()) and len(parts) > 1:
        return _name_option(_OPTION_OF_WORD[section], value)
    texts = {name: _assign(key, value) for key in allowed for name in (key.rpartition(".")[2], key)}
    return next((hint for word in words if (hint := did_you_mean(word, texts, "", cutoff=0.75))), f"; {_LIST}")


def _assign(key: str, value: str) -> str:
    """Return `key=value`, with all its choices where `value` is none of them."""
    if not value:
        return key
    choices = keys()[key].choices
    return f"{key}={value if value in choices or not choices else '|'.join(choices)}"


def _name_option(option: str, value: str) -> str:
    if option == "--tiles" and value in EVERY_VARIANT:
        option = "--variant"
    if option == "--device" and value.isdecimal():
        value = f"cuda:{value}"
    value = _VALUES.get(option, {}).get(value.lower(), value)
    return f"; that is an option: {option} {value}".rstrip()


def explain_related(word: str) -> str:
    """Return the key that is nearest to a word of another meaning, with its own; empty where there is none."""
    key = _RELATED_KEY.get(word.replace("-", "_"), "")
    return f"the nearest setting is {key}: {keys()[key].meaning}; it takes {keys()[key].values}" if key else ""


def is_meant(word: str, key: str) -> bool:
    """Return whether `word` is surely `key`: another word for it, or another spelling, and not merely the nearest."""
    parts = re.split(r"[./@]", word)
    if len(parts) > 1 and parts[-1] in _OF_CHOICES:
        parts.pop()
    return any(match_word(name, [key]) or is_respelling(name, key.rpartition(".")[2]) for name in (word, parts[-1]))


def match_word(word: str, allowed: Collection[str]) -> str:
    """Return the key that an option such as `batch-size` of another tool means; empty where none, or several."""
    word = word.lower().replace("-", "_")
    matches = find_keys(word, allowed) or find_keys(_KEY_OF_WORD.get(word, ""), allowed)
    if word == "seed" and "train.seed" in matches:  # beside split.seed: whoever types an option means the training
        return "train.seed"
    return matches[0] if len(matches) == 1 else ""


def _explain_word(word: str, allowed: Collection[str]) -> str:
    """Return the hint to a word that is no assignment; empty without one."""
    if word.endswith((".toml", ".yaml", ".yml", ".json")):
        return f"; a file of settings is an option: --config {word}"
    if word.partition(":")[0].endswith(".py") or word in NETS:
        return f"; did you mean: --model {word}"
    if word in EVERY_VARIANT:
        return f"; did you mean: --variant {word}"
    if _RUN.fullmatch(word):
        return f"; a run is shown by `arena runs show {word}`, and answers by `arena predict {word}`"
    key = match_word(word.strip("+:"), allowed)
    return f"; did you mean {key}=VALUE?" if key and word not in allowed else ""


def _explain_several(key: str, value: str) -> str:
    options = {"variant": "--variant", "model.name": "--model"}
    names = re.split(r"\s*,\s*", value.strip("[]"))
    if key in options and not set("({") & set(value):
        return f"{key} takes one value, not {value}; for each of them: {' '.join(f'{options[key]} {name}' for name in names)}"
    if value.startswith("{"):
        return f"{key} takes one value, not {value}; each setting is written by itself: model.name=resnet model.depth=2"
    call, _, inside = value.strip("[])").rpartition("(")
    listed = re.split(r"\s*,\s*", inside) if call in ("", "choice") else ["..."]
    space = f"{{values: [{', '.join(listed)}]}}"
    if call in ("interval", "uniform") and len(bounds := inside.split(",")) == 2:
        space = f"{{min: {bounds[0].strip()}, max: {bounds[1].strip()}}}"
    return (
        f"{key} takes one value, not {value}; to try several, write `{key}: {space}` "
        "below `parameters:` of a sweep file, for `arena sweep run FILE`"
    )
