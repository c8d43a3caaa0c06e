"""From what an engine found to a status: exact errors, and a claim only where rounding cannot have hidden the contrary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, Status
from strong_lth.subsetsum.engines import (
    Bools,
    Rows,
    Signs,
    moves_of,
    search_any,
    search_fewest,
    search_lists,
    search_nearest,
    search_with,
)
from strong_lth.subsetsum.exact import evaluate
from strong_lth.subsetsum.fixedpoint import Ints
from strong_lth.subsetsum.problem import CODES, Objective

SOLVED, OPTIMAL, INFEASIBLE, UNDECIDED = (
    CODES[s] for s in (Status.SOLVED, Status.OPTIMAL, Status.INFEASIBLE, Status.UNDECIDED)
)


FINEST = 4  # of the candidates: those tried where moves end between doubles


@dataclass
class Answers:
    """One chunk, filled row by row: codes (B,), keep (B, n), shift (B, n) or None, errors (B,), resolution (B,), used (B,)."""

    codes: NDArray[np.int8]
    keep: Signs
    shift: Floats | None
    errors: Floats
    resolution: Floats
    used: Ints

    def record(self, rows: Rows, index: NDArray[np.intp], keep: Signs) -> Bools:
        """Write subsets for some rows, with their best moves and exact errors; return which lie within tol."""
        return self.record_part(rows, index, index, keep)

    def record_part(self, rows: Rows, chosen: NDArray[np.intp], index: NDArray[np.intp], keep: Signs) -> Bools:
        """``record`` for the chosen ones of ``rows``, which are the answers at ``index``."""
        part = rows.take(chosen)
        moves = None if self.shift is None else moves_of(part, keep)
        errors, shift, within = evaluate(part.grid, part.candidates, part.target, part.tol, keep, moves, part.spot)
        self.keep[index], self.errors[index] = keep, errors
        if self.shift is not None and shift is not None:
            self.shift[index] = shift
        return within


def answer(rows: Rows, objective: Objective) -> Answers:
    """Answer every row."""
    count = len(rows)
    answers = Answers(
        codes=np.full(count, UNDECIDED, np.int8),
        keep=np.zeros((count, rows.n), np.int8 if rows.signed else np.bool_),
        shift=np.zeros((count, rows.n)) if rows.grid.movable else None,
        errors=np.empty(count),
        resolution=np.array(np.broadcast_to(rows.grid.resolution, count)),
        used=np.full(count, rows.n, np.int64),
    )
    if objective == "nearest" or rows.device != "cpu":
        _nearest(rows, answers, np.arange(count))
        if objective == "any":  # where the nearest subset is not within tol, none is
            answers.codes[answers.codes == OPTIMAL] = INFEASIBLE
    else:
        (_any if objective == "any" else _fewest)(rows, answers)
        known = (answers.codes == UNDECIDED) & (answers.errors <= rows.tol)
        unserved = np.flatnonzero((answers.codes != SOLVED) & ~known)
        if unserved.size:
            codes = answers.codes[unserved]
            _nearest(rows, answers, unserved)  # the best subset known, whatever its error
            lucky = (objective == "any") & (codes == UNDECIDED) & (answers.codes[unserved] == SOLVED)
            none = (objective == "any") & (codes == UNDECIDED) & (answers.codes[unserved] == OPTIMAL)
            answers.codes[unserved] = np.where(lucky, SOLVED, np.where(none, INFEASIBLE, codes))
    return answers


def _nearest(rows: Rows, answers: Answers, index: NDArray[np.intp]) -> None:
    part = rows.take(index)
    keep, hit, used = search_nearest(part)
    within = answers.record(rows, index, keep)
    if rows.grid.movable and not rows.classed:
        # a few candidates reach the target, but their moves end between doubles: let all of them try
        few = np.flatnonzero(hit & ~within & (used < rows.n))
        if few.size:
            again = part.take(few)
            keep, hit[few], used[few] = search_lists(again, again.spot, again.spot, early=False)
            within[few] = answers.record_part(part, few, index[few], keep)
        for row in np.flatnonzero(hit & ~within):
            at = np.array([row])
            one = part.take(at)
            best = answers.keep[index[at]]
            for fine in np.argsort(np.abs(one.grid.values[0]), kind="stable")[:FINEST].tolist():
                keep, met = search_with(one, fine)
                if met and answers.record_part(part, at, index[at], keep)[0]:
                    within[row] = True
                    break
            else:
                answers.record_part(part, at, index[at], best)
    answers.used[index] = np.where(hit, rows.n, used) if part.grid.movable else used
    # a hit that is not within tol: the target lies inside the reach, but between the sums of moved doubles
    proved = ~hit & (used == rows.n) & (answers.errors[index] - answers.resolution[index] > part.tol)
    answers.codes[index] = np.where(within, SOLVED, np.where(proved, OPTIMAL, UNDECIDED))


def _any(rows: Rows, answers: Answers) -> None:
    everything = np.arange(len(rows))
    keep, hit, used = search_any(rows, *rows.outer())
    solved = answers.record(rows, everything, keep)
    answers.used[:] = used
    doubtful = np.flatnonzero(hit & ~solved)
    if doubtful.size:  # a hit only thanks to rounding: ask for one that rounding cannot undo
        part = rows.take(doubtful)
        keep, _, used = search_any(part, *part.inner())
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
