"""Completers by the word of an option or argument, which means one thing in every command; a few commands say it closer."""

from __future__ import annotations

from arena.completion import values
from arena.completion.files import complete_files, complete_folders
from arena.completion.proposal import Completer, complete_words
from cnn.config import AUDIO_SUFFIXES

COMPLETERS: dict[str, Completer] = {
    "--archive": complete_files(".tar.gz", ".tgz", ".tar", ".zip"),
    "--audio": complete_folders,
    "--autoencoder": values.complete_runs,
    "--cache": complete_folders,
    "--config": complete_files(".yaml", ".yml", ".toml", ".json"),
    "--contest": complete_files(".db", ".sqlite"),
    "--instead-of": complete_files(".db", ".sqlite"),
    "--corpus": complete_folders,
    "--device": values.complete_devices,
    "--folds": complete_words("loso", "becker", "3", "5", "10"),
    "--format": complete_words("codabench", "evalai", "gradescope"),
    "--from": values.complete_studies,
    "--fuse": complete_words("auto", "off"),
    "--handouts": complete_folders,
    "--hidden": complete_folders,
    "--host": complete_words("127.0.0.1", "0.0.0.0"),
    "--into": values.complete_teams,
    "--language": complete_words("en", "es", "en,es"),
    "--metric": complete_files(".py"),
    "--model": values.complete_nets,
    "--onnx": complete_files(".onnx"),
    "--out": complete_files(""),
    "--recordings": complete_folders,
    "--runs": complete_folders,
    "--separator": complete_words(",", ";", "tab"),
    "--solution": complete_files(".ipynb"),
    "--sort": complete_words("changed", "val", "test", "epochs", "name", "model", "variant", "state"),
    "--state": values.complete_states,
    "--strings": complete_folders,
    "--studies": complete_folders,
    "--table": complete_files(".csv"),
    "--tag": values.complete_tags,
    "--team": values.complete_teams,
    "--tiles": complete_folders,
    "--truth": complete_files(".csv"),
    "--template": complete_files(".csv"),
    "--token-file": complete_files(""),
    "--usage": complete_words("auto", "speaker", "row"),
    "--variant": values.complete_variants,
    "--zone": values.complete_zones,
    "A": values.complete_runs,
    "B": values.complete_runs,
    "BACKUP": complete_files(".db", ".sqlite"),
    "CLASS": complete_files(".csv", ".txt"),
    "CORPUS": complete_folders,
    "FILE": complete_files(".onnx"),
    "FOLDER": complete_folders,
    "KEY=VALUE": values.complete_keys,
    "NET": values.complete_nets,
    "NOTEBOOK": complete_files(".ipynb"),
    "NUMBER": complete_words("1", "2", "3"),
    "OUT": complete_folders,
    "RECORDING": complete_files(*AUDIO_SUFFIXES),
    "PICTURES": complete_folders,
    "RECORDINGS": complete_folders,
    "RUN": values.complete_runs,
    "RUNS": complete_folders,
    "SOLUTION": complete_files(".csv"),
    "SOURCE": values.complete_corpora,
    "STUDY": values.complete_studies,
    "SUBMISSION": complete_files(".csv"),
    "SWEEP": values.complete_sweeps,
    "TAG": values.complete_tags,
    "TEAM": values.complete_teams,
    "YAML": complete_files(".yaml", ".yml"),
}
COMMAND_COMPLETERS: dict[str, Completer] = {
    "contest backup OUT": complete_files(".db", ".sqlite"),
    "contest gradebook OUT": complete_files(".csv"),
    "contest pack --out": complete_folders,
    "contest score --out": complete_files(".json"),
    "data prepare KEY=VALUE": values.complete_corpora_and_keys,
    "data card --out": complete_files(".html"),
    "data show --out": complete_files(".png"),
    "data solution --out": complete_files(".csv"),
    "demo --out": complete_folders,
    "eval --out": complete_files(".csv"),
    **{f"exercise {name} --out": complete_files(".ipynb") for name in ("plot", "xor", "backprop", "receptive-field")},
    "export --out": complete_files(".onnx"),
    **{
        f"notebook {name} --out": complete_files(".ipynb")
        for name in ("project", "mlp", "scratch", "optimisers", "architectures", "autoencoder")
    },
    "predict --out": complete_files(".csv"),
    "report build --out": complete_files(".html"),
    "report compare --out": complete_files(".html"),
    "report notebook --out": complete_files(".ipynb"),
    "report paper --out": complete_files(".md"),
    "report table --out": complete_files(".csv"),
    "sweep run SWEEP": values.complete_sweep_run,
    "wandb sweep-file --out": complete_files(".yaml", ".yml"),
}


def find_completer(path: tuple[str, ...], word: str) -> Completer | None:
    """Return the completer of an option, such as `--runs`, or an argument, such as `RUN`; None where any text may stand."""
    return COMMAND_COMPLETERS.get(f"{' '.join(path)} {word}") or COMPLETERS.get(word)
