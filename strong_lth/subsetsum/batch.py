"""Many problems at once: chunks of rows over a thread pool, the same answers for any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import BudgetError, Floats, InputError, Status
from strong_lth.subsetsum.decide import answer
from strong_lth.subsetsum.engines import (
    BUDGET,
    Bools,
    Rows,
    Signs,
    buffer_entries,
    class_entries,
    fewest_entries,
    make_rows,
    moves_of,
    search_lists,
)
from strong_lth.subsetsum.exact import evaluate
from strong_lth.subsetsum.fixedpoint import Grid, Ints, to_grid
from strong_lth.subsetsum.problem import (
    CODES,
    BatchSolution,
    Objective,
    check_budget,
    check_objective,
    check_size,
    numbers,
    spread,
)
from strong_lth.subsetsum.threads import in_order, thread_count

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
    e = numbers("perturbation", perturbation)
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
    size: int | None = None,
    signed: bool = False,
    objective: Objective = "nearest",
    workers: int | None = None,
    budget: int = BUDGET,
    device: str = "cpu",
    progress: Progress | None = None,
) -> BatchSolution:
    """Solve B problems; row by row the same as ``solve``.

    candidates: (B, n), or (n,) shared by all targets (its lists are then built once). targets: (B,). tol: a number or (B,).
    perturbation: a number, (n,) or (B, n). size: keep exactly so many. signed: kept candidates enter with either sign, ``keep`` is then
    int8. objective: "nearest" (least error), "any" (the first subset within tol) or "fewest" (fewest kept within tol; not with a size).
    workers: threads, default one per core. budget: list entries of 16 bytes held at once. device: "cpu" (compiled kernels), "cuda" or
    "torch" (torch operations, anywhere): the errors are the same integers; a device serves "nearest" and "any" without perturbation, size
    and signs, up to 46 candidates. progress is called with (rows done, B). InputError for malformed arrays, for a device that is not there and for
    a combination that no engine serves.

    >>> batch = solve_batch([0.5, -0.25, 0.125], [0.24, 0.6], tol=0.02)
    >>> batch.errors, batch.keep, [batch.status(row).name for row in range(2)]
    (array([0.01 , 0.025]), array([[ True,  True, False], [ True, False,  True]]), ['SOLVED', 'OPTIMAL'])
    """
    check_objective(objective, size)
    batch, budget = check_batch(candidates, targets, tol, perturbation), check_budget(budget)
    count, n = len(batch.target), batch.candidates.shape[1]
    size = check_size(size, n)
    movable = bool(batch.perturbation.any())
    codes = np.empty(count, np.int8)
    keep: Signs = np.empty((count, n), np.int8 if signed else np.bool_)
    shift = np.empty((count, n)) if movable else np.broadcast_to(0.0, (count, n))
    errors, resolution, used = np.empty(count), np.empty(count), np.empty(count, np.int64)

    def work(part: slice, rows: Rows) -> None:
        answers = answer(rows, objective)
        codes[part], keep[part], errors[part] = answers.codes, answers.keep, answers.errors
        resolution[part], used[part] = answers.resolution, answers.used
        if movable:
            shift[part] = 0.0 if answers.shift is None else answers.shift

    if device != "cpu":
        _check_device(device, n, movable, objective, size, signed)
    kind = {"budget": budget, "size": size, "signed": bool(signed), "device": device}
    threads = _workers(workers, n, movable, budget, objective, size, signed)
    _run(batch, work, threads, kind, progress, slow=n > (24 if not signed else 14) and objective == "nearest")
    for array in (codes, keep, shift, errors, resolution, used):
        array.setflags(write=False)
    stats: dict[str, Any] = {"objective": objective, "budget": budget, "resolution": resolution, "used": used}
    if np.any(codes == CODES[Status.UNDECIDED]):
        cut, hidden = undecided_rows(codes, errors, batch.tol, resolution, used, n, objective)
        stats["note"] = undecided_note(
            n, budget, int(cut.sum()), int(hidden.sum()), float(errors[hidden].max(initial=0))
        )
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
        if rows.grid.movable or rows.grid.loss.any():
            doubtful = np.flatnonzero(hit)
            doubtful = doubtful[~_realised(rows, doubtful, keep)]
            if doubtful.size:  # a hit only thanks to rounding: ask for one that rounding cannot undo
                few = rows.take(doubtful)
                keep, hit[doubtful], used[doubtful] = search_lists(few, *few.inner(), early=True)
                met = np.flatnonzero(hit[doubtful])
                for row in doubtful[met[~_realised(few, met, keep[met])]]:
                    used[row] = _first_solved(rows.take(np.array([row])), int(used[row]), part.start + int(row))
        cut = np.flatnonzero(~hit & (used < n))
        if cut.size:
            raise BudgetError(
                f"needed_candidates: row {part.start + int(cut[0])} is open after {int(used[cut[0]])} of {n} candidates; "
                "raise tol or perturbation, or give fewer candidates"
            )
        needed[part] = np.where(hit, used, -1)

    _run(batch, work, _workers(workers, n, bool(batch.perturbation.any()), BUDGET, "any"), {}, progress)
    return needed


def _realised(rows: Rows, index: NDArray[np.intp], keep: Bools) -> Bools:
    """Which of the given rows their subset, with moves that are doubles, brings within tol; keep for all rows or for these."""
    part = rows.take(index)
    keep = keep[index] if len(keep) != len(index) else keep
    moves = moves_of(part, keep) if part.grid.movable else None
    return evaluate(part.grid, part.candidates, part.target, part.tol, keep, moves, part.spot)[2]


def _first_solved(row: Rows, first: int, number: int) -> int:
    """The least prefix from ``first`` on with a subset whose moved doubles lie within tol."""
    for count in range(first, row.n + 1):
        if answer(row.prefix(count), "nearest").codes[0] == CODES[Status.SOLVED]:
            return count
    raise InputError(
        "tol",
        f"{float(row.tol[0])!r} for row {number}, whose target lies between the sums that moved doubles can take",
        f"give at least {np.ldexp(float(row.n), int(np.frexp(np.abs(row.candidates).max())[1]) - 53):.1e}",
    )


def undecided_note(n: int, budget: int, cut: int, hidden: int, worst: float) -> str:
    """Which knob would decide the undecided problems: ``cut`` of them ended with the budget, ``hidden`` of them, with errors up to
    ``worst``, in rounding.
    """
    reasons = []
    if cut:
        reasons.append(
            f"{cut} ended with the budget of {budget} list entries ({budget * 16 >> 20} MiB) for {n} candidates: raise budget, tol or "
            "perturbation, or give fewer candidates"
        )
    if hidden:
        reasons.append(
            f"{hidden} with an error closer to tol than rounding can tell (inputs see resolution; moved values are doubles): tol={worst!r} is met"
        )
    return "undecided: " + "; ".join(reasons)


def undecided_rows(
    codes: NDArray[np.int8], errors: Floats, tol: Floats, resolution: Floats, used: Ints, n: int, objective: Objective
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which undecided rows the budget cut, and which rounding hides, each (B,)."""
    undecided = codes == CODES[Status.UNDECIDED]
    close = np.abs(errors - tol) <= resolution
    hidden = close | ((used == n) & (objective != "fewest"))
    return undecided & ~hidden, undecided & hidden


