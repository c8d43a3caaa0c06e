"""``verify_perturbation``: whether weights stayed within their perturbation, decided in exact rationals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Certificate, Check, InputError, Outcome
from strong_lth.networks.mask import Mask
from strong_lth.projection import check_radius

Arrays = Mapping[str, ArrayLike]
Index = tuple[int, ...]
Shape = Literal["box", "relative", "ball"]


def verify_perturbation(
    before: Arrays,
    after: Arrays,
    perturbation: float | Mapping[str, float],
    *,
    shape: Shape = "box",
    mask: Mask | None = None,
    drawn: Arrays | None = None,
) -> Certificate:
    """Decide |w - w_0| <= eps for every weight ("box"), |w - w_0| <= eps |w_0| ("relative") or ||w - w_0||_2 <= eps over all of them ("ball"), in exact rationals.

    ``before`` and ``after``: float arrays by name. ``perturbation``: eps as the double that is given, or one per tensor. ``mask``: only kept weights are compared, removed ones must be 0.
    ``drawn``: what the stated seed and law draw; ``before`` must be that, tensor for tensor and bit for bit. One check per tensor names its worst weight; ``value`` is the largest distance.

    Raises InputError for other names or shapes on the two sides or in the mask, no tensor, weights that are not floats of at most 64 bits, and a negative or NaN perturbation.

    >>> w0 = {"a": np.array([0.5, 1.0])}
    >>> verify_perturbation(w0, {"a": np.array([0.5, 1.125])}, 0.125).ok
    True
    >>> verify_perturbation(w0, {"a": np.array([0.5, 1.125])}, 0.124).failures[0].detail
    'a[1] moved by 0.125, allowed 0.124; 1 of 2 weights left'
    """
    radii = _radii(before, after, perturbation, shape)
    pairs = {name: _pair(name, old, after) for name, old in before.items()}
    for name in after:
        if name not in before:
            raise InputError("after", f"a tensor {name} that before lacks", "compare two states of one network")
    if mask is not None:
        for name, keep in mask.tensors.items():
            if name not in pairs or keep.shape != pairs[name].old.shape:
                raise InputError("mask", f"{name} {keep.shape}", "give the mask of these tensors, of their shapes")
        pairs = {name: _masked(pair, mask.tensors.get(name)) for name, pair in pairs.items()}
    checks = [] if drawn is None else [_origin(before, drawn)]
    if shape == "ball":
        found, value = _ball(pairs, next(iter(radii.values())))
        checks.append(found)
    else:
        parts = [_box(name, pair, radii[name], shape == "relative") for name, pair in pairs.items()]
        checks += [part.check for part in parts]
        value = max(part.distance for part in parts)
    size = perturbation if not isinstance(perturbation, Mapping) else dict(perturbation)
    return Certificate(f"every weight within {shape} {size} of its start", tuple(checks), value, "exact rationals")


def _radii(before: Arrays, after: Arrays, perturbation: float | Mapping[str, float], shape: str) -> dict[str, float]:
    """One radius per tensor, as a double."""
    if shape not in get_args(Shape):
        raise InputError("shape", repr(shape), f"use one of {', '.join(get_args(Shape))}")
    for name, arrays in (("before", before), ("after", after)):
        if not isinstance(arrays, Mapping) or not arrays:
            raise InputError(
                name,
                "no float array" if isinstance(arrays, Mapping) else type(arrays).__name__,
                "give float arrays by name",
            )
    radii = perturbation if isinstance(perturbation, Mapping) else dict.fromkeys(before, perturbation)
    for radius in radii.values():
        check_radius(radius)
    if (
        set(radii) != set(before)
        or any(np.ndim(r) for r in radii.values())
        or (shape == "ball" and len(set(radii.values())) > 1)
    ):
        raise InputError(
            "perturbation",
            f"one number for each of {', '.join(radii)}",
            "give one number, or one per tensor (never for the ball)",
        )
    return {name: float(radius) for name, radius in radii.items()}


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two states of one tensor as doubles, and where removed weights are not 0."""

    old: NDArray[np.float64]
    new: NDArray[np.float64]
    stray: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Part:
    check: Check
    distance: float


def _pair(name: str, old: ArrayLike, after: Arrays) -> _Pair:
    if name not in after:
        raise InputError("after", f"no tensor {name}", "compare two states of one network")
    first, second = np.asarray(old), np.asarray(after[name])
    if any(array.dtype.kind != "f" or array.dtype.itemsize > 8 for array in (first, second)):
        raise InputError(name, f"{first.dtype} and {second.dtype}", "give float arrays, of at most 64 bits")
    if first.shape != second.shape:
        raise InputError(name, f"shapes {first.shape} and {second.shape}", "compare two states of one network")
    if not np.all(np.isfinite(first)):
        raise InputError("before", f"a weight of {name} that is not finite", "give finite weights")
    return _Pair(first.astype(np.float64), second.astype(np.float64))


def _masked(pair: _Pair, keep: NDArray[np.bool_] | None) -> _Pair:
    if keep is None:
        return pair
    return _Pair(pair.old, np.where(keep, pair.new, pair.old), ~keep & (pair.new != 0))  # NaN is not 0


