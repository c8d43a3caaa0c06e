"""Planted faults that the verifiers must refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from strong_lth.core import Status
from strong_lth.subsetsum import BatchSolution, Solution, SubsetSumProblem, solve, solve_batch, verify, verify_batch

STEP = 2.0**-40
X = np.random.default_rng(1).integers(-(2**40), 2**40, 12) * STEP
PROBLEM = SubsetSumProblem(X, 0.3, 1e-9, 2.0**-10)
SOLUTION = solve(PROBLEM, "fewest")
KEPT = int(np.flatnonzero(SOLUTION.shift)[0])
LOST = int(np.flatnonzero(~SOLUTION.keep)[0])


def flip(array: np.ndarray, index: int) -> np.ndarray:
    copy = array.copy()
    copy[index] = not copy[index]
    return copy


def put(array: np.ndarray, index: int, value: float) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


FAULTS: dict[str, Callable[[Solution], Solution]] = {
    "a kept bit removed": lambda s: replace(s, keep=flip(s.keep, KEPT)),
    "a bit added": lambda s: replace(s, keep=flip(s.keep, LOST)),
    "a shift beyond the perturbation by 2^-40": lambda s: replace(s, shift=put(s.shift, KEPT, 2.0**-10 + STEP)),
    "a shift where nothing is kept": lambda s: replace(s, shift=put(s.shift, LOST, STEP)),
    "a shift changed within its bound": lambda s: replace(s, shift=put(s.shift, KEPT, s.shift[KEPT] / 2)),
    "a shift that leaves no double": lambda s: replace(s, shift=put(s.shift, KEPT, s.shift[KEPT] + 2.0**-62)),
    "a wrong error": lambda s: replace(s, error=s.error + 1e-12),
    "an error off by its last digit": lambda s: replace(s, error=float(np.nextafter(s.error, 1))),
    "optimal claimed": lambda s: replace(s, status=Status.OPTIMAL),
    "infeasible claimed": lambda s: replace(s, status=Status.INFEASIBLE),
    "a shift that is not a number": lambda s: replace(s, shift=put(s.shift, KEPT, np.nan)),
    "a keep of another length": lambda s: replace(s, keep=s.keep[:-1]),
    "a sign in an unsigned problem": lambda s: replace(s, keep=-s.keep.astype(np.int8)),
}


def test_the_untouched_solution_passes() -> None:
    assert SOLUTION.status is Status.SOLVED
    certificate = verify(PROBLEM, SOLUTION, recheck=True)
    assert certificate.ok, certificate.failures


@pytest.mark.parametrize("fault", FAULTS)
def test_verify_refuses(fault: str) -> None:
    assert not verify(PROBLEM, FAULTS[fault](SOLUTION)).ok


def test_verify_refuses_solved_above_tol() -> None:
    problem = SubsetSumProblem(X, 0.3, 1e-9)
    solution = solve(problem)
    assert solution.status is Status.OPTIMAL
    assert not verify(problem, replace(solution, status=Status.SOLVED)).ok


def test_verify_refuses_another_size() -> None:
    problem = SubsetSumProblem(X, 0.3, size=4)
    assert verify(problem, solve(problem)).ok
    assert not verify(SubsetSumProblem(X, 0.3, size=5), solve(problem)).ok


def test_recheck_refuses_a_subset_that_is_not_the_best() -> None:
    problem = SubsetSumProblem(X, 0.3, 1e-9)
    keep = np.zeros(12, np.bool_)
    claim = Solution(Status.OPTIMAL, keep, np.zeros(12), 0.3, {"objective": "nearest"})
    assert verify(problem, claim).ok  # every statement about this subset is true
    assert not verify(problem, claim, recheck=True).ok


def test_recheck_refuses_a_needlessly_large_subset() -> None:
    problem = SubsetSumProblem([0.5, 0.25, 0.25], 0.5)
    claim = Solution(Status.SOLVED, np.array([False, True, True]), np.zeros(3), 0.0, {"objective": "fewest"})
    assert verify(problem, claim).ok
    assert not verify(problem, claim, recheck=True).ok


BATCH_X = np.random.default_rng(2).integers(-(2**40), 2**40, (50, 9)) * STEP
BATCH_Z = np.random.default_rng(3).uniform(-1, 1, 50)
BATCH = solve_batch(BATCH_X, BATCH_Z, tol=1e-3, perturbation=2.0**-10)
ROW = int(np.argmax((BATCH.shift != 0).any(axis=1)))
COLUMN = int(np.argmax(BATCH.shift[ROW] != 0))


def changed(name: str, index: tuple[int, ...] | int, value: float) -> BatchSolution:
    array = getattr(BATCH, name).copy()
    array[index] = value
    return replace(BATCH, **{name: array})


BATCH_FAULTS = {
    "a kept bit": changed("keep", (ROW, COLUMN), False),
    "a shift beyond the perturbation by 2^-40": changed("shift", (ROW, COLUMN), 2.0**-10 + STEP),
    "a shift beyond below": changed("shift", (ROW, COLUMN), -(2.0**-10) - STEP),
    "an error": changed("errors", ROW, float(np.nextafter(BATCH.errors[ROW], 1))),
    "a status": changed("statuses", ROW, (BATCH.statuses[ROW] + 1) % 3),
}


@pytest.mark.parametrize("fault", BATCH_FAULTS)
def test_verify_batch_refuses_and_names_the_row(fault: str) -> None:
    assert verify_batch(BATCH_X, BATCH_Z, BATCH, tol=1e-3, perturbation=2.0**-10).ok
    certificate = verify_batch(BATCH_X, BATCH_Z, BATCH_FAULTS[fault], tol=1e-3, perturbation=2.0**-10)
    assert not certificate.ok
    assert f"worst row {ROW}" in certificate.failures[0].detail


@pytest.mark.parametrize("error", [0.0, 8.0, np.inf, np.nan])
def test_sums_beyond_the_doubles_are_never_called_near(error: float) -> None:
    """Both kept: the sum is 2e308. Integers of 2^-q overflowed here, and a NaN was compared with ``>``."""
    x = np.array([[1e308, 1e308]])
    claim = BatchSolution(np.zeros(1, np.int8), np.ones((1, 2), np.bool_), np.zeros((1, 2)), np.array([error]))
    assert claim.status(0) is Status.SOLVED
    certificate = verify_batch(x, [0.0], claim, tol=10.0)
    assert "status" in [check.name for check in certificate.failures]
    assert ("error" in [check.name for check in certificate.failures]) == (error != np.inf)
    one = Solution(Status.SOLVED, np.ones(2, np.bool_), np.zeros(2), error)
    assert not verify(SubsetSumProblem(x[0], 0.0, 10.0), one).ok


def test_verify_batch_refuses_an_error_that_is_no_number() -> None:
    certificate = verify_batch(BATCH_X, BATCH_Z, changed("errors", ROW, np.nan), tol=1e-3, perturbation=2.0**-10)
    assert [check.name for check in certificate.failures] == ["error"]


def test_a_move_beyond_the_doubles_is_refused() -> None:
    top = float(np.finfo(np.float64).max)
    problem = SubsetSumProblem([top], 0.0, perturbation=top)
    solution = Solution(Status.OPTIMAL, np.array([True]), np.array([top]), np.inf)
    names = ["moved values are doubles"]
    assert [check.name for check in verify(problem, solution).failures] == names
    batch = BatchSolution(np.ones(1, np.int8), np.ones((1, 1), np.bool_), np.full((1, 1), top), np.array([np.inf]))
    assert [check.name for check in verify_batch([[top]], [0.0], batch, perturbation=top).failures] == names


SIGNED_KIND = {"tol": 1e-3, "perturbation": 2.0**-10, "size": 4, "signed": True}
SIGNED = solve_batch(BATCH_X, BATCH_Z, **SIGNED_KIND)


def test_verify_batch_refuses_another_size_and_a_turned_sign() -> None:
    assert verify_batch(BATCH_X, BATCH_Z, SIGNED, **SIGNED_KIND).ok
    other = verify_batch(BATCH_X, BATCH_Z, SIGNED, **(SIGNED_KIND | {"size": 5}))
    assert [check.name for check in other.failures] == ["size"]
    turned = SIGNED.keep.copy()
    turned[ROW] *= -1
    certificate = verify_batch(BATCH_X, BATCH_Z, replace(SIGNED, keep=turned), **SIGNED_KIND)
    assert "error" in [check.name for check in certificate.failures]
    added = SIGNED.keep.copy()
    added[ROW, np.flatnonzero(added[ROW] == 0)[0]] = 1
    assert not verify_batch(BATCH_X, BATCH_Z, replace(SIGNED, keep=added), **SIGNED_KIND).ok
