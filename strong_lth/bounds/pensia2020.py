"""Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (NeurIPS 2020): logarithmic over-parameterisation of whole networks.

The paper itself was not available to us; the statements are as Otsuka et al. 2025 restate them, with an unnamed constant C. The counting lower bound is
known to us from the abstract alone (the logarithm is nearly optimal at constant depth); ``counting-layer`` is an explicit form with a proof of ours.
"""

from __future__ import annotations

import math

from strong_lth.bounds.network_bound import NetworkBound, NetworkQuestion, Widths
from strong_lth.bounds.shapes import DenseShape
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference, Verdict


def layer_widths(question: NetworkQuestion) -> Widths | Verdict:
    """One linear layer of norm <= 1 on inputs of norm <= 1: n = d_0 C log(2 d_0 d_1 / t) hidden units, t = min(tol, delta).

    The statement has one number for error and failure probability.
    """
    shape = question.shape
    if not _covered(question) or not isinstance(shape, DenseShape) or shape.depth != 1 or shape.radius > 1:
        return Verdict.NOT_APPLICABLE
    inputs, outputs = shape.widths
    t = min(question.tol, question.delta)
    return (question.constant * inputs * math.log(2 * inputs * outputs / t),)


def network_widths(question: NetworkQuestion) -> Widths | Verdict:
    """L layers of norm <= 1 on inputs of norm <= alpha: n_l = d_l C log(4 L d_l d_(l+1) / t) for the intermediate layer after d_l, l < L.

    The statement promises an error of exp(alpha t / 2) - 1 except with probability t, so t = min(delta, 2 ln(1 + tol) / alpha).
    """
    shape = question.shape
    if not _covered(question) or not isinstance(shape, DenseShape):
        return Verdict.NOT_APPLICABLE
    t = min(question.delta, 2 * math.log1p(question.tol) / shape.radius)
    pairs = zip(shape.widths[:-1], shape.widths[1:], strict=True)
    return tuple(question.constant * d * math.log(4 * shape.depth * d * e / t) for d, e in pairs)


def _covered(question: NetworkQuestion) -> bool:
    shape = question.shape
    return (
        isinstance(shape, DenseShape)
        and max(shape.norms) <= 1
        and not shape.biases
        and question.perturbation == 0
        and 0 < question.tol < 1
    )


_SOURCE, _URL = "Pensia et al., NeurIPS 2020, arXiv 2006.07990", "https://arxiv.org/abs/2006.07990"
_STATUS = "cited from restatements; text not available"

LAYER = NetworkBound(
    id="pensia2020-layer",
    title="One layer: n >= d1 C log(2 d1 d2 / tol), probability >= 1 - tol",
    reference=Reference(_SOURCE, "one layer, as restated by Otsuka et al. 2025, Lemma 2", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=layer_widths,
)
NETWORK = NetworkBound(
    id="pensia2020-network",
    title="Network: n_l >= d_l C log(4 L d_l d_(l+1) / tol), probability >= 1 - tol",
    reference=Reference(_SOURCE, "network, as restated by Otsuka et al. 2025, Theorem 10", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=network_widths,
)
COUNTING = NetworkBound(
    id="pensia2020-counting",
    title="Counting lower bound: the logarithm is nearly optimal at constant depth",
    reference=Reference(_SOURCE, "abstract", _URL),
    direction=Direction.NECESSARY,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=None,
)
