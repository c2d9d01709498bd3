"""Comparison of a student's model with their submission; no model can do harm."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

from leaderboard.actions import submit as entry
from leaderboard.errors import ContestError, ModelRefused
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest, open_contest
from leaderboard.verification.sandbox import Rejection, check_contained
from leaderboard.verification.sent_models import attach_model, read_sent_models
from leaderboard.verification.verify import (
    Limits,
    Samples,
    check_model,
    find_recordings,
    read_model,
    run_model,
    write_samples,
)
from support.contests import run
from support.onnx_models import LABELS, RATE_HZ, N, constant, external, first_samples, graph_of, model_of, rows, write_audio

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def samples(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    paths = find_recordings(audio, [f"clip{index}" for index in range(N)])
    return write_samples(paths, tmp_path_factory.mktemp("gathered") / "samples")


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ModelRefused) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def asked(content: bytes, samples: Samples, **limits: Any) -> list[int]:
    return run_model(content, "model.onnx", samples, LABELS, Limits(**limits)).tolist()


def test_a_model_is_run_on_every_recording(samples: Samples) -> None:
    assert (samples.n_clips, samples.n_samples, samples.rate_hz) == (N, 50, RATE_HZ)
    assert asked(model_of(first_samples()), samples) == [index % 3 for index in range(N)]


def test_a_model_is_run_as_the_format_that_was_checked(samples: Samples) -> None:
    name_of_producer = b"\x12\x06aaORTM"  # an ONNX file, whose bytes 4 to 8 are those of onnxruntime's own format
    assert asked(name_of_producer + model_of(first_samples()), samples) == [index % 3 for index in range(N)]


def test_a_models_own_order_of_labels_is_read(samples: Samples) -> None:
    turned = model_of(first_samples(), labels=json.dumps(["2", "0", "1"]))
    assert asked(turned, samples) == [(index + 2) % 3 for index in range(N)]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"rate_hz": "16000"}, "takes samples at 16000 Hz and the test recordings have 8000; export it with --rate-hz 8000"),
        ({"labels": '["a", "b", "c"]'}, "answers with the labels 'a', 'b', 'c', which are not those of the contest"),
        ({"labels": "{"}, "has labels in its metadata that are no list of words"),
    ],
)
def test_a_model_made_for_something_else_is_refused(samples: Samples, metadata: dict[str, str], message: str) -> None:
    assert message in refusal(lambda: asked(model_of(first_samples(), **metadata), samples))


def test_scores_of_another_shape_or_no_numbers_are_refused(samples: Samples) -> None:
    assert "gives 12 x 4 scores" in refusal(lambda: asked(model_of(first_samples(0, 4)), samples))
    infinite = graph_of(
        [helper.make_node("Slice", ["samples", "f", "t", "a"], ["s"]), helper.make_node("Log", ["s"], ["probabilities"])],
        [constant("f", 0), constant("t", 3), constant("a", 1)],
    )
    assert "no numbers" in refusal(lambda: asked(model_of(infinite), samples))


def test_a_model_that_does_not_end_is_stopped(samples: Samples) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), helper.make_node("Add", ["x", "x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    weights = [numpy_helper.from_array(np.array(2**62), "n"), numpy_helper.from_array(np.array(True), "yes")]
    endless = graph_of([helper.make_node("Loop", ["n", "yes", "samples"], ["probabilities"], body=body)], weights)
    text = refusal(lambda: asked(model_of(endless), samples, wall_s=2))
    assert "did not end within 2 s" in text or "used more than 2 s of a processor" in text


def test_a_model_that_wants_too_much_memory_is_stopped(samples: Samples) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["probabilities"]),
    ]
    text = refusal(
        lambda: asked(model_of(graph_of(nodes, [constant("shape", 1 << 20, 1 << 12)])), samples, memory_bytes=1 << 30)
    )
    assert "memory" in text or "alloc" in text or "1024 MB" in text


def external_within() -> onnx.GraphProto:
    (weight,) = (tensor for tensor in external().initializer if tensor.name == "secret")
    inner = helper.make_node("Constant", [], ["probabilities"], value=weight)
    branch = helper.make_graph([inner], "b", [], [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None)])
    yes = numpy_helper.from_array(np.array(True), "yes")
    return graph_of([helper.make_node("If", ["yes"], ["probabilities"], then_branch=branch, else_branch=branch)], [yes])


def external_and_sparse() -> onnx.GraphProto:
    """A branch that is nothing but weights with gaps, in a file of the machine that runs it."""
    (weight,) = (tensor for tensor in external().initializer if tensor.name == "secret")
    branch = onnx.GraphProto(name="b", sparse_initializer=[onnx.SparseTensorProto(values=weight, dims=[4])])
    return graph_of([helper.make_node("If", ["samples"], ["probabilities"], then_branch=branch, else_branch=branch)], [])


@pytest.mark.parametrize(
    "graph", [external(), external_within(), external_and_sparse()], ids=["top", "in a branch", "sparse in a branch"]
)
def test_a_model_that_reads_other_files_is_refused_before_it_is_run(graph: onnx.GraphProto, samples: Samples) -> None:
    assert "keeps its weights in another file" in refusal(lambda: check_model(model_of(graph), "model.onnx"))
    assert "keeps its weights in another file" in refusal(lambda: asked(model_of(graph), samples))


def test_operators_that_the_standard_does_not_have_are_refused() -> None:
    operator = graph_of([helper.make_node("Run", ["samples"], ["probabilities"], domain="com.mallory")], [])
    text = refusal(lambda: check_model(model_of(operator, ("com.mallory",)), "model.onnx"))
    assert "uses the operator com.mallory::Run" in text


def with_function(domain: str, *usual: onnx.AttributeProto) -> onnx.ModelProto:
    """A net whose own function Gelu turns each sample's sign."""
    node = helper.make_node("Gelu", ["samples"], ["probabilities"], domain=domain)
    opset = [helper.make_opsetid("", 18)]
    operator = helper.make_function(domain, "Gelu", ["x"], ["y"], [helper.make_node("Neg", ["x"], ["y"])], opset)
    operator.attribute_proto.extend(usual)
    return helper.make_model(graph_of([node], []), functions=[operator])


