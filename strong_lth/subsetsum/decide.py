"""From what an engine found to a status: exact errors, and a claim only where rounding cannot have hidden the contrary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, Status
from strong_lth.subsetsum.engines import Bools, Rows, search_fewest, search_lists
from strong_lth.subsetsum.exact import choose_moves, evaluate
from strong_lth.subsetsum.fixedpoint import Ints
from strong_lth.subsetsum.problem import CODES, Objective

SOLVED, OPTIMAL, INFEASIBLE, UNDECIDED = (
    CODES[s] for s in (Status.SOLVED, Status.OPTIMAL, Status.INFEASIBLE, Status.UNDECIDED)
)


@dataclass
class Answers:
    """One chunk, filled row by row: codes (B,), keep (B, n), shift (B, n) or None, errors (B,), resolution (B,), used (B,)."""

    codes: NDArray[np.int8]
    keep: Bools
    shift: Floats | None
    errors: Floats
    resolution: Floats
    used: Ints

    def record(self, rows: Rows, index: NDArray[np.intp], keep: Bools) -> Bools:
        """Write subsets for some rows, with their best moves and exact errors; return which lie within tol."""
        part = rows if index.size == len(rows) else rows.take(index)
        moves = None if self.shift is None else choose_moves(part.grid, keep, part.spot)
        errors, shift, within = evaluate(part.grid, part.candidates, part.target, part.tol, keep, moves)
        self.keep[index], self.errors[index] = keep, errors
        if self.shift is not None and shift is not None:
            self.shift[index] = shift
        return within


def answer(rows: Rows, objective: Objective) -> Answers:
    """Answer every row."""
    count = len(rows)
    answers = Answers(
        codes=np.full(count, UNDECIDED, np.int8),
        keep=np.zeros((count, rows.n), np.bool_),
        shift=np.zeros((count, rows.n)) if rows.grid.movable else None,
        errors=np.empty(count),
        resolution=np.array(np.broadcast_to(rows.grid.resolution, count)),
        used=np.full(count, rows.n, np.int64),
    )
    if objective == "nearest":
        _nearest(rows, answers, np.arange(count))
    else:
        (_any if objective == "any" else _fewest)(rows, answers)
        known = (answers.codes == UNDECIDED) & (answers.errors <= rows.tol)
        unserved = np.flatnonzero((answers.codes != SOLVED) & ~known)
        if unserved.size:
            codes = answers.codes[unserved]
            _nearest(rows, answers, unserved)  # the best subset known, whatever its error
            lucky = (objective == "any") & (codes == UNDECIDED) & (answers.codes[unserved] == SOLVED)
            answers.codes[unserved] = np.where(lucky, SOLVED, codes)
    return answers


def _nearest(rows: Rows, answers: Answers, index: NDArray[np.intp]) -> None:
    part = rows if index.size == len(rows) else rows.take(index)
    keep, hit, used = search_lists(part, part.spot, part.spot, early=False)
    within = answers.record(rows, index, keep)
    answers.used[index] = used
    # a hit that is not within tol: the target lies inside the reach, but between the sums of moved doubles
    proved = ~hit & (used == rows.n) & (answers.errors[index] - answers.resolution[index] > part.tol)
    answers.codes[index] = np.where(within, SOLVED, np.where(proved, OPTIMAL, UNDECIDED))


def _any(rows: Rows, answers: Answers) -> None:
    everything = np.arange(len(rows))
    keep, hit, used = search_lists(rows, *rows.outer(), early=True)
    solved = answers.record(rows, everything, keep)
    answers.used[:] = used
    doubtful = np.flatnonzero(hit & ~solved)
    if doubtful.size:  # a hit only thanks to rounding: ask for one that rounding cannot undo
        part = rows.take(doubtful)
        keep, _, used = search_lists(part, *part.inner(), early=True)
        solved[doubtful] = answers.record(rows, doubtful, keep)
        answers.used[doubtful] = used
    answers.codes[:] = np.where(solved, SOLVED, np.where(~hit & (answers.used == rows.n), INFEASIBLE, UNDECIDED))


def _fewest(rows: Rows, answers: Answers) -> None:
    keep, size, decided = search_fewest(rows, *rows.outer())
    within = answers.record(rows, np.arange(len(rows)), keep)
    solved = within & (size >= 0)
    doubtful = np.flatnonzero((size >= 0) & ~within)
    if doubtful.size:
        part = rows.take(doubtful)
        keep, surely, _ = search_fewest(part, *part.inner())
        within[doubtful] = answers.record(rows, doubtful, keep)
        solved[doubtful] = within[doubtful] & (surely == size[doubtful])
    answers.codes[:] = np.where(solved, SOLVED, np.where(decided & (size < 0), INFEASIBLE, UNDECIDED))
