"""Joint zonotope: the target's value h and the gap d as affine functions of the same noise symbols.

    h = c + S xi,    d = c' + S' xi,    each up to a small slack that holds the rounding errors.

Linear layers are exact, so what cancels in W2 (relu(h + d) - relu(h)) is kept. A ReLU multiplies d by some t in [0, 1]; this is replaced
by a fixed slope and a fresh symbol that covers the exact range of what is left. Symbols shared by a network and its difference are the
idea of VeryDiff (Teuber, Kern, Janzen and Beckert 2024). For a ball, the input symbols together lie in a Euclidean ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats
from strong_lth.networks.difference_interval import Ranges, after_relu, drift, relu_gap
from strong_lth.networks.enclosures import UNIT, ball_of, down, ends_of, gamma, magnitude, norm_up, shift, sum_up, up
from strong_lth.networks.layer_pair import InputSet, LayerPair

SLOPES = (0.5, 0.25, 0.75, 0.0, 1.0)  # tried in this order for each gap
MARGIN = 1e-6  # by which a later slope must beat the best so far: roundings decide nothing

Part = tuple[Floats, Floats, Floats]  # slope, center, radius: slope x + center + radius nu


@dataclass(frozen=True)
class Affine:
    """center + symbols xi, up to ``slack`` by coordinate. The first ``inputs`` symbols lie in a ball if ``ball``, all others in [-1, 1]."""

    center: Floats
    symbols: Floats
    slack: Floats
    inputs: int
    ball: bool

    @property
    def mass(self) -> Floats:
        """|center| + sum |symbols|, to which rounding errors are relative."""
        return up(np.abs(self.center) + sum_up(np.abs(self.symbols), 1))

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The interval of each coordinate."""
        first, later = self.symbols[:, : self.inputs], self.symbols[:, self.inputs :]
        reach = up((norm_up(first, 1) if self.ball else sum_up(np.abs(first), 1)) + sum_up(np.abs(later), 1))
        return ends_of(self.center, up(reach + self.slack))

    def become(self, enclosure: tuple[Floats, Floats], symbols: Floats) -> Affine:
        """The same symbols, another function of them."""
        return Affine(enclosure[0], symbols, enclosure[1], self.inputs, self.ball)


def joint_zonotope(layers: Sequence[LayerPair], inputs: InputSet, intervals: Sequence[Ranges]) -> list[Ranges]:
    """Ranges of (h, d) in front of each ReLU, and of the outputs last: what the zonotope and the given intervals both allow."""
    value, gap = _first(layers[0], inputs)
    ranges = [Ranges(*value.ends, *gap.ends).meet(intervals[0])]
    for layer, within in zip(layers[1:], intervals[1:], strict=True):
        drifted = drift(layer, after_relu(ranges[-1]).size)
        value, gap = _linear(layer, *_relu(value, gap, ranges[-1]), drifted)
        ranges.append(Ranges(*value.ends, *gap.ends).meet(within))
    return ranges


def _first(layer: LayerPair, inputs: InputSet) -> tuple[Affine, Affine]:
    """Behind the first layer, whose inputs are center + spread xi.

    Where z takes both signs, E+ max(z, 0) - E- max(-z, 0) = m z + k |z|, with m and k half the sum and half the difference of E+ and E-; and
    |z| = s z + t + t nu with the slope s of the chord and one symbol nu in [-1, 1], shared by all outputs.
    """
    low, high = inputs.low, inputs.high
    mixed = inputs.mixed if layer.residual_negative is not None else np.zeros(low.shape, dtype=bool)
    chord = np.where(mixed, (high + low) / np.where(mixed, high - low, 1.0), 0.0)
    tilt = up(up(np.maximum(high * up(1 - chord), -low * up(1 + chord))) / 2)
    bend = (layer.residual - layer.minus) / 2
    straight = np.where(high <= 0, layer.minus, layer.residual)
    linear = np.where(mixed, (layer.residual + layer.minus) / 2 + bend * chord, straight)
    bent = bend[:, mixed] * tilt[mixed]

    entries = magnitude(np.abs(layer.residual) + np.abs(layer.minus), up(inputs.size + inputs.spread))
    value = shift(
        _product(layer.weight, inputs.center), (layer.bias, up(4 * UNIT * magnitude(layer.weight, inputs.spread)))
    )
    gap = shift(
        _product(linear, inputs.center),
        (bent.sum(1), up(gamma(bent.shape[1] + 2) * sum_up(np.abs(bent), 1))),
        (layer.bias_residual, up(up(32 * UNIT * entries) + drift(layer, inputs.size))),
    )
    symbols = np.hstack([layer.weight * inputs.spread, np.zeros(bent.shape)])
    gap_symbols = np.hstack([linear * inputs.spread, bent])
    return (
        Affine(value[0], symbols, value[1], low.size, inputs.ball),
        Affine(gap[0], gap_symbols, gap[1], low.size, inputs.ball),
    )


