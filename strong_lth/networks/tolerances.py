"""From one tolerance on the output to one tolerance per weight, layer by layer.

If every effective weight (and bias) of layer l is within eta_l of its target, the output error is at most D_L, where either

* sup-norm chain, componentwise: d_l = |W_l| d_(l-1) + eta_l (||h_(l-1)||_1 + ||d_(l-1)||_1 + b_l), D_L = max_i d_L(i), or
* L2 chain, last layer by rows: D_l = ||W_l|| D_(l-1) + eta_l sqrt(d_l) (||h_(l-1)||_1 + sqrt(d_(l-1)) D_(l-1) + b_l),

with b_l = 1 if the layer has biases and ||h||_1 bounded over the domain by interval arithmetic and by norms. Both are the tight propagation
bound (product (a_l + e_l) minus product a_l, attained) with the target's own activations in place of products of norms. The cost of a
layer is m_l log2(1/eta_l) bits for m_l subset sums; at the optimum the share of layer l in the output error is m_l / sum m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from strong_lth.core import Ball, Domain, Floats, InputError
from strong_lth.networks.enclosures import spectral_norm_bound
from strong_lth.networks.network import Dense, Network

_ROUNDING = (
    1e-9  # every chain is inflated by this much: far above the rounding error of its few thousand positive terms
)
LARGEST, SMALLEST = (
    1e6,
    1e-60,
)  # tolerances per weight outside this range are cut, or refused: rescaled weights are of size 1
Chain = Callable[[Sequence[float] | Floats], float]


@dataclass(frozen=True)
class Allotment:
    """``weight_tol`` per layer, the ``chain`` that justifies it and the output error ``a_priori`` <= tol that it guarantees."""

    weight_tol: tuple[float, ...]
    chain: str
    a_priori: float


def allot(network: Network, domain: Domain, tol: float, counts: Sequence[int]) -> Allotment:
    """Largest per-weight tolerances that keep the output within ``tol`` over the domain; ``counts``: subset sums per layer.

    Both chains are tried; the one with the smaller cost sum m_l log2(1 / eta_l) wins. Source: propagation theorem and allotment of the
    project's notes; cf. Pensia et al. 2020, whose allotment tol / (4 L d_l d_(l-1)) is 10 to 13 bits per weight smaller.
    """
    if tol == 0:
        return Allotment((0.0,) * len(network.dense), "exact", 0.0)
    cost = np.array(counts, dtype=np.float64)
    best: Allotment | None = None
    for name, chain in chains(network, domain).items():
        shares = _shares(chain, tol, cost)
        found = Allotment(tuple(float(s) for s in shares), name, chain(shares))
        if best is None or float(cost @ np.log(found.weight_tol)) > float(cost @ np.log(best.weight_tol)):
            best = found
    assert best is not None
    return best


def chains(network: Network, domain: Domain) -> dict[str, Chain]:
    """Both propagation bounds as functions of the per-weight tolerances, rounded up."""
    _, sums, norms = activation_bounds(network, domain)
    biases = [float(layer.bias is not None) for layer in network.dense]
    absolute = [np.abs(layer.weight) for layer in network.dense]
    last_rows = float(np.sqrt((network.dense[-1].weight ** 2).sum(axis=1)).max())

    def sup(weight_tol: Sequence[float] | Floats) -> float:
        error = np.zeros(network.widths[0])
        for size, eta, bias, total in zip(absolute, weight_tol, biases, sums, strict=True):
            error = size @ error + eta * (total + error.sum() + bias)
        return float(error.max()) * (1 + _ROUNDING)

    def euclidean(weight_tol: Sequence[float] | Floats) -> float:
        error = 0.0
        for layer, (eta, bias, total) in enumerate(zip(weight_tol, biases, sums, strict=True)):
            last = layer == len(norms)
            width = network.widths[layer]
            entry = eta * (total + math.sqrt(width) * error + bias)
            error = (last_rows if last else norms[layer]) * error + entry * (
                1.0 if last else math.sqrt(network.widths[layer + 1])
            )
        return error * (1 + _ROUNDING)

    return {"sup-norm": sup, "L2": euclidean}


def activation_bounds(network: Network, domain: Domain) -> tuple[list[Floats], list[float], list[float]]:
    """Upper bounds of |h_l| entrywise and of ||h_l||_1 over the domain, for the inputs h_0 and every hidden layer h_l, and of its ||W_l||_2."""
    low, high = domain.ends(network.widths[0])
    euclid = domain.norm(network.widths[0])
    magnitude = np.maximum(np.abs(low), np.abs(high))
    magnitudes = [magnitude]
    sums = [min(float(magnitude.sum()), math.sqrt(magnitude.size) * euclid) * (1 + _ROUNDING)]
    norms = []
    for position, layer in enumerate(network.dense[:-1]):
        norms.append(spectral_norm_bound(layer.weight))
        low, high = preactivation_range(layer, low, high)
        if position == 0 and isinstance(domain, Ball):
            center = layer.weight @ domain.point(network.widths[0]) + layer.offset
            reach = np.sqrt((layer.weight**2).sum(axis=1)) * domain.radius * (1 + _ROUNDING) + _ROUNDING * np.abs(
                center
            )
            low, high = np.maximum(low, center - reach), np.minimum(high, center + reach)
        low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
        euclid = norms[-1] * euclid + float(np.linalg.norm(layer.offset)) * (1 + _ROUNDING)
        euclid = min(euclid, float(np.linalg.norm(high)) * (1 + _ROUNDING))
        magnitudes.append(high)
        sums.append(min(float(high.sum()), math.sqrt(high.size) * euclid) * (1 + _ROUNDING))
    return magnitudes, sums, norms


def preactivation_range(layer: Dense, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Interval bounds of weight x + bias over the box [low, high], rounded outward."""
    center, radius = (low + high) / 2, (high - low) / 2
    middle = layer.weight @ center + layer.offset
    size = np.abs(layer.weight) @ (np.abs(center) + radius) + np.abs(layer.offset)
    reach = np.abs(layer.weight) @ radius + _ROUNDING * size
    return middle - reach, middle + reach


