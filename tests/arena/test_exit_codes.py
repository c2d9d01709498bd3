"""The same refusal has the same exit code in every command: 2 for a line that cannot be read, 1 for what is refused."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from arena.__main__ import main

WITH_REASON = "--reason because"
REFUSALS = {  # code and refusal: the lines that meet it, in a folder with a contest, a team and its file
    (2, "unknown command"): "trian; contest standngs; sweep strat; data scna",
    (2, "unknown option"): "train --nonsense; contest standings --nonsense; sweep status --nonsense; submit a.csv --nonsense",
    (2, "missing argument"): (
        "predict; export; runs show; runs tag; new; data synth; data scan; contest init; contest attempts; contest restore; "
        "contest score; sweep pause; sweep best; sweep lint; submit; report compare; runs name a; runs rm; sweep run; pseudonym"
    ),
    (2, "missing option"): (
        "contest submit a.csv; contest init a.csv; contest merge Alpha; contest verify; contest pack . --out p; submit a.csv; "
        "sweep run lenet5; contest pseudonym Alpha"
    ),
    (2, "missing reason"): (
        "contest close; contest reopen; contest extend 2030-01-01T00:00Z; contest grant Alpha; contest disqualify Alpha; "
        "contest reinstate Alpha; contest rename Alpha Beta; contest token new Alpha; contest token revoke Alpha; "
        "contest rescore a.csv; contest merge Alpha --into Alpha; contest pseudonym Alpha Nightjar; "
        "contest void Alpha 1; contest announce Hello; contest extend 2030-01-01T00:00Z --team Alpha"
    ),
    (2, "unknown variant"): (
        "train --variant row; eval --variant row; runs --variant row; sweep run lenet5 --variant row; "
        "wandb sweep-file lenet5 --variant row"
    ),
    (2, "value outside a fixed list"): (
        "eval --split val; predict latest --split val; train --wandb maybe; eval --wandb maybe; runs --state asleep; "
        "runs rm --state asleep; runs --sort age; contest score a.csv a.csv --format x; data get nothing; "
        "data synth o --language x; "
        "report build --lang xx; new team --lang xx; contest pack . --out p --n-test-speakers 1 --usage x; models --size 33; "
        "contest init a.csv --name D --ties x; contest serve --zone Nowhere; sweep run lenet5 --variant raw --on moon"
    ),
    (2, "number out of range"): (
        "train --jobs -1; eval --n-seeds 0; sweep run lenet5 --variant raw --budget 0; demo --n-clips 1; "
        "data synth o --n-clips 0; "
        "inspect --n-clips 1; models --depth 0; runs --limit -1; contest grant Alpha --n-attempts 0 --reason x; "
        "contest init a.csv --name D --refusals 0; contest serve --port 99999; report serve --port 99999; contest gradebook g "
        "--bonus -1; data show --per-digit 9; sweep run lenet5 --variant raw --fuse 999; contest verify Alpha --time-s 0; "
        "contest pack . --out p --n-test-speakers 1 --public 3; contest pack . --out p --n-test-speakers 1 --gain-db -1; "
        "contest pack . --out p --n-test-speakers 1 --length-s -1; data import . o --min-gap -1"
    ),
    (2, "address that is none"): (
        "submit a.csv --address contest.db --team Alpha; pseudonym Nightjar --address contest.db; "
        "new team --address contest.db; "
        "contest pack . --out p --n-test-speakers 1 --address contest.db"
    ),
    (
        1,
        "unknown net",
    ): "models nonet; models nonet --layers; sweep lint nonet; sweep run nonet --variant raw; wandb sweep-file nonet",
    (
        1,
        "unknown key",
    ): ("data prepare . nokey=1; data show nokey=1; data solution nokey=1; sweep run lenet5 --variant raw nokey=1"),
    (1, "missing tiles"): (
        "train; eval; data show; data solution; sweep run lenet5 --variant raw; train --tiles none; eval --tiles none; "
        "wandb sweep-file lenet5"
    ),
    (1, "missing file"): (
        "contest init no.csv --name D --contest new.db; contest validate no.csv; contest submit no.csv --team Alpha; "
        "contest team import no.csv; contest gradebook g --template no --column C; "
        "contest score no.csv a.csv; contest score a.csv no.csv; contest restore no.db --contest new.db; sweep lint no.yaml; "
        f"contest attach Alpha no.onnx; contest rescore no.csv {WITH_REASON}; data get fsdd --archive no.zip; models no.py; "
        "contest submit a.csv --team Alpha --onnx no.onnx; train --config no.toml; "
        "pseudonym --remove --address http://127.0.0.1:9 --token-file no"
    ),
    (1, "missing folder"): (
        "data scan no; data prepare no; data card no; data import no out; contest pack no --out p --n-test-speakers 1; "
        "demo --corpus no; wandb sync no; report table --runs no; report build --studies no; report notebook --studies no"
    ),
    (1, "wrong file"): (
        "contest validate wrong; contest submit wrong --team Alpha; contest init wrong --name D --contest new.db; "
        f"contest rescore wrong {WITH_REASON}; sweep lint wrong; contest standings --contest wrong; contest attach "
        "Alpha wrong; contest restore wrong --contest new.db; contest score a.csv wrong; train --config wrong"
    ),
    (1, "unknown run"): (
        "predict no; export no; inspect no; runs show no; runs rm no; runs name no a; runs tag no a; report build no; "
        "report compare no no; report notebook no; report paper no"
    ),
    (1, "unknown study"): (
        "sweep status no; sweep trials no; sweep best no; sweep pause no; sweep resume no; sweep stop no; sweep agent no; "
        "sweep dashboard no"
    ),
    (1, "unknown team"): "; ".join(
        f"contest {words} {WITH_REASON}" if is_decision else f"contest {words}"
        for is_decision, group in (
            (False, ("attempts No", "attempt No 1", "verify No", "submit a.csv --team No")),
            (True, ("grant No", "void No 1", "disqualify No", "reinstate No", "rename No Beta", "pseudonym No Nightjar")),
            (True, ("merge No --into Alpha", "merge Alpha --into No", "token new No", "token revoke No")),
        )
        for words in group
    ),
    (1, "missing contest"): "; ".join(
        f"contest {words} --contest none.db"
        for words in (
            *("standings", "attempts A", "attempt A 1", "validate a.csv", "submit a.csv --team A", "team list", "team add A"),
            *("log", "serve", "host-token list", "publish o", "gradebook g", "backup b", "migrate", "verify A"),
            *("team show A", "join-link list", f"team forget a@x.org {WITH_REASON}", f"join-link revoke 1 {WITH_REASON}"),
            *(f"close {WITH_REASON}", f"reopen {WITH_REASON}", f"token new A {WITH_REASON}"),
        )
    )
    + "; report build --contest none.db",
    (1, "what is there already"): (
        "contest init a.csv --name D; contest backup a.csv; contest restore contest.db; contest team add alpha; "
        "contest pack . --out . --n-test-speakers 1"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a contest, a team and files."""
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "a.csv").write_text("id,label\n" + "".join(f"c{n},{n % 2}\n" for n in range(20)))
    (folder / "wrong").write_text("method: [\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in ("contest init a.csv --name Digits", "contest team add Alpha"):
            assert run(line, patch) == 0
    return folder


def run(line: str, patch: pytest.MonkeyPatch) -> int | str | None:
    patch.setattr(sys, "argv", ["arena", *shlex.split(line)])
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


@pytest.mark.parametrize(
    ("expected", "lines"), REFUSALS.items(), ids=lambda value: value[1] if isinstance(value, tuple) else ""
)
def test_the_same_refusal_has_the_same_code_in_every_command(
    expected: tuple[int, str], lines: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ARENA_TOKEN", "secret")
    codes = {line: run(line, monkeypatch) for line in lines.split("; ")}
    assert {line: code for line, code in codes.items() if code != expected[0]} == {}
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sum(line.startswith("error: ") for line in printed.err.splitlines()) == len(codes)
