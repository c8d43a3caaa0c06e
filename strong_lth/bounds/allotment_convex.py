"""The allotment with constraints: caps per layer and widths shared by layers, as a convex program.

In t_l = ln(1 + e_l / a_l) the bits of a layer, lg(1/eta_l) = c_l - lg(e^(t_l) - 1), are convex, since ln(e^t - 1) = t + ln(1 - e^-t) is concave; the error
constraint is sum t_l <= tau. Both cost and constraints are exponential cones, solved by Clarabel through cvxpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from strong_lth.bounds.allotment import Allotment, costs, from_logs, log_budget
from strong_lth.bounds.shapes import DenseShape
from strong_lth.bounds.types import whole
from strong_lth.core import InputError


def constrained_allotment(
    shape: DenseShape,
    tol: float,
    *,
    cost: Sequence[float] | None = None,
    most_bits: Sequence[float | None] | None = None,
    shared: Sequence[Sequence[int]] = (),
) -> Allotment:
    """The cheapest tolerances per weight under caps: least sum_l cost_l b_l, where b_l >= lg(1 / weight_tol_l) is what layer l pays.

    ``most_bits``: cap of lg(1 / weight_tol_l) per layer, None for no cap. ``shared``: groups of layers (numbered from 0) that pay the largest bits of their group,
    because one width serves them all. ``cost``: price of one bit per layer, default its number of weights. Without constraints the result is that of
    ``allotment``. What the solver returns is scaled so that the output error is at most ``tol`` whatever the solver's accuracy; caps hold to 1e-6 bits.

    Raises InputError for caps that no allotment meets (naming the least output error that they allow), for groups that overlap or name no layer,
    and where cvxpy is not installed.

    >>> shape = DenseShape((784, 500, 10))
    >>> free = constrained_allotment(shape, 0.01)
    >>> capped = constrained_allotment(shape, 0.01, most_bits=[None, 14.0])
    >>> round(free.bits, 2), round(-math.log2(capped.weight_tol[1]), 3)
    (15.99, 14.0)
    """
    cp = _cvxpy()
    price, budget = costs(shape, cost), log_budget(shape, tol)
    caps = _caps(shape, most_bits)
    unit = np.array(
        [math.log(math.sqrt(d * k) / a) for a, d, k in zip(shape.norms, shape.widths[1:], shape.inputs, strict=True)]
    )
    least = np.array(
        [0.0 if math.isinf(c) else math.log1p(math.exp(u - c * math.log(2))) for u, c in zip(unit, caps, strict=True)]
    )
    if least.sum() > budget:
        least_error = shape.amplification() * math.expm1(float(least.sum()))
        raise InputError(
            "most_bits",
            list(most_bits or ()),
            f"raise the caps, or tol to {least_error:.3g}, the least output error within them",
        )
    share = cp.Variable(shape.depth)  # t_l / tau, so that the program looks alike at every tolerance
    logs = budget * share
    bits = -(logs + cp.log(1 - cp.exp(-logs)) - math.log(budget))
    paid, constraints = cp.Variable(shape.depth), [cp.sum(share) <= 1, share >= np.maximum(least / budget, 1e-9)]
    constraints.append(paid >= bits + unit)
    for group in _groups(shape, shared):
        constraints += [paid[group[0]] == paid[other] for other in group[1:]]
    problem = cp.Problem(cp.Minimize(price @ paid), constraints)
    problem.solve(solver=cp.CLARABEL)
    if share.value is None:
        raise InputError(
            "most_bits", list(most_bits or ()), f"raise the caps: the solver stopped with {problem.status}"
        )
    found = np.maximum(share.value, 1e-12)
    return from_logs(
        "constrained", "strong_lth, convex program", shape, tol, budget * found / max(1.0, float(found.sum()))
    )


def _caps(shape: DenseShape, most_bits: Sequence[float | None] | None) -> list[float]:
    caps = [math.inf if c is None else float(c) for c in (most_bits if most_bits is not None else [None] * shape.depth)]
    if len(caps) != shape.depth or any(math.isnan(c) for c in caps):
        raise InputError("most_bits", most_bits, f"give one number or None for each of the {shape.depth} layers")
    return caps


def _groups(shape: DenseShape, shared: Sequence[Sequence[int]]) -> list[list[int]]:
    groups = [[whole("shared", layer, least=0) for layer in group] for group in shared]
    layers = [layer for group in groups for layer in group]
    if len(set(layers)) < len(layers) or any(layer >= shape.depth for layer in layers) or not all(groups):
        raise InputError("shared", shared, f"give groups of different layers, numbered from 0 to {shape.depth - 1}")
    return groups


def _cvxpy() -> Any:
    try:
        import cvxpy
    except ImportError:
        raise InputError(
            "cvxpy",
            "not installed",
            "run `pip install 'strong_lth[crosscheck]'`; without caps and shared widths `allotment` needs no solver",
        ) from None
    return cvxpy