def _shares(chain: Chain, tol: float, cost: Floats) -> Floats:
    """Tolerances with chain(eta) <= tol at which every layer's share of the error is proportional to its cost."""
    wanted = cost / cost.sum()
    layers = range(cost.size)
    eta = np.array([_alone(chain, tol, layer, cost.size) for layer in layers]) * wanted
    for _ in range(40):
        eta = np.minimum(eta * _rescale(chain, eta, tol), LARGEST)
        base = chain(eta)
        gains = np.array([chain(eta * np.where(np.arange(cost.size) == layer, 1.001, 1.0)) - base for layer in layers])
        if not gains.sum() > 0:
            break
        eta = eta * np.sqrt(wanted / np.maximum(gains / gains.sum(), 1e-9))
    return np.asarray(np.minimum(eta * _rescale(chain, eta, tol), LARGEST))


def _alone(chain: Chain, tol: float, layer: int, layers: int) -> float:
    """The tolerance of one layer if all others were exact: the chain is linear in it. ``LARGEST`` where its errors reach no output."""
    slope = chain([1.0 if index == layer else 0.0 for index in range(layers)])
    if not math.isfinite(slope):
        raise InputError(
            "domain",
            f"an error amplification beyond 1e308 in layer {layer + 1}",
            "give a smaller domain or a smaller target",
        )
    alone = tol / slope if slope > tol / LARGEST else LARGEST
    if alone < SMALLEST:
        raise InputError(
            "tol",
            f"{tol:g} after rescaling the target",
            f"raise it: this target and domain would leave {alone:.1e} per weight in layer {layer + 1}",
        )
    return alone


def _rescale(chain: Chain, eta: Floats, tol: float) -> float:
    """Largest factor (to 1e-12, from below, at most ``LARGEST``) with chain(factor eta) <= tol."""
    low, high = 0.0, 1.0
    while high < LARGEST and chain(eta * high) <= tol:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chain(eta * middle) <= tol else (low, middle)
    return low
