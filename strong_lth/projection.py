"""Euclidean projections onto perturbation boxes and balls around W_0 that hold exactly in floating point.

w - W_0 is rounded, so w = W_0 + clip(w - W_0, -eps, eps) leaves the box in many places. Here the two ends of every weight's box are computed once, each the *last* number of its
format inside; clipping between them is then the projection onto the box among the numbers of the format, and |w - W_0| <= eps in exact arithmetic, with eps the given double. Onto a ball of all weights
the projection itself is out of reach in floating point; ``clip_to_ball`` stays inside and says by how much it falls short.
Real-number statement and proof: ``projected-descent`` in the registry of theorems.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Floats, InputError

Weights = NDArray[np.floating[Any]]
Format = Literal["bfloat16", "float32", "float64"]
UNIT = 2.0**-53  # half the spacing of doubles above 1


def box_ends(center: Weights, radius: ArrayLike, kind: Format | None = None) -> tuple[Weights, Weights]:
    """The least and the largest number of the format within ``radius`` of every entry of ``center``.

    low = min {v : |v - center| <= radius}, high = max {v : |v - center| <= radius}, over the finite numbers v of ``kind``, decided in exact arithmetic. ``center``: float32 or float64, any
    shape; ``radius``: a double, or one per entry. ``kind`` "bfloat16" takes float32 arrays that hold bfloat16 numbers; by default it is the type of ``center``. Where radius is 0 both ends
    are ``center`` itself, sign of zero included.

    Raises InputError for a radius that is negative or NaN, another type, or a center that is not finite or not in the format.

    >>> low, high = box_ends(np.array([0.1], dtype=np.float32), 1e-3)
    >>> bool(np.float64(high[0]) - np.float64(np.float32(0.1)) <= 1e-3), bool(low[0] < np.float32(0.1) < high[0])
    (True, True)
    """
    kind = kind or _kind(center)
    check_radius(radius)
    if kind not in get_args(Format) or center.dtype != (np.float64 if kind == "float64" else np.float32):
        raise InputError(
            "center",
            f"{center.dtype} for the format {kind}",
            "give float64, float32, or bfloat16 numbers held in float32",
        )
    if not np.all(np.isfinite(center)) or (kind == "bfloat16" and np.any(_bits(center) & 0xFFFF)):
        raise InputError("center", f"a number that is not a finite {kind}", "give finite weights of the format")
    distance = np.broadcast_to(np.asarray(radius, dtype=np.float64), center.shape)
    high = _last_below(center, distance, kind)
    low = -_last_below(-center, distance, kind)
    return np.where(low == center, center, low), np.where(high == center, center, high)


def clip(weights: Weights, low: Weights, high: Weights) -> Weights:
    """The nearest point of the box with these ends: the Euclidean projection. NaN stays NaN; an end is taken with the sign of its zero.

    >>> clip(np.array([-3.0, 0.5, 3.0]), np.zeros(3), np.ones(3))
    array([0. , 0.5, 1. ])
    """
    return np.where(weights <= low, low, np.where(weights >= high, high, weights))


def relative_radius(center: Weights, share: float) -> Floats:
    """Radius ``share`` * |center| of every entry, rounded down to a double (the last one that is not above it, or its neighbour below).

    Raises InputError for a share that is negative or NaN.
    """
    check_radius(share)
    return below(share * np.abs(center.astype(np.float64)))


def clip_to_ball(weights: Weights, center: Weights, radius: float, kind: Format | None = None) -> Weights:
    """The projection onto ||w - center||_2 <= radius, over all entries together, rounded inward so that it holds in exact arithmetic.

    The projection of a point outside is center + s (w - center), s = radius / ||w - center||_2. Here s is smaller by the share ``ball_slack`` (1.2e-14 for a million weights), so that rounding cannot carry the
    sum of squares over radius^2, and every entry is the last number of the format before its end, towards the center: each move is short of the projection's by that share and less than one spacing of the format. A point
    inside is returned unchanged; one beyond the share 1 - ``ball_slack`` / 2 of the radius is treated as outside. The same operations in the same order run on every device.

    Raises InputError for a radius that is negative or NaN.

    >>> clip_to_ball(np.array([3.0, 4.0]), np.zeros(2), 10.0)
    array([3., 4.])
    >>> np.round(clip_to_ball(np.array([3.0, 4.0]), np.zeros(2), 1.0), 9)
    array([0.6, 0.8])
    """
    kind = kind or _kind(center)
    check_radius(radius)
    if radius == 0 or not np.all(np.isfinite(weights)):
        return center.copy() if radius == 0 else weights
    with np.errstate(over="ignore"):
        step = weights.astype(np.float64) - center.astype(np.float64)
        share = np.abs(step) / radius
        squares = float(tree_sum((share * share).reshape(-1)))
    if squares <= 1 - ball_slack(step.size):
        return weights
    scale = (1 - ball_slack(step.size)) / math.sqrt(squares)
    with np.errstate(invalid="ignore"):
        reach = np.nan_to_num(np.abs(step) * scale, nan=0.0)  # a step beyond all doubles has scale 0
    low, high = box_ends(center, reach, kind)
    return np.where(step > 0, high, np.where(step < 0, low, center))


def ball_slack(count: int) -> float:
    """What ``clip_to_ball`` gives away for rounding: (4 ceil(lg count) + 32) 2^-53, above every error of the differences, the squares and their ``tree_sum``."""
    return (4 * max(1, count).bit_length() + 32) * UNIT


def tree_sum(values: Any) -> Any:
    """Sum of a vector by halves, the last half onto the first: the same additions in the same order for numpy arrays and torch tensors.

    >>> float(tree_sum(np.arange(5.0)))
    10.0
    """
    while len(values) > 1:
        half = (len(values) + 1) // 2
        head = values[:half] * 1.0
        head[: len(values) - half] += values[half:]
        values = head
    return values.sum()


def single_points(low: Weights, high: Weights) -> int:
    """How many boxes hold one point only: their radius is smaller than the spacing of the format around W_0, so the weight cannot move."""
    return int(np.count_nonzero(low == high))


def below(values: Floats) -> Floats:
    """The next double below every positive entry; 0 stays 0."""
    return np.where(values > 0, np.nextafter(values, 0.0), values)


def check_radius(radius: ArrayLike, name: str = "perturbation") -> None:
    """Refuse a radius that is negative, NaN or infinite."""
    values = np.asarray(radius)
    if values.dtype.kind not in "fiu" or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise InputError(name, repr(radius), "give a finite number >= 0")


def _last_below(center: Weights, radius: Floats, kind: Format) -> Weights:
    """The largest number of the format that is <= center + radius, exactly: a rounded sum and the sign of its error decide."""
    a = center.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = a + radius
        part = total - a
        error = (a - (total - part)) + (radius - part)  # a + radius = total + error (Knuth's two-sum)
        found = _rounded(total, kind)
        value = found.astype(np.float64)
        above = (value > total) | ((value == total) & (error < 0)) | np.isinf(value)
    return np.where(above, _previous(found, kind), found)


def _rounded(values: Floats, kind: Format) -> Weights:
    """Doubles to one of the two nearest numbers of the format."""
    if kind == "float64":
        return values
    single = values.astype(np.float32)
    if kind == "float32":
        return single
    return np.array(_bits(single) & np.uint32(0xFFFF0000)).view(np.float32)


def _previous(values: Weights, kind: Format) -> Weights:
    """The next smaller number of the format."""
    if kind != "bfloat16":
        with np.errstate(over="ignore"):
            return np.nextafter(values, values.dtype.type(-np.inf))
    bits = _bits(values)
    step = np.uint32(0x10000)
    lower = np.where(values > 0, bits - step, np.where(values == 0, np.uint32(0x80010000), bits + step))
    return np.array(lower.astype(np.uint32)).view(np.float32)


def _bits(values: Weights) -> NDArray[np.uint32]:
    return np.ascontiguousarray(values).reshape(values.shape).view(np.uint32)


def _kind(center: Weights) -> Format:
    if center.dtype == np.float32:
        return "float32"
    if center.dtype == np.float64:
        return "float64"
    raise InputError("center", center.dtype, "give float32 or float64")
