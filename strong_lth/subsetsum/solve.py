"""One problem: the same engines as a batch; and the numpy engine, a second opinion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import InputError, Status
from strong_lth.subsetsum.batch import undecided_note
from strong_lth.subsetsum.decide import answer
from strong_lth.subsetsum.engines import BUDGET, Rows, make_rows, nearest_engine
from strong_lth.subsetsum.exact import choose_moves, evaluate
from strong_lth.subsetsum.lists import list_entries, search_sizes
from strong_lth.subsetsum.problem import (
    STATUSES,
    Objective,
    Solution,
    SubsetSumProblem,
    check_budget,
    check_objective,
)


def solve(problem: SubsetSumProblem, objective: Objective = "nearest", *, budget: int = BUDGET) -> Solution:
    """Solve one problem exactly.

    objective: "nearest" (least error), "any" (the first subset found within tol) or "fewest" (fewest kept within tol, provably).
    budget: list entries of 16 bytes held at once. Statuses: SOLVED (error <= tol), OPTIMAL (nearest: proved least, above tol),
    INFEASIBLE (any, fewest: none within tol), UNDECIDED (``stats["note"]`` names the knob). InputError for "fewest" with a fixed size.
    OPTIMAL and INFEASIBLE speak of real moves, SOLVED of moves and moved values that are doubles; a target (tol = 0) that only real moves are known
    to reach, by less than 1e-15, is UNDECIDED.

    The engine follows from n, perturbation and budget (``stats["engine"]``). Least error without perturbation: every sum to n = 13, meet in the
    middle to 46, windows of sums to 60 (0.4 s at n = 50, seconds at 60); beyond, a sub-problem of 58 candidates around the target, whose
    error proves itself least where it is 0. With perturbation, and for 45 candidates and more whose sums coincide: lists of intervals, which
    stop at the first 40 candidates where they do not collapse. A fixed size and signs: lists by the number kept (to 44 candidates by size, 26 with
    signs, more with a larger budget); beyond, the best of the candidates that fit, UNDECIDED.

    >>> solution = solve(SubsetSumProblem([0.5, -0.25, 0.125], target=0.35, tol=0.03))
    >>> solution.status.name, solution.keep, solution.error
    ('SOLVED', array([ True,  True,  True]), 0.025000000000000022)
    """
    check_objective(objective, problem.size)
    rows = _rows(problem, budget)
    answers = answer(rows, objective)
    status = STATUSES[answers.codes[0]]
    return Solution(
        status,
        answers.keep[0],
        np.zeros(rows.n) if answers.shift is None else answers.shift[0],
        float(answers.errors[0]),
        _stats(
            rows,
            objective,
            _engine(rows, objective),
            int(answers.used[0]),
            status,
            float(answers.errors[0]),
        ),
    )


def _engine(rows: Rows, objective: Objective) -> str:
    if rows.classed:
        return "signed lists" if rows.signed else "lists by size"
    if objective == "nearest":
        return nearest_engine(rows.n, rows.grid.movable, rows.budget)
    return "interval lists" if objective == "any" else "subsets by size"


def _stats(rows: Rows, objective: Objective, engine: str, used: int, status: Status, error: float) -> dict[str, Any]:
    stats: dict[str, Any] = {
        "objective": objective,
        "engine": engine,
        "used": used,
        "resolution": float(rows.grid.resolution[0]),
        "budget": rows.budget,
    }
    if status is Status.UNDECIDED:
        hidden = abs(error - float(rows.tol[0])) <= stats["resolution"] or (used == rows.n and objective != "fewest")
        stats["note"] = undecided_note(rows.n, rows.budget, int(not hidden), int(hidden), error)
    return stats


def _rows(problem: SubsetSumProblem, budget: int) -> Rows:
    return make_rows(
        problem.candidates[None, :],
        problem.perturbation[None, :],
        np.array([problem.target]),
        np.array([problem.tol]),
        check_budget(budget),
        size=problem.size,
        signed=problem.signed,
    )


def solve_by_numpy(problem: SubsetSumProblem, objective: Objective, *, budget: int = BUDGET) -> Solution:
    """As ``solve``, without compiled code and with other lists: the second opinion."""
    check_objective(objective, problem.size)
    rows = _rows(problem, budget)
    need = list_entries(rows.n, problem.signed)
    if need > rows.budget:
        what = "signed candidates" if problem.signed else "candidates"
        remedy = "give fewer" + (f", or budget={need} ({need * 16 >> 20} MiB)" if need < 1 << 60 else "")
        raise InputError(
            "budget", f"{rows.budget} list entries ({rows.budget * 16 >> 20} MiB) for {rows.n} {what}", remedy
        )
    grid, spot = rows.grid, int(rows.spot[0])
    if objective == "fewest":
        sizes: range | None = range(rows.n + 1)
    else:
        sizes = None if problem.size is None else range(problem.size, problem.size + 1)
    resolution = float(grid.resolution[0])
    best: tuple[float, Any, Any, bool] | None = None
    excluded = True  # rounding cannot have hidden an answer among the sizes before
    for gap, signs in search_sizes(grid.low[0], grid.high[0], spot, spot, sizes, problem.signed):
        error, shift, within = _evaluate(rows, signs)
        if best is None or error < best[0] or within:
            best = error, signs, shift, within
        if within:
            break
        excluded = excluded and gap > 0 and error - resolution > problem.tol
    assert best is not None
    error, signs, shift, within = best
    if within and excluded:
        status = Status.SOLVED
    elif within or not excluded:
        status = Status.UNDECIDED
    else:
        status = Status.OPTIMAL if objective == "nearest" else Status.INFEASIBLE
    keep = signs if problem.signed else signs.astype(np.bool_)
    return Solution(status, keep, shift, error, _stats(rows, objective, "numpy lists", rows.n, status, error))


def _evaluate(rows: Rows, signs: NDArray[np.int8]) -> tuple[float, NDArray[np.float64], bool]:
    moves = choose_moves(rows.grid, signs[None, :], rows.spot) if rows.grid.movable else None
    errors, shift, within = evaluate(rows.grid, rows.candidates, rows.target, rows.tol, signs[None, :], moves)
    return float(errors[0]), np.zeros(rows.n) if shift is None else shift[0], bool(within[0])
