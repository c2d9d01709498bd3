"""README and pages as they stand in the repository: their paths, links, commands, settings and programs are real."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
import yaml

import arena.cli
from arena.base.errors import ArenaError
from arena.base.project import KEYS, read_project
from arena.command_line.defaults import build_defaults
from cnn.keys import find_keys, keys, read_assignment
from support.paths import ROOT

FOLDERS = ("arena", "benchmarks", "cnn", "docs", "leaderboard", "reports", "sweeps", "tests")
PAGES = [path for path in (ROOT / "docs").rglob("*.md") if not {"_build", "generated"} & {*path.parts}]
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (*ROOT.glob("*.md"), *sorted(PAGES))
}
TREE: Any = typer.main.get_command(arena.cli.app)
_PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`")
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_KEY = re.compile(r"(?<![\w./'])((?:tiles|split|augment|model|train)\.[a-z_]+)\b(?![.(])")
_PYTHON = re.compile(r"```python\n.*?```", re.DOTALL)
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(name: str, *kinds: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(DOCUMENTS[name]) if kind in kinds]


def prose(name: str) -> str:
    return _FENCE.sub("", DOCUMENTS[name])


def command_lines(name: str) -> Iterator[str]:
    """Every simple command in the shell, console and notebook blocks of a page, without prompt, comment and output."""
    for kind, text in _FENCE.findall(DOCUMENTS[name]):
        mark = {"sh": "", "console": "$ ", "": "!"}.get(kind)
        for line in text.replace("\\\n", " ").splitlines() if mark is not None else ():
            if line.startswith(mark):
                words = shlex.split(line.removeprefix(mark), comments=True)
                yield from filter(None, re.split(r" (?:\||&&|;) ", shlex.join(words).replace("'|'", "|").replace("'&&'", "&&")))


def strip_environment(line: str) -> list[str]:
    words = shlex.split(line)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words[: words.index(">")] if ">" in words else words


def parse(words: list[str], defaults: dict[str, Any]) -> list[str]:
    """Parse the words behind `arena` as the command line does, without running them; return the settings among them."""
    if words[0].startswith("-"):  # `arena --version` acts as it is parsed
        assert words[0] in [option for parameter in TREE.params for option in parameter.opts]
        return []
    with TREE.make_context("arena", words, default_map=defaults) as context:
        while hasattr(context.command, "get_command") and (rest := [*context._protected_args, *context.args]):
            name, child, rest = context.command.resolve_command(context, rest)
            assert child is not None
            context = child.make_context(name, rest, parent=context)
    overrides = context.params.get("overrides") or ()
    return [text for text in overrides if "=" in text or words[:2] != ["data", "prepare"]]  # whose other words are corpora


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The defaults of a project, in which pages leave out what arena.toml says."""
    file = tmp_path_factory.mktemp("project") / "arena.toml"
    file.write_text('corpus = "recordings"\n[contest]\naddress = "https://digits.example.org"\nteam = "Formantes"\n')
    return build_defaults(TREE, read_project(file))


def test_every_command_of_a_document_exists_with_its_options_arguments_and_settings(defaults: dict[str, Any]) -> None:
    faults, n_lines = [], 0
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in DOCUMENTS:
        for line in command_lines(name):
            n_lines += 1
            program, *words = strip_environment(line) or [""]
            try:
                if program == "arena":
                    for text in parse(words, defaults):
                        read_assignment(text, keys())
                elif program == "make":
                    assert words[0] in targets
            except (typer.TyperException, ArenaError, AssertionError) as error:
                faults.append(f"{name}: {line}: {error!r} {error}")
    assert faults == []
    assert n_lines > 150


def list_faults(words: list[str]) -> list[str]:
    """Return the words of a command in a sentence, often a part of one, that are no command and no option of it."""
    command = TREE
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    options = {"--help", *(option for parameter in command.params for option in parameter.opts)}
    return words[:1] if command is TREE and words else [word for word in words if word.startswith("--") and word not in options]


def test_every_command_and_option_that_a_sentence_names_is_there() -> None:
    names = [name for name in DOCUMENTS if name != "docs/reference/commands.md"]  # it tells what a wrong one is answered
    lines = [(name, text) for name in names for text in re.findall(r"`(arena [^`]+)`", prose(name)) if "..." not in text]
    assert [(name, text) for name, text in lines if list_faults(text.split()[1:])] == []
    assert len(lines) > 100


def test_every_key_of_a_document_is_one() -> None:
    names = {(name, key) for name in DOCUMENTS for key in _KEY.findall(_PYTHON.sub("", DOCUMENTS[name]))}
    files = {"py", "pt", "onnx", "npy", "png"}
    assert {(name, key) for name, key in names if not find_keys(key, keys()) and key.partition(".")[2] not in files} == set()
    assert len(names) > 30


def test_every_toml_and_python_block_of_a_document_can_be_read() -> None:
    programs = [(name, text) for name in DOCUMENTS for text in blocks(name, "python")]
    for name, text in programs:
        compile(text, name, "exec")
    for name in DOCUMENTS:
        for text in blocks(name, "toml"):
            assert flatten(tomllib.loads(text)) <= {*KEYS, *(f"settings.{key}" for key in keys())}
    assert len(programs) > 10


def flatten(content: dict[str, Any], prefix: str = "") -> set[str]:
    inner = (flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key} for key, value in content.items())
    return set().union(*inner)


def test_every_path_of_a_document_is_there() -> None:
    named = {(name, path) for name, text in DOCUMENTS.items() for path in _PATH.findall(text)}
    assert {(name, path) for name, path in named if not any(ROOT.glob(path))} == set()
    assert any(name == "CONTRIBUTING.md" for name, _ in named)


def test_every_link_and_anchor_of_a_document_leads_somewhere_on_a_code_host() -> None:
    """Pages that are made when the site is built are tested there."""
    anchors = {name: {slugify(title) for title in re.findall(r"^#+ (.*)$", prose(name), re.MULTILINE)} for name in DOCUMENTS}
    faults = []
    for name in DOCUMENTS:
        for link in _LINK.findall(prose(name)):
            address, _, anchor = link.partition("#")
            if re.match(r"https?:", address) or "generated/" in address:
                continue
            target = ((ROOT / name).parent / address).resolve() if address else ROOT / name
            titles = anchors.get(target.relative_to(ROOT).as_posix(), set())
            if not target.exists() or (anchor and anchor not in titles):
                faults.append(f"{name}: {link}")
    assert faults == []


def slugify(title: str) -> str:
    """Return the anchor that code hosts, and the site, give a heading."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", title).lower()).replace(" ", "-")


def test_readme_has_at_most_900_words() -> None:
    assert len(DOCUMENTS["README.md"].split()) <= 900


def test_citation_and_changelog_name_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["cff-version"], citation["version"], citation["license"]) == ("1.2.0", version, "MIT")
    assert citation["authors"] == [{"name": "The Arena authors"}]
    assert version in DOCUMENTS["CHANGELOG.md"]
