"""``certify``: a rigorous bound on how far a ticket can be from its target anywhere on a domain, and the farthest point found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from strong_lth.core import Ball, Box, Certificate, Check, Domain, Floats, InputError, Outcome
from strong_lth.networks.difference import LayerPair, difference_bounds, search_difference
from strong_lth.networks.network import Network
from strong_lth.networks.source import sign_halves
from strong_lth.networks.subnetwork import Subnetwork
from strong_lth.networks.tolerances import activation_bounds, chains
from strong_lth.networks.verify import verify_gadgets


@dataclass(frozen=True, eq=False)
class ErrorBound:
    """sup over the domain of max_i |f(x)_i - g(x)_i| lies in [found, certified].

    ``certified``: the least of ``bounds`` (one per method; ``method`` names it). ``found``: error at the point ``found_at``, rounded down.
    ``a_priori``: guarantee from the tolerances alone; infinite if a weight is unserved. ``certificate``: the checks behind it.
    """

    certified: float
    found: float
    a_priori: float
    method: str
    certificate: Certificate
    bounds: Mapping[str, float]
    found_at: Floats
    domain: Domain


def certify(
    target: Network, strong: Subnetwork | Network, *, domain: Domain, points: ArrayLike | None = None, seed: int = 0
) -> ErrorBound:
    """Bound sup |f - g| over ``domain`` rigorously, from the exact residuals of the ticket, and search for the worst input.

    ``strong`` may also be any other ``Network`` of the shape of the target; then there are no gadgets to prove and nothing is known a priori.

    Least of mixed-L2, difference-interval and joint-zonotope bounds, every one rounded outward and about real arithmetic; the search starts from corners, random
    inputs and, if given, ``points`` (k, d_in) of the domain. The gadgets are re-proved from the seed (``verify_gadgets``), so
    ``certificate.ok`` is False for a ticket whose weights are not its source's. Raises InputError for a target of another shape.

    >>> import strong_lth as lth
    >>> target = lth.Network.from_arrays([[[0.3, -0.2]]])
    >>> strong = lth.approximate(target, domain=lth.Box(0, 1), tol=0.01, width="smallest", seed=0)
    >>> error = certify(target, strong, domain=lth.Box(0, 1))
    >>> 0 <= error.found <= error.certified <= error.a_priori <= 0.01
    True
    """
    for name, value, kinds in (
        ("target", target, Network),
        ("strong", strong, Network | Subnetwork),
        ("domain", domain, Box | Ball),
    ):
        if not isinstance(value, kinds):
            raise InputError(
                name, type(value).__name__, "call certify(Network, Subnetwork or Network, domain=Box or Ball)"
            )
    if isinstance(strong, Network):
        pairs, gain, promised = network_pairs(target, strong), 0, math.inf
        checks: tuple[Check, ...] = ()
    else:
        pairs, gain = strong.layer_pairs(target, domain), strong.scaling.gain
        checks, promised = verify_gadgets(target, strong).checks, guarantee(target, strong, domain)
    bounds = {
        name: math.ldexp(float(np.max(values)), gain) for name, values in difference_bounds(pairs, domain).items()
    }
    method = min(bounds, key=lambda name: bounds[name])
    found, found_at = search_difference(pairs, domain, seed=seed, starts=_starts(points, target, domain))
    found = math.ldexp(found, gain)
    sound = Check(
        "found <= certified",
        Outcome.PROVED if found <= bounds[method] else Outcome.FAILED,
        f"{found:.3e} <= {bounds[method]:.3e}",
    )
    certificate = Certificate(
        claim="sup over the domain of the largest output error is at most the value",
        checks=(*checks, sound),
        value=bounds[method],
        method=method,
    )
    return ErrorBound(bounds[method], found, promised, method, certificate, bounds, found_at, domain)


def network_pairs(target: Network, other: Network) -> list[LayerPair]:
    """Layers and rounded differences of two networks of one shape."""
    if [d.shape for d in target.dense] != [d.shape for d in other.dense]:
        raise InputError(
            "strong", f"widths {other.widths}", f"give a network with the widths of the target, {target.widths}"
        )
    pairs = []
    for mine, theirs in zip(target.dense, other.dense, strict=True):
        residual, bias = theirs.weight - mine.weight, theirs.offset - mine.offset
        largest = max(float(np.abs(residual).max()), float(np.abs(bias).max()))
        pairs.append(LayerPair(mine.weight, mine.offset, residual, None, bias, largest * 2.0**-52))
    return pairs


def guarantee(target: Network, strong: Subnetwork, domain: Domain) -> float:
    """What the tolerances alone promise on ``domain``; infinite where some weight or sign half is not served."""
    served, wanted = sign_halves(target, strong.domain), sign_halves(target, domain)
    if strong.unserved or any(np.any(need > have) for need, have in zip(wanted, served, strict=True)):
        return math.inf
    if not any(strong.weight_tol):
        return 0.0
    scaled = strong.rescaled(target)
    return math.ldexp(min(chain(strong.weight_tol) for chain in chains(scaled, domain).values()), strong.scaling.gain)


def evaluation_error(target: Network, strong: Subnetwork, *, dtype: Literal["float64", "float32"] = "float64") -> float:
    """Bound on |module(x) - g(x)| over the ticket's domain when ``to_torch`` runs in ``dtype``: rounding of weights, products and sums.

    Standard forward error analysis: a sum of k products loses at most gamma_(k+2) of the sum of their sizes, in any order of summation.
    """
    if dtype not in ("float64", "float32"):
        raise InputError("dtype", repr(dtype), "use 'float64' or 'float32'")
    unit = 2.0**-53 if dtype == "float64" else 2.0**-24
    limits = np.finfo(dtype)
    scaled = strong.rescaled(target)
    magnitudes, _, _ = activation_bounds(scaled, strong.domain)
    pairs = strong.layer_pairs(target, strong.domain)
    error = magnitudes[0] * unit
    drift = np.zeros_like(error)
    for part, ticket, pair, magnitude in zip(strong.source.layers, strong.layers, pairs, magnitudes, strict=True):
        values = part.even_weights if ticket.shift is None else part.even_weights + ticket.shift
        used = np.concatenate([np.abs(values)[ticket.keep], np.abs(part.odd_kept)])
        if used.size and (used.max() > limits.max or used[used > 0].min(initial=1.0) < limits.tiny):
            return math.inf  # a weight that this precision does not hold
        sizes = np.where(ticket.keep, np.abs(values), 0.0) * np.abs(part.odd_kept)[None, :]
        mass = np.zeros((part.outputs, part.inputs + 1))
        for column in range(part.inputs + 1):
            mass[:, column] = sizes[:, part.unit_input == column].sum(axis=1)
        reach = magnitude + drift
        weights = mass[:, : part.inputs]
        terms = int(ticket.keep.sum(axis=1).max()) + 8  # zeros add no rounding error
        gamma = terms * unit / (1 - terms * unit)
        error = (weights @ error + gamma * (weights @ (reach + error) + mass[:, part.inputs])) * (1 + 1e-6)
        residual = (
            np.abs(pair.residual)
            if pair.residual_negative is None
            else np.maximum(np.abs(pair.residual), np.abs(pair.residual_negative))
        )
        drift = (np.abs(pair.weight) + residual) @ drift + residual @ magnitude + np.abs(pair.bias_residual)
        if not (weights @ reach + mass[:, part.inputs]).max(initial=0.0) < limits.max / 4:
            return math.inf
    bound = math.ldexp(float(error.max()), strong.scaling.gain)
    return bound if math.isfinite(bound) else math.inf


def _starts(points: ArrayLike | None, target: Network, domain: Domain) -> Floats | None:
    if points is None:
        return None
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != target.widths[0] or not np.all(np.isfinite(array)):
        raise InputError("points", f"shape {array.shape}", f"give finite inputs, (k, {target.widths[0]})")
    low, high = domain.ends(target.widths[0])
    return np.clip(array, low, high)