def test_a_function_of_the_model_is_no_way_to_operators_of_the_runtime_or_to_other_files() -> None:
    check_contained(with_function("mine"))
    for domain in ("com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc", "ai.onnx.ml", "org.pytorch.aten"):
        with pytest.raises(Rejection, match=f"uses the operator {domain}::Gelu"):
            check_contained(with_function(domain))
    (weight,) = (tensor for tensor in external().initializer if tensor.name == "secret")
    with pytest.raises(Rejection, match="keeps its weights in another file"):
        check_contained(with_function("mine", helper.make_attribute("weight", weight)))


def test_what_a_model_brings_into_its_refusal_is_short_and_prints(samples: Samples) -> None:
    labels = ["\x1b[2J\n\0", "\ud800", "a" * 100_000]  # a terminal's order; what no database takes; what fills one
    operator = graph_of([helper.make_node("a\x1b[2J\n\0", ["samples"], ["probabilities"], domain="b")], [])
    by_label = refusal(lambda: asked(model_of(first_samples(), labels=json.dumps(labels)), samples))
    by_operator = refusal(lambda: asked(model_of(operator, ("b",)), samples))
    for text in (by_label, by_operator):
        assert text.isprintable()
        assert len(text) < 300


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pickle.dumps(Bomb(tmp_path / "went off")))
    assert "model.onnx" in refusal(lambda: read_model(tmp_path / "model.onnx"))
    assert not (tmp_path / "went off").exists()


def test_a_file_that_is_missing_empty_or_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.onnx").write_bytes(bytes(20_000_001))
    assert "at most 20 MB" in refusal(lambda: read_model(tmp_path / "large.onnx"))
    assert "No such file" in refusal(lambda: read_model(tmp_path / "none.onnx"))
    (tmp_path / "empty.onnx").write_bytes(b"")
    assert "is no ONNX model" in refusal(lambda: read_model(tmp_path / "empty.onnx"))


def test_recordings_that_are_missing_or_lie_elsewhere_are_named(audio: Path) -> None:
    for name in ("clip99", "../clip0"):
        with pytest.raises(ContestError, match=r"has no recording .*\.wav, but (no file|[0-9]+ \.wav)"):
            find_recordings(audio, [name])


@pytest.mark.parametrize(("n_channels", "subtype", "fault"), [(2, "PCM_16", "PCM_16 with 2 "), (1, "FLOAT", "FLOAT with 1 ")])
def test_recordings_that_predict_may_hear_otherwise_are_refused(
    tmp_path: Path, n_channels: int, subtype: str, fault: str
) -> None:
    soundfile.write(tmp_path / "clip0.wav", np.full((50, n_channels), 0.5), RATE_HZ, subtype=subtype)
    with pytest.raises(ContestError, match=f"mono PCM, and clip0.wav is {fault}channels?; give the folder that"):
        write_samples(find_recordings(tmp_path, ["clip0"]), tmp_path / "samples")


