"""Difference intervals: each hidden value h of the target and its gap d = (ticket's value - h), coordinate by coordinate.

Bounding target and ticket apart and subtracting would lose everything they share. Here the pair (h, d) is carried through the layers,

    d' = (W + E) d + E h + e,    h' = W h + b,    then    (h, d) -> (relu(h), relu(h + d) - relu(h)),

in the manner of differential verification (Paulsen, Wang and Wang 2020, ReluDiff).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strong_lth.core import Floats
from strong_lth.networks.enclosures import UNIT, Interval, add, down, image, norm_up, sum_up, up
from strong_lth.networks.layer_pair import InputSet, LayerPair


@dataclass(frozen=True)
class Ranges:
    """Per coordinate, what the target's value h and the gap d = (ticket's value - h) can be."""

    low: Floats
    high: Floats
    gap_low: Floats
    gap_high: Floats

    @property
    def error(self) -> Floats:
        """Largest |d|."""
        return np.maximum(np.abs(self.gap_low), np.abs(self.gap_high))

    @property
    def size(self) -> Floats:
        """Upper bound of the ticket's |h + d|."""
        return up(np.maximum(np.abs(self.low), np.abs(self.high)) + self.error)

    @property
    def finite(self) -> bool:
        """Whether nothing overflowed on the way."""
        return all(bool(np.isfinite(end).all()) for end in (self.low, self.high, self.gap_low, self.gap_high))

    def meet(self, other: Ranges) -> Ranges:
        """What both ranges allow."""
        return Ranges(
            np.maximum(self.low, other.low),
            np.minimum(self.high, other.high),
            np.maximum(self.gap_low, other.gap_low),
            np.minimum(self.gap_high, other.gap_high),
        )


def relu_gap(
    low: Floats, high: Floats, gap_low: Floats, gap_high: Floats, slope: Floats | float
) -> tuple[Floats, Floats]:
    """Exact range of relu(h + d) - relu(h) - slope d over the box of (h, d), rounded outward.

    For a fixed d the expression is monotone in h, and for a fixed h it is convex in d with its kink at d = -h: the largest value is at a
    corner, the smallest at an end of h with d at the kink, or as near to it as the box allows.

    >>> low, high = relu_gap(np.array([-1.0]), np.array([2.0]), np.array([-0.5]), np.array([0.25]), 0.5)
    >>> low.round(12), high.round(12)
    (array([-0.25]), array([0.25]))
    """

    def value(h: Floats, d: Floats) -> Floats:
        gap = np.where(h >= 0, np.maximum(d, -h), np.maximum(h + d, 0.0))
        return np.asarray(gap - slope * d)

    largest = np.maximum(
        np.maximum(value(low, gap_low), value(low, gap_high)), np.maximum(value(high, gap_low), value(high, gap_high))
    )
    smallest = np.minimum(value(low, np.clip(-low, gap_low, gap_high)), value(high, np.clip(-high, gap_low, gap_high)))
    # h + d is rounded only where it is the gap, which is at most the result plus slope |d|
    rest = slope * np.maximum(np.abs(gap_low), np.abs(gap_high))
    return (
        down(smallest - 4 * UNIT * (np.abs(smallest) + rest)),
        up(largest + 4 * UNIT * (np.abs(largest) + rest)),
    )


def after_relu(ranges: Ranges) -> Ranges:
    """Ranges of (relu(h), relu(h + d) - relu(h))."""
    gap_low, gap_high = relu_gap(ranges.low, ranges.high, ranges.gap_low, ranges.gap_high, 0.0)
    return Ranges(np.maximum(ranges.low, 0.0), np.maximum(ranges.high, 0.0), gap_low, gap_high)


def difference_intervals(layers: Sequence[LayerPair], inputs: InputSet) -> list[Ranges]:
    """Ranges of (h, d) in front of each ReLU, and of the outputs last."""
    ranges = [first_ranges(layers[0], inputs)]
    for layer in layers[1:]:
        ranges.append(next_ranges(layer, after_relu(ranges[-1])))
    return ranges


def next_ranges(layer: LayerPair, before: Ranges) -> Ranges:
    """Ranges behind a linear layer with nonnegative inputs."""
    off = drift(layer, before.size)
    gap = add(
        image(layer.ticket_weight, before.gap_low, before.gap_high),
        image(layer.residual, before.low, before.high),
        (layer.bias_residual, layer.bias_residual),
        (-off, off),
    )
    return Ranges(*add(image(layer.weight, before.low, before.high), (layer.bias, layer.bias)), *gap)


def drift(layer: LayerPair, size: Floats) -> Floats:
    """How far the stored residuals can put one output of a layer off, for inputs with |z| <= size."""
    return up(layer.rounding * up(sum_up(size) + 1.0))


def first_ranges(layer: LayerPair, inputs: InputSet) -> Ranges:
    """Ranges behind the first layer, whose inputs may have either sign."""
    off = drift(layer, inputs.size)
    gap = add(_residual_image(layer, inputs), (layer.bias_residual, layer.bias_residual), (-off, off))
    box = Ranges(*add(image(layer.weight, inputs.low, inputs.high), (layer.bias, layer.bias)), *gap)
    return box.meet(_round_ranges(layer, inputs)) if inputs.ball else box


def _residual_image(layer: LayerPair, inputs: InputSet) -> Interval:
    """Range of E+ max(z, 0) - E- max(-z, 0).

    A coordinate of both signs adds something between the least and the largest of 0, E+_ij high and E-_ij low, all attained.
    """
    low, high = inputs.low, inputs.high
    mixed = inputs.mixed if layer.residual_negative is not None else np.zeros(low.shape, dtype=bool)
    one_sign = image(np.where(mixed, 0.0, np.where(high <= 0, layer.minus, layer.residual)), low, high)
    if not mixed.any():
        return one_sign
    ends = layer.residual[:, mixed] * high[mixed], layer.minus[:, mixed] * low[mixed]
    above = sum_up(np.maximum(np.maximum(*ends), 0.0), 1)
    below = sum_up(np.maximum(-np.minimum(*ends), 0.0), 1)
    return add(one_sign, (-below, above))


def _round_ranges(layer: LayerPair, inputs: InputSet) -> Ranges:
    """The same for a ball: the value at its center, and radius times the Lipschitz constant of each row around it."""
    center, off = inputs.center, drift(layer, inputs.size)
    acting = np.where(center < 0, layer.minus, layer.residual)
    reach = up(inputs.radius * norm_up(layer.weight, 1))
    gap_reach = up(inputs.radius * norm_up(np.maximum(np.abs(layer.residual), np.abs(layer.minus)), 1))
    value = add(image(layer.weight, center, center), (layer.bias, layer.bias), (-reach, reach))
    gap = add(
        image(acting, center, center), (layer.bias_residual, layer.bias_residual), (-gap_reach, gap_reach), (-off, off)
    )
    return Ranges(*value, *gap)
