"""``approximate``: prune one fixed random network of depth 2L into a given target of depth L.

Order of work: rescale the target, give every weight its tolerance, fix the width, draw the source, solve one subset sum per weight and sign half,
write the chosen subsets into the mask. A weight that cannot be served takes its nearest reachable subset and is listed; nothing is redrawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from strong_lth.core import Ball, Box, Domain, InputError
from strong_lth.distributions import BalancedSigns, Law, Uniform, half_width
from strong_lth.networks.gadgets import Problems, halves_of, moved_weights, problems
from strong_lth.networks.layer_ticket import LayerTicket, Unserved, effective_layer
from strong_lth.networks.network import Dense, Network
from strong_lth.networks.scaling import Scaling, balance
from strong_lth.networks.source import (
    DEFAULT_MEMORY,
    Ints,
    RandomSource,
    SourceLayer,
    check_laws,
    check_size,
    check_widths,
    random_source,
    same_source,
    sign_halves,
)
from strong_lth.networks.subnetwork import Subnetwork
from strong_lth.networks.tolerances import Allotment, allot
from strong_lth.networks.widths import needed_widths, planned_width, stage
from strong_lth.subsetsum import solve_batch

Progress = Callable[[str, int, int], None]
Objective = Literal["fewest", "nearest"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is fixed before a random number is read: scales, tolerances per weight, sign halves."""

    target: Network
    scaled: Network
    scaling: Scaling
    allotment: Allotment
    halves: tuple[Ints, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Subset sums per layer: one per weight (or bias) and sign half."""
        return tuple(int(h.sum()) * dense.shape[0] for h, dense in zip(self.halves, self.target.dense, strict=True))


def plan(target: Network, domain: Domain, tol: float, law: Law) -> Plan:
    """Rescale the target into the window of the bounds and allot ``tol`` (on the outputs) to its weights.

    >>> import strong_lth as lth
    >>> target = lth.Network.from_arrays([[[0.3, -0.2], [0.4, 0.1]], [[0.25, -0.5]]])
    >>> plan(target, lth.Box(0, 1), 0.01, lth.Uniform(-1, 1)).counts
    (4, 2)
    """
    scaling = balance(target, window_half_width(law))
    scaled = scaling.apply(target)
    halves = tuple(sign_halves(target, domain))
    counts = [int(h.sum()) * dense.shape[0] for h, dense in zip(halves, target.dense, strict=True)]
    scaled_tol = math.ldexp(tol, -scaling.gain)
    if tol > 0 and not scaled_tol > 0:
        raise InputError(
            "tol", tol, f"raise it: the target is rescaled by 2^-{scaling.gain}, which leaves nothing of it"
        )
    return Plan(target, scaled, scaling, allot(scaled, domain, scaled_tol, counts), halves)


def window_half_width(law: Law) -> float:
    """Largest |weight| after rescaling: c/2 for U[-c, c] (the window of ``rss-contraction``), else half a standard deviation."""
    width = half_width(law)
    return (math.sqrt(law.variance) if width is None else width) / 2


def approximate(
    target: Network,
    *,
    domain: Domain,
    tol: float,
    law: Law = Uniform(-1, 1),  # noqa: B008
    first: Law = BalancedSigns(),  # noqa: B008
    perturbation: float = 0.0,
    delta: float = 0.01,
    width: int | Sequence[int] | Literal["smallest"] | None = None,
    objective: Objective = "fewest",
    source: RandomSource | None = None,
    seed: int,
    memory: int = DEFAULT_MEMORY,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Subnetwork:
    """Find a subnetwork of one random network within ``tol`` of ``target`` on ``domain``.

    sup over x in domain of max_i |f(x)_i - g(x)_i| <= tol whenever ``.unserved`` is empty.

    ``law``: even matrices, ``first``: odd matrices. ``perturbation``: largest allowed move of an even weight. ``width``: candidates per target weight and
    sign half (an int, one per layer, "smallest" for the least that serves every weight of this target, or None for the sharpest applicable bound
    at failure probability ``delta``). ``objective``: "fewest" keeps as few weights as possible, "nearest" makes every weight as accurate as
    possible. ``source``: prune this source (one moved by projected SGD, say) instead of drawing one; its seed, laws, width and moves are
    verified, and a moved one cannot be moved again. ``memory`` (bytes), ``workers`` (threads) and
    ``progress(stage, done, total)`` change no result.

    Weights that cannot be served are listed in ``.unserved`` and take their nearest reachable subset. Raises InputError for bad input, BudgetError
    above ``memory``. Source: construction of Pensia et al. 2020 with the perturbation of Xiong et al. 2023; widths, tolerances and sharing as
    fixed by the project.

    >>> import strong_lth as lth
    >>> target = lth.Network.from_arrays([[[0.3, -0.2], [0.4, 0.1]], [[0.25, -0.5]]])
    >>> strong = approximate(target, domain=lth.Box(0, 1), tol=0.01, width="smallest", seed=0)
    >>> strong.source.widths, strong.kept, strong.unserved
    ((9, 9), 32, ())
    """
    _check(target, domain, tol, perturbation, delta, objective)
    check_laws(law, first)
    planned = plan(target, domain, tol, law)
    _check_exact(planned, tol)
    if source is None:
        widths = _widths(planned, domain, law, first, perturbation, delta, width, seed, memory, workers, progress)
        source = random_source(target, domain=domain, width=widths, law=law, first=first, seed=seed, memory=memory)
    else:
        _check_source(source, target, domain, law, first, seed, width, perturbation, memory)
    tickets: list[LayerTicket] = []
    unserved: list[Unserved] = []
    for part, dense, halves, weight_tol in zip(
        source.layers, planned.scaled.dense, planned.halves, planned.allotment.weight_tol, strict=True
    ):
        report = None if progress is None else stage(progress, f"layer {part.index}")
        ticket, failed = solve_layer(part, dense, halves, weight_tol, perturbation, objective, workers, report)
        tickets.append(ticket)
        unserved.extend(failed)
    return Subnetwork(
        source=source,
        layers=tuple(tickets),
        scaling=planned.scaling,
        domain=domain,
        tol=float(tol),
        weight_tol=planned.allotment.weight_tol,
        chain=planned.allotment.chain,
        a_priori=math.ldexp(planned.allotment.a_priori, planned.scaling.gain),
        perturbation=float(perturbation),
        objective=objective,
        unserved=tuple(unserved),
    )


def solve_layer(
    part: SourceLayer,
    dense: Dense,
    halves: Ints,
    weight_tol: float,
    perturbation: float,
    objective: Objective,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[LayerTicket, list[Unserved]]:
    """Serve every weight and bias of one (rescaled) target layer from its two source sublayers.

    A subset sum without a subset within the tolerance takes the nearest one known, and is listed.
    """
    pairs = halves_of(part, halves)
    keep = np.zeros(part.even.shape, dtype=bool)
    shift = np.zeros(part.even.shape) if perturbation > 0 else None
    unserved: list[Unserved] = []
    undecided = done = 0
    for block in problems(part, dense, pairs):
        tol, moves = block.allowances(weight_tol, perturbation)
        found = solve_batch(
            block.candidates, block.targets, tol=tol, perturbation=moves, objective=objective, workers=workers
        )
        chosen = found.keep & (block.units >= 0)
        rows, slots = np.nonzero(chosen)
        outputs, units = block.outputs[rows], block.units[rows, slots]
        keep[outputs, units] = True
        if shift is not None:
            original = part.even_weights[outputs, units]
            moved = moved_weights(
                original,
                block.candidates[rows, slots],
                block.factors[rows, slots],
                found.shift[rows, slots],
                perturbation,
            )
            shift[outputs, units] = moved - original
        undecided += int(np.count_nonzero(~found.decided))
        served = found.solved | (found.errors < tol)  # within the tolerance, though perhaps not proved to be the fewest
        for row in np.flatnonzero(~served):
            unserved.append(_diagnose(part, block, int(row), weight_tol, perturbation, float(found.errors[row])))
        done += block.targets.size
        if progress is not None:
            progress(done, pairs.inputs.size * part.outputs)
    ticket = LayerTicket(keep, shift, undecided)
    return ticket, unserved + _beyond_rounding(part, dense, halves, ticket, weight_tol, unserved)


def _diagnose(
    part: SourceLayer, block: Problems, row: int, weight_tol: float, perturbation: float, error: float
) -> Unserved:
    """Why a subset sum failed: its target is outside every reachable sum, or the sums are too sparse around it."""
    candidates, reach = block.candidates[row], perturbation * block.factors[row]
    highest = float(np.maximum(candidates + reach, 0.0).sum())
    lowest = float(np.minimum(candidates - reach, 0.0).sum())
    target = float(block.targets[row])
    outside = target > highest + weight_tol or target < lowest - weight_tol
    return Unserved(
        layer=part.index,
        output=int(block.outputs[row]),
        input=int(block.inputs[row]),
        half="+" if block.signs[row] > 0 else "-",
        cause="range" if outside else "density",
        error=error,
    )


def _beyond_rounding(
    part: SourceLayer, dense: Dense, halves: Ints, ticket: LayerTicket, weight_tol: float, known: list[Unserved]
) -> list[Unserved]:
    """Weights whose exact residual exceeds the tolerance after the moved weights were rounded to doubles (random first sublayers only)."""
    if np.all(np.abs(part.odd_kept) == 1.0):
        return []
    effective = effective_layer(part, dense, ticket, halves)
    listed = {(item.output, item.input, item.half) for item in known}
    extra = []
    for half, residual in (("+", effective.positive), ("-", effective.negative)):
        if residual is None:
            continue
        exists = (halves == 2)[None, :] | (half == "+")
        for output, position in np.argwhere((np.abs(residual) > weight_tol) & exists):
            if (int(output), int(position), half) not in listed:
                error = float(abs(residual[output, position]))
                extra.append(Unserved(part.index, int(output), int(position), half, "density", error))
    return extra


def _widths(
    planned: Plan,
    domain: Domain,
    law: Law,
    first: Law,
    perturbation: float,
    delta: float,
    width: int | Sequence[int] | str | None,
    seed: int,
    memory: int,
    workers: int | None,
    progress: Progress | None,
) -> list[int]:
    """``width`` as one number per layer."""
    if width is None:
        return planned_width(
            planned.counts,
            planned.allotment.weight_tol,
            perturbation,
            delta,
            law=law,
            first=first,
            reach=window_half_width(law),
        )
    if isinstance(width, str):
        if width != "smallest":
            raise InputError("width", repr(width), "give a whole number >= 1, one per layer, 'smallest' or None")
        return needed_widths(
            planned.scaled,
            planned.halves,
            planned.allotment.weight_tol,
            perturbation,
            domain=domain,
            law=law,
            first=first,
            seed=seed,
            memory=memory,
            workers=workers,
            progress=progress,
        )
    return check_widths(width, len(planned.target.dense))


def _check(target: Network, domain: Domain, tol: float, perturbation: float, delta: float, objective: str) -> None:
    if not isinstance(target, Network):
        raise InputError(
            "target", type(target).__name__, "give a strong_lth.Network (Network.from_torch, Network.load)"
        )
    if not isinstance(domain, Box | Ball):
        raise InputError("domain", type(domain).__name__, "give a Box or a Ball")
    check_size("tol", tol)
    check_size("perturbation", perturbation)
    if tol == 0 and perturbation == 0:
        raise InputError("tol", "0 with perturbation 0", "allow an error (tol > 0) or a perturbation > 0")
    if not (isinstance(delta, int | float) and 0 < delta < 1):
        raise InputError("delta", repr(delta), "give a probability strictly between 0 and 1")
    if objective not in get_args(Objective):
        raise InputError("objective", repr(objective), "use 'fewest' or 'nearest'")


def _check_exact(planned: Plan, tol: float) -> None:
    """tol = 0 asks for exact representation, which needs targets on the grid of the moved weights."""
    if tol == 0:
        for index, dense in enumerate(planned.scaled.dense, start=1):
            for array in (dense.weight, dense.offset):
                if not np.all(np.ldexp(array, 40) == np.rint(np.ldexp(array, 40))):
                    raise InputError(
                        "tol",
                        f"0, but weights of layer {index} are not multiples of 2^-40 after rescaling",
                        "round the target or give tol > 0",
                    )


def _check_source(
    source: RandomSource,
    target: Network,
    domain: Domain,
    law: Law,
    first: Law,
    seed: int,
    width: int | Sequence[int] | str | None,
    perturbation: float,
    memory: int,
) -> None:
    """A given source is the one that its seed, laws and widths draw for this target and domain, moved at most within its box."""
    if (source.seed, source.law, source.first) != (seed, law, first):
        given = f"seed {source.seed}, law {source.law}, first {source.first}"
        raise InputError("source", given, f"pass the same as seed=, law= and first=; got {seed}, {law}, {first}")
    if width is not None and (
        isinstance(width, str) or tuple(check_widths(width, len(source.layers))) != source.widths
    ):
        raise InputError("width", repr(width), f"leave it out: the given source has widths {source.widths}")
    moved = any(part.moved is not None for part in source.layers)
    if moved and perturbation > 0:
        raise InputError("perturbation", perturbation, "give 0: the weights of this source were moved already")
    fresh = random_source(target, domain=domain, width=source.widths, law=law, first=first, seed=seed, memory=memory)
    for mine, theirs in zip(source.layers, fresh.layers, strict=True):
        if not same_source(mine, theirs) or not np.array_equal(mine.even, theirs.even):
            raise InputError(
                "source",
                f"other weights in layer {mine.index}",
                "draw it with random_source for this target and this domain",
            )
    if moved:
        fresh.moved([part.even_weights for part in source.layers], source.perturbation_used)