@pytest.fixture
def contest(contest_place: str) -> str:
    """Honest sent what its model says, Boaster something better: its model answers with other samples. On both databases."""
    solution = parse_solution(rows(), "solution.csv")
    with create_contest(contest_place, solution=solution, name="Digits", now=NOW) as opened:
        for name, first in (("Honest", 0), ("Boaster", 1)):
            team = opened.add_team(name, NOW)
            entry.submit(opened, name, rows(), "s.csv", NOW)
            attach_model(opened, team, 1, (model_of(first_samples(first)), "model.onnx"), NOW)
        opened.add_team("Without", NOW)
    return contest_place


def test_a_model_is_sent_with_a_submission_and_a_bad_one_costs_no_attempt(contest: str, audio: Path, tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_bytes(rows())
    (tmp_path / "model.onnx").write_bytes(b"no model")
    words = ("submit", tmp_path / "sent.csv", "--team", "without", "--onnx", tmp_path / "model.onnx")
    assert "model.onnx" in run(contest, *words)[1]
    with open_contest(contest) as opened:
        assert opened.attempts(opened.team("Without")) == ()
    (tmp_path / "model.onnx").write_bytes(model_of(first_samples(), labels='["a", "b", "c"]'))
    assert "and the contest has 0..2" in run(contest, *words)[1]
    (tmp_path / "model.onnx").write_bytes(model_of(first_samples()))
    assert run(contest, *words)[0] == 0
    assert run(contest, "verify", "Without", "--audio", audio)[0] == 0


def test_verify_marks_the_honest_score_and_shows_how_the_other_differs(contest: str, audio: Path) -> None:
    code, lines = run(contest, "verify", "--all-teams", "--audio", audio, "--json")
    result = {line["team"]: (line["is_verified"], line["remark"]) for line in lines}
    assert code == 1
    assert result["Honest"] == (True, "12 of 12 rows equal")
    assert result["Boaster"][0] is False
    assert result["Boaster"][1].endswith("differ (clip1, clip2, clip4, ...) and at most 1 may")
    with open_contest(contest) as opened:
        stored = {model.team: model.is_verified for model in read_sent_models(opened, opened.teams())}
        states = {line.team: line.model and (line.model.state, line.model.remark) for line in opened.board().lines}
    assert stored == {"Honest": True, "Boaster": False}
    assert states == {"Honest": ("same", result["Honest"][1]), "Boaster": ("differs", result["Boaster"][1])}
    visible = dict(re.findall(r"(Honest|Boaster).* (\w+) *\n", run(contest, "standings")[1]))
    assert visible == {"Honest": "answers", "Boaster": "differs"}
    assert run(contest, "attempts", "boaster")[1].split()[-1] == "differs"


def test_what_is_verified_is_not_run_again_and_takes_no_other_model(contest: str, audio: Path, tmp_path: Path) -> None:
    assert run(contest, "verify", "Honest", "--audio", audio)[0] == 0
    assert run(contest, "verify", "Honest", "--audio", audio, "--json") == (0, [])
    (tmp_path / "other.onnx").write_bytes(model_of(first_samples(2)))
    assert (
        "gave the same answers when it was run, and no other takes its place"
        in run(contest, "attach", "honest", tmp_path / "other.onnx")[1]
    )


def test_a_better_model_may_follow_where_one_did_not_agree(contest: str, audio: Path, tmp_path: Path) -> None:
    assert run(contest, "verify", "Boaster", "--audio", audio)[0] == 1
    (tmp_path / "right.onnx").write_bytes(model_of(first_samples()))
    code, text = run(contest, "attach", "boaster", tmp_path / "right.onnx")
    assert code == 0, text
    assert "is kept beside attempt 1 of Boaster" in text
    assert run(contest, "verify", "Boaster", "--audio", audio)[0] == 0


def test_rows_may_differ_as_far_as_the_host_tolerates(contest: str, audio: Path) -> None:
    assert run(contest, "verify", "Boaster", "--audio", audio, "--tolerate", 12)[0] == 0


def test_a_model_that_fails_is_a_verdict_and_stops_no_other(contest: str, audio: Path) -> None:
    with open_contest(contest) as opened:
        attach_model(opened, opened.team("Boaster"), 1, (model_of(first_samples(), rate_hz="16000"), "m.onnx"), NOW)
    code, lines = run(contest, "verify", "--all-teams", "--audio", audio, "--json")
    assert (code, {line["team"]: line["is_verified"] for line in lines}) == (1, {"Honest": True, "Boaster": False})


def test_without_a_model_there_is_nothing_to_verify(contest: str, audio: Path) -> None:
    assert "no model was sent" in run(contest, "verify", "Without", "--audio", audio)[1]
    assert run(contest, "verify", "--audio", audio)[0] == 2
