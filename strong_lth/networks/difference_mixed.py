"""Mixed Euclidean bound: the norm of the gap d through spectral norms, each residual applied to the box its inputs lie in.

    ||d'|| <= ||W + E|| ||d|| + min( ||E|| ||h|| + ||e||,  ||E c + e|| + ||E|| ||r||,  || |E c + e| + |E| r || )

for h within r of c; the last layer goes row by row. Norms do not grow with the number of neurons as boxes do, which pays in deep networks
on large domains, where zonotopes blow up. Behind each ReLU the norms are cut to those of the given ranges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strong_lth.core import Floats
from strong_lth.networks.difference_interval import Ranges, after_relu, drift, next_ranges
from strong_lth.networks.enclosures import UNIT, ball_of, enclose, norm_up, shift, spectral_norm_bound, up
from strong_lth.networks.layer_pair import InputSet, LayerPair

Norms = tuple[Floats, Floats]  # of h and of d


def mixed_norms(layers: Sequence[LayerPair], inputs: InputSet, ranges: Sequence[Ranges]) -> Floats:
    """Upper bound of the gap of each output, given ranges of (h, d) in front of each ReLU."""
    if len(layers) == 1:
        return np.minimum(_first_rows(layers[0], inputs), ranges[0].error)
    norms = _first_norms(layers[0], inputs)
    for layer, before in zip(layers[1:-1], ranges, strict=False):
        state = after_relu(before)
        norms = _next_norms(layer, _cut(norms, state), state)
    state = after_relu(ranges[len(layers) - 2])
    return np.minimum(_last_rows(layers[-1], _cut(norms, state), state), next_ranges(layers[-1], state).error)


def _cut(norms: Norms, state: Ranges) -> Norms:
    """Norms behind a ReLU: at most those in front of it (it is 1-Lipschitz), and those of the box."""
    box = np.maximum(np.abs(state.low), np.abs(state.high))
    return np.minimum(norms[0], norm_up(box)), np.minimum(norms[1], norm_up(state.error))


def _first_norms(layer: LayerPair, inputs: InputSet) -> Norms:
    residual, still = _sides(layer, inputs), norm_up(_size(*_at_center(layer, inputs)))
    norm = spectral_norm_bound(residual)
    off = norm_up(np.full(layer.bias.shape, drift(layer, inputs.size)))
    far = up(up(norm * inputs.norm) + norm_up(layer.bias_residual))
    near = up(still + up(norm * inputs.radius))
    return _value_norm(layer, inputs.norm), up(np.minimum(far, near) + off)


def _first_rows(layer: LayerPair, inputs: InputSet) -> Floats:
    rows = norm_up(_sides(layer, inputs), 1)
    far = up(up(rows * inputs.norm) + np.abs(layer.bias_residual))
    near = up(_size(*_at_center(layer, inputs)) + up(rows * inputs.radius))
    return up(np.minimum(far, near) + drift(layer, inputs.size))


def _sides(layer: LayerPair, inputs: InputSet) -> Floats:
    """[E+, -E-], columns that never act left out: it takes (max(z, 0), max(-z, 0)), which moves no further than z does."""
    if layer.residual_negative is None:
        return layer.residual
    return np.hstack([layer.residual[:, inputs.high > 0], -layer.minus[:, inputs.low < 0]])


def _at_center(layer: LayerPair, inputs: InputSet) -> tuple[Floats, Floats]:
    """Enclosure of the first layer's gap at the center of the inputs."""
    acting = np.where(inputs.center < 0, layer.minus, layer.residual)
    return shift(enclose(acting, inputs.center, np.zeros(inputs.center.shape)), (layer.bias_residual, 0.0))


def _next_norms(layer: LayerPair, norms: Norms, state: Ranges) -> Norms:
    size, gap = norms
    still, boxed, spread = _residual_terms(layer, state)
    norm = spectral_norm_bound(layer.residual)
    far = up(up(norm * size) + norm_up(layer.bias_residual))
    near = up(norm_up(still) + up(norm * spread))
    own = np.minimum(np.minimum(far, near), norm_up(boxed))
    off = norm_up(np.full(layer.bias.shape, drift(layer, state.size)))
    ticket = layer.ticket_weight
    carried = up(spectral_norm_bound(ticket, UNIT * np.abs(ticket)) * gap)
    return _value_norm(layer, size), up(up(carried + own) + off)


def _last_rows(layer: LayerPair, norms: Norms, state: Ranges) -> Floats:
    size, gap = norms
    still, boxed, spread = _residual_terms(layer, state)
    rows = norm_up(layer.residual, 1)
    far = up(up(rows * size) + np.abs(layer.bias_residual))
    near = up(still + up(rows * spread))
    own = np.minimum(np.minimum(far, near), boxed)
    carried = up(up(norm_up(layer.ticket_weight, 1) * (1 + 4 * UNIT)) * gap)
    return up(up(carried + own) + drift(layer, state.size))


def _residual_terms(layer: LayerPair, state: Ranges) -> tuple[Floats, Floats, Floats]:
    """Upper bounds of |E c + e|, of |E c + e| + |E| r and of ||r||, for the box of center c and radius r that holds h."""
    center, spread = ball_of(state.low, state.high)
    still = shift(enclose(layer.residual, center, np.zeros(center.shape)), (layer.bias_residual, 0.0))
    boxed = shift(enclose(layer.residual, center, spread), (layer.bias_residual, 0.0))
    return _size(*still), _size(*boxed), norm_up(spread)


def _value_norm(layer: LayerPair, size: Floats | float) -> Floats:
    return up(up(spectral_norm_bound(layer.weight) * size) + norm_up(layer.bias))


def _size(center: Floats, radius: Floats) -> Floats:
    return up(np.abs(center) + radius)
