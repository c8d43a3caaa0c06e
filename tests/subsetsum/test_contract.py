"""Every engine, every problem of the zoo, every objective, against brute force in exact rationals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from subsetsum_zoo import sized_and_signed, zoo

from strong_lth.core import InputError, Outcome, Status
from strong_lth.subsetsum import Solution, SubsetSumProblem, brute_force, solve, solve_batch, verify, verify_batch
from strong_lth.subsetsum.solve import solve_by_numpy

ZOO = zoo()
VARIANTS = sized_and_signed()


def solve_in_batch(problem: SubsetSumProblem, objective: str) -> Solution:
    """The problem as the middle row of a batch of three."""
    x = np.vstack([problem.candidates[::-1], problem.candidates, problem.candidates])
    z = np.array([problem.target / 2, problem.target, problem.target / 3])
    e = np.vstack([problem.perturbation] * 3)
    batch = solve_batch(x, z, tol=problem.tol, perturbation=e, objective=objective)
    assert verify_batch(x, z, batch, tol=problem.tol, perturbation=e).ok
    stats = {"objective": objective, "resolution": batch.stats["resolution"][1]}
    return Solution(batch.status(1), batch.keep[1], batch.shift[1], float(batch.errors[1]), stats)


def solve_shared(problem: SubsetSumProblem, objective: str) -> Solution:
    """The problem as one of several targets of the same candidates."""
    z = np.array([problem.target / 2, problem.target / 3, problem.target])
    batch = solve_batch(problem.candidates, z, tol=problem.tol, perturbation=problem.perturbation, objective=objective)
    stats = {"objective": objective, "resolution": batch.stats["resolution"][2]}
    return Solution(batch.status(2), batch.keep[2], batch.shift[2], float(batch.errors[2]), stats)


ENGINES = {"single": solve, "numpy": solve_by_numpy, "batch": solve_in_batch, "shared": solve_shared}


def check(problem: SubsetSumProblem, solution: Solution, objective: str) -> None:
    truth = brute_force(problem)
    certificate = verify(problem, solution)
    assert certificate.ok, certificate.failures
    solvable = truth.least <= Fraction(problem.tol)
    assert (solution.status is Status.SOLVED) == solvable
    if objective == "nearest":
        assert solution.error == float(truth.least)
        assert solution.status in (Status.SOLVED, Status.OPTIMAL)
    elif not solvable:
        assert solution.status is Status.INFEASIBLE
    elif objective == "fewest":
        assert np.count_nonzero(solution.keep) == truth.fewest


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ZOO)
def test_engine_agrees_with_brute_force(name: str, engine: str, objective: str) -> None:
    check(ZOO[name], ENGINES[engine](ZOO[name], objective), objective)


@pytest.mark.parametrize("objective", ["nearest", "any"])
@pytest.mark.parametrize("name", VARIANTS)
def test_fixed_size_and_signs_agree_with_brute_force(name: str, objective: str) -> None:
    check(VARIANTS[name], solve(VARIANTS[name], objective), objective)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name.endswith("signed")])
def test_fewest_with_signs_agrees_with_brute_force(name: str) -> None:
    check(VARIANTS[name], solve(VARIANTS[name], "fewest"), "fewest")


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize("perturbation", [0.0, 1e-4, 0.1, [0.0, 0.3, 1e-9] * 3])
def test_inputs_that_fit_no_grid_are_bracketed(objective: str, perturbation: object) -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        problem = SubsetSumProblem(rng.normal(size=9), rng.normal(), 10.0 ** rng.uniform(-4, -1), perturbation)
        truth = brute_force(problem)
        solution = solve(problem, objective)
        assert verify(problem, solution).ok
        resolution = Fraction(solution.stats["resolution"])
        assert resolution < Fraction(1, 2**45)
        assert solution.status is not Status.UNDECIDED
        assert (solution.status is Status.SOLVED) == (truth.least <= Fraction(problem.tol))
        if objective == "nearest":
            assert truth.least <= Fraction(np.nextafter(solution.error, np.inf))
            assert Fraction(np.nextafter(solution.error, 0)) <= truth.least + resolution
        if objective == "fewest" and solution.status is Status.SOLVED:
            assert solution.keep.sum() == truth.fewest


def test_rounding_that_hides_the_answer_is_undecided() -> None:
    x = np.array([1.0 / 3, 1e10 / 3])  # the small one loses digits on the grid of the large one
    assert solve(SubsetSumProblem(x, 1.0 / 3)).status is Status.SOLVED
    off = SubsetSumProblem(x, np.nextafter(1.0 / 3, 1))
    for objective in ("nearest", "any", "fewest"):
        solution = solve(off, objective)
        assert solution.status is Status.UNDECIDED
        assert "tol" in solution.stats["note"]
        assert verify(off, solution).ok


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize(
    "name", ["plain", "plain with tol", "perturbed out of reach", "above every sum", "per candidate"]
)
def test_optimality_is_proved_by_a_second_solve(name: str, objective: str) -> None:
    solution = solve(ZOO[name], objective)
    claimed = solution.status is not Status.SOLVED or objective == "fewest"
    check = verify(ZOO[name], solution, recheck=True).checks[-1]
    assert check.name == "optimality"
    assert check.outcome is (Outcome.PROVED if claimed else Outcome.NOT_RECHECKED)


def test_fixed_size_with_fewest_is_refused() -> None:
    with pytest.raises(InputError, match="fewest"):
        solve(SubsetSumProblem([0.5, 0.25], 0.3, size=1), "fewest")


def awkward(rng: np.random.Generator) -> SubsetSumProblem:
    """Numbers chosen to fit no grid: wide spreads, decimal ties, huge moves, the ends of the exponent range."""
    n = int(rng.integers(1, 8))
    scale = 2.0 ** float(rng.choice([0, 0, 0, -1000, 900, -1060]))
    kinds = (rng.normal(size=n), rng.normal(size=n) * 10.0 ** rng.uniform(-8, 3, n), rng.integers(-3, 4, n) * 0.1)
    x = kinds[rng.integers(3)] * scale
    top = float(np.abs(x).max())
    e = float(rng.choice([0, 0, 1e-3, 0.1, 1e-12, 3])) * top * rng.uniform(0, 1, n)
    reached = float(x[rng.random(n) < 0.5].sum())
    z = [float(rng.normal()) * top, reached, 0.0, float(np.nextafter(reached, np.inf))][rng.integers(4)]
    return SubsetSumProblem(x, z, float(rng.choice([0, 1e-16, 1e-3, 0.1])) * top, e, signed=bool(rng.random() < 0.2))


@pytest.mark.parametrize("engine", [solve, solve_by_numpy])
def test_no_claim_is_false_on_awkward_numbers(engine: Callable[..., Solution]) -> None:
    rng = np.random.default_rng(123)
    decided = 0
    for _ in range(250):
        problem = awkward(rng)
        truth = brute_force(problem)
        for objective in ("nearest", "any", "fewest"):
            solution = engine(problem, objective)
            assert verify(problem, solution).ok
            decided += solution.status is not Status.UNDECIDED
            if solution.status is Status.SOLVED:
                assert truth.least <= Fraction(problem.tol)
                assert objective != "fewest" or np.count_nonzero(solution.keep) == truth.fewest
            elif solution.status is not Status.UNDECIDED:
                assert truth.least > Fraction(problem.tol)
            if solution.status is Status.OPTIMAL:
                hidden = Fraction(float(np.nextafter(solution.error, 0))) - Fraction(solution.stats["resolution"])
                assert hidden <= truth.least <= Fraction(float(np.nextafter(solution.error, np.inf)))
    assert decided > 700


@pytest.mark.parametrize("engine", [solve, solve_by_numpy])
def test_a_target_between_the_sums_of_moved_doubles_is_undecided(engine: Callable[..., Solution]) -> None:
    """A real move reaches the target, no double move does: neither OPTIMAL nor INFEASIBLE."""
    problem = SubsetSumProblem([0.3], -0.2378787235785361, 0.0, 0.9)
    assert brute_force(problem).least == 0
    for objective in ("nearest", "any", "fewest"):
        solution = engine(problem, objective)
        assert solution.status is Status.UNDECIDED
        assert solution.error == 2.0**-55
        assert "tol" in solution.stats["note"]
        assert verify(problem, solution).ok
        assert engine(replace(problem, tol=1e-15), objective).status is Status.SOLVED


@pytest.mark.parametrize("perturbation", [1e-4, 1e-2, 0.3])
def test_decimal_targets_are_reached_exactly(perturbation: float) -> None:
    """0.1 has digits below the grid of the sums, and below most moved values: one finer move takes them."""
    rng = np.random.default_rng(9)
    x, z = rng.uniform(-1, 1, (150, 24)), np.tile(np.arange(-7, 8) / 10, 10)
    batch = solve_batch(x, z, perturbation=perturbation)
    assert verify_batch(x, z, batch, perturbation=perturbation).ok
    assert batch.solved.all()
    assert not batch.errors.any()
    for row in range(0, 150, 25):
        one = solve(SubsetSumProblem(x[row], z[row], perturbation=perturbation))
        assert np.array_equal(one.keep, batch.keep[row])
        assert np.array_equal(one.shift, batch.shift[row])


def test_readme_call() -> None:
    rng = np.random.default_rng(0)
    problem = SubsetSumProblem(rng.uniform(-1, 1, 24), target=0.3, perturbation=1e-4)
    solution = solve(problem)
    assert solution.status is Status.SOLVED
    assert solution.error == 0.0
    assert verify(problem, solution).ok
