"""One layer of a target and of its ticket side by side, and the set of inputs they share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Ball, Box, Floats, InputError
from strong_lth.networks.enclosures import ball_of, norm_up, up


@dataclass(frozen=True)
class LayerPair:
    """Layer z -> W z + b of the target, and what the ticket adds to it.

    The ticket's layer maps z to sum_j (W + E+)_ij max(z_j, 0) - (W + E-)_ij max(-z_j, 0) + b_i + e_i: which residual acts depends on the
    sign of the input. Only a first layer can see negative inputs; later layers follow a ReLU and use E+ alone.

    ``weight`` W (outputs, inputs) and ``bias`` b (outputs,) are the target's doubles, exactly. ``residual`` E+, ``residual_negative`` E-
    (None where it equals E+ or no input is negative) and ``bias_residual`` e are doubles within ``rounding`` of the true residuals, entry
    by entry. Raises InputError for wrong shapes and numbers that are not finite.
    """

    weight: Floats
    bias: Floats
    residual: Floats
    residual_negative: Floats | None
    bias_residual: Floats
    rounding: float = 0.0

    def __post_init__(self) -> None:
        shape = np.shape(self.weight)
        if len(shape) != 2 or 0 in shape:
            raise InputError("weight", f"shape {shape}", "give a matrix (outputs, inputs)")
        expected = {"weight": shape, "residual": shape, "bias": shape[:1], "bias_residual": shape[:1]}
        if self.residual_negative is not None:
            expected["residual_negative"] = shape
        for name, want in expected.items():
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if array.shape != want:
                raise InputError(name, f"shape {array.shape}", f"give shape {want}")
            if not np.all(np.isfinite(array)):
                raise InputError(name, "NaN or infinity", "give finite numbers")
            object.__setattr__(self, name, array)
        if not (math.isfinite(self.rounding) and self.rounding >= 0):
            raise InputError("rounding", self.rounding, "give a finite number >= 0")

    @property
    def ticket_weight(self) -> Floats:
        """W + E+, each entry rounded once."""
        return np.asarray(self.weight + self.residual)

    @property
    def minus(self) -> Floats:
        """E-: the residual that acts on negative inputs."""
        return self.residual if self.residual_negative is None else self.residual_negative


@dataclass(frozen=True)
class InputSet:
    """Inputs z with low <= z <= high and ||z - center||_2 <= radius, an outward-rounded description of a Box or Ball.

    For a ball, ``ball`` is True and ``low``, ``high`` are the ends of the box around it. ``spread`` bounds |z - center| by coordinate.
    """

    low: Floats
    high: Floats
    center: Floats
    spread: Floats
    radius: float
    ball: bool

    @property
    def size(self) -> Floats:
        """Largest |z_j|."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def norm(self) -> float:
        """Upper bound of ||z||_2."""
        by_box = float(norm_up(self.size))
        return min(by_box, float(up(float(norm_up(self.center)) + self.radius))) if self.ball else by_box

    @property
    def mixed(self) -> NDArray[np.bool_]:
        """Coordinates that take both signs."""
        return np.asarray((self.low < 0) & (self.high > 0))


def input_set(domain: Box | Ball, dim: int) -> InputSet:
    """Describe a domain in ``dim`` coordinates."""
    low, high = domain.ends(dim)
    if isinstance(domain, Ball):
        center = np.array(np.broadcast_to(np.asarray(domain.center, dtype=np.float64), (dim,)))
        return InputSet(low, high, center, np.full(dim, domain.radius), domain.radius, ball=True)
    center, spread = ball_of(low, high)
    return InputSet(low, high, center, spread, float(norm_up(spread)), ball=False)


def check_chain(layers: Sequence[LayerPair]) -> None:
    """Raise InputError unless each layer takes as many inputs as the one before gives."""
    if not layers:
        raise InputError("layers", "an empty sequence", "give at least one layer")
    for number, (before, after) in enumerate(itertools.pairwise(layers), start=2):
        if before.weight.shape[0] != after.weight.shape[1]:
            raise InputError(
                "layers",
                f"layer {number} with {after.weight.shape[1]} inputs after {before.weight.shape[0]} outputs",
                "give layers whose shapes form a chain",
            )
