"""From a target's shape to the width of a random network of twice its depth that holds it, by any bound on random subset sums.

The source is the one of ``networks``: layer l of the target becomes u_l = n_l h_l d_(l-1) units, n_l candidates per weight and sign half, where h_l sign halves
are needed; each unit is shared by all outputs. Every weight and half is one subset sum, and a union bound runs over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from strong_lth.bounds.allotment import allotment
from strong_lth.bounds.allotment_convex import constrained_allotment
from strong_lth.bounds.network_bound import check_delta
from strong_lth.bounds.planning import required_candidates
from strong_lth.bounds.shapes import DenseShape
from strong_lth.bounds.types import UNIFORM, Bound, Prediction, check_allowance, whole
from strong_lth.core import InputError, Verdict, Window
from strong_lth.distributions import Law

_MARGIN = 1e-4  # bits; far above the accuracy of the convex solver, so that caps hold


@dataclass(frozen=True)
class WidthPlan:
    """What a random network needs: ``weight_tol`` and ``candidates`` per weight and sign half, layer by layer, its hidden ``units`` and ``parameters``.

    ``overparameterization`` = parameters of the source / weights of the target. ``error``: the output error that the tolerances guarantee.
    """

    bound: str
    weight_tol: tuple[float, ...]
    candidates: tuple[int, ...]
    units: tuple[int, ...]
    parameters: int
    overparameterization: float
    error: float


@dataclass(frozen=True)
class Setting:
    """What a search over tolerances keeps fixed."""

    delta: float
    perturbation: float
    law: Law


def required_width(
    bound: Bound | Prediction,
    shape: DenseShape,
    *,
    tol: float,
    delta: float,
    perturbation: float = 0.0,
    law: Law = UNIFORM,
    weight_tol: Sequence[float] | None = None,
    cost: Sequence[float] | None = None,
    most_candidates: int | Sequence[int | None] | None = None,
    equal: bool = False,
) -> WidthPlan | Verdict:
    """Width of a random network that holds a target of this shape within ``tol`` on its outputs, except with probability ``delta``.

    Tolerances per weight: ``weight_tol`` if given (any allotment), else the optimal ``allotment`` at ``cost`` per bit and layer, by default the parameters that a candidate
    costs there; with ``most_candidates`` (a cap for all layers, or one per layer) or ``equal`` (one number of candidates for all layers) the convex program of
    ``constrained_allotment``. An EACH_TARGET bound speaks of one target network, an ALL_TARGETS bound of every target network of the shape at once. A Verdict as for
    ``required_candidates``. tol = 0 needs a perturbation (exact representation).

    Raises InputError for bad parameters, and for caps that no allotment of this ``tol`` meets.

    >>> from strong_lth.bounds import get
    >>> plan = required_width(get("rss-contraction"), DenseShape((784, 500, 10)), tol=0.1, delta=0.01)
    >>> plan.candidates, plan.units, round(plan.overparameterization)
    ((128, 127), (200704, 63500), 731)
    """
    if not isinstance(shape, DenseShape):
        raise InputError("shape", repr(shape), "give a DenseShape; other shapes are for the entries of NETWORK_BOUNDS")
    check_allowance(tol, perturbation)
    setting = Setting(check_delta(delta), perturbation, law)
    window = Window(-shape.reach, shape.reach)
    price = shape.unit_costs if cost is None else cost
    tolerances = _tolerances(bound, shape, tol, weight_tol, price, most_candidates, equal, setting)
    if isinstance(tolerances, Verdict):
        return tolerances
    candidates: list[int] = []
    for eta in tolerances:
        n = required_candidates(
            bound, tol=eta, perturbation=perturbation, delta=delta, law=law, targets=window, blocks=shape.blocks
        )
        if isinstance(n, Verdict):
            return n
        candidates.append(max(n, 1))
    if equal:
        candidates = [max(candidates)] * shape.depth
    units = tuple(n * h * d for n, h, d in zip(candidates, shape.halves, shape.inputs, strict=True))
    parameters = sum(u * (d + e) for u, d, e in zip(units, shape.inputs, shape.widths[1:], strict=True))
    return WidthPlan(
        bound.id,
        tuple(tolerances),
        tuple(candidates),
        units,
        parameters,
        parameters / shape.weights,
        shape.error(tolerances),
    )


def least_tolerance(
    bound: Bound | Prediction, n: int, shape: DenseShape, *, delta: float, perturbation: float = 0.0, law: Law = UNIFORM
) -> float | Verdict:
    """The smallest tolerance per weight (to 1 %, from above) at which ``n`` candidates suffice for every weight of the shape; VACUOUS if none up to ``reach`` does."""
    n = whole("n", n, least=1)
    window = Window(-shape.reach, shape.reach)

    def enough(eta: float) -> bool | Verdict:
        value = bound.failure(n, eta, perturbation, law=law, targets=window)
        return value if isinstance(value, Verdict) else shape.blocks * value <= delta

    answer = enough(shape.reach)
    if isinstance(answer, Verdict) or not answer:
        return answer if isinstance(answer, Verdict) else Verdict.VACUOUS
    low, high = math.log(shape.reach) - 60 * math.log(2), math.log(shape.reach)
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(math.exp(middle)) is True else (middle, high)
    return math.exp(high)


def _tolerances(
    bound: Bound | Prediction,
    shape: DenseShape,
    tol: float,
    weight_tol: Sequence[float] | None,
    price: Sequence[float],
    most_candidates: int | Sequence[int | None] | None,
    equal: bool,
    setting: Setting,
) -> tuple[float, ...] | Verdict:
    """The tolerances per weight: given, exact (tol = 0), optimal, or under caps."""
    if weight_tol is not None:
        if len(weight_tol) != shape.depth:
            raise InputError("weight_tol", weight_tol, f"give one tolerance for each of the {shape.depth} layers")
        return tuple(weight_tol)
    if tol == 0:
        return (0.0,) * shape.depth
    if most_candidates is None and not equal:
        return allotment(shape, tol, cost=price).weight_tol
    caps = list(most_candidates) if isinstance(most_candidates, Sequence) else [most_candidates] * shape.depth
    if len(caps) != shape.depth:
        raise InputError(
            "most_candidates", most_candidates, f"give one number or None for each of the {shape.depth} layers"
        )
    bits: list[float | None] = []
    for cap in caps:
        least = None if cap is None else least_tolerance(
            bound, cap, shape, delta=setting.delta, perturbation=setting.perturbation, law=setting.law
        )  # fmt: skip
        if isinstance(least, Verdict):
            return least
        bits.append(None if least is None else -math.log2(least) - _MARGIN)
    groups = [range(shape.depth)] if equal else []
    try:
        return constrained_allotment(shape, tol, cost=price, most_bits=bits, shared=groups).weight_tol
    except InputError as error:
        raise (
            InputError("most_candidates", most_candidates, error.remedy) if error.parameter == "most_bits" else error
        ) from None
