"""What must hold for every problem: symmetries, monotonicity, one answer however it is asked for."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strong_lth.core import Status
from strong_lth.subsetsum import (
    SubsetSumProblem,
    brute_force,
    needed_candidates,
    solve,
    solve_batch,
    verify,
    verify_batch,
)
from strong_lth.subsetsum.threads import in_order

GRID = 2.0**-40
quick = settings(max_examples=60, deadline=None, derandomize=True)
grid_numbers = st.integers(-(2**40), 2**40).map(lambda k: k * GRID)
moves = st.sampled_from([0.0, 2.0**-12, 2.0**-8, 2.0**-5])


@st.composite
def problems(draw: st.DrawFn) -> SubsetSumProblem:
    x = draw(st.lists(grid_numbers, min_size=1, max_size=10))
    e = draw(st.one_of(moves, st.lists(moves, min_size=len(x), max_size=len(x))))
    target = draw(st.one_of(grid_numbers, st.floats(-3, 3, allow_nan=False)))
    return SubsetSumProblem(x, target, draw(st.sampled_from([0.0, 1e-3, 0.05])), e)


@quick
@given(problems(), st.sampled_from(["nearest", "any", "fewest"]))
def test_verified_and_equal_to_brute_force(problem: SubsetSumProblem, objective: str) -> None:
    solution, truth = solve(problem, objective), brute_force(problem)
    assert verify(problem, solution).ok
    if solution.status is Status.UNDECIDED:  # the target lies between the doubles that moved values can be
        assert abs(solution.error - problem.tol) <= 2.0**-45
    else:
        assert (solution.status is Status.SOLVED) == (truth.least <= problem.tol)
        assert objective != "nearest" or abs(solution.error - float(truth.least)) <= 2.0**-50
        assert objective != "fewest" or truth.fewest in (None, np.count_nonzero(solution.keep))


@quick
@given(problems(), st.randoms(use_true_random=False))
def test_order_of_candidates_does_not_matter(problem: SubsetSumProblem, random: object) -> None:
    order = list(range(len(problem.candidates)))
    random.shuffle(order)
    other = SubsetSumProblem(problem.candidates[order], problem.target, problem.tol, problem.perturbation[order])
    assert abs(solve(other).error - solve(problem).error) <= 2.0**-50


@quick
@given(problems(), st.sampled_from(["nearest", "any", "fewest"]))
def test_turning_all_signs_turns_nothing_else(problem: SubsetSumProblem, objective: str) -> None:
    other = SubsetSumProblem(-problem.candidates, -problem.target, problem.tol, problem.perturbation)
    a, b = solve(problem, objective), solve(other, objective)
    assert a.status is b.status
    if objective == "nearest":
        assert abs(a.error - b.error) <= 2.0**-50
    if objective == "fewest" and a.status is Status.SOLVED:
        assert a.keep.sum() == b.keep.sum()


@quick
@given(problems(), grid_numbers, moves)
def test_another_candidate_never_hurts(problem: SubsetSumProblem, x: float, e: float) -> None:
    more = SubsetSumProblem([*problem.candidates, x], problem.target, problem.tol, [*problem.perturbation, e])
    assert solve(more).error <= solve(problem).error + 2.0**-50


@quick
@given(problems(), st.floats(1, 4), st.floats(0, 0.1))
def test_larger_tol_or_perturbation_never_hurts(problem: SubsetSumProblem, factor: float, extra: float) -> None:
    base = solve(problem, "fewest")
    for tol, e in ((problem.tol * factor + extra, problem.perturbation), (problem.tol, problem.perturbation + extra)):
        wider = solve(SubsetSumProblem(problem.candidates, problem.target, tol, e), "fewest")
        if base.status is Status.SOLVED and wider.status is not Status.UNDECIDED:
            assert wider.status is Status.SOLVED
            assert wider.keep.sum() <= base.keep.sum()
    wider = solve(SubsetSumProblem(problem.candidates, problem.target, 0.0, problem.perturbation + extra))
    assert wider.error <= solve(problem).error + 2.0**-50


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize("perturbation", [0.0, 1e-3])
def test_a_batch_is_its_rows_whatever_the_workers(objective: str, perturbation: float) -> None:
    rng = np.random.default_rng(2)
    x, z = rng.integers(-(2**40), 2**40, (1500, 12)) * GRID, rng.uniform(-2, 2, 1500)
    options = {"tol": 3e-3, "perturbation": perturbation, "objective": objective}
    seen: list[tuple[int, int]] = []
    one = solve_batch(x, z, workers=1, progress=lambda done, total: seen.append((done, total)), **options)
    two = solve_batch(x, z, workers=2, **options)
    for name in ("statuses", "keep", "shift", "errors"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert seen[-1] == (1500, 1500)
    assert seen == sorted(seen)
    assert verify_batch(x, z, one, tol=3e-3, perturbation=perturbation).ok
    for row in range(0, 1500, 100):
        single = solve(SubsetSumProblem(x[row], z[row], 3e-3, perturbation), objective)
        assert single.status is one.status(row)
        assert single.error == one.errors[row]
        assert np.array_equal(single.keep, one.keep[row])
        assert np.array_equal(single.shift, one.shift[row])


def test_a_batch_worked_on_in_parts_is_its_rows() -> None:
    """Beyond 20 candidates a chunk is answered in parts whose length follows the clock: no answer does."""
    rng = np.random.default_rng(12)
    x, z = rng.uniform(-1, 1, (90, 26)), rng.uniform(-1, 1, 90)
    one, three = (solve_batch(x, z, tol=1e-4, objective="any", workers=w) for w in (1, 3))
    for name in ("statuses", "keep", "errors"):
        assert np.array_equal(getattr(one, name), getattr(three, name)), name
    for row in range(0, 90, 11):
        single = solve(SubsetSumProblem(x[row], z[row], 1e-4), "any")
        assert single.error == one.errors[row]
        assert np.array_equal(single.keep, one.keep[row])


def test_an_interruption_is_told_to_the_tasks_that_run() -> None:
    halt, told = Event(), []

    def task(start: int) -> int:
        if start == 0:
            raise KeyboardInterrupt
        told.append(halt.wait(timeout=20))
        return start

    with pytest.raises(KeyboardInterrupt):
        list(in_order(task, range(4), 2, halt))
    assert told
    assert all(told)


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize("perturbation", [0.0, 1e-3])
def test_shared_candidates_are_repeated_candidates(objective: str, perturbation: float) -> None:
    rng = np.random.default_rng(3)
    x, z = rng.integers(-(2**40), 2**40, 17) * GRID, rng.uniform(-3, 3, 400)
    options = {"tol": 1e-3, "perturbation": perturbation, "objective": objective}
    shared = solve_batch(x, z, **options)
    repeated = solve_batch(np.tile(x, (400, 1)), z, **options)
    for name in ("statuses", "keep", "shift", "errors"):
        assert np.array_equal(getattr(shared, name), getattr(repeated, name)), name


@pytest.mark.parametrize("perturbation", [0.0, 2.0**-9, 1e-3])
def test_needed_candidates_is_the_least_sufficient_prefix(perturbation: float) -> None:
    rng = np.random.default_rng(4)
    x, z = rng.integers(-(2**40), 2**40, (300, 11)) * GRID, np.append(rng.uniform(-1.5, 1.5, 297), [0.0, 1e-4, 60.0])
    needed = needed_candidates(x, z, tol=1e-3, perturbation=perturbation)
    bits = np.arange(1 << 11)[:, None] >> np.arange(11) & 1
    error = np.abs(x @ bits.T - z[:, None]) - bits.sum(axis=1) * perturbation
    expected = np.full(300, -1)
    for m in range(11, -1, -1):
        expected[(error[:, : 1 << m] <= 1e-3).any(axis=1)] = m
    assert np.array_equal(needed, expected)
    assert needed[-3:].tolist() == [0, 0, -1]
    assert np.array_equal(needed_candidates(x, z, tol=1e-3, perturbation=perturbation, workers=2), needed)
    shared = needed_candidates(x[0], z, tol=1e-3, perturbation=perturbation)
    repeated = needed_candidates(np.tile(x[0], (300, 1)), z, tol=1e-3, perturbation=perturbation)
    assert np.array_equal(shared, repeated)


def test_tol_and_perturbation_may_differ_by_row() -> None:
    rng = np.random.default_rng(6)
    x, z = rng.uniform(-1, 1, (40, 9)), rng.uniform(-1, 1, 40)
    tol, e = rng.uniform(0, 0.1, 40), rng.uniform(0, 1e-2, (40, 9))
    for candidates in (x, x[0]):
        batch = solve_batch(candidates, z, tol=tol, perturbation=e, objective="any")
        assert verify_batch(candidates, z, batch, tol=tol, perturbation=e).ok
        for row in range(40):
            problem = SubsetSumProblem(np.broadcast_to(candidates, (40, 9))[row], z[row], tol[row], e[row])
            assert solve(problem, "any").status is batch.status(row)
