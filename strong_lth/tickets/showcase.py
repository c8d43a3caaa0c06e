"""Two blocks of the demo, a few seconds on a CPU: five kinds of trained network at one density, and a strong ticket found by score search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from strong_lth.tickets.harness import compare
from strong_lth.tickets.hooks import EpochRow
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.methods.aws import AWS
from strong_lth.tickets.methods.dense import Dense
from strong_lth.tickets.methods.edge_popup import EdgePopup
from strong_lth.tickets.methods.imp import IMP
from strong_lth.tickets.methods.random_mask import RandomMask
from strong_lth.tickets.methods.rst import RST
from strong_lth.tickets.methods.transfer import SignTransfer
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task import Task, view

DENSITY = 0.02
SEARCHED_DENSITY = 0.3
EPOCHS = 12


def showcase(
    seeds: Sequence[int] = (0, 1, 2),
    *,
    epochs: int = EPOCHS,
    report: Callable[[str, int, EpochRow], None] | None = None,
) -> list[dict[str, Any]]:
    """Rows of ``compare`` on the digits with mlp-bn: dense, and a random mask, IMP, signs of AWS and RST keeping 164 of 8,192 prunable weights."""
    task = Task(data="digits", model="mlp-bn", recipe=Recipe(epochs=epochs))
    looking = view(task)
    methods: list[TicketMethod] = [Dense(), RandomMask(), IMP(), SignTransfer(AWS.scaled(looking)), RST.scaled(looking)]
    return compare(methods, task, [DENSITY], list(seeds), report=report)


def searched(seeds: Sequence[int] = (0, 1, 2), *, epochs: int = EPOCHS) -> list[dict[str, Any]]:
    """Rows of edge-popup on the digits with mlp-bn: 2,458 of 8,192 prunable weights kept, none of the 9,098 parameters ever trained."""
    task = Task(data="digits", model="mlp-bn", recipe=Recipe(epochs=epochs))
    return compare([EdgePopup.scaled(view(task))], task, [SEARCHED_DENSITY], list(seeds))
