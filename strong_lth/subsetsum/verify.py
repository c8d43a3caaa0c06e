"""Decide whether a solution is what it says, in exact rationals; no engine is trusted."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Certificate, Check, Floats, InputError, Outcome, Status
from strong_lth.subsetsum.batch import check_batch
from strong_lth.subsetsum.exact import nearest_double
from strong_lth.subsetsum.lists import list_entries
from strong_lth.subsetsum.problem import CODES, STATUSES, BatchSolution, Solution, SubsetSumProblem, check_size
from strong_lth.subsetsum.solve import solve, solve_by_numpy

METHOD = "exact rationals"


def verify(problem: SubsetSumProblem, solution: Solution, *, recheck: bool = False) -> Certificate:
    """Certify a solution of one problem.

    Proved or refuted exactly: keep is well formed, its size is respected, every |shift_i| <= perturbation_i and is 0 where not kept,
    every moved value is a double, the error is the correctly rounded |sum_S (x_i + y_i) - z|, and the status agrees with error and
    tol. That nothing better exists is NOT_RECHECKED, unless ``recheck`` asks for a second solve with the candidates in another order
    (another split) by the numpy engine where it can.

    >>> problem = SubsetSumProblem([0.5, -0.25, 0.125], target=0.35, tol=0.03)
    >>> certificate = verify(problem, solve(problem))
    >>> certificate.ok, certificate.value
    (True, 0.025000000000000022)
    """
    n = len(problem.candidates)
    keep, shift = np.asarray(solution.keep), np.asarray(solution.shift)
    form = _form(problem, keep, shift)
    if form:
        return Certificate("subset sum", (_check("keep and shift", False, form),), None, METHOD)
    signs = [int(s) for s in keep]
    x, y, e = (list(map(Fraction, v.tolist())) for v in (problem.candidates, shift, problem.perturbation))
    kept = [i for i in range(n) if signs[i]]
    exact = abs(sum((signs[i] * (x[i] + y[i]) for i in kept), -Fraction(problem.target)))
    rounded = nearest_double(exact)
    far = [i for i in range(n) if abs(y[i]) > e[i]]
    loose = [i for i in range(n) if not signs[i] and y[i]]
    odd = [i for i in kept if y[i] and not _is_double(x[i] + y[i]) and not _too_fine(x[i], e[i])]
    checks = [
        _check("keep and shift", True, f"{len(kept)} of {n} kept"),
        _check("size", problem.size in (None, len(kept)), f"{len(kept)} kept, {problem.size} asked"),
        _check("shift within perturbation", not far, _first("shift", far)),
        _check("shift zero where not kept", not loose, _first("shift", loose)),
        _check("moved values are doubles", not odd, _first("candidate", odd)),
        _check("error", rounded == solution.error, f"exact {rounded!r}, reported {solution.error!r}"),
        _check("status", _agrees(solution.status, exact <= Fraction(problem.tol)), solution.status.name),
        _optimality(problem, solution, recheck),
    ]
    return Certificate("subset sum", tuple(checks), rounded, METHOD)


def _form(problem: SubsetSumProblem, keep: NDArray[np.generic], shift: NDArray[np.generic]) -> str:
    """What is malformed, or nothing."""
    n = len(problem.candidates)
    if keep.shape != (n,) or shift.shape != (n,):
        return f"shapes {keep.shape} and {shift.shape}, not ({n},)"
    if keep.dtype.kind not in "bi" or not np.isin(keep, (-1, 0, 1) if problem.signed else (0, 1)).all():
        return "keep holds something else than " + ("-1, 0 and 1" if problem.signed else "True and False")
    if shift.dtype != np.float64 or not np.isfinite(shift).all():
        return "shift holds something else than finite doubles"
    return ""


def _check(name: str, holds: bool, detail: str = "") -> Check:
    return Check(name, Outcome.PROVED if holds else Outcome.FAILED, detail)


def _first(what: str, bad: list[int]) -> str:
    return f"{what} {bad[0]}" if bad else ""


def _is_double(value: Fraction) -> bool:
    rounded = nearest_double(value)
    return math.isfinite(rounded) and Fraction(rounded) == value


def _too_fine(x: Fraction, perturbation: Fraction) -> bool:
    """Whether x has digits below the last place of |x| + perturbation, so that no large move leaves a double."""
    return bool(x % Fraction(math.ulp(min(nearest_double(abs(x) + perturbation), sys.float_info.max))))


def _agrees(status: Status, within: bool) -> bool:
    """UNDECIDED may come with any error: a subset within tol need not be one with the fewest kept."""
    return status is Status.UNDECIDED or (status is Status.SOLVED) == within


def _optimality(problem: SubsetSumProblem, solution: Solution, recheck: bool) -> Check:
    """Whether nothing better exists: a second solve with the candidates reversed, so that the halves are others."""
    objective = solution.stats.get("objective", "nearest")
    if solution.status is Status.UNDECIDED or (solution.status is Status.SOLVED and objective != "fewest"):
        return Check("optimality", Outcome.NOT_RECHECKED, "not claimed")
    if not recheck:
        return Check("optimality", Outcome.NOT_RECHECKED, "ask with recheck=True")
    n = len(problem.candidates)
    turned = SubsetSumProblem(
        problem.candidates[::-1], problem.target, problem.tol, problem.perturbation[::-1], problem.size, problem.signed
    )
    second = (
        solve_by_numpy(turned, objective) if list_entries(n, problem.signed) <= 1 << 17 else solve(turned, objective)
    )
    if second.status is Status.UNDECIDED:
        return Check("optimality", Outcome.NOT_RECHECKED, "the second solve is undecided")
    if objective == "fewest" and solution.status is Status.SOLVED:
        same = np.count_nonzero(second.keep) == np.count_nonzero(solution.keep)
    else:
        slack = float(second.stats["resolution"])  # of the second solve: nothing the first one says about itself counts
        same = second.status is solution.status and abs(second.error - solution.error) <= slack
    return _check("optimality", bool(same), f"second solve: {second.status.name}, error {second.error!r}")


def verify_batch(
    candidates: ArrayLike,
    targets: ArrayLike,
    solution: BatchSolution,
    *,
    tol: ArrayLike = 0.0,
    perturbation: ArrayLike = 0.0,
    size: int | None = None,
    signed: bool = False,
) -> Certificate:
    """Certify every row of a batch: the checks of ``verify`` except optimality; details name the worst row, ``value`` is the largest error.

    >>> from strong_lth.subsetsum.batch import solve_batch
    >>> x, z = [0.5, -0.25, 0.125], [0.24, 0.6]
    >>> verify_batch(x, z, solve_batch(x, z, tol=0.02), tol=0.02).ok
    True
    """
    batch = check_batch(candidates, targets, tol, perturbation)
    count, n = len(batch.target), batch.candidates.shape[1]
    size = check_size(size, n)
    keep, shift, errors = np.asarray(solution.keep), np.asarray(solution.shift), np.asarray(solution.errors)
    statuses = np.asarray(solution.statuses)
    shaped = keep.shape == shift.shape == (count, n) and errors.shape == statuses.shape == (count,)
    kind = np.int8 if signed else np.bool_
    typed = (
        keep.dtype == kind
        and np.isin(keep, (-1, 0, 1)).all()
        and shift.dtype == np.float64
        and errors.dtype == np.float64
    )
    if not (shaped and typed and np.isfinite(shift).all() and np.isin(statuses, range(len(STATUSES))).all()):
        raise InputError(
            "solution",
            f"keep {keep.shape} {keep.dtype}, shift {shift.shape}",
            f"give arrays for {count} problems of {n}",
        )
    signs, keep = keep, keep != 0
    exact, within = _exact_errors(batch.candidates, batch.target, batch.tol, signs, shift)
    kept = np.count_nonzero(keep, axis=1)
    claimed = statuses != CODES[Status.UNDECIDED]
    far: NDArray[np.bool_] = np.abs(shift) > batch.perturbation
    wrong: NDArray[np.bool_] = exact != errors  # a NaN equals nothing
    loose = ~keep & (shift != 0)
    odd = (keep & (shift != 0)) & _moved_off_doubles(batch.candidates, shift, batch.perturbation)
    checks = (
        _rows_check("size", np.not_equal(kept, kept if size is None else size), kept.astype(np.float64)),
        _rows_check("shift within perturbation", far, np.abs(shift) - batch.perturbation),
        _rows_check("shift zero where not kept", loose, np.abs(shift)),
        _rows_check("moved values are doubles", odd, np.abs(shift)),
        _rows_check("error", wrong, np.abs(np.minimum(exact, sys.float_info.max) - errors)),
        _rows_check("status", claimed & ((statuses == CODES[Status.SOLVED]) != within), exact),
        Check("optimality", Outcome.NOT_RECHECKED, "verify one row with recheck=True"),
    )
    return Certificate(f"{count} subset sums", checks, float(exact.max(initial=0.0)), METHOD)


def _rows_check(name: str, bad: NDArray[np.bool_], weight: Floats) -> Check:
    if not bad.any():
        return _check(name, True, f"{len(bad)} rows")
    worst = int(np.argmax(np.where(bad, np.nan_to_num(weight, nan=np.inf), -np.inf))) // (bad.size // len(bad))
    rows = np.count_nonzero(bad.reshape(len(bad), -1).any(axis=1))
    return _check(name, False, f"{rows} of {len(bad)} rows, worst row {worst}")


def _moved_off_doubles(x: Floats, shift: Floats, perturbation: Floats) -> NDArray[np.bool_]:
    """Where x + shift is no double although x has no digit below the last place of |x| + perturbation."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = x + shift
        shadow = moved - x
        inexact = ((x - (moved - shadow)) + (shift - shadow)) != 0
        place = np.spacing(np.minimum(np.abs(x) + perturbation, 2.0**1023))
    return np.asarray(inexact & (np.fmod(x, place) == 0))


