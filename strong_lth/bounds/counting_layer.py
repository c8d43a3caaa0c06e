"""Counting masks: a random network of n prunable weights has 2^n subnetworks, too few for a ball of linear layers."""

from __future__ import annotations

import math

from strong_lth.bounds.network_bound import NetworkBound, NetworkQuestion, Widths
from strong_lth.bounds.shapes import DenseShape
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference, Verdict


def least_weights(
    inputs: int, outputs: int, *, tol: float, delta: float, norm: float = 1.0, radius: float = 1.0
) -> float:
    """Least number n of prunable weights: n >= d_0 d_1 lg(norm radius / tol) + lg(1 - delta).

    For any random network, of any depth and law, whose subnetworks reach each W with ||W||_2 <= norm within ``tol`` on ||x||_2 <= radius with probability at least
    1 - delta, without perturbation. An explicit form of the counting argument of Pensia et al. 2020. Source: proofs/docs/counting-layer.md.

    >>> round(least_weights(784, 10, tol=0.01, delta=0.5))
    52087
    """
    return max(0.0, inputs * outputs * math.log2(norm * radius / tol) + math.log2(1 - delta))


def widths(question: NetworkQuestion) -> Widths | Verdict:
    """Least hidden width w of a source x -> V relu(U x), which has w (d_0 + d_1) weights; one layer without biases or perturbation."""
    shape = question.shape
    if (
        not isinstance(shape, DenseShape)
        or shape.depth != 1
        or shape.biases
        or question.perturbation > 0
        or question.tol <= 0
    ):
        return Verdict.NOT_APPLICABLE
    inputs, outputs = shape.widths
    n = least_weights(inputs, outputs, tol=question.tol, delta=question.delta, norm=shape.norms[0], radius=shape.radius)
    return (n / (inputs + outputs),)


BOUND = NetworkBound(
    id="counting-layer",
    title="Counting: 2^n masks for all linear layers of norm <= 1 need n >= d1 d2 lg(1 / tol) + lg(1 - delta) weights",
    reference=Reference("strong_lth", "proofs/docs/counting-layer.md"),
    direction=Direction.NECESSARY,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="counting-layer",
    formula=widths,
)
