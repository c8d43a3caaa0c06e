"""Doubles as int64 numbers of units 2^-q, with every rounding accounted for.

Each row of candidates gets the largest q with 2^q (sum |x_i| + sum e_i) < 2^60, so no sum overflows. Candidates and the ends of
their moves are multiples of ``GUARD`` = 4 units; a target is placed between them with two sticky bits, which keeps the order of all
distances to it. ``loss`` bounds, in units, how far rounding may have changed any subset's sum or reach: 0 when every input fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, InputError

Ints = NDArray[np.int64]
GUARD = 4
BOUND = 1 << 59  # in multiples of GUARD: targets beyond it are out of reach and are placed there


@dataclass(frozen=True)
class Grid:
    """Candidates in fixed point. G rows of n: ``values`` x, ``moves_low`` <= 0 <= ``moves_high`` the outermost moves, all in units 2^-q."""

    q: NDArray[np.int32]
    values: Ints
    moves_low: Ints
    moves_high: Ints
    exact: NDArray[np.bool_]  # (G,) every candidate lies on the grid
    loss: Ints  # (G,)

    @cached_property
    def low(self) -> Ints:
        """Low ends of the candidates' intervals, shape (G, n)."""
        return self.values + self.moves_low

    @cached_property
    def high(self) -> Ints:
        """High ends of the candidates' intervals, shape (G, n)."""
        return self.values + self.moves_high

    @property
    def resolution(self) -> Floats:
        """``loss`` as doubles, rounded up, shape (G,)."""
        loss = np.ldexp(self.loss.astype(np.float64), -self.q)
        return np.asarray(np.where(self.loss > 0, np.nextafter(loss, np.inf), 0.0))

    @cached_property
    def movable(self) -> bool:
        """Whether any candidate may move."""
        return bool(self.moves_low.any() or self.moves_high.any())

    def prefix(self, count: int) -> Grid:
        """The first candidates of each row, on the same grid."""
        return Grid(
            self.q, self.values[:, :count], self.moves_low[:, :count], self.moves_high[:, :count], self.exact, self.loss
        )

    def take(self, index: NDArray[np.intp]) -> Grid:
        """The given rows; a grid of one row serves every row."""
        if len(self.q) == 1:
            return self
        return Grid(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def to_grid(candidates: Floats, perturbation: Floats, first: int = 0) -> Grid:
    """Fixed point for candidates and perturbation of shape (G, n); ``first`` is what messages call row 0.

    InputError: sums overflow, or a candidate is too small to be seen beside the others.
    """
    with np.errstate(over="ignore"):
        total = np.abs(candidates).sum(axis=1) + perturbation.sum(axis=1)
    if not np.isfinite(total).all():
        raise InputError(
            "candidates",
            f"row {first + int(np.argmin(np.isfinite(total)))} whose sums overflow",
            "scale the problem down",
        )
    q = np.minimum(60 - np.frexp(total)[1], 1076).astype(np.int32)
    exponent = (q - 2)[:, None]
    with np.errstate(under="ignore"):
        scaled = np.rint(np.ldexp(candidates, exponent))
        lost = np.abs(candidates - np.ldexp(scaled, -exponent))
    vanished = (scaled == 0) & (candidates != 0)
    if vanished.any():
        row, column = np.argwhere(vanished)[0]
        raise InputError(
            "candidates",
            f"{float(candidates[row, column])!r} beside others {2.0**59:.0e} times larger (row {first + int(row)}, position {column})",
            "drop it or scale it up",
        )
    values = scaled.astype(np.int64) * GUARD
    loss = _units_up(lost, q)
    if perturbation.any():
        moves_high, moves_low = _outermost(np.stack([candidates, -candidates]), perturbation, exponent)
        moves_low = -moves_low
        inner = np.ldexp(np.minimum(moves_high, -moves_low).astype(np.float64), -q[:, None])
        loss = loss + _units_up(np.maximum(perturbation - inner, 0.0), q)
    else:
        moves_high = moves_low = np.broadcast_to(np.int64(0), values.shape)
    return Grid(q, values, moves_low, moves_high, ~lost.any(axis=1), loss)


def _units_up(parts: Floats, q: NDArray[np.int32]) -> Ints:
    """An upper bound on the row sums of ``parts`` in units 2^-q; exactly 0 for rows of zeros."""
    scaled = np.ldexp(parts, q[:, None]).sum(axis=1)
    return np.asarray(np.ceil(scaled * (1 + 1e-9)) + (parts.any(axis=1) & (scaled == 0)), dtype=np.int64)


def _outermost(candidates: Floats, perturbation: Floats, exponent: NDArray[np.int32]) -> Ints:
    """Units of the largest move y <= perturbation with x + y a double (y itself, where x has digits too fine for that)."""
    moved = candidates + perturbation
    moved = np.where(_sum_error(candidates, perturbation, moved) < 0, np.nextafter(moved, -np.inf), moved)
    move = moved - candidates
    inexact = _sum_error(moved, -candidates, move) != 0
    move = np.minimum(np.maximum(np.where(inexact, perturbation, move), 0.0), perturbation)
    with np.errstate(under="ignore"):
        return np.asarray(np.floor(np.ldexp(move, exponent)), dtype=np.int64) * GUARD


def _sum_error(a: Floats, b: Floats, rounded: Floats) -> Floats:
    """(a + b) - rounded, exactly, where rounded = fl(a + b) (Knuth's TwoSum)."""
    shadow = rounded - a
    return np.asarray((a - (rounded - shadow)) + (b - shadow))


def place(target: Floats, q: NDArray[np.int32]) -> Ints:
    """The target in units 2^-q, with two sticky bits: 4 floor(t) + 0, 1, 2 or 3 for a fraction of t = 2^(q-2) z that is 0, < 1/2, 1/2, > 1/2."""
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.minimum(np.ldexp(np.abs(target), q - 2), BOUND)
    whole = np.floor(scaled)
    part = scaled - whole
    code = (part > 0).astype(np.int64) + (part >= 0.5) + (part > 0.5)
    code += (scaled == 0) & (target != 0)
    placed = whole.astype(np.int64) * GUARD + code
    return np.asarray(np.where(target < 0, -placed, placed))


def window(target: Floats, tol: Floats, q: NDArray[np.int32]) -> tuple[Ints, Ints]:
    """The outermost multiples of GUARD inside [target - tol, target + tol], exactly (bottom > top when there is none)."""
    return -_floor_sum(-target, tol, q), _floor_sum(target, tol, q)


def _floor_sum(a: Floats, b: Floats, q: NDArray[np.int32]) -> Ints:
    """GUARD floor(2^(q-2) (a + b)), exactly, clipped to +-GUARD BOUND."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = a + b
        rest = np.where(np.isfinite(total), _sum_error(a, b, total), 0.0)
        scaled = np.clip(np.ldexp(total, q - 2), -BOUND, BOUND)
        scaled_rest = np.ldexp(rest, q - 2)
    whole = np.floor(scaled)
    # a fraction of ``total`` outweighs ``rest``; otherwise ``rest`` decides
    down = np.where((scaled_rest == 0) & (rest < 0), -1.0, np.floor(np.clip(scaled_rest, -BOUND, BOUND)))
    down = np.where((whole == scaled) & (np.abs(scaled) < BOUND), down, 0.0)
    vanished = (scaled == 0) & (total != 0)
    whole = np.where(vanished, np.where(total < 0, -1.0, 0.0), whole)
    down = np.where(vanished, 0.0, down)
    return np.asarray((whole.astype(np.int64) + down.astype(np.int64)) * GUARD)
