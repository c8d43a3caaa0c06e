"""The problem as a mixed-integer program in cvxpy, solved by scipy's HiGHS: an opinion that shares nothing with the engines.

It works in floating point with a feasibility tolerance of 1e-6: where the least error lies below ``TRUST`` times the largest sum its optimality means
nothing (from about 20 random candidates on). The subset it returns is re-evaluated exactly by ``verify``, like any other.

``solver="SCIPY"`` and not cvxpy's own HiGHS binding: that one cannot live in a process with OR-Tools, which bundles another HiGHS.
"""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

from strong_lth.core import InputError, Status
from strong_lth.subsetsum.exact import choose_moves, evaluate
from strong_lth.subsetsum.fixedpoint import place, to_grid
from strong_lth.subsetsum.problem import Objective, Solution, SubsetSumProblem, check_objective, scalar

TRUST = 1e-5  # ten times the feasibility tolerance: an optimum below it, relative to the largest sum, is no optimum


def solve_by_milp(problem: SubsetSumProblem, objective: Objective = "nearest", *, seconds: float = 60.0) -> Solution:
    """Solve one problem by branch and bound: min t with |sum_i (x_i k_i + y_i) - z| <= t, |y_i| <= perturbation_i k_i, k binary.

    "any" and "fewest" fix t = tol and minimise nothing or sum_i k_i. With ``signed`` every candidate enters twice, with both signs. OPTIMAL and
    INFEASIBLE are the solver's word, given only where its tolerance allows it; else UNDECIDED with a note. SOLVED is exact. InputError
    for seconds <= 0.

    >>> solution = solve_by_milp(SubsetSumProblem([0.5, -0.25, 0.125], target=0.35, tol=0.03))
    >>> solution.status.name, solution.keep
    ('SOLVED', array([ True,  True,  True]))
    """
    check_objective(objective)
    if scalar("seconds", seconds) <= 0:
        raise InputError("seconds", seconds, "give a number > 0")
    program, keep = _program(problem, objective, integral=True)
    state = _run(program, seconds)
    scale = float(np.abs(problem.candidates).sum() + problem.perturbation.sum()) or 1.0
    if keep.value is None:
        sure = state == cp.INFEASIBLE and problem.tol > TRUST * scale
        first = np.arange(len(problem.candidates)) < (problem.size or 0)  # any subset of the right size
        return _answer(problem, first, Status.INFEASIBLE if sure else Status.UNDECIDED, state)
    signs = keep_signs(problem, keep.value)
    claim = Status.OPTIMAL if objective == "nearest" and state == cp.OPTIMAL else Status.UNDECIDED
    return _answer(problem, signs, claim, state)


def lower_bound(problem: SubsetSumProblem) -> float:
    """A lower bound on the least error, from the linear relaxation (0 <= k_i <= 1), in floating point with the solver's tolerance.

    It is 0 wherever the target lies between the smallest and the largest sum (of ``size`` candidates), and the exact distance outside.

    >>> round(lower_bound(SubsetSumProblem([0.5, -0.25], target=0.75)), 6)
    0.25
    """
    program, _ = _program(problem, "nearest", integral=False)
    _run(program, 60.0)
    return max(0.0, float(program.value))


def keep_signs(problem: SubsetSumProblem, values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The solver's values as 0 and +-1 per candidate."""
    n = len(problem.candidates)
    rounded = np.rint(np.asarray(values, dtype=np.float64))
    return np.asarray(rounded[:n] - rounded[n:] if problem.signed else rounded)


def _program(problem: SubsetSumProblem, objective: Objective, *, integral: bool) -> tuple[Any, Any]:
    x, e = problem.candidates, problem.perturbation
    if problem.signed:
        x, e = np.concatenate([x, -x]), np.concatenate([e, e])
    keep = cp.Variable(len(x), boolean=True) if integral else cp.Variable(len(x))
    error = cp.Variable(nonneg=True)
    reach = e @ keep  # all moves together make up any amount of at most this
    rules: list[Any] = [x @ keep - problem.target <= error + reach, problem.target - x @ keep <= error + reach]
    if not integral:
        rules += [keep >= 0, keep <= 1]
    if problem.signed:
        n = len(problem.candidates)
        rules.append(keep[:n] + keep[n:] <= 1)
    if problem.size is not None:
        rules.append(cp.sum(keep) == problem.size)
    if objective != "nearest":
        rules.append(error <= problem.tol)
    goal = error if objective == "nearest" else cp.sum(keep) if objective == "fewest" else 0
    return cp.Problem(cp.Minimize(goal), rules), keep


def _run(program: Any, seconds: float) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cvxpy announces inaccurate ends; the status says so too
        try:
            program.solve(solver="SCIPY", scipy_options={"time_limit": seconds, "mip_rel_gap": 0.0})
        except cp.error.SolverError:
            return "solver error"
    return str(program.status)


def _answer(problem: SubsetSumProblem, signs: Any, claim: Status, state: str) -> Solution:
    """The exact error of the solver's subset, with its best moves; the claim only where the tolerance allows it."""
    rows = np.asarray(signs, dtype=np.int8)[None, :]
    z, tol = np.array([problem.target]), np.array([problem.tol])
    grid = to_grid(problem.candidates[None, :], problem.perturbation[None, :])
    moves = choose_moves(grid, rows, place(z, grid.q)) if grid.movable else None
    errors, shift, within = evaluate(grid, problem.candidates[None, :], z, tol, rows, moves)
    error = float(errors[0])
    scale = float(np.abs(problem.candidates).sum() + problem.perturbation.sum()) or 1.0
    if within[0] and problem.size in (None, int(np.count_nonzero(rows))):
        claim = Status.SOLVED
    elif claim is Status.OPTIMAL and error <= TRUST * scale:
        claim = Status.UNDECIDED
    stats: dict[str, Any] = {"engine": f"cvxpy, SCIPY ({state})", "resolution": TRUST * scale}
    if claim is Status.UNDECIDED:
        stats["note"] = "the solver's tolerance or time does not decide; use solve"
    keep = rows[0] if problem.signed else rows[0] != 0
    return Solution(claim, keep, np.zeros(rows.shape[1]) if shift is None else shift[0], error, stats)