def _exact_errors(
    x: Floats, target: Floats, tol: Floats, signs: NDArray[np.generic], shift: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Correctly rounded errors, and whether the exact ones are <= tol: int64 where a row is exact there, else exact float sums."""
    factor = signs.astype(np.float64)
    parts = [factor * x, factor * shift, -target[:, None]]
    with np.errstate(over="ignore"):
        size = np.sum([np.abs(part).sum(axis=1) for part in parts], axis=0)
    whole = size < 2.0**1000  # beyond, a sum of doubles may be none
    p = np.minimum(60 - np.frexp(size)[1], 1074)[:, None]
    total = np.zeros(len(target), np.int64)
    tame = whole.copy()
    for part in parts:
        scaled = np.ldexp(part if tame.all() else np.where(tame[:, None], part, 0.0), p)
        whole &= (scaled == np.rint(scaled)).all(axis=1) & ((scaled != 0) == (part != 0)).all(axis=1)
        total += np.rint(scaled).astype(np.int64).sum(axis=1)
    errors = np.ldexp(np.abs(total).astype(np.float64), -p[:, 0])
    within = errors <= tol
    # equality of rounded numbers proves nothing unless the integer was exact as a double
    for row in np.flatnonzero(~whole | ((errors == tol) & (np.abs(total) >= 1 << 53))):
        terms = np.concatenate([part[row] for part in parts]).tolist()
        if not tame[row]:
            exact = abs(sum(map(Fraction, terms), Fraction(0)))
            errors[row], within[row] = nearest_double(exact), exact <= Fraction(float(tol[row]))
            continue
        errors[row] = abs(math.fsum(terms))
        if errors[row] == tol[row]:
            within[row] = abs(sum(map(Fraction, terms), Fraction(0))) <= Fraction(float(tol[row]))
        else:
            within[row] = errors[row] < tol[row]
    return errors, within