def _workers(
    workers: int | None,
    n: int,
    movable: bool,
    budget: int,
    objective: Objective,
    size: int | None = None,
    signed: bool = False,
) -> int:
    """Threads to use: as many as asked, as long as their lists together stay within the budget."""
    workers = thread_count(workers)
    if size is not None or signed:
        return max(1, min(workers, budget // (class_entries(n, size, signed) * (2 if movable else 1))))
    need = min(4 << ((n + 1) // 2), 2 * buffer_entries(n, movable, budget)[0])
    if objective == "fewest":
        need = max(need, sum(fewest_entries(n, budget)))
    return max(1, min(workers, budget // need))


def _check_device(device: str, n: int, movable: bool, objective: Objective, size: int | None, signed: bool) -> None:
    from strong_lth.subsetsum.kernels_gpu import find_device

    find_device(device)
    refused = {
        "perturbation": movable,
        "a fixed size": size is not None,
        "signs": signed,
        f"objective {objective!r}": objective == "fewest",
        f"{n} candidates": n > 46,
    }
    for what, holds in refused.items():
        if holds:
            raise InputError("device", f"{device!r} with {what}", 'use device="cpu"')


def _run(
    batch: Batch,
    work: Callable[[slice, Rows], None],
    workers: int,
    kind: Mapping[str, Any],
    progress: Progress | None,
    slow: bool = False,
) -> None:
    """Call ``work`` on chunks of rows of the given kind, in threads; report progress from this one."""
    count, n = len(batch.target), batch.candidates.shape[1]
    least = 512 if n <= 24 else 32
    size = min(max(least, -(-count // (4 * workers))), 64 if slow else 4096)
    if kind.get("device", "cpu") != "cpu":
        size, workers = 1 << 18, 1  # the device is the parallelism
    grid: Grid | None = to_grid(batch.candidates, batch.perturbation) if batch.shared else None

    halt = Event()

    def chunk(start: int) -> int:
        end = min(start + size, count)
        step = size if n <= 20 or kind.get("device", "cpu") != "cpu" else 64 if n <= 24 else 8
        while start < end and not halt.is_set():
            part = slice(start, min(start + step, end))
            here = slice(0, 1) if batch.shared else part
            begun = perf_counter()
            rows = make_rows(
                batch.candidates[here],
                batch.perturbation[here],
                batch.target[part],
                batch.tol[part],
                grid=grid,
                first=start,
                **kind,
            )
            work(part, rows)
            # the next rows take about half a second, so that an interruption is heard
            step = max(1, int((part.stop - start) * min(0.5 / (perf_counter() - begun + 1e-9), 1e6)))
            start = part.stop
        return end

    for stop in in_order(chunk, range(0, count, size), workers, halt):
        if progress is not None:
            progress(stop, count)
