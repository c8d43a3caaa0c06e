"""``verify_perturbation``: whether weights stayed within their perturbation, decided in exact rationals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Certificate, Check, InputError, Outcome
from strong_lth.networks.mask import Mask
from strong_lth.projection import check_radius

Arrays = Mapping[str, ArrayLike]


def verify_perturbation(
    before: Arrays,
    after: Arrays,
    perturbation: float | Mapping[str, float],
    *,
    shape: Literal["box", "relative", "ball"] = "box",
    mask: Mask | None = None,
    drawn: Arrays | None = None,
) -> Certificate:
    """Decide |w - w_0| <= eps for every weight ("box"), |w - w_0| <= eps |w_0| ("relative") or ||w - w_0||_2 <= eps over all of them ("ball"), in exact rationals.

    ``before`` and ``after``: float arrays by name. ``perturbation``: eps as the double that is given, or one per tensor. ``mask``: only kept weights are compared, removed ones must be 0.
    ``drawn``: what the stated seed and law draw; ``before`` must be that, bit for bit. One check per tensor names its worst weight; ``value`` is the largest distance.

    Raises InputError for other names or shapes on the two sides, weights that are not floats, and a negative or NaN perturbation.

    >>> w0 = {"a": np.array([0.5, 1.0])}
    >>> verify_perturbation(w0, {"a": np.array([0.5, 1.125])}, 0.125).ok
    True
    >>> verify_perturbation(w0, {"a": np.array([0.5, 1.125])}, 0.124).failures[0].detail
    'a[1] moved by 0.125, allowed 0.124; 1 of 2 weights left'
    """
    pairs = {name: _pair(name, old, after) for name, old in before.items()}
    for name in after:
        if name not in before:
            raise InputError("after", f"a tensor {name} that before lacks", "compare two states of one network")
    radii = perturbation if isinstance(perturbation, Mapping) else dict.fromkeys(pairs, perturbation)
    for name in radii:
        check_radius(radii[name])
    if set(radii) != set(pairs) or (shape == "ball" and len(set(radii.values())) > 1):
        raise InputError(
            "perturbation",
            f"one number for each of {', '.join(radii)}",
            "give one number, or one per tensor (never for the ball)",
        )
    if mask is not None:
        pairs = {name: _masked(pair, mask.tensors.get(name)) for name, pair in pairs.items()}
    checks = [] if drawn is None else [_origin(before, drawn)]
    if shape == "ball":
        radius = next(iter(radii.values()))
        found, value = _ball(pairs, radius)
        checks.append(found)
    else:
        parts = [_box(name, pair, radii[name], shape == "relative") for name, pair in pairs.items()]
        checks += [part.check for part in parts]
        value = max((part.distance for part in parts), default=0.0)
    size = perturbation if not isinstance(perturbation, Mapping) else dict(perturbation)
    return Certificate(f"every weight within {shape} {size} of its start", tuple(checks), value, "exact rationals")


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
    if first.dtype.kind != "f" or second.dtype.kind != "f":
        raise InputError(name, f"{first.dtype} and {second.dtype}", "give float arrays")
    if first.shape != second.shape:
        raise InputError(name, f"shapes {first.shape} and {second.shape}", "compare two states of one network")
    if not np.all(np.isfinite(first)):
        raise InputError("before", f"a weight of {name} that is not finite", "give finite weights")
    return _Pair(first.astype(np.float64), second.astype(np.float64))


def _masked(pair: _Pair, keep: NDArray[np.bool_] | None) -> _Pair:
    if keep is None:
        return pair
    return _Pair(pair.old, np.where(keep, pair.new, pair.old), ~keep & (pair.new != 0))


def _box(name: str, pair: _Pair, radius: float, relative: bool) -> _Part:
    """The largest |new - old| (relative: largest share of what is allowed), exactly where doubles do not decide."""
    title = f"{name}: every weight within its box"
    if pair.stray is not None and pair.stray.any():
        return _Part(Check(title, Outcome.FAILED, f"{_at(name, pair.stray)} is removed by the mask and not 0"), 0.0)
    lost = ~np.isfinite(pair.new)
    if lost.any():
        return _Part(Check(title, Outcome.FAILED, f"{_at(name, lost)} is {pair.new[lost][0]}"), float("inf"))
    with np.errstate(over="ignore"):
        distance = np.abs(pair.new - pair.old)
        allowed = radius * np.abs(pair.old) if relative else np.full(pair.old.shape, float(radius))
    gone = 0
    for index in zip(*np.nonzero((distance > 0) & (distance >= allowed * (1 - 1e-12))), strict=True):
        gone += _exactly(pair, index) > _allowed(pair, index, radius, relative)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(distance > 0, distance / allowed, 0.0) if relative else distance
    worst = _largest(pair, ratio, relative)
    if worst is None:
        return _Part(Check(title, Outcome.PROVED, "nothing moved"), 0.0)
    moved, limit = float(_exactly(pair, worst)), float(_allowed(pair, worst, radius, relative))
    place = f"{name}[{', '.join(str(int(i)) for i in worst)}]" if worst else name
    if gone:
        detail = f"{place} moved by {moved!r}, allowed {limit!r}; {gone} of {pair.old.size} weights left"
        return _Part(Check(title, Outcome.FAILED, detail), float(distance.max()))
    return _Part(Check(title, Outcome.PROVED, f"worst {place}, moved by {moved:.6g}"), float(distance.max()))


def _largest(pair: _Pair, ratio: NDArray[np.float64], relative: bool) -> tuple[Any, ...] | None:
    """Index of the worst weight, ties of the doubles decided exactly; None if nothing moved."""
    top = ratio.max(initial=0.0)
    if top == 0:
        return None
    close = list(zip(*np.nonzero(ratio >= top * (1 - 1e-12)), strict=True))

    def size(index: tuple[Any, ...]) -> Fraction:
        scale = abs(Fraction(float(pair.old[index]))) if relative else Fraction(1)
        return _exactly(pair, index) / (scale or Fraction(1, 2**1100))

    return max(close, key=size)


def _ball(pairs: Mapping[str, _Pair], radius: float) -> tuple[Check, float]:
    """The sum of squares in integers: every double is a whole multiple of 2^-1074."""
    title = "all weights within the ball"
    total = Fraction(0)
    for name, pair in pairs.items():
        lost = ~np.isfinite(pair.new)
        if pair.stray is not None:
            lost |= pair.stray
        if lost.any():
            return Check(title, Outcome.FAILED, f"{_at(name, lost)} is {pair.new[lost][0]}"), float("inf")
        moved = np.nonzero(pair.new != pair.old)
        squares = sum(
            (int(Fraction(new) * 2**1074) - int(Fraction(old) * 2**1074)) ** 2
            for new, old in zip(pair.new[moved].tolist(), pair.old[moved].tolist(), strict=True)
        )
        total += Fraction(squares, 2**2148)
    distance = float(total) ** 0.5
    inside = total <= Fraction(radius) ** 2
    return Check(
        title, Outcome.PROVED if inside else Outcome.FAILED, f"distance {distance!r}, allowed {radius!r}"
    ), distance


def _origin(before: Arrays, drawn: Arrays) -> Check:
    title = "the starting weights are those of the stated seed and law"
    for name, values in before.items():
        mine, theirs = np.asarray(values), np.asarray(drawn[name]) if name in drawn else None
        if theirs is None or mine.dtype != theirs.dtype or mine.tobytes() != theirs.tobytes():
            return Check(title, Outcome.FAILED, f"{name} differs")
    return Check(title, Outcome.PROVED, f"{len(before)} tensors, bit for bit")


def _exactly(pair: _Pair, index: tuple[Any, ...]) -> Fraction:
    return abs(Fraction(float(pair.new[index])) - Fraction(float(pair.old[index])))


def _allowed(pair: _Pair, index: tuple[Any, ...], radius: float, relative: bool) -> Fraction:
    return Fraction(radius) * (abs(Fraction(float(pair.old[index]))) if relative else 1)


def _at(name: str, where: NDArray[np.bool_]) -> str:
    return f"{name}[{', '.join(str(int(i)) for i in np.argwhere(where)[0])}]"
