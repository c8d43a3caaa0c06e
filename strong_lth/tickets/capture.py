"""A training step recorded once and replayed: what is python in it is frozen, what is a tensor lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

from strong_lth.core import InputError

Replay = Callable[[], None]
Recorder = Callable[[Callable[[], None]], Replay]
Take = Callable[[torch.Tensor, torch.Tensor], None]
WARM_UPS = 3


class Step(Protocol):
    """A step on a batch, and every tensor that it changes."""

    def take(self, pixels: torch.Tensor, labels: torch.Tensor) -> None:
        """One step."""
        ...

    def changing(self) -> list[torch.Tensor]:
        """Tensors that a step changes, all of which exist before the first one."""
        ...


def recorded(step: Step, record: Recorder, pixels: torch.Tensor, labels: torch.Tensor) -> Take:
    """A function like ``step.take`` that replays a recording. ``pixels`` and ``labels`` give the shapes of a batch; their content is overwritten.

    Recording runs the step a few times; everything that it changes is put back afterwards, so that the first replay is the first step.
    """
    before = [(tensor, tensor.clone()) for tensor in step.changing()]
    replay = record(lambda: step.take(pixels, labels))
    with torch.no_grad():
        for tensor, value in before:
            tensor.copy_(value)

    def take(new_pixels: torch.Tensor, new_labels: torch.Tensor) -> None:
        pixels.copy_(new_pixels)
        labels.copy_(new_labels)
        replay()

    return take


def record_cuda_graph(step: Callable[[], None]) -> Replay:
    """Record as a CUDA graph, after a few steps on a stream of its own, as torch asks for.

    Raises InputError without a GPU.
    """
    if not torch.cuda.is_available():
        raise InputError("Backend.graph", "True", "a captured step needs a CUDA device; use graph=False")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    replay: Replay = graph.replay
    return replay
