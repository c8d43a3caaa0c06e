"""From training to subset sums: move the even matrices of a random source in one of five ways, then prune it into a target.

Does the perturbation that SGD finds coincide with a good one? "none" leaves the source alone, "best" lets the engine choose every shift exactly, "psgd" trains the source by projected SGD on the data, "distil" by projected
gradient descent towards the outputs of the target on a few hundred training images, "random" draws a uniform point of the same box. The last three hand over a *moved* source, whose every weight is proved to be within the perturbation of the one that
its seed draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from strong_lth import datasets
from strong_lth.core import Domain, InputError
from strong_lth.datasets import Dataset
from strong_lth.distributions import BalancedSigns, Law, Uniform
from strong_lth.networks import Network, RandomSource, Subnetwork, approximate, plan, random_source
from strong_lth.networks.construction import Objective, Progress
from strong_lth.networks.source import DEFAULT_MEMORY
from strong_lth.tickets.boxes import stay
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.images import channel_moments
from strong_lth.tickets.methods.projected_sgd import ProjectedSGD, RandomPerturbation
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task import Task, dataset, view
from strong_lth.tickets.types import Seeds

Perturb = Literal["none", "best", "psgd", "distil", "random"]
Trained = Literal["pruned", "whole"]
RECIPE = Recipe(
    epochs=20, lr=1e-5, batch=64, momentum=0.9, weight_decay=0.0
)  # the outputs of an unpruned source are in the thousands
DISTILLED = 256  # training images on which the outputs are compared, every one of them in every step


def approximate_perturbed(
    target: Network,
    *,
    perturb: Perturb,
    perturbation: float,
    width: int | Sequence[int],
    domain: Domain,
    tol: float,
    seed: int,
    data: str | Dataset = "digits",
    recipe: Recipe = RECIPE,
    trained: Trained = "pruned",
    law: Law = Uniform(-1, 1),  # noqa: B008
    first: Law = BalancedSigns(),  # noqa: B008
    objective: Objective = "fewest",
    memory: int = DEFAULT_MEMORY,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Subnetwork:
    """``approximate`` on a source whose even matrices were moved by at most ``perturbation`` first, or ("best") while the subset sums are solved.

    ``data``, ``recipe`` and ``trained`` are for "psgd" and "distil", see ``move_source``; the other arguments are those of ``approximate``.

    Raises InputError for an unknown ``perturb``, data whose images the target does not take, and whatever ``approximate`` refuses.
    """
    _check(perturb)
    source = random_source(target, domain=domain, width=width, law=law, first=first, seed=seed, memory=memory)
    moved = move_source(
        source,
        target,
        domain=domain,
        tol=tol,
        perturb=perturb,
        perturbation=perturbation,
        data=data,
        recipe=recipe,
        trained=trained,
    )
    return approximate(
        target,
        domain=domain,
        tol=tol,
        law=law,
        first=first,
        perturbation=perturbation if perturb == "best" else 0.0,
        objective=objective,
        source=moved,
        seed=seed,
        memory=memory,
        workers=workers,
        progress=progress,
    )


def move_source(
    source: RandomSource,
    target: Network,
    *,
    domain: Domain,
    tol: float,
    perturb: Perturb,
    perturbation: float,
    data: str | Dataset = "digits",
    recipe: Recipe = RECIPE,
    trained: Trained = "pruned",
) -> RandomSource:
    """The source with moved even matrices, every move verified exactly; the same source for "none" and "best".

    ``trained``: "pruned" trains the network of the construction, in which each unit reads one input, so that all candidates of one target weight and sign half have the same gradient up to their odd weight (in it rows of +1
    would all compute one function otherwise); "whole" trains the source with all its odd weights. The start, the box and the batches are functions of the seed of the source.

    Raises InputError for unknown words and for images that the target does not take.
    """
    _check(perturb)
    if trained not in get_args(Trained):
        raise InputError("trained", repr(trained), f"use {' or '.join(get_args(Trained))}")
    if perturb in ("none", "best"):
        return source
    gain = plan(target, domain, tol, source.law).scaling.gain
    task = source_task(source, gain, data, recipe, trained, silent=perturb == "distil")
    looking, seeds = view(task), Seeds.of(source.seed % 2**60)
    start = looking.fresh(seeds.init)
    if perturb == "random":
        end = RandomPerturbation(perturbation).move(looking, start, seeds)
    elif perturb == "psgd":
        end = ProjectedSGD(perturbation).move(looking, start, seeds)
    else:
        x = datasets.inputs(dataset(task), "train")
        x = x[:: max(1, len(x) // DISTILLED)]
        distance = OutputDistance(wiring(source, trained), torch.from_numpy(x), torch.from_numpy(target(x)), gain)
        hooks = Hooks(penalty=distance, after_step=stay(start, perturbation))
        end = looking.train(start, None, Phase(recipe, hooks), order=seeds.track).state
    return source.moved([end[_name(index)].numpy() for index in range(len(source.layers))], perturbation)


def source_task(
    source: RandomSource, gain: int, data: str | Dataset, recipe: Recipe, trained: Trained, *, silent: bool = False
) -> Task:
    """The source as a model of the harness, in double precision, with its even matrices as its only parameters; ``silent`` ones answer 0 and learn from a penalty alone."""
    task = Task(data=data, recipe=recipe)
    mean, std = channel_moments(dataset(task).train_images)
    pixels = dataset(task).train_images[0].size
    if pixels != source.layers[0].inputs:
        raise InputError(
            "data",
            f"{dataset(task).name}, {pixels} pixels",
            f"give images of {source.layers[0].inputs}, the inputs of the target",
        )
    model = partial(SourceModule, source, wiring(source, trained), gain, (mean, std, dataset(task).peak), silent)
    names = tuple(_name(index) for index in range(len(source.layers)))
    return replace(task, model=model, name=f"source {source.seed} {trained}", prunable=names)


@dataclass(frozen=True, eq=False)
class Wiring:
    """The fixed odd weights of every layer as the training sees them, over the inputs and the constant 1: one (place, weight) per unit, or a whole matrix (u, d_in + 1)."""

    place: tuple[torch.Tensor, ...]
    kept: tuple[torch.Tensor, ...]
    whole: tuple[torch.Tensor, ...] | None


def wiring(source: RandomSource, trained: Trained) -> Wiring:
    """Odd weights with one kept entry per row ("pruned"), or all of them ("whole")."""
    place = tuple(torch.from_numpy(np.array(part.unit_input)) for part in source.layers)
    kept = tuple(torch.from_numpy(np.array(part.odd_kept)) for part in source.layers)
    if trained == "pruned":
        return Wiring(place, kept, None)
    whole = []
    for index, part in enumerate(source.layers):
        weight, bias = source.odd_matrix(index)
        whole.append(torch.from_numpy(np.column_stack([weight, np.zeros(part.units) if bias is None else bias])))
    return Wiring(place, kept, tuple(whole))


def outputs(even: Sequence[torch.Tensor], fixed: Wiring, x: torch.Tensor, gain: int) -> torch.Tensor:
    """g(x) = 2^gain E_L relu(A_L relu(... E_1 relu(A_1 x + a_1))); x (B, d_in) in double precision."""
    for index, matrix in enumerate(even):
        inside = torch.cat([x if index == 0 else torch.relu(x), x.new_ones(len(x), 1)], dim=1)
        if fixed.whole is None:
            read = inside[:, fixed.place[index]] * fixed.kept[index]
        else:
            read = nn.functional.linear(inside, fixed.whole[index])
        x = nn.functional.linear(torch.relu(read), matrix)
    return x * 2.0**gain


class SourceModule(nn.Module):
    """A random source as a module: its even matrices are the parameters, its odd weights are fixed."""

    def __init__(
        self,
        source: RandomSource,
        fixed: Wiring,
        gain: int,
        scale: tuple[np.ndarray, np.ndarray, int],
        silent: bool,
    ) -> None:
        super().__init__()
        self.even = nn.ModuleList()
        for part in source.layers:
            layer = nn.Linear(part.units, part.outputs, bias=False, dtype=torch.float64)
            layer.weight.data = torch.from_numpy(np.array(part.even_weights))
            self.even.append(layer)
        self._fixed, self._gain, self._silent = fixed, gain, silent
        mean, std, peak = scale
        self._mean, self._std = (torch.from_numpy(part / peak).view(1, -1, 1, 1) for part in (mean, std))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, channels, height, width) -> (B, classes); inside, pixels are in [0, 1] as the target takes them."""
        if self._silent:
            return x.new_zeros(len(x), self.even[-1].out_features)
        pixels = (x.double() * self._std + self._mean).flatten(1)
        return outputs([layer.weight for layer in self.even], self._fixed, pixels, self._gain)


@dataclass(frozen=True, eq=False)
class OutputDistance:
    """A penalty: the mean over images of the squared Euclidean distance between the outputs of source and target."""

    fixed: Wiring
    x: torch.Tensor
    wanted: torch.Tensor
    gain: int

    def __call__(self, params: Tensors, scalars: Tensors) -> torch.Tensor:
        even = [params[_name(index)] for index in range(len(self.fixed.place))]
        return (outputs(even, self.fixed, self.x, self.gain) - self.wanted).square().sum(dim=1).mean()


def _name(index: int) -> str:
    return f"even.{index}.weight"


def _check(perturb: str) -> None:
    if perturb not in get_args(Perturb):
        raise InputError("perturb", repr(perturb), f"use one of {', '.join(get_args(Perturb))}")
