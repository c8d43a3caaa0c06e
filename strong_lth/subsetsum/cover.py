"""All targets at once: which of them a set of candidates reaches, and how far the worst of them stays away. Exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import BudgetError, Floats, InputError
from strong_lth.subsetsum.fixedpoint import GUARD, Ints, to_grid
from strong_lth.subsetsum.problem import check_budget, numbers, scalar, spread

COVER_BUDGET = 1 << 27  # intervals of 16 bytes: 2 GiB
FAR = 1 << 62


@dataclass(frozen=True)
class WorstTarget:
    """The target of a window that the candidates miss by most: the target, its exact least error correctly rounded, and how much the
    rounding of inputs that fit no common grid may have changed that error (0 when all fit).
    """

    target: float
    error: float
    resolution: float


def covering_radius(
    candidates: ArrayLike,
    window: tuple[float, float] = (-1.0, 1.0),
    *,
    perturbation: ArrayLike = 0.0,
    budget: int = COVER_BUDGET,
) -> float:
    """The supremum over targets z in the window of the least error of z: sup_z min_S max(0, |sum_S x_i - z| - sum_S perturbation_i).

    Exact and correctly rounded where candidates, perturbation and window fit a common grid of 60 bits (uniform draws do); see ``worst_target``
    for the rest. Random candidates are feasible up to about n = 32. budget: intervals of 16 bytes held at once. InputError for malformed
    input, BudgetError (before the memory is taken) when the budget would be exceeded: ask ``covers`` for one tol instead.

    >>> covering_radius([0.5, 0.25, 0.125], window=(0, 1))
    0.125
    """
    return worst_target(candidates, window, perturbation=perturbation, budget=budget).error


def worst_target(
    candidates: ArrayLike,
    window: tuple[float, float] = (-1.0, 1.0),
    *,
    perturbation: ArrayLike = 0.0,
    budget: int = COVER_BUDGET,
) -> WorstTarget:
    """The target of the window with the largest least error. Arguments and errors as for ``covering_radius``.

    >>> worst_target([0.5, 0.25, 0.125], window=(0, 0.9))
    WorstTarget(target=0.0625, error=0.0625, resolution=0.0)
    """
    scene = _Scene.of(candidates, perturbation, window, 0.0, budget)
    bottom, top = scene.round(scene.window[0]), scene.round(scene.window[1])
    r = 0 if (scene.low < scene.high).any() else _starting_radius(scene)
    width = top - bottom
    margin = max(width // 2, 8 * r)
    while True:
        lo, hi = scene.union(r, (bottom - margin, top + margin))
        twice, at = (2 * (bottom), 2 * bottom) if not len(lo) else _gap(lo, hi, r, bottom, top)
        if not len(lo) or twice > 2 * margin:  # sums outside the margin may be nearer than those inside
            margin = FAR
        elif twice < 0 and r > 0:
            r //= 2
        else:
            break
    unit = Fraction(2) ** -scene.q
    inexact = scene.hidden + sum(scene.units(end).denominator != 1 for end in scene.window)
    resolution = float(inexact * unit)
    return WorstTarget(
        target=float(Fraction(at, 2) * unit) if twice > 0 else scene.window[0],
        error=float(Fraction(max(twice, 0), 2) * unit),
        resolution=math.nextafter(resolution, math.inf) if inexact else 0.0,
    )


def covers(
    candidates: ArrayLike,
    tol: float,
    perturbation: ArrayLike = 0.0,
    window: tuple[float, float] = (-1.0, 1.0),
    *,
    budget: int = COVER_BUDGET,
) -> bool:
    """Whether every target of the window has a subset within tol, candidate i moving by at most perturbation_i.

    True is proved. False means that some target has none, or none that rounding of inputs that fit no grid leaves certain (targets
    within a part in 2^-50 of tol). Thousands of candidates are fine: the work is n (sum |x_i|) / tol. Errors as for ``covering_radius``.

    >>> covers([0.5, 0.25, 0.125], 0.07, window=(0, 0.9)), covers([0.5, 0.25, 0.125], 0.06, window=(0, 0.9))
    (True, False)
    """
    scene = _Scene.of(candidates, perturbation, window, tol, budget)
    r = math.floor(scene.units(scene.tol)) - scene.unsure
    if r < 0:
        return False
    bottom, top = math.floor(scene.units(scene.window[0])), math.ceil(scene.units(scene.window[1]))
    lo, hi = scene.union(r, (bottom, top))
    at = int(np.searchsorted(hi, top))
    return bool(at < len(lo) and lo[at] <= bottom)


def covered_set(
    candidates: ArrayLike,
    tol: float,
    perturbation: ArrayLike = 0.0,
    window: tuple[float, float] | None = None,
    *,
    budget: int = COVER_BUDGET,
) -> Floats:
    """The targets with a subset within tol as disjoint closed intervals, ascending: rows (low, high), shape (K, 2).

    ``window`` cuts them; None gives them all. Ends are exact where they are doubles and inputs fit the grid, and else rounded inward: every
    target inside is proved to be covered. Errors as for ``covering_radius``.

    >>> covered_set([0.5, 0.25], 0.1)
    array([[-0.1 ,  0.1 ],
           [ 0.15,  0.35],
           [ 0.4 ,  0.6 ],
           [ 0.65,  0.85]])
    """
    scene = _Scene.of(candidates, perturbation, (0.0, 0.0) if window is None else window, tol, budget)
    r = math.floor(scene.units(scene.tol)) - scene.unsure
    if r < 0:
        return np.empty((0, 2))
    if window is None:
        lo, hi = scene.union(r, (-FAR, FAR))
    else:
        bottom, top = math.ceil(scene.units(scene.window[0])), math.floor(scene.units(scene.window[1]))
        lo, hi = scene.union(r, (bottom, top))
        met = (hi >= bottom) & (lo <= top)
        lo, hi = np.maximum(lo[met], bottom), np.minimum(hi[met], top)
    ends = np.stack([_double(lo, up=True), _double(hi, up=False)], axis=1)
    return np.asarray(np.ldexp(ends[ends[:, 0] <= ends[:, 1]], -scene.q))


@dataclass(frozen=True)
class _Scene:
    """Checked arguments in units 2^-q: the ends of the candidates' intervals, inside the true ones up to ``unsure`` for all sums together;
    ``hidden`` bounds what rounding did to any sum or reach.
    """

    low: Ints
    high: Ints
    q: int
    hidden: int
    unsure: int
    window: tuple[float, float]
    tol: float
    budget: int

    @classmethod
    def of(cls, candidates: ArrayLike, perturbation: ArrayLike, window: Any, tol: float, budget: int) -> _Scene:
        x = numbers("candidates", candidates)
        if x.ndim != 1 or x.size == 0:
            raise InputError("candidates", f"shape {x.shape}", "give at least one number in a one-dimensional array")
        ends = numbers("window", window)
        if ends.shape != (2,) or ends[0] > ends[1]:
            raise InputError("window", window, "give its two ends (low, high), low <= high")
        tol = scalar("tol", tol, least=0.0)
        e = spread("perturbation", perturbation, x.shape)
        pad = float(abs(ends[0])) + float(abs(ends[1])) + tol
        if not math.isfinite(pad):
            raise InputError("window", window, "scale the problem down: its sums overflow")
        room = math.ldexp(1.0, math.frexp(pad)[1]) if pad else 0.0
        grid = to_grid(np.append(x, room)[None, :], np.append(e, 0.0)[None, :])
        order = np.argsort(
            -np.abs(x), kind="stable"
        )  # long steps first: what later ones cannot bring back is dropped early
        values, moves_low, moves_high = (
            np.ascontiguousarray(part[0, order]) for part in (grid.values, grid.moves_low, grid.moves_high)
        )
        off = np.ldexp(values.astype(np.float64), -grid.q[0]) != x[order]
        shrunk = (
            off & (moves_low <= -GUARD) & (moves_high >= GUARD)
        )  # inside the true interval, wherever x was rounded to
        hidden = int(grid.loss[0]) + 2 * GUARD * int(shrunk.sum())
        return cls(
            low=values + moves_low + GUARD * shrunk,
            high=values + moves_high - GUARD * shrunk,
            q=int(grid.q[0]),
            hidden=hidden,
            unsure=GUARD * int((off & ~shrunk).sum()),
            window=(float(ends[0]), float(ends[1])),
            tol=tol,
            budget=check_budget(budget),
        )

    def units(self, value: float) -> Fraction:
        return Fraction(value) * Fraction(2) ** self.q

    def round(self, value: float) -> int:
        return round(self.units(value))

    def union(self, r: int, keep: tuple[int, int]) -> tuple[Ints, Ints]:
        """U_n started from [-r, r], at least where it meets ``keep``."""
        from strong_lth.subsetsum.kernels_cover import cover

        falls, rises = _still_to_come(np.minimum(self.low, 0)), _still_to_come(np.maximum(self.high, 0))
        size = min(1 << max(12, min(len(self.low) - 3, 24)), self.budget // 4)  # touched only where needed
        lo, hi, out_lo, out_hi = (np.empty(size, np.int64) for _ in range(4))
        lo[0], hi[0] = -r, r
        done, count = 0, 1
        while True:
            done, count, swapped = cover(self.low, self.high, falls, rises, *keep, done, count, lo, hi, out_lo, out_hi)
            if swapped:
                lo, hi, out_lo, out_hi = out_lo, out_hi, lo, hi
            if done == len(self.low):
                return lo[:count], hi[:count]
            size = 8 * count
            if 6 * count > self.budget:
                raise BudgetError(
                    f"covering: {count} intervals after {done} of {len(self.low)} candidates, {6 * count * 16 >> 20} MiB needed for the next and "
                    f"{self.budget * 16 >> 20} MiB allowed; raise budget or tol, or give fewer candidates"
                )
            size = min(size, self.budget - 4 * count) if size + 4 * count > self.budget else size
            out_lo, out_hi = np.empty(size, np.int64), np.empty(size, np.int64)
            lo, hi = _moved(lo, size, count), _moved(hi, size, count)


def _still_to_come(steps: Ints) -> Ints:
    """Sums of the entries behind each position."""
    return np.ascontiguousarray(np.append(np.cumsum(steps[::-1])[::-1][1:], 0))


def _moved(array: Ints, size: int, count: int) -> Ints:
    larger = np.empty(size, np.int64)
    larger[:count] = array[:count]
    return larger


def _gap(lo: Ints, hi: Ints, r: int, bottom: int, top: int) -> tuple[int, int]:
    from strong_lth.subsetsum.kernels_cover import widest_gap

    return widest_gap(lo, hi, len(lo), r, bottom, top)  # type: ignore[no-any-return]


def _starting_radius(scene: _Scene) -> int:
    """Half the radius to expect if the sums were normal: max over z of ln(d w / 8) / (2 d), d their density, w the width of the window."""
    x = np.ldexp(scene.low.astype(np.float64), -scene.q)
    mean, deviation = x.sum() / 2, math.sqrt(float((x**2).sum())) / 2
    low, high = scene.window
    if deviation == 0 or low == high:
        return 0
    z = np.linspace(low, high, 65)
    log_density = (
        len(x) * math.log(2) - ((z - mean) / deviation) ** 2 / 2 - math.log(deviation * math.sqrt(2 * math.pi))
    )
    log_count = np.maximum(log_density + math.log(high - low) - math.log(8), 1.0)
    radius = float(np.exp(np.minimum((np.log(log_count) - log_density).max(), 700.0))) / 2
    return int(scene.units(min(radius / 2, (high - low) / 8)))


def _double(values: Ints, up: bool) -> Floats:
    """Integers below 2^61 as doubles, rounded up or down."""
    rounded: NDArray[np.float64] = values.astype(np.float64)
    back = rounded.astype(np.int64)
    wrong = back < values if up else back > values
    return np.asarray(np.where(wrong, np.nextafter(rounded, np.inf if up else -np.inf), rounded))