def _box(name: str, pair: _Pair, radius: float, relative: bool) -> _Part:
    """The largest |new - old| (relative: largest share of what is allowed), exactly where doubles do not decide."""
    title = f"{name}: every weight within its box"
    if pair.stray is not None and pair.stray.any():
        return _Part(Check(title, Outcome.FAILED, f"{_at(name, pair.stray)} is removed by the mask and not 0"), 0.0)
    lost = ~np.isfinite(pair.new)
    if lost.any():
        return _Part(Check(title, Outcome.FAILED, f"{_at(name, lost)} is {pair.new[lost][0]}"), math.inf)
    with np.errstate(over="ignore"):
        distance = np.abs(pair.new - pair.old)
        allowed = radius * np.abs(pair.old) if relative else np.full(pair.old.shape, radius)
        near = (distance > 0) & (distance >= allowed * (1 - 1e-12))
    if not distance.any():
        return _Part(Check(title, Outcome.PROVED, "nothing moved"), 0.0)
    left = np.zeros(near.shape, dtype=bool)
    for index in _places(near):
        left[index] = _exactly(pair, index) > _allowed(pair, index, radius, relative)
    gone = int(left.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(distance > 0, distance / allowed, 0.0) if relative else distance
    ratio = np.where(left if gone else distance > 0, np.where(np.isnan(ratio), np.inf, ratio), -1.0)
    worst = max(_places(ratio >= ratio.max() * (1 - 1e-12)), key=lambda index: _size(pair, index, relative))
    place = f"{name}[{', '.join(map(str, worst))}]" if worst else name
    moved, value = _as_float(_exactly(pair, worst)), float(distance.max())
    if gone:
        limit = _as_float(_allowed(pair, worst, radius, relative))
        far = repr(moved) if math.isfinite(moved) else "more than the largest double"
        detail = f"{place} moved by {far}, allowed {limit!r}; {gone} of {pair.old.size} weights left"
        return _Part(Check(title, Outcome.FAILED, detail), value)
    return _Part(Check(title, Outcome.PROVED, f"worst {place}, moved by {moved:.6g}"), value)


def _size(pair: _Pair, index: Index, relative: bool) -> Fraction:
    """How far a weight moved, or which share of its size; from 0, farther than any."""
    scale = abs(Fraction(float(pair.old[index]))) if relative else Fraction(1)
    return _exactly(pair, index) / (scale or Fraction(1, 2**2200))


def _ball(pairs: Mapping[str, _Pair], radius: float) -> tuple[Check, float]:
    """The sum of squares in integers: every double is a whole multiple of 2^-1074."""
    title = "all weights within the ball"
    total = Fraction(0)
    for name, pair in pairs.items():
        if pair.stray is not None and pair.stray.any():
            return Check(title, Outcome.FAILED, f"{_at(name, pair.stray)} is removed by the mask and not 0"), math.inf
        lost = ~np.isfinite(pair.new)
        if lost.any():
            return Check(title, Outcome.FAILED, f"{_at(name, lost)} is {pair.new[lost][0]}"), math.inf
        differs = pair.new != pair.old
        squares = sum(
            (int(Fraction(new) * 2**1074) - int(Fraction(old) * 2**1074)) ** 2
            for new, old in zip(pair.new[differs].tolist(), pair.old[differs].tolist(), strict=True)
        )
        total += Fraction(squares, 2**2148)
    inside, distance = total <= Fraction(radius) ** 2, _root(total)
    detail = f"distance {distance!r}, allowed {radius!r}"
    return Check(title, Outcome.PROVED if inside else Outcome.FAILED, detail), distance


def _origin(before: Arrays, drawn: Arrays) -> Check:
    title = "the starting weights are those of the stated seed and law"
    for name in drawn:
        if name not in before:
            return Check(title, Outcome.FAILED, f"{name} is missing")
    for name, values in before.items():
        mine, theirs = np.asarray(values), np.asarray(drawn[name]) if name in drawn else None
        if theirs is None or mine.dtype != theirs.dtype or mine.tobytes() != theirs.tobytes():
            return Check(title, Outcome.FAILED, f"{name} differs")
    return Check(title, Outcome.PROVED, f"{len(before)} tensors, bit for bit")


def _exactly(pair: _Pair, index: Index) -> Fraction:
    return abs(Fraction(float(pair.new[index])) - Fraction(float(pair.old[index])))


def _allowed(pair: _Pair, index: Index, radius: float, relative: bool) -> Fraction:
    return Fraction(radius) * (abs(Fraction(float(pair.old[index]))) if relative else 1)


def _places(where: NDArray[np.bool_]) -> list[Index]:
    return [tuple(int(i) for i in index) for index in np.argwhere(where)]


def _at(name: str, where: NDArray[np.bool_]) -> str:
    return f"{name}[{', '.join(map(str, _places(where)[0]))}]"


def _as_float(value: Fraction) -> float:
    """The nearest double; infinity beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _root(value: Fraction) -> float:
    """The square root as a double, up to its last bit."""
    top, bottom = value.numerator, value.denominator
    bits = max(0, 64 + (bottom.bit_length() - top.bit_length()) // 2)
    return _as_float(Fraction(math.isqrt((top << 2 * bits) // bottom), 1 << bits))
