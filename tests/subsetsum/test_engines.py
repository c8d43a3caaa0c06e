"""One contract for all engines: in every mode that an engine serves its error is that of brute force in integers, and its subset is verified.

The subset itself is not compared: several may be as near. Candidates, targets and perturbations are whole numbers of a unit; brute force adds all
2^n (3^n with signs) of them in int64.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
import skips

from strong_lth.core import Status
from strong_lth.subsetsum import (
    Solution,
    SubsetSumProblem,
    solve,
    solve_batch,
    solve_vectors,
    verify,
    verify_batch,
    verify_vectors,
)
from strong_lth.subsetsum.solve import solve_by_numpy

ROWS = 60
UNIT = 2.0**-40


@dataclass(frozen=True)
class Mode:
    """What is asked besides candidates and targets; ``moves``: none, one for all candidates, or one each."""

    objective: str
    moves: str
    size: bool
    signed: bool

    def __str__(self) -> str:
        parts = [self.objective, self.moves, "size" * self.size, "signed" * self.signed]
        return "-".join(part for part in parts if part)


MODES = [
    Mode(*choice)
    for choice in product(("nearest", "any", "fewest"), ("", "move", "moves"), (False, True), (False, True))
    if not (choice[0] == "fewest" and choice[2])
]

Ints = np.ndarray


@dataclass(frozen=True)
class Batch:
    """Rows of whole numbers: x, e (B, n), z (B,), tol, and the size asked for."""

    x: Ints
    e: Ints
    z: Ints
    tol: int
    mode: Mode

    @property
    def size(self) -> int | None:
        return self.x.shape[1] // 2 if self.mode.size else None

    def truth(self) -> tuple[Ints, Ints]:
        """Least error and fewest kept within tol (n + 1: none) of every row, by enumeration."""
        sums = reach = np.zeros((len(self.x), 1), np.int64)
        kept = np.zeros(1, np.int64)
        for x, e in zip(self.x.T[:, :, None], self.e.T[:, :, None], strict=True):
            ways = (0, 1, -1) if self.mode.signed else (0, 1)
            sums = np.concatenate([sums + way * x for way in ways], axis=1)
            reach = np.concatenate([reach + abs(way) * e for way in ways], axis=1)
            kept = np.concatenate([kept + abs(way) for way in ways])
        error = np.maximum(np.abs(sums - self.z[:, None]) - reach, 0)
        if self.size is not None:
            error = error[:, kept == self.size]
            kept = kept[kept == self.size]
        least = np.where(error <= self.tol, kept, self.x.shape[1] + 1).min(axis=1)
        return error.min(axis=1), least

    def problem(self, row: int, unit: float) -> SubsetSumProblem:
        return SubsetSumProblem(
            self.x[row] * unit, self.z[row] * unit, self.tol * unit, self.e[row] * unit, self.size, self.mode.signed
        )


def batches(mode: Mode) -> Iterator[Batch]:
    """Random and adversarial rows of one mode."""
    for number, n in enumerate((1, 2, 3, 5, 6 if mode.signed else 9, 7 if mode.signed else 14)):
        rng = np.random.default_rng([number, *map(ord, str(mode))])
        x = rng.integers(-(2**40), 2**40, (ROWS, n))
        z = rng.integers(-(2**41), 2**41, ROWS)
        x[1::12] = rng.integers(-2, 3, x[1::12].shape)  # ties, zeros and duplicates
        z[1::12] = rng.integers(-5, 6, z[1::12].shape)
        x[2::12] = x[2::12, :1]
        x[3::12] = 0
        x[4::12] = -np.abs(x[4::12])
        z[5::12] = rng.choice([-(2**46), 2**46], z[5::12].shape)  # beyond every sum
        x[6::12] = rng.choice([-1, 1, 2**43, -(2**43), 3], x[6::12].shape)  # tiny beside huge
        z[7::12] = (x[7::12] * rng.integers(0, 2, x[7::12].shape)).sum(axis=1)  # reached
        z[8::12] = (x[8::12] * rng.integers(0, 2, x[8::12].shape)).sum(axis=1) + 1
        z[9::12] = 0
        e = np.zeros((ROWS, n), np.int64)
        if mode.moves == "move":
            e[:] = rng.choice([1, 2**20, 2**36])
        elif mode.moves == "moves":
            e = rng.integers(0, 2**36, (ROWS, n)) * rng.integers(0, 2, (ROWS, n))
        yield Batch(x, e, z, int(rng.choice([0, 1, 2**20, 2**34])), mode)


Engine = Callable[[Batch, float], Iterator[tuple[int, Solution]]]


def by_batch(batch: Batch, unit: float, **options: object) -> Iterator[tuple[int, Solution]]:
    """``solve_batch`` on all rows at once."""
    x, z, e = batch.x * unit, batch.z * unit, batch.e * unit
    kind = {"tol": batch.tol * unit, "perturbation": e, "size": batch.size, "signed": batch.mode.signed}
    answer = solve_batch(x, z, objective=batch.mode.objective, **kind, **options)
    certificate = verify_batch(x, z, answer, **kind)
    assert certificate.ok, certificate.failures
    for row in range(len(z)):
        yield row, Solution(answer.status(row), answer.keep[row], answer.shift[row], float(answer.errors[row]))


def shared(batch: Batch, unit: float) -> Iterator[tuple[int, Solution]]:
    """``solve_batch`` with the candidates of one row for its own target and for others."""
    for row in range(0, ROWS, 7):
        kind = {"tol": batch.tol * unit, "perturbation": batch.e[row] * unit, "size": batch.size}
        z = np.array([0.5, 1, -2]) * batch.z[row] * unit
        answer = solve_batch(batch.x[row] * unit, z, objective=batch.mode.objective, signed=batch.mode.signed, **kind)
        yield row, Solution(answer.status(1), answer.keep[1], answer.shift[1], float(answer.errors[1]))


def one_by_one(solver: Callable[..., Solution], step: int) -> Engine:
    def run(batch: Batch, unit: float) -> Iterator[tuple[int, Solution]]:
        for row in range(0, ROWS, step):
            yield row, solver(batch.problem(row, unit), batch.mode.objective)

    return run


def vectors(batch: Batch, unit: float) -> Iterator[tuple[int, Solution]]:
    """``solve_vectors`` in one dimension, and in three equal coordinates."""
    for row in range(0, ROWS, 5):
        d = 1 if row % 2 else 3
        x, z = np.repeat(batch.x[row][:, None], d, axis=1) * unit, np.full(d, batch.z[row] * unit)
        kind = {"tol": batch.tol * unit, "perturbation": batch.e[row] * unit, "size": batch.size}
        answer = solve_vectors(x, z, **kind)
        assert verify_vectors(x, z, answer, **kind).ok
        yield row, Solution(answer.status, answer.keep, answer.shift[:, 0], answer.error)


def anything(mode: Mode) -> bool:
    return True


ENGINES: dict[str, tuple[Engine, Callable[[Mode], bool]]] = {
    "batch": (by_batch, anything),
    "batch in threads": (lambda batch, unit: by_batch(batch, unit, workers=3), anything),
    "shared candidates": (shared, anything),
    "single": (one_by_one(solve, 5), anything),
    "numpy": (one_by_one(solve_by_numpy, 9), anything),
    "torch": (
        lambda batch, unit: by_batch(batch, unit, device="torch"),
        lambda mode: not (mode.moves or mode.size or mode.signed) and mode.objective != "fewest",
    ),
    "vectors": (vectors, lambda mode: mode.objective == "nearest" and not mode.signed),
}


@pytest.mark.parametrize(
    ("engine", "mode"),
    [(name, mode) for name, (_, serves) in ENGINES.items() for mode in MODES if serves(mode)],
    ids=str,
)
def test_engine_equals_brute_force_in_integers(engine: str, mode: Mode) -> None:
    run, _ = ENGINES[engine]
    for number, batch in enumerate(batches(mode)):
        least, fewest = batch.truth()
        unit = (UNIT, 2.0**-1000, 2.0**900)[number % 3]
        for row, solution in run(batch, unit):
            certificate = verify(batch.problem(row, unit), solution)
            assert certificate.ok, certificate.failures
            within = least[row] <= batch.tol
            if mode.objective == "nearest":
                assert solution.error == least[row] * unit
                assert solution.status is (Status.SOLVED if within else Status.OPTIMAL)
            else:
                assert solution.status is (Status.SOLVED if within else Status.INFEASIBLE)
            if mode.objective == "fewest" and within:
                assert np.count_nonzero(solution.keep) == fewest[row]


@pytest.mark.skipif(importlib.util.find_spec("cvxpy") is None, reason=skips.NO_CVXPY)
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_mixed_integer_programming_equals_brute_force_up_to_its_tolerance(mode: Mode) -> None:
    from strong_lth.subsetsum.solvers.milp import solve_by_milp

    batch = list(batches(mode))[3]
    least, fewest = batch.truth()
    for row in (0, 2, 7):
        problem = batch.problem(row, UNIT)
        solution = solve_by_milp(problem, mode.objective)
        assert verify(problem, solution).ok
        if solution.status is Status.SOLVED:
            assert least[row] <= batch.tol
        if solution.status is Status.INFEASIBLE:
            assert least[row] > batch.tol
        if mode.objective == "nearest":
            assert abs(solution.error - least[row] * UNIT) <= 1e-5 * np.abs(problem.candidates).sum()
        if mode.objective == "fewest" and solution.status is Status.SOLVED:
            assert np.count_nonzero(solution.keep) == fewest[row]


def test_the_contract_notices_a_wrong_engine() -> None:
    """Drill: an engine that stops one candidate short is refused by the comparison that all others pass."""
    mode = Mode("nearest", "", False, False)
    wrong = 0
    for batch in batches(mode):
        least, _ = batch.truth()
        part = Batch(batch.x[:, 1:], batch.e[:, 1:], batch.z, batch.tol, mode)
        if part.x.shape[1]:
            errors = np.array([solution.error for _, solution in by_batch(part, UNIT)])
            assert (errors >= least * UNIT).all()
            wrong += np.count_nonzero(errors != least * UNIT)
    assert wrong > ROWS
