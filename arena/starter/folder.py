"""A team's folder: project file, two nets, a sweep file for each, README and .gitignore, in the language of the team."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arena.base.project import FILE_NAME, Project, ProjectError, quote
from arena.base.texts import Words
from arena.starter.notebook import NAME, build_project_notebook
from arena.starter.wording import TEXTS, fill_template, list_texts
from reports.documents.notebook_file import format_notebook

_MODELS = ("nets.py:MyLeNet", "nets.py:MyMobileNet")


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Choices of a new project; empty: those of the project around it, or left for the team to fill in."""

    language: str
    corpus: str = ""
    address: str = ""
    team: str = ""


def write_folder(folder: Path, options: Options, around: Project) -> list[Path]:
    """Write the files of a new project and return their paths.

    Args:
        around: project that `folder` is made in; its recordings, contest and settings are taken over.

    Raises:
        ProjectError: files that are there already, or a folder that cannot be written.
    """
    files = {folder / name: content for name, content in build_files(folder, options, around).items()}
    existing = [path for path in files if path.exists() or path.is_symlink()]
    if existing:
        names = ", ".join(path.name for path in existing)
        raise ProjectError(f"{folder} has {names} already, and nothing is replaced; name a new folder, or move the files away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ProjectError(f"cannot write {error.filename or folder}: {error.strerror}; choose another folder") from error
    return list(files)


def build_files(folder: Path, options: Options, around: Project) -> dict[str, str]:
    """Return the content of each file by its name."""
    words = Words.read(TEXTS, options.language)
    texts = list_texts(words)
    project = {**texts, **_describe_project(folder, options, around)}
    first, second = ({**texts, **values} for values in _describe_sweeps(words))
    title = options.team or around.text("contest.team") or folder.resolve().name
    files = {
        FILE_NAME: fill_template("arena", project),
        "nets.py": fill_template("nets", texts),
        "sweep-a.yaml": fill_template("sweep", first),
        "sweep-b.yaml": fill_template("sweep", second),
    }
    notebook = build_project_notebook(title, folder.resolve().name, files, _MODELS, words)
    return {
        **files,
        NAME: format_notebook(notebook),
        "README.md": words("readme.text", team=title).lstrip(),
        ".gitignore": fill_template("gitignore", texts),
    }


def _describe_project(folder: Path, options: Options, around: Project) -> dict[str, str]:
    """Return the lines of arena.toml that differ from team to team; those without a value are comments with an example."""
    corpus = options.corpus or around.text("corpus")
    address = options.address or around.text("contest.address")
    address = address if "://" in address else _write_from(folder, address)
    settings = {"train.epochs": 20, **around.settings}
    return {
        "corpus": quote(_write_from(folder, corpus) if corpus else "recordings"),
        "install": _format_line("install", around.text("install"), "arena-spoken-digits[all]"),
        "address": _format_line("address", address, "https://digits.example.org"),
        "team": _format_line("team", options.team or around.text("contest.team"), "Formantes"),
        "clips": _format_line("clips", _write_from(folder, around.text("contest.clips")), "test"),
        "settings": "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()),
    }


def _describe_sweeps(words: Words) -> Iterator[dict[str, str]]:
    for net, letter, depths in zip(_MODELS, "ab", ([2, 3, 4], [1, 2, 3]), strict=True):
        head = words("sweep.head", net=net.partition(":")[2], file=f"sweep-{letter}.yaml")
        yield {"sweep_head": head, "net": net, "sweep_depth": words(f"sweep.depth_{letter}"), "depths": str(depths)}


def _write_from(folder: Path, path: str) -> str:
    """Return a path that is written from the working folder as one from `folder`; an absolute one stays."""
    if not path or Path(path).expanduser().is_absolute():
        return path
    return Path(os.path.relpath(path, folder)).as_posix()


def _format_line(key: str, value: str, example: str) -> str:
    return f"{key} = {quote(value)}" if value else f"# {key} = {quote(example)}"
