"""The whole step as a graph: on a CPU the step itself; on a GPU the same numbers."""

from __future__ import annotations

import pytest
import torch

from cnn.train.fused.cuda_graph import capture_graph


def test_on_a_cpu_the_step_stays_as_it_is_and_nothing_is_run() -> None:
    def step(*_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("run")

    zero = torch.zeros(1)
    assert capture_graph(step, (zero, zero, zero), [], []) is step


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is here")
def test_a_graph_does_what_the_step_does_and_leaves_the_state_as_it_was() -> None:
    device = torch.device("cuda")
    state = torch.zeros(4, device=device)
    draws = torch.Generator(device=device).manual_seed(3)

    def step(batch: torch.Tensor, truth: torch.Tensor, rates: torch.Tensor) -> torch.Tensor:
        noise = torch.empty(4, device=device).uniform_(generator=draws)
        state.add_(batch * rates + noise)
        return state * 2

    inputs = (torch.arange(4.0, device=device), torch.arange(4, device=device), torch.ones(4, device=device))
    replay = capture_graph(step, inputs, [state], [draws])
    assert replay is not step
    assert not state.any()
    found = [replay(*inputs).clone() for _ in range(2)]
    state.zero_()
    draws.manual_seed(3)
    torch.testing.assert_close(found, [step(*inputs).clone() for _ in range(2)])
