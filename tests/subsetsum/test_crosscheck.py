"""Other people's solvers against ours: HiGHS through cvxpy, and OR-Tools' 64-item knapsack in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import skips

from strong_lth.core import Status
from strong_lth.subsetsum import SubsetSumProblem, brute_force, solve, solve_batch, verify

needs_cvxpy = pytest.mark.skipif(importlib.util.find_spec("cvxpy") is None, reason=skips.NO_CVXPY)
needs_ortools = pytest.mark.skipif(importlib.util.find_spec("ortools") is None, reason=skips.NO_ORTOOLS)

# The least error of a problem of integers: flip negative candidates, then the largest sum <= the target and, for the
# complement, the smallest sum >= it.
KNAPSACK = """
import json, sys
from ortools.algorithms.python import knapsack_solver as ks
def most(items, capacity):
    if capacity < 0: return None
    solver = ks.KnapsackSolver(ks.SolverType.KNAPSACK_64ITEMS_SOLVER, "x")
    solver.init(items, [items], [capacity])
    return solver.solve()
out = []
for x, z in json.load(sys.stdin):
    z -= sum(v for v in x if v < 0)
    items = [abs(v) for v in x]
    below, above = most(items, z), most(items, sum(items) - z)
    errors = [z - below] if below is not None else []
    errors += [(sum(items) - above) - z] if above is not None else []
    out.append(min(abs(e) for e in errors))
print(json.dumps(out))
"""


@needs_cvxpy
@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
def test_mixed_integer_programming_agrees_within_its_tolerance(objective: str) -> None:
    from strong_lth.subsetsum.solvers.milp import solve_by_milp

    rng = np.random.default_rng(1)
    for k in range(12):
        problem = SubsetSumProblem(
            rng.uniform(-1, 1, 8), rng.uniform(-2, 2), 0.02, [0.0, 0.01][k % 2], size=[None, 3][k % 3 == 2 and objective != "fewest"],
            signed=k % 4 == 1,
        )  # fmt: skip
        truth = brute_force(problem)
        found = solve_by_milp(problem, objective)
        assert verify(problem, found).ok
        if found.status is Status.SOLVED:
            assert truth.least <= problem.tol
        if objective == "nearest":
            assert abs(found.error - float(truth.least)) <= 2e-5
        if found.status is Status.INFEASIBLE:
            assert truth.least > problem.tol
        if objective == "fewest" and found.status is Status.SOLVED:
            assert np.count_nonzero(found.keep) == truth.fewest


@needs_cvxpy
def test_an_optimum_below_its_tolerance_is_not_claimed() -> None:
    from strong_lth.subsetsum.solvers.milp import TRUST, solve_by_milp

    problem = SubsetSumProblem(np.random.default_rng(2).uniform(-1, 1, 17), 0.2)
    found, least = solve_by_milp(problem), solve(problem)
    assert least.status is Status.OPTIMAL
    assert found.error < TRUST * np.abs(problem.candidates).sum()
    assert found.status is Status.UNDECIDED
    assert "tolerance" in found.stats["note"]
    assert found.error >= least.error


@needs_cvxpy
def test_the_linear_relaxation_bounds_from_below() -> None:
    from strong_lth.subsetsum.solvers.milp import lower_bound

    rng = np.random.default_rng(3)
    outside = 0
    for k in range(20):
        x = rng.uniform(-1, 1, 7)
        problem = SubsetSumProblem(x, rng.uniform(-4, 4), size=[None, 2][k % 2])
        bound, least = lower_bound(problem), float(brute_force(problem).least)
        assert bound <= least + 1e-6
        if problem.size is None and not np.minimum(x, 0).sum() <= problem.target <= np.maximum(x, 0).sum():
            assert bound == pytest.approx(least, abs=1e-6)
            outside += 1
    assert outside > 2


@needs_ortools
def test_knapsack_of_another_house_gives_the_same_integers() -> None:
    rng = np.random.default_rng(4)
    for n in (6, 12, 16, 20):
        x, z = rng.integers(-(2**40), 2**40, (30, n)), rng.integers(-(2**42), 2**42, 30)
        done = subprocess.run(
            [sys.executable, "-c", KNAPSACK],
            input=json.dumps([[row.tolist(), int(target)] for row, target in zip(x, z, strict=True)]),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        ours = solve_batch(x * 2.0**-40, z * 2.0**-40).errors * 2.0**40
        assert ours.tolist() == json.loads(done.stdout)
