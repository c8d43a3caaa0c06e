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
from strong_lth.networks.enclosures import UNIT, ball_of, down, enclose, ends_of, norm_up, shift, sum_up, up
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
    rounding = 4 * UNIT * np.maximum(np.abs(gap_low), np.abs(gap_high))  # h + d is rounded only where |gap| <= |d|
    return down(smallest - rounding), up(largest + rounding)


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
    values, gaps = ball_of(before.low, before.high), ball_of(before.gap_low, before.gap_high)
    gap = shift(
        enclose(layer.ticket_weight, *gaps),
        enclose(layer.residual, *values),
        (layer.bias_residual, drift(layer, before.size)),
    )
    return Ranges(*ends_of(*shift(enclose(layer.weight, *values), (layer.bias, 0.0))), *ends_of(*gap))


def drift(layer: LayerPair, size: Floats) -> Floats:
    """How far the stored residuals can put one output of a layer off, for inputs with |z| <= size."""
    return up(layer.rounding * up(sum_up(size) + 1.0))


def first_ranges(layer: LayerPair, inputs: InputSet) -> Ranges:
    """Ranges behind the first layer, whose inputs may have either sign."""
    values = ball_of(inputs.low, inputs.high)
    linear, spare = split_signs(layer, inputs)
    gap = shift(enclose(linear, *values), spare, (layer.bias_residual, drift(layer, inputs.size)))
    box = Ranges(*ends_of(*shift(enclose(layer.weight, *values), (layer.bias, 0.0))), *ends_of(*gap))
    return box.meet(_round_ranges(layer, inputs)) if inputs.round else box


def split_signs(layer: LayerPair, inputs: InputSet) -> tuple[Floats, tuple[Floats, Floats]]:
    """The residual that acts where a coordinate has one sign (0 elsewhere), and an enclosure of what the others add.

    Coordinate j of both signs adds E+_ij max(z, 0) - E-_ij max(-z, 0), which over [low, high] lies between the least and the largest of
    0, E+_ij high and E-_ij low.
    """
    mixed = inputs.mixed if layer.residual_negative is not None else np.zeros(inputs.low.shape, dtype=bool)
    linear = np.where(mixed, 0.0, np.where(inputs.high <= 0, layer.minus, layer.residual))
    if not mixed.any():
        zero = np.zeros(layer.bias.shape)
        return linear, (zero, zero)
    ends = layer.residual[:, mixed] * inputs.high[mixed], layer.minus[:, mixed] * inputs.low[mixed]
    above = sum_up(np.maximum(np.maximum(*ends), 0.0), 1)
    below = sum_up(np.maximum(-np.minimum(*ends), 0.0), 1)
    return linear, ball_of(-below, above)


def _round_ranges(layer: LayerPair, inputs: InputSet) -> Ranges:
    """The same for a ball: value at its center, plus radius times the Lipschitz constant of each row."""
    point = np.zeros(inputs.center.shape)
    acting = np.where(inputs.center < 0, layer.minus, layer.residual)
    reach = up(inputs.radius * norm_up(layer.weight, 1))
    gap_reach = up(inputs.radius * norm_up(np.maximum(np.abs(layer.residual), np.abs(layer.minus)), 1))
    value = shift(enclose(layer.weight, inputs.center, point), (layer.bias, reach))
    gap = shift(enclose(acting, inputs.center, point), (layer.bias_residual, up(gap_reach + drift(layer, inputs.size))))
    return Ranges(*ends_of(*value), *ends_of(*gap))
