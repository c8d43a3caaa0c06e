"""Sums of vectors: one subset has to serve d equations at once, as one kept neuron serves all its weights.

Exact for d <= 9 and n up to about 34. What is out of reach is accuracy, not time: the sums of n vectors in d dimensions are spread over a box, so
the least error to expect is about n^(1/2) 2^(-n/d). Nine equations and n = 28 give 0.3; an error of 1e-3 in nine dimensions asks for a
hundred candidates, which no exact method searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Certificate, Check, Floats, InputError, Outcome, Status
from strong_lth.subsetsum.batch import undecided_note
from strong_lth.subsetsum.exact import choose_moves, evaluate
from strong_lth.subsetsum.fixedpoint import Ints, place, to_grid
from strong_lth.subsetsum.problem import (
    Solution,
    SubsetSumProblem,
    check_budget,
    check_size,
    frozen,
    numbers,
    scalar,
    spread,
)
from strong_lth.subsetsum.verify import METHOD, verify

DIMENSIONS = 9
VECTOR_BUDGET = 1 << 28  # bytes of sums held at once
FLAT = 3  # up to so many coordinates a window in the first one is narrow enough


@dataclass(frozen=True, eq=False)
class VectorSolution:
    """``keep`` (n,) bool, ``shift`` (n, d) moves, ``error`` the correctly rounded max over the coordinates of |sum_S (x_i + y_i) - z|."""

    status: Status
    keep: NDArray[np.bool_]
    shift: Floats
    error: float
    stats: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keep", frozen(self.keep))
        object.__setattr__(self, "shift", frozen(self.shift))
        object.__setattr__(self, "stats", MappingProxyType(dict(self.stats)))


def solve_vectors(
    candidates: ArrayLike,
    target: ArrayLike,
    *,
    tol: float = 0.0,
    perturbation: ArrayLike = 0.0,
    size: int | None = None,
    budget: int = VECTOR_BUDGET,
) -> VectorSolution:
    """The subset of n vectors whose sum is nearest to a target vector in the sup norm, exactly.

    Out of reach: small errors in many dimensions. 2^n sums fill d coordinates, so the least error of random candidates is of the order of 2^(-n/d), and both
    halves of the sums must be held: with the default budget n = 44 at d = 1 and n = 40 at d = 9, where 2^(-n/d) is 0.05. No setting changes that.

    candidates: (n, d), d <= 9. target: (d,). perturbation: a number or one per candidate; every coordinate of a kept candidate may move by as
    much. size: keep exactly so many. budget: bytes. Statuses as for ``solve`` with "nearest". InputError for malformed input and for
    sums beyond the budget.

    >>> solution = solve_vectors([[0.5, 0.25], [0.25, -0.5], [0.125, 0.125]], [0.6, 0.4])
    >>> solution.status.name, solution.keep, solution.error
    ('OPTIMAL', array([ True, False,  True]), 0.025000000000000022)
    """
    x, z = numbers("candidates", candidates), numbers("target", target)
    if x.ndim != 2 or not x.size or x.shape[1] > DIMENSIONS:
        raise InputError("candidates", f"shape {x.shape}", f"give shape (n, d) with d <= {DIMENSIONS}")
    n, d = x.shape
    if z.shape != (d,):
        raise InputError("target", f"shape {z.shape}", f"give one number per coordinate, shape ({d},)")
    size = check_size(size, n)
    tol, e = scalar("tol", tol, least=0.0), spread("perturbation", perturbation, (n,))
    need = 2 * 8 * (d + 2) << ((n + 1) // 2)
    if need > check_budget(budget):
        memory = f"{need >> 20} MiB" if n < 100 else f"2^{need.bit_length() - 21} MiB"
        remedy = f"give fewer, or budget={need}" if n < 100 else "give fewer"
        raise InputError("candidates", f"{n} vectors whose sums take {memory}", remedy)
    grid = to_grid(x.T, np.broadcast_to(e, (d, n)))
    spot = place(z, grid.q)
    keep, apart, doubt = _nearest(x, e, z, -1 if size is None else size)
    signs = np.broadcast_to(keep, (d, n))
    moves = choose_moves(grid, signs, spot) if grid.movable else None
    errors, shift, within = evaluate(grid, np.ascontiguousarray(x.T), z, np.full(d, tol), signs, moves)
    error = float(errors.max())
    resolution = float(grid.resolution.max()) + doubt
    # an error above ``apart``: real moves come nearer than moves that are doubles, of this subset or perhaps of another
    least = error - resolution > tol and (not grid.movable or error - resolution <= apart)
    proved = Status.OPTIMAL if least else Status.UNDECIDED
    status = Status.SOLVED if within.all() else proved
    stats: dict[str, Any] = {"objective": "nearest", "resolution": resolution}
    stats["engine"] = "window scan" if d <= FLAT else "k-d tree"
    if status is Status.UNDECIDED:
        stats["note"] = undecided_note(n, budget, 0, 1, error)
    return VectorSolution(status, keep, np.zeros((n, d)) if shift is None else shift.T, error, stats)


def _nearest(x: Floats, e: Floats, z: Floats, size: int) -> tuple[NDArray[np.bool_], float, float]:
    """The best subset on a grid common to all coordinates, its error with real moves there, and how much that grid's rounding may hide."""
    from strong_lth.subsetsum.kernels_vectors import scan

    n, d = x.shape
    with np.errstate(over="ignore"):
        largest = float((np.abs(x).sum(axis=0) + e.sum() + np.abs(z)).max())
    if not np.isfinite(largest):
        raise InputError("candidates", "sums, or distances to the target, that overflow", "scale the problem down")
    q = min(58 - int(np.frexp(largest)[1]), 1000)
    values, reach, spot = (np.rint(np.ldexp(v, q)).astype(np.int64) for v in (x, e, z))
    exact = all((np.ldexp(i.astype(np.float64), -q) == v).all() for i, v in ((values, x), (reach, e), (spot, z)))
    left, right = _sums(values[: n // 2], reach[: n // 2]), _sums(values[n // 2 :], reach[n // 2 :])
    if d > FLAT and (e == e[0]).all():
        apart, i, j = _by_tree(left, right, spot, size)
    else:
        order = np.argsort(right[0][:, 0], kind="stable")
        apart, i, at = scan(
            *left, *(np.ascontiguousarray(part[order]) for part in right), spot, size, int(right[1].max())
        )
        j = int(order[at])
    bits = [(i >> k) & 1 for k in range(n // 2)] + [(j >> k) & 1 for k in range(n - n // 2)]
    hidden = 0.0 if exact else float(np.ldexp(2.0 * n + 2, -q))
    return np.array(bits, np.bool_), float(np.ldexp(float(apart), -q)), hidden


Sums = tuple[Ints, Ints, Ints]


def _sums(values: Ints, reach: Ints) -> Sums:
    """Sums (2^h, d), reaches and sizes (2^h,) of all subsets of h vectors."""
    from strong_lth.subsetsum.kernels_vectors import vector_sums

    h, d = values.shape
    sums, reaches, sizes = np.empty((1 << h, d), np.int64), np.empty(1 << h, np.int64), np.empty(1 << h, np.int64)
    vector_sums(np.ascontiguousarray(values), np.ascontiguousarray(reach), sums, reaches, sizes)
    return sums, reaches, sizes


def _by_tree(left: Sums, right: Sums, spot: Ints, size: int) -> tuple[int, int, int]:
    """The least distance and the pair by nearest neighbours: a tree per number kept, where that number matters, and exact integers in the end.

    The tree works in doubles, so it only proposes: everything within rounding of its best is compared in integers.
    """
    from scipy.spatial import cKDTree

    matters = size >= 0 or bool(right[1].any())
    classes = (
        [np.flatnonzero(right[2] == c) for c in range(int(right[2].max()) + 1)]
        if matters
        else [np.arange(len(right[0]))]
    )
    trees = [
        cKDTree(right[0][members].astype(np.float64), balanced_tree=False, compact_nodes=False) for members in classes
    ]
    wanted = (spot - left[0]).astype(np.float64)
    slack = float(np.abs(right[0]).max() + np.abs(wanted).max()) * 2.0**-50 + 1
    best = np.inf  # least distance beyond the reaches, in doubles
    finalists: list[tuple[int, int, int]] = []
    for settle in (False, True):
        for c, (members, tree) in enumerate(zip(classes, trees, strict=True)):
            rows = np.flatnonzero(left[2] == size - c) if size >= 0 else np.arange(len(wanted))
            reach = left[1] + int(right[1][members[0]])
            for start in range(0, len(rows), 4096):
                part = rows[start : start + 4096]
                most = float(reach[part].max())
                if not settle:
                    bound = best + most + slack
                    distance, _ = tree.query(wanted[part], p=np.inf, distance_upper_bound=bound)
                    best = min(best, max(0.0, float((distance - reach[part]).min())))
                    continue
                radius = best + reach[part] + 2 * slack
                for row, met in zip(part, tree.query_ball_point(wanted[part], radius, p=np.inf), strict=True):
                    pairs = members[np.asarray(met, dtype=np.intp)]
                    apart = np.abs(right[0][pairs] + left[0][row] - spot).max(axis=1) - reach[row]
                    if len(pairs):
                        k = int(np.argmin(apart))
                        finalists.append((max(0, int(apart[k])), int(row), int(pairs[k])))
                if finalists and min(finalists)[0] == 0:
                    return min(finalists)
    return min(finalists)


def verify_vectors(
    candidates: ArrayLike,
    target: ArrayLike,
    solution: VectorSolution,
    *,
    tol: float = 0.0,
    perturbation: ArrayLike = 0.0,
    size: int | None = None,
) -> Certificate:
    """Certify a solution exactly: every coordinate as ``verify`` does, the error as their largest, and the status. Optimality is not re-checked.

    >>> x, z = [[0.5, 0.25], [0.25, -0.5]], [0.6, 0.4]
    >>> verify_vectors(x, z, solve_vectors(x, z)).ok
    True
    """
    x, z = numbers("candidates", candidates), numbers("target", target)
    keep, shift = np.asarray(solution.keep), np.asarray(solution.shift)
    if x.ndim != 2 or keep.shape != x.shape[:1] or shift.shape != x.shape or keep.dtype != np.bool_:
        bad = Check("keep and shift", Outcome.FAILED, f"shapes {keep.shape} and {shift.shape} for candidates {x.shape}")
        return Certificate("vector subset sum", (bad,), None, METHOD)
    exact, checks = Fraction(0), []
    for k in range(x.shape[1]):
        problem = SubsetSumProblem(x[:, k], float(z[k]), tol, perturbation, size)
        terms = [*x[keep, k].tolist(), *shift[keep, k].tolist(), -float(z[k])]
        error = abs(fsum(terms))
        parts = verify(problem, Solution(Status.UNDECIDED, keep, shift[:, k], error)).checks
        checks += [
            Check(f"coordinate {k}: {c.name}", c.outcome, c.detail)
            for c in parts
            if c.name not in ("status", "optimality")
        ]
        exact = max(exact, abs(sum(map(Fraction, terms), Fraction(0))))
    within = exact <= Fraction(tol)
    agrees = solution.status is Status.UNDECIDED or (solution.status is Status.SOLVED) == within
    for name, holds in (("error", float(exact) == solution.error), ("status", agrees)):
        checks.append(Check(name, Outcome.PROVED if holds else Outcome.FAILED, f"exact {float(exact)!r}"))
    checks.append(Check("optimality", Outcome.NOT_RECHECKED))
    return Certificate("vector subset sum", tuple(checks), float(exact), METHOD)
