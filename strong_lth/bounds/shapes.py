"""What a bound on whole networks is told about the target: shapes and norms, never weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strong_lth.bounds.types import whole
from strong_lth.core import Floats, InputError


@dataclass(frozen=True)
class DenseShape:
    """A ReLU network x -> W_L relu( ... relu(W_1 x)) on the inputs ||x||_2 <= radius.

    ``widths``: (d_0, ..., d_L). ``norms``: upper bounds a_l of ||W_l||_2, default 1. ``reach``: largest |weight|. ``biases``: every matrix is read as
    [[W, b], [0, 1]] on the inputs (x, 1), whose last row is exact; then ``norms`` and ``radius`` are those of the extended matrices and inputs.
    ``nonnegative``: inputs are known to be >= 0, so that the first layer needs no second sign half; hidden layers never do.

    Raises InputError by the name of the field that is wrong.

    >>> shape = DenseShape((784, 500, 10))
    >>> shape.counts, shape.halves, shape.weights
    ((392000, 5000), (2, 1), 397000)
    """

    widths: tuple[int, ...]
    norms: tuple[float, ...] = ()
    radius: float = 1.0
    reach: float = 0.5
    biases: bool = False
    nonnegative: bool = False

    def __post_init__(self) -> None:
        widths = tuple(whole("widths", d, least=1) for d in self.widths)
        if len(widths) < 2:
            raise InputError("widths", widths, "give the inputs and at least one layer, for example (784, 500, 10)")
        norms = tuple(self.norms) or (1.0,) * (len(widths) - 1)
        if len(norms) != len(widths) - 1:
            raise InputError("norms", norms, f"give one number for each of the {len(widths) - 1} layers")
        object.__setattr__(self, "widths", widths)
        object.__setattr__(self, "norms", tuple(positive("norms", a) for a in norms))
        object.__setattr__(self, "radius", positive("radius", self.radius))
        object.__setattr__(self, "reach", positive("reach", self.reach))

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.norms)

    @property
    def inputs(self) -> tuple[int, ...]:
        """Incoming weights of a neuron of each layer: d_(l-1), and one more for a bias."""
        return tuple(d + self.biases for d in self.widths[:-1])

    @property
    def counts(self) -> tuple[int, ...]:
        """Weights (and biases) of each layer."""
        return tuple(d * k for d, k in zip(self.widths[1:], self.inputs, strict=True))

    @property
    def weights(self) -> int:
        """All weights and biases."""
        return sum(self.counts)

    @property
    def halves(self) -> tuple[int, ...]:
        """Sign halves that a weight of each layer needs: 2 where inputs may be negative, else 1."""
        return (1 if self.nonnegative else 2, *([1] * (self.depth - 1)))

    @property
    def blocks(self) -> int:
        """Subset sums in all: weights times their sign halves."""
        return sum(m * h for m, h in zip(self.counts, self.halves, strict=True))

    @property
    def unit_costs(self) -> tuple[int, ...]:
        """Parameters of the source per candidate of layer l: h_l d_(l-1) units, each with its incoming weights and one weight per output."""
        sides = zip(self.halves, self.inputs, self.widths[1:], strict=True)
        return tuple(h * d * (d + e) for h, d, e in sides)

    def amplification(self) -> float:
        """R a_1 ... a_L, the largest output; the unit of relative tolerances."""
        return self.radius * math.prod(self.norms)

    def error(self, weight_tol: Sequence[float] | Floats) -> float:
        """Largest output error when every weight of layer l is within weight_tol[l]: R (prod (a_l + e_l) - prod a_l), e_l = weight_tol[l] sqrt(d_l d_(l-1)).

        Attained by W_l = a_l 1 1^T / sqrt(d_l d_(l-1)) and errors of one sign, so no better bound follows from these data. Rounded up.
        Source: proofs/docs/propagation.md.

        >>> round(DenseShape((4, 4)).error([0.25]), 9)
        1.0
        """
        log_growth = sum(
            math.log1p(eta * math.sqrt(d * k) / a)
            for eta, d, k, a in zip(weight_tol, self.widths[1:], self.inputs, self.norms, strict=True)
        )
        return self.amplification() * math.expm1(log_growth) * (1 + 1e-12)


@dataclass(frozen=True)
class ConvShape:
    """A convolutional ReLU network: ``channels`` (c_0, ..., c_L) and square ``kernels`` (k_1, ..., k_L)."""

    channels: tuple[int, ...]
    kernels: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(whole("channels", c, least=1) for c in self.channels))
        object.__setattr__(self, "kernels", tuple(whole("kernels", k, least=1) for k in self.kernels))
        if len(self.channels) < 2 or len(self.kernels) != len(self.channels) - 1:
            raise InputError("kernels", self.kernels, "give one kernel size per layer and one number of channels more")

    @property
    def depth(self) -> int:
        return len(self.kernels)


@dataclass(frozen=True)
class AttentionShape:
    """One multi-head attention layer: ``heads`` H, inputs of ``d_in`` = d_1 and outputs of ``d_out`` = d_2 numbers, tokens ||x|| <= radius."""

    heads: int
    d_in: int
    d_out: int
    radius: float

    def __post_init__(self) -> None:
        for name in ("heads", "d_in", "d_out"):
            object.__setattr__(self, name, whole(name, getattr(self, name), least=1))
        object.__setattr__(self, "radius", positive("radius", self.radius))


NetworkShape = DenseShape | ConvShape | AttentionShape


def positive(parameter: str, value: float) -> float:
    """The value as a float, or InputError unless it is finite and > 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(parameter, repr(value), "give a number > 0")
    if not (math.isfinite(value) and value > 0):
        raise InputError(parameter, value, "give a finite number > 0")
    return float(value)
