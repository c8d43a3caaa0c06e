"""Many problems at once: chunks of rows over a thread pool, the same answers for any number of workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from strong_lth.core import BudgetError, Floats, InputError, Status
from strong_lth.subsetsum.decide import answer
from strong_lth.subsetsum.engines import BUDGET, Rows, buffer_entries, fewest_entries, make_rows, search_lists
from strong_lth.subsetsum.exact import choose_moves, evaluate
from strong_lth.subsetsum.fixedpoint import Grid, Ints, to_grid
from strong_lth.subsetsum.problem import (
    CODES,
    BatchSolution,
    Objective,
    check_budget,
    check_objective,
    numbers,
    spread,
    whole,
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Batch:
    """Checked arrays: candidates and perturbation (G, n), G = 1 when all rows share them; target and tol (B,)."""

    candidates: Floats
    perturbation: Floats
    target: Floats
    tol: Floats

    @property
    def shared(self) -> bool:
        """Whether all rows have the same candidates."""
        return len(self.candidates) == 1


def check_batch(candidates: ArrayLike, targets: ArrayLike, tol: ArrayLike, perturbation: ArrayLike) -> Batch:
    """The four arguments of a batch, checked and broadcast; InputError names the bad one."""
    x, z = numbers("candidates", candidates), numbers("targets", targets)
    if x.ndim not in (1, 2) or x.shape[-1] == 0:
        raise InputError(
            "candidates", f"shape {x.shape}", "give shape (B, n), or (n,) for candidates shared by all targets"
        )
    if z.ndim != 1:
        raise InputError("targets", f"shape {z.shape}", "give one target per problem, shape (B,)")
    if x.ndim == 2 and len(x) != len(z):
        raise InputError("targets", f"{len(z)} targets for {len(x)} rows of candidates", "give one target per row")
    n = x.shape[-1]
    e = np.asarray(perturbation)
    if e.ndim == 2 and x.ndim == 1:
        x = np.broadcast_to(x, (len(z), n))
    if x.ndim == 1:
        x = x[None, :]
    return Batch(x, spread("perturbation", e, x.shape), z, spread("tol", tol, z.shape))


def solve_batch(
    candidates: ArrayLike,
    targets: ArrayLike,
    *,
    tol: ArrayLike = 0.0,
    perturbation: ArrayLike = 0.0,
    objective: Objective = "nearest",
    workers: int | None = None,
    budget: int = BUDGET,
    progress: Progress | None = None,
) -> BatchSolution:
    """Solve B problems; row by row the same as ``solve``.

    candidates: (B, n), or (n,) shared by all targets (its lists are then built once). targets: (B,). tol: a number or (B,).
    perturbation: a number, (n,) or (B, n). objective: "nearest" (least error), "any" (the first subset within tol) or "fewest"
    (fewest kept within tol). workers: threads, default one per core. budget: list entries of 16 bytes held at once. progress is called
    with (rows done, B). InputError for malformed arrays.

    >>> batch = solve_batch([0.5, -0.25, 0.125], [0.24, 0.6], tol=0.02)
    >>> batch.errors, batch.keep, [batch.status(row).name for row in range(2)]
    (array([0.01 , 0.025]), array([[ True,  True, False], [ True, False,  True]]), ['SOLVED', 'OPTIMAL'])
    """
    check_objective(objective)
    batch, budget = check_batch(candidates, targets, tol, perturbation), check_budget(budget)
    count, n = len(batch.target), batch.candidates.shape[1]
    movable = bool(batch.perturbation.any())
    codes = np.empty(count, np.int8)
    keep = np.empty((count, n), np.bool_)
    shift = np.empty((count, n)) if movable else np.broadcast_to(0.0, (count, n))
    errors, resolution, used = np.empty(count), np.empty(count), np.empty(count, np.int64)

    def work(part: slice, rows: Rows) -> None:
        answers = answer(rows, objective)
        codes[part], keep[part], errors[part] = answers.codes, answers.keep, answers.errors
        resolution[part], used[part] = answers.resolution, answers.used
        if movable:
            shift[part] = 0.0 if answers.shift is None else answers.shift

    _run(batch, work, _workers(workers, n, movable, budget, objective), budget, progress)
    for array in (codes, keep, shift, errors, resolution, used):
        array.setflags(write=False)
    stats: dict[str, Any] = {"objective": objective, "budget": budget, "resolution": resolution, "used": used}
    if np.any(codes == CODES[Status.UNDECIDED]):
        stats["note"] = undecided_note(n, budget)
    return BatchSolution(codes, keep, shift, errors, stats)


def needed_candidates(
    candidates: ArrayLike,
    targets: ArrayLike,
    *,
    tol: ArrayLike,
    perturbation: ArrayLike = 0.0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Ints:
    """How many candidates, taken in order, each problem needs.

    Row b of the result (B,) is the least m such that the first m candidates contain a subset within tol; 0 if |target| <= tol,
    -1 if even all n do not. Shapes as in ``solve_batch``. More candidates never hurt, so every larger m suffices too. Where rounding
    hides which of two m is the least, the larger is given. BudgetError when the lists of a problem outgrow the memory budget first.

    >>> needed_candidates([0.5, -0.25, 0.125], [0.24, 0.62, 0.0, 9.0], tol=0.02)
    array([ 2,  3,  0, -1])
    """
    batch = check_batch(candidates, targets, tol, perturbation)
    n = batch.candidates.shape[1]
    needed = np.empty(len(batch.target), np.int64)

    def work(part: slice, rows: Rows) -> None:
        keep, hit, used = search_lists(rows, *rows.outer(), early=True)
        if rows.grid.loss.any():
            moves = choose_moves(rows.grid, keep, rows.spot) if rows.grid.movable else None
            _, _, within = evaluate(rows.grid, rows.candidates, rows.target, rows.tol, keep, moves)
            doubtful = np.flatnonzero(hit & ~within)
            if doubtful.size:
                few = rows.take(doubtful)
                _, hit[doubtful], used[doubtful] = search_lists(few, *few.inner(), early=True)
        cut = np.flatnonzero(~hit & (used < n))
        if cut.size:
            raise BudgetError(
                f"needed_candidates: row {part.start + int(cut[0])} is open after {int(used[cut[0]])} of {n} candidates; "
                "raise tol or perturbation, or give fewer candidates"
            )
        needed[part] = np.where(hit, used, -1)

    _run(batch, work, _workers(workers, n, bool(batch.perturbation.any()), BUDGET, "any"), BUDGET, progress)
    return needed


def undecided_note(n: int, budget: int) -> str:
    """Which knob would decide an undecided problem."""
    return (
        f"undecided: lists of {n} candidates outgrow budget = {budget} entries (raise budget, or give fewer candidates), or the error is "
        "closer to tol than rounding can tell (see resolution; change tol)"
    )


def _workers(workers: int | None, n: int, movable: bool, budget: int, objective: Objective) -> int:
    """Threads to use: as many as asked, as long as their lists together stay within the budget."""
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    workers = whole("workers", workers, 1)
    need = min(4 << ((n + 1) // 2), 2 * buffer_entries(n, movable, budget)[0])
    if objective == "fewest":
        need = max(need, sum(fewest_entries(n, budget)))
    return max(1, min(workers, budget // need))


def _run(
    batch: Batch, work: Callable[[slice, Rows], None], workers: int, budget: int, progress: Progress | None
) -> None:
    """Call ``work`` on chunks of rows, in threads; report progress from this one."""
    count, n = len(batch.target), batch.candidates.shape[1]
    least = 512 if n <= 24 else 32
    size = min(max(least, -(-count // (4 * workers))), 4096)
    grid: Grid | None = to_grid(batch.candidates, batch.perturbation) if batch.shared else None

    def chunk(start: int) -> int:
        part = slice(start, min(start + size, count))
        here = slice(0, 1) if batch.shared else part
        work(
            part,
            make_rows(
                batch.candidates[here], batch.perturbation[here], batch.target[part], batch.tol[part], budget, grid
            ),
        )
        return part.stop

    for stop in _in_order(chunk, range(0, count, size), workers):
        if progress is not None:
            progress(stop, count)


def _in_order(task: Callable[[int], int], starts: range, workers: int) -> Iterator[int]:
    if workers == 1 or len(starts) <= 1:
        yield from map(task, starts)
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(task, starts)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
