"""How much networks differ as functions: disagreement and ensemble gain (Evci et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.tickets.states import load_state
from strong_lth.tickets.task import Task, build, prepared
from strong_lth.tickets.types import State


@dataclass(frozen=True)
class Diversity:
    """Mean pairwise share of images with different predictions, mean accuracy, accuracy of the averaged probabilities, and what the ensemble gains over the mean."""

    disagreement: float
    accuracy: float
    ensemble: float

    @property
    def gain(self) -> float:
        """Ensemble minus mean accuracy."""
        return self.ensemble - self.accuracy


def diversity(task: Task, states: Sequence[State]) -> Diversity:
    """Compare networks on the validation split; InputError for fewer than two."""
    if len(states) < 2:
        raise InputError("states", len(states), "give at least two networks")
    images, module = prepared(task).validation, build(task, 0)
    outputs = []
    for state in states:
        load_state(module, state, {})
        module.eval()
        with torch.no_grad():
            outputs.append(torch.softmax(module(images.inputs(images.pixels)), dim=1))
    labels = images.labels
    choices = [output.argmax(dim=1) for output in outputs]
    apart = [float((a != b).float().mean()) for a, b in combinations(choices, 2)]
    single = [float((choice == labels).float().mean()) for choice in choices]
    together = float((torch.stack(outputs).mean(dim=0).argmax(dim=1) == labels).float().mean())
    return Diversity(float(np.mean(apart)), float(np.mean(single)), together)
