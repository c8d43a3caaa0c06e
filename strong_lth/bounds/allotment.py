"""From one tolerance on the output to one per weight, layer by layer, from shapes and norms alone.

A layer of m_l weights with tolerance eta_l costs m_l lg(1/eta_l) bits. With t_l = ln(1 + e_l / a_l) and e_l = eta_l sqrt(d_l d_(l-1)) the output error is
R (prod a)(exp(sum t) - 1), so sum t <= tau = ln(1 + tol / (R prod a)); at the optimum t_l = -ln(1 - m_l / lambda), one equation for lambda.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from strong_lth.bounds.shapes import DenseShape, positive
from strong_lth.core import Floats, InputError


@dataclass(frozen=True)
class Allotment:
    """``weight_tol`` per layer; ``error``: the output error that it really guarantees; ``bits``: mean of lg(1 / weight_tol) over all weights."""

    rule: str
    source: str
    weight_tol: tuple[float, ...]
    error: float
    bits: float


def allotment(shape: DenseShape, tol: float, *, cost: Sequence[float] | None = None) -> Allotment:
    """The cheapest tolerances per weight: least sum_l cost_l lg(1 / weight_tol_l) with an output error of at most ``tol``.

    ``cost``: price of one bit in each layer, default its number of weights. Small ``tol``: the share of a layer in the output error is its share of
    the cost. Per-layer caps and shared widths: ``constrained_allotment``.

    Raises InputError for tol <= 0, and for costs that are not one positive number per layer.

    >>> found = allotment(DenseShape((784, 500, 10)), 0.01)
    >>> round(found.bits, 2), found.error <= 0.01
    (15.99, True)
    """
    price = costs(shape, cost)
    budget = log_budget(shape, tol)
    return from_logs("optimal", "strong_lth, one-dimensional solve", shape, tol, _optimal_logs(price, budget))


def log_budget(shape: DenseShape, tol: float) -> float:
    """tau = ln(1 + tol / (R prod a)); InputError for a bad ``tol``."""
    return math.log1p(positive("tol", tol) / shape.amplification())


def costs(shape: DenseShape, cost: Sequence[float] | None) -> Floats:
    """The price of one bit per layer, divided by the largest."""
    price = np.array([positive("cost", c) for c in (shape.counts if cost is None else cost)])
    if price.size != shape.depth:
        raise InputError("cost", cost, f"give one number for each of the {shape.depth} layers")
    return np.asarray(price / price.max(), dtype=np.float64)


def from_logs(rule: str, source: str, shape: DenseShape, tol: float, logs: Floats) -> Allotment:
    """The allotment with t_l = logs[l], scaled down until its error is at most ``tol`` in floating point too."""
    while True:
        scale = [a / math.sqrt(d * k) for a, d, k in zip(shape.norms, shape.widths[1:], shape.inputs, strict=True)]
        weight_tol = tuple(float(s * t) for s, t in zip(scale, np.expm1(logs), strict=True))
        if shape.error(weight_tol) <= tol:
            return described(rule, source, shape, weight_tol)
        logs = logs * (1 - 1e-11)


def described(rule: str, source: str, shape: DenseShape, weight_tol: Sequence[float]) -> Allotment:
    """An allotment with the error it guarantees and its bits per weight."""
    bits = -sum(m * math.log2(eta) for m, eta in zip(shape.counts, weight_tol, strict=True)) / shape.weights
    return Allotment(rule, source, tuple(weight_tol), shape.error(weight_tol), bits)


def _optimal_logs(price: Floats, budget: float) -> Floats:
    """t_l = -ln(1 - price_l / lambda) with sum t_l = budget: bisection on ln(lambda / max price - 1), in which the sum falls."""

    def logs(x: float) -> Floats:
        share = price / (price.max() * (1 + math.exp(x)))
        gap = np.where(price == price.max(), 1 / (1 + math.exp(-x)), 1 - share)  # no cancellation for the largest price
        return np.asarray(np.where(share < 0.5, -np.log1p(-np.minimum(share, 0.5)), -np.log(gap)), dtype=np.float64)

    low, high = -700.0, 700.0
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if float(logs(middle).sum()) > budget else (low, middle)
    found = logs(high)
    return found * (budget / float(found.sum()))


def pensia(shape: DenseShape, tol: float) -> tuple[float, ...]:
    """Pensia et al. 2020, our reading of its constants: tol / (4 L d_l d_(l-1)), half of tol / (2 L d_l d_(l-1)) for each sign half.

    Xiong et al. 2023 allot the same: tol / (2 L) per layer, divided by its d_l d_(l-1) weights, half for each sign half (Lemmas 6 and 7, Theorem 4). Both assume norms
    and radius at most 1: the target is rescaled to that first, layer by layer, which rescales the tolerances by a_l / (R prod a).
    """
    relative = tol / shape.amplification()
    sizes = zip(shape.norms, shape.widths[1:], shape.inputs, strict=True)
    return tuple(relative * a / (4 * shape.depth * d * k) for a, d, k in sizes)


PUBLISHED: dict[str, tuple[str, Callable[[DenseShape, float], tuple[float, ...]]]] = {
    "pensia2020": ("Pensia et al. 2020 (as restated), Xiong et al. 2023", pensia),
}


def compare_allotments(shape: DenseShape, tol: float) -> list[Allotment]:
    """Published allotments beside ours at the same output tolerance, the most expensive first.

    ``equal``: every layer the same t_l. The published one assumes norms and radius at most 1; elsewhere it is read for the rescaled target.

    Raises InputError for tol <= 0.

    >>> [(a.rule, round(a.bits, 2)) for a in compare_allotments(DenseShape((784, 500, 10)), 0.01)]
    [('pensia2020', 28.15), ('equal', 16.9), ('optimal', 15.99)]
    """
    even = np.full(shape.depth, log_budget(shape, tol) / shape.depth)
    rows = [allotment(shape, tol), from_logs("equal", "strong_lth, tight propagation", shape, tol, even)]
    rows += [described(rule, source, shape, formula(shape, tol)) for rule, (source, formula) in PUBLISHED.items()]
    return sorted(rows, key=lambda row: -row.bits)
