"""Xiong, Liao and Kyrillidis (AISTATS 2023), Theorem 2: whole networks, as printed and as its proof gives it.

Layer 2l of the source has n_l = d_(l-1) N columns with N = C ceil(log(d_(l-1) d_l L / tol) / (1 + eps) + K), C unspecified, eps = perturbation in [0, 1]. Printed
failure probability: 2 d_1 d_2 L f; proved: 2 sum_l d_l d_(l-1) f, with f = exp(-(N - K)(1 + eps)^2 / (8 (3 - eps)^2)) + exp(-K) for N candidates per weight.
Assumed: ||W_l|| <= 1, |weight| <= 1/2, ||x|| <= 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from strong_lth.bounds.network_bound import NetworkBound, NetworkQuestion, Widths
from strong_lth.bounds.shapes import DenseShape
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.bounds.xiong2023 import stage_exponent
from strong_lth.core import Reference, Verdict

_MOST = 2**40


def printed_widths(question: NetworkQuestion) -> Widths | Verdict:
    """Widths at which the failure probability as printed is at most delta, for a given C.

    ``2 d_1 d_2 L`` fits networks whose layers all have d_1 d_2 weights; it is taken literally.
    """
    return _widths(question, lambda widths, depth: 2.0 * widths[1] * widths[min(2, depth)] * depth)


def proved_widths(question: NetworkQuestion) -> Widths | Verdict:
    """Widths at which the failure probability with the union that the proof needs is at most delta, for a given C."""
    return _widths(question, lambda widths, depth: 2.0 * sum(a * b for a, b in itertools.pairwise(widths)))


def _widths(question: NetworkQuestion, union: Callable[[tuple[int, ...], int], float]) -> Widths | Verdict:
    """n_l for the least whole K with union * (exp(-stage) + exp(-K)) <= delta, the stage taken at the smallest N of a layer."""
    shape, eps = question.shape, question.perturbation
    if not isinstance(shape, DenseShape) or shape.biases or not 0 <= eps <= 1 or not 0 < question.tol <= 1:
        return Verdict.NOT_APPLICABLE
    if max(shape.norms) > 1 or shape.reach > 0.5 or shape.radius > 1:
        return Verdict.NOT_APPLICABLE
    constant, blocks = question.constant, union(shape.widths, shape.depth)
    pairs = list(zip(shape.widths[:-1], shape.widths[1:], strict=True))

    def candidates(slack: int) -> list[float]:
        return [
            constant * math.ceil(math.log(d * e * shape.depth / question.tol) / (1 + eps) + slack) for d, e in pairs
        ]

    def enough(slack: int) -> bool:
        least = min(candidates(slack))
        if least <= slack:
            return False
        return blocks * (math.exp(-stage_exponent(math.floor(least), eps, slack)) + math.exp(-slack)) <= question.delta

    slack = 1
    while not enough(slack):
        if slack > _MOST:
            return Verdict.VACUOUS  # C <= 1: the first stage never gets more candidates than K takes
        slack *= 2
    low = slack // 2
    while slack - low > 1:
        middle = (low + slack) // 2
        low, slack = (low, middle) if enough(middle) else (middle, slack)
    return tuple(d * n for (d, _), n in zip(pairs, candidates(slack), strict=True))


_URL = "https://proceedings.mlr.press/v206/xiong23a.html"
_SOURCE = "Xiong, Liao and Kyrillidis, AISTATS 2023, PMLR 206:6879-6902"

PRINTED = NetworkBound(
    id="xiong2023-theorem2-printed",
    title="Network: n = C d_(l-1) ceil(log(d_(l-1) d_l L / tol) / (1 + perturbation) + K), union 2 d_1 d_2 L",
    reference=Reference(_SOURCE, "Theorem 2 (union as printed)", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited; its own proof needs a larger union",
    proof=None,
    formula=printed_widths,
)
PROVED = NetworkBound(
    id="xiong2023-theorem2-proved",
    title="Network: n = C d_(l-1) ceil(log(d_(l-1) d_l L / tol) / (1 + perturbation) + K), union 2 sum d_l d_(l-1)",
    reference=Reference(_SOURCE, "Theorem 2 (union as in Appendix A)", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited, with the union of its proof",
    proof=None,
    formula=proved_widths,
)
