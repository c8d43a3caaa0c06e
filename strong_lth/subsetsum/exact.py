"""From a chosen subset to its moves and its exact error: integers where everything fits the grid, exact float sums elsewhere."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats
from strong_lth.subsetsum.fixedpoint import BOUND, GUARD, Grid, Ints, place

POLISH = 10  # errors within so many binary places of the unit may be the rounding of moves


def choose_moves(grid: Grid, signs: NDArray[Any], spot: Ints) -> Ints:
    """Moves (B, n) in units 2^-q that bring the sum of each row's kept candidates as near to its target as they can.

    ``signs`` (B, n) is 0 or +-1, ``spot`` (B,) the placed target. One pass from the coarsest moved value to the finest: each takes what
    it may of the remaining distance, rounded so that x + y stays a double, and leaves the rest to finer ones.
    """
    signs = signs.astype(np.int64)
    values = np.broadcast_to(grid.values, signs.shape)
    low = np.where(signs == 0, 0, np.minimum(signs * grid.moves_low, signs * grid.moves_high))
    high = np.where(signs == 0, 0, np.maximum(signs * grid.moves_low, signs * grid.moves_high))
    rest = spot - (signs * values).sum(axis=1)
    rest -= np.sign(rest) * (np.abs(rest) % GUARD)
    moves = np.zeros_like(values)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    rows = np.arange(len(spot))
    for column in order.T:
        sign = signs[rows, column]
        least, most = low[rows, column], high[rows, column]
        wanted = np.clip(rest, least, most)
        x = sign * values[rows, column]
        move = _toward(x, x + wanted) - x
        move = np.where((move < 0) != (wanted < 0), 0, move)
        move = np.sign(move) * _leading(np.abs(move))
        move = np.where((wanted == least) | (wanted == most), wanted, move)  # the ends are admissible as they are
        moves[rows, column] = sign * move
        rest -= move
    return moves


def _leading(magnitude: Ints) -> Ints:
    """The 53 leading bits of nonnegative integers below 2^60."""
    drop = np.maximum(np.frexp(magnitude.astype(np.float64))[1] - 53, 0).astype(np.int64)
    return np.asarray((magnitude >> drop) << drop)


def _toward(start: Ints, end: Ints) -> Ints:
    """The number of at most 53 bits nearest to ``end`` on the side of ``start``, which has at most 53 bits."""
    size = np.abs(end)
    drop = np.maximum(np.frexp(size.astype(np.float64))[1] - 53, 0).astype(np.int64)
    floor = (size >> drop) << drop
    outward = (end >= 0) == (end >= start)  # moving away from zero: round toward zero, else away from it
    rounded = np.where(outward | (floor == size), floor, floor + (np.int64(1) << drop))
    return np.asarray(np.where(end < 0, -rounded, rounded))


def evaluate(
    grid: Grid,
    candidates: Floats,
    target: Floats,
    tol: Floats,
    signs: NDArray[Any],
    moves: Ints | None,
    spot: Ints | None = None,
) -> tuple[Floats, Floats | None, NDArray[np.bool_]]:
    """Correctly rounded errors (B,), the moves as doubles (B, n), and whether the exact error is <= tol (B,). ``spot``: the placed
    targets, where they are known already.
    """
    total = (signs * grid.values).sum(axis=1, dtype=np.int64)
    shift = None
    if moves is not None:
        shift = np.ldexp(moves.astype(np.float64), -grid.q[:, None])
        total += (signs * moves).sum(axis=1, dtype=np.int64)
    spot = place(target, grid.q) if spot is None else spot
    with np.errstate(over="ignore"):
        placed = np.ldexp(target, grid.q)
    fits = (placed == np.rint(placed)) & (np.abs(placed) < GUARD * BOUND) & ((placed != 0) | (target == 0))
    fits &= grid.exact
    errors = np.ldexp(np.abs(total - spot).astype(np.float64), -grid.q)
    within = errors <= tol
    # a rounded error equal to tol says nothing about the exact one; neither does one of a target off the grid
    x = np.broadcast_to(candidates, signs.shape)
    unsure = ~fits | ((errors == tol) & (np.abs(total - spot) >= 1 << 53))
    for row in np.flatnonzero(unsure):
        kept = np.flatnonzero(signs[row])
        terms = [float(s) * v for s, v in zip(signs[row, kept].tolist(), x[row, kept].tolist(), strict=True)]
        if shift is not None:
            terms += [float(s) * v for s, v in zip(signs[row, kept].tolist(), shift[row, kept].tolist(), strict=True)]
        errors[row], within[row] = sum_error(terms, float(target[row]), float(tol[row]))
    if shift is not None:
        for row in np.flatnonzero(~within & (errors - tol <= np.ldexp(1.0, POLISH - grid.q))):
            g = min(int(row), len(grid.q) - 1)
            low, high = (np.ldexp(part[g].astype(np.float64), -grid.q[g]) for part in (grid.moves_low, grid.moves_high))
            better = polish(x[row], shift[row], signs[row], low, high, float(target[row]), float(tol[row]))
            if better is not None:
                place_at, move, errors[row] = better
                shift[row, place_at], within[row] = move, True
    return errors, shift, within


def polish(
    x: Floats, shift: Floats, signs: NDArray[Any], low: Floats, high: Floats, target: float, tol: float
) -> tuple[int, float, float] | None:
    """One move of a row changed so that the exact error is at most tol, finer than any grid: (candidate, its move, the error), or None.

    The finest moved value that stays a double, with a move that is one between its ends, takes what is missing.

    >>> x, still = np.array([0.5, -0.25]), np.zeros(2)
    >>> polish(x, still, np.array([1, 1]), still - 0.1, still + 0.1, 0.25 + 2.0**-54, 0.0)
    (1, 5.551115123125783e-17, 0.0)
    """
    kept = np.flatnonzero(signs)
    kept = kept[np.argsort(np.abs(x[kept] + shift[kept]), kind="stable")].tolist()
    parts = [(i, float(signs[i]), float(x[i]), float(shift[i])) for i in kept]
    terms = [sign * a for _, sign, a, _ in parts] + [sign * y for _, sign, _, y in parts]
    for at, (i, sign, a, _) in enumerate(parts, len(parts)):
        others = terms[:at] + terms[at + 1 :]
        missing = [sign * target, *(-sign * term for term in others)]  # what this move should be, as an exact sum
        for move in (math.fsum(missing), math.fsum([a, *missing]) - a):
            if not low[i] <= move <= high[i] or math.fsum([a, move, -(a + move)]) != 0:
                continue
            error, within = sum_error([*others, sign * move], target, tol)
            if within:
                return i, move, error
    return None


def nearest_double(value: Fraction) -> float:
    """The correctly rounded double, infinite where the value lies beyond all of them.

    >>> nearest_double(Fraction(1, 3)), nearest_double(Fraction(10) ** 400)
    (0.3333333333333333, inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def sum_error(terms: list[float], target: float, tol: float) -> tuple[float, bool]:
    """The correctly rounded |sum terms - target|, and whether the exact one is <= tol.

    >>> sum_error([0.5, 2.0**-80], 0.5, 0.0)
    (8.271806125530277e-25, False)
    """
    error = abs(math.fsum([*terms, -target]))
    if error != tol or error == 0:
        return (
            error,
            error <= tol,
        )  # rounding is monotone, and a sum of doubles that is not 0 is at least the least of them
    exact = abs(sum(map(Fraction, terms), -Fraction(target)))
    return error, exact <= Fraction(tol)