def _product(matrix: Floats, vector: Floats) -> tuple[Floats, Floats]:
    """Enclosure of matrix times vector."""
    return matrix @ vector, up(gamma(matrix.shape[1] + 2) * magnitude(matrix, np.abs(vector)))


def _linear(layer: LayerPair, value: Affine, gap: Affine, drifted: Floats) -> tuple[Affine, Affine]:
    """h' = W h + b and d' = (W + E) d + E h + e. The roundings of all symbols of a row add up to at most gamma |matrix| mass."""
    ticket, residual = layer.ticket_weight, layer.residual
    slack = gamma(layer.weight.shape[1] + 6)
    value_slack, gap_slack = up(value.slack + up(slack * value.mass)), up(gap.slack + up(slack * gap.mass))
    moved = shift((layer.weight @ value.center, magnitude(layer.weight, value_slack)), (layer.bias, 0.0))
    gap_moved = shift(
        (ticket @ gap.center, magnitude(ticket, gap_slack)),
        (residual @ value.center, magnitude(residual, value_slack)),
        (layer.bias_residual, drifted),
    )
    return (
        value.become(moved, layer.weight @ value.symbols),
        gap.become(gap_moved, ticket @ gap.symbols + residual @ value.symbols),
    )


def _relu(value: Affine, gap: Affine, ranges: Ranges) -> tuple[Affine, Affine]:
    """Both functions behind a ReLU, with a symbol of its own for each value and each gap that it bends."""
    part, gap_part = _value_part(ranges), _gap_part(ranges, _ticket_ends(value, gap, ranges))
    fresh, gap_fresh = part[2] > 0, gap_part[2] > 0
    columns, gap_columns = _columns(part[2], fresh), _columns(gap_part[2], gap_fresh)
    return (
        _replace(value, part, np.hstack([columns, np.zeros(gap_columns.shape)])),
        _replace(gap, gap_part, np.hstack([np.zeros(columns.shape), gap_columns])),
    )


def _columns(radius: Floats, fresh: NDArray[np.bool_]) -> Floats:
    places = np.flatnonzero(fresh)
    columns = np.zeros((radius.size, places.size))
    columns[places, np.arange(places.size)] = radius[places]
    return columns


def _replace(form: Affine, part: Part, columns: Floats) -> Affine:
    """slope x + center + radius nu for an affine form x."""
    slope, center, _ = part
    slack = up(up(slope * form.slack) + up(4 * UNIT * up(slope * form.mass + np.abs(center))))
    return form.become((slope * form.center + center, slack), np.hstack([slope[:, None] * form.symbols, columns]))


def _value_part(ranges: Ranges) -> Part:
    """relu(h) within slope h + [0, 2 radius], where slope is that of the chord."""
    low, high = ranges.low, ranges.high
    bends = (low < 0) & (high > 0)
    slope = np.where(bends, np.minimum(high / np.where(bends, high - low, 1.0), 1.0), np.where(low >= 0, 1.0, 0.0))
    top = up(np.maximum(-slope * low, high * up(1 - slope)))
    radius = np.where(bends, up(top / 2), 0.0)
    return slope, radius, radius


def _gap_part(ranges: Ranges, ticket: tuple[Floats, Floats]) -> Part:
    """relu(h + d) - relu(h) within slope d + center + [-radius, radius], for the slope of SLOPES with the least radius."""
    low, high, gap_low, gap_high = ranges.low, ranges.high, ranges.gap_low, ranges.gap_high
    slope, center, radius = np.full(low.shape, SLOPES[0]), np.zeros(low.shape), np.full(low.shape, np.inf)
    for trial in SLOPES:
        least, most = relu_gap(low, high, gap_low, gap_high, trial)
        # the same seen from the ticket: with g = h + d it is -(relu(g - d) - relu(g) - slope (-d))
        mirror_least, mirror_most = relu_gap(*ticket, -gap_high, -gap_low, trial)
        trial_center, trial_radius = ball_of(np.maximum(least, -mirror_most), np.minimum(most, -mirror_least))
        better = trial_radius < radius * (1 - MARGIN)
        slope, center = np.where(better, trial, slope), np.where(better, trial_center, center)
        radius = np.where(better, trial_radius, radius)
    active = (low >= 0) & (ticket[0] >= 0)
    dead = (high <= 0) & (ticket[1] <= 0)
    stable = active | dead
    slope = np.where(active, 1.0, np.where(dead, 0.0, slope))
    return slope, np.where(stable, 0.0, center), np.where(stable, 0.0, radius)


def _ticket_ends(value: Affine, gap: Affine, ranges: Ranges) -> tuple[Floats, Floats]:
    """The interval of the ticket's own value h + d."""
    center = value.center + gap.center
    slack = up(up(value.slack + gap.slack) + up(4 * UNIT * up(value.mass + gap.mass)))
    low, high = value.become((center, slack), value.symbols + gap.symbols).ends
    return np.maximum(low, down(ranges.low + ranges.gap_low)), np.minimum(high, up(ranges.high + ranges.gap_high))
