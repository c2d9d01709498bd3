"""A training step as one CUDA graph: a small net spends most of a step on launching its kernels one by one.

What is captured must only read and write memory that stays where it is. A graph that does not do what the step does is not
used: both are run once from the same state and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Step = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
_N_WARM = 3  # steps before a capture, in which libraries choose their kernels


def capture_graph(
    step: Step, inputs: Sequence[torch.Tensor], state: Sequence[torch.Tensor], draws: Sequence[torch.Generator]
) -> Step:
    """Capture `step` as one graph; return `step` itself where that is impossible, as on a CPU.

    Args:
        inputs: an example of its three arguments, of the shapes that all later ones have.
        state: every tensor that a step changes; they are as before when this returns.
        draws: the generators that it draws from, nothing drawn yet.
    """
    if inputs[0].device.type != "cuda":
        return step
    before = [tensor.clone() for tensor in state]

    def rewind() -> None:
        for tensor, value in zip(state, before, strict=True):
            tensor.copy_(value)
        for generator in draws:
            generator.manual_seed(generator.initial_seed())

    try:
        replay = _capture(step, inputs, draws)
        outcomes = []
        for run in (step, replay):
            rewind()
            outcomes.append([tensor.clone() for tensor in (run(*inputs), *state)])
        pairs = zip(*outcomes, strict=True)
        same = all(torch.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True) for a, b in pairs)
    except RuntimeError:  # a layer that cannot be captured
        same = False
    rewind()
    return replay if same else step


def _capture(step: Step, inputs: Sequence[torch.Tensor], draws: Sequence[torch.Generator]) -> Step:
    inputs_buffer = [tensor.clone() for tensor in inputs]
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_N_WARM):
            step(*inputs_buffer)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    for generator in draws:
        graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        output = step(*inputs_buffer)

    def replay(*values: torch.Tensor) -> torch.Tensor:
        for tensor, value in zip(inputs_buffer, values, strict=True):
            tensor.copy_(value)
        graph.replay()
        return output

    return replay
