"""``approximate``: prune one fixed random network of depth 2L into a given target of depth L.

Order of work: rescale the target, give every weight its tolerance, fix the width, draw the source, solve one subset sum per weight and sign half,
write the chosen subsets into the mask. A weight that cannot be served takes its nearest reachable subset and is listed; nothing is redrawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from strong_lth.core import Domain, InputError, Status
from strong_lth.distributions import BalancedSigns, Law, Uniform, half_width
from strong_lth.networks.gadgets import Problems, halves_of, moved_weights, problems
from strong_lth.networks.network import Dense, Network
from strong_lth.networks.scaling import Scaling, balance
from strong_lth.networks.source import (
    DEFAULT_MEMORY,
    Ints,
    RandomSource,
    SourceLayer,
    check_laws,
    check_widths,
    random_source,
    sign_halves,
)
from strong_lth.networks.subnetwork import LayerTicket, Subnetwork, Unserved, effective_layer
from strong_lth.networks.tolerances import Allotment, allot
from strong_lth.networks.widths import planned_width, smallest_width
from strong_lth.subsetsum import BatchSolution, solve_batch

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
    """Rescale the target into the window of the bounds and allot ``tol`` (on the outputs) to its weights."""
    scaling = balance(target, window_half_width(law))
    scaled = scaling.apply(target)
    halves = tuple(sign_halves(target, domain))
    counts = [int(h.sum()) * dense.shape[0] for h, dense in zip(halves, target.dense, strict=True)]
    return Plan(target, scaled, scaling, allot(scaled, domain, math.ldexp(tol, -scaling.gain), counts), halves)


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
    seed: int = 0,
    memory: int = DEFAULT_MEMORY,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Subnetwork:
    """Find a subnetwork of one random network within ``tol`` of ``target`` on ``domain``.

    sup over x in domain of max_i |f(x)_i - g(x)_i| <= tol whenever ``.unserved`` is empty.

    ``law``: even matrices, ``first``: odd matrices. ``perturbation``: largest allowed move of an even weight. ``width``: candidates per target weight and
    sign half (an int, one per layer, "smallest" for the least that serves every weight of this target, or None for the sharpest applicable bound
    at failure probability ``delta``). ``objective``: "fewest" keeps as few weights as possible, "nearest" makes every weight as accurate as
    possible. ``source``: prune this source (for example a moved one) instead of a fresh one. ``memory`` (bytes), ``workers`` (threads) and
    ``progress(stage, done, total)`` change no result.

    Weights that cannot be served are listed in ``.unserved`` and take their nearest reachable subset. Raises InputError for bad input, BudgetError
    above ``memory``. Source: construction of Pensia et al. 2020 with the perturbation of Xiong et al. 2023; widths, tolerances and sharing as
    fixed by the project.
    """
    _check(target, tol, perturbation, delta, objective)
    check_laws(law, first) if source is None else None
    law, first, seed = (law, first, seed) if source is None else (source.law, source.first, source.seed)
    planned = plan(target, domain, tol, law)
    _check_exact(planned, tol)
    if source is None:
        widths = _widths(planned, domain, law, first, perturbation, delta, width, seed, memory, workers, progress)
        source = random_source(target, domain=domain, width=widths, law=law, first=first, seed=seed, memory=memory)
    else:
        _check_source(source, planned)
    tickets: list[LayerTicket] = []
    unserved: list[Unserved] = []
    for part, dense, halves, weight_tol in zip(
        source.layers, planned.scaled.dense, planned.halves, planned.allotment.weight_tol, strict=True
    ):
        report = None if progress is None else _stage(progress, f"layer {part.index}")
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
    """Serve every weight and bias of one (rescaled) target layer from its two source sublayers."""
    pairs = halves_of(part, halves)
    keep = np.zeros(part.even.shape, dtype=bool)
    shift = np.zeros(part.even.shape) if perturbation > 0 else None
    unserved: list[Unserved] = []
    undecided = done = 0
    for block in problems(part, dense, pairs):
        found = _solve(block, weight_tol, perturbation, objective, workers)
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
        for row in np.flatnonzero(~found.solved):
            unserved.append(_diagnose(part, block, int(row), weight_tol, perturbation, float(found.errors[row])))
        done += block.targets.size
        if progress is not None:
            progress(done, pairs.inputs.size * part.outputs)
    ticket = LayerTicket(keep, shift, undecided)
    return ticket, unserved + _beyond_rounding(part, dense, halves, ticket, weight_tol, unserved)


def _solve(
    block: Problems, weight_tol: float, perturbation: float, objective: Objective, workers: int | None
) -> BatchSolution:
    """Solve one block; rows that "fewest" could not serve take the nearest subset instead."""
    tol, moves = block.allowances(weight_tol, perturbation)
    found = solve_batch(block.candidates, block.targets, tol=tol, perturbation=moves, objective=objective, workers=workers)
    failed = np.flatnonzero(~found.solved)
    if objective == "nearest" or not failed.size:
        return found
    rows = moves[failed] if moves.ndim == 2 else moves
    again = solve_batch(block.candidates[failed], block.targets[failed], tol=tol, perturbation=rows, workers=workers)
    return _with_rows(found, failed, again)


def _with_rows(found: BatchSolution, rows: Ints, other: BatchSolution) -> BatchSolution:
    """``found`` with some rows replaced by those of ``other``."""

    def merged(name: str) -> Any:
        array = np.array(getattr(found, name))
        array[rows] = getattr(other, name)
        return array

    return replace(found, **{name: merged(name) for name in ("statuses", "keep", "shift", "errors")})


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
        for output, position in np.argwhere(np.abs(residual) > weight_tol):
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
        return smallest_width(
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


def _check(target: Network, tol: float, perturbation: float, delta: float, objective: str) -> None:
    if not isinstance(target, Network):
        raise InputError(
            "target", type(target).__name__, "give a strong_lth.Network (Network.from_torch, Network.load)"
        )
    for name, value in (("tol", tol), ("perturbation", perturbation)):
        if not (isinstance(value, int | float | np.floating) and math.isfinite(value) and value >= 0):
            raise InputError(name, repr(value), "give a finite number >= 0")
    if tol == 0 and perturbation == 0:
        raise InputError("tol", "0 with perturbation 0", "allow an error (tol > 0) or a perturbation > 0")
    if not 0 < delta < 1:
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


def _check_source(source: RandomSource, planned: Plan) -> None:
    shapes = [(part.outputs, part.inputs, part.bias) for part in source.layers]
    wanted = [(*dense.shape, dense.bias is not None) for dense in planned.target.dense]
    if shapes != wanted:
        raise InputError(
            "source", f"a network for layers {shapes}", f"draw it for this target, {wanted} (d_out, d_in, bias)"
        )
    fresh = isinstance(source.first, BalancedSigns)
    for part, halves in zip(source.layers, planned.halves, strict=True):
        served = np.bincount(part.unit_input, minlength=halves.size)
        if fresh and not np.array_equal(served, halves * part.width):
            raise InputError(
                "source", f"other sign halves in layer {part.index}", "draw it with random_source for the same domain"
            )


def _stage(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)
