"""Certificates of subset sums, batches and coverage: all that ``proofs/check_certificate.py`` needs to re-prove them without this package.

The documents are plain data, ready for ``json.dump``: floats are hexadecimal, ``hash`` is that of the canonical form. They state what is shown by an example (a
subset with this error, subsets that leave no gap), never that no better subset exists.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import BudgetError, Floats, InputError, canonical_hash
from strong_lth.subsetsum.batch import check_batch
from strong_lth.subsetsum.cover import covers
from strong_lth.subsetsum.fixedpoint import Ints
from strong_lth.subsetsum.problem import BatchSolution, Solution, SubsetSumProblem, numbers, scalar, spread

VERSION = 1
MOST = 44  # candidates of a chain: two lists of 2^22 sums
BITS = 60  # of a sum of all candidates on their common grid


def sum_certificate(problem: SubsetSumProblem, solution: Solution) -> dict[str, Any]:
    """The certificate of one solution: kept candidates, signs, shifts, the error, and whether it is within tol.

    >>> problem = SubsetSumProblem([0.5, -0.25, 0.125], target=0.35, tol=0.03)
    >>> from strong_lth.subsetsum import solve
    >>> document = sum_certificate(problem, solve(problem))
    >>> document["keep"], document["solved"], float.fromhex(document["error"])
    ([0, 1, 2], True, 0.025000000000000022)
    """
    keep = np.flatnonzero(solution.keep)
    return _sealed(
        "subset sum",
        candidates=_hex(problem.candidates),
        target=problem.target.hex(),
        tol=problem.tol.hex(),
        perturbation=_hex(problem.perturbation),
        signed=problem.signed,
        size=problem.size,
        keep=keep.tolist(),
        signs=[int(sign) for sign in solution.keep[keep]],
        shift=_hex(solution.shift[keep]),
        error=float(solution.error).hex(),
        solved=_within(problem, solution),
    )


def batch_certificate(
    candidates: ArrayLike,
    targets: ArrayLike,
    solution: BatchSolution,
    *,
    tol: ArrayLike = 0.0,
    perturbation: ArrayLike = 0.0,
) -> dict[str, Any]:
    """The certificate of a batch, row by row; arguments as for ``verify_batch``. Candidates shared by all rows are written once.

    Raises InputError if the solution does not fit the problems, or has signs (``sum_certificate`` certifies those, one by one).
    """
    batch = check_batch(candidates, targets, tol, perturbation)
    count, n = len(batch.target), batch.candidates.shape[1]
    if solution.keep.shape != (count, n):
        raise InputError(
            "solution", f"keep {solution.keep.shape}", f"give the solution of these {count} problems of {n}"
        )
    if (solution.keep < 0).any():
        raise InputError(
            "solution",
            "kept candidates with sign -1",
            "a batch certificate has no signs: certify the problems one by one",
        )
    kept = [np.flatnonzero(row) for row in solution.keep]
    shared = (batch.perturbation == batch.perturbation[:1]).all()
    return _sealed(
        "batch",
        candidates=[_hex(row) for row in batch.candidates],
        targets=_hex(batch.target),
        tol=_hex(batch.tol),
        perturbation=[_hex(row) for row in (batch.perturbation[:1] if shared else batch.perturbation)],
        keep=[row.tolist() for row in kept],
        shift=[_hex(row[keep]) for row, keep in zip(solution.shift, kept, strict=True)],
        errors=_hex(solution.errors),
        solved=[_row_within(batch, solution, row, keep) for row, keep in enumerate(kept)],
    )


def cover_certificate(
    candidates: ArrayLike,
    tol: float,
    perturbation: ArrayLike = 0.0,
    window: tuple[float, float] = (-1.0, 1.0),
) -> dict[str, Any]:
    """The certificate that every target of the window is served: subsets, as binary codes, whose intervals leave no gap.

    A subset S serves [sum - r, sum + r] with r = tol + sum_S perturbation_i. From the low end on, always the subset that reaches farthest is taken, found in two
    sorted half lists. Arguments and errors as for ``covers``; InputError too where a target is not served, or where the numbers share no grid of 60 bits;
    BudgetError where more than 44 candidates are needed.

    >>> document = cover_certificate([0.5, 0.25, 0.125], 0.07, window=(0, 0.9))
    >>> document["masks"]
    [0, 4, 2, 6, 1, 5, 3, 7]
    """
    x = numbers("candidates", candidates)
    e, tol = spread("perturbation", perturbation, x.shape), scalar("tol", tol, least=0.0)
    if not covers(x, tol, e, window):
        raise InputError(
            "window", window, "some target is not served: raise tol or perturbation, or give more candidates"
        )
    used = _fewest_first(x, tol, e, window)
    low, high = (float(end) for end in window)
    return _sealed(
        "cover",
        candidates=_hex(x),
        tol=tol.hex(),
        perturbation=_hex(e),
        window=[low.hex(), high.hex()],
        masks=_chain(x[:used], tol, e[:used], low, high),
    )


def _fewest_first(x: Floats, tol: float, e: Floats, window: tuple[float, float]) -> int:
    """The least m such that the first m candidates serve the window (more never hurt, so halving finds it)."""
    few, enough = 0, len(x)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if covers(x[:middle], tol, e[:middle], window) else (middle, enough)
    if enough > MOST:
        raise BudgetError(
            f"cover certificate: {enough} candidates are needed, and lists for {MOST} are allowed; raise tol"
        )
    return enough


def _chain(x: Floats, tol: float, e: Floats, low: float, high: float) -> list[int]:
    """Codes of subsets whose intervals cover [low, high] without a gap, in whole numbers of a common grid."""
    size = sum((abs(Fraction(v)) for v in [*x.tolist(), *e.tolist(), tol, low, high]), Fraction(1))
    bits = BITS - math.ceil(size).bit_length()  # as fine as 64-bit sums allow: tol and moves are rounded down to it
    if any((Fraction(v) * (1 << bits)).denominator != 1 for v in x.tolist()):
        raise InputError(
            "candidates",
            f"numbers that need more than {bits} binary places",
            "round them to a coarser grid, such as 2^-50",
        )

    unit = Fraction(1, 1 << bits)

    def units(value: float) -> Fraction:
        return Fraction(value) / unit

    middle = np.array([int(units(v)) for v in x.tolist()], dtype=np.int64)
    moves = np.array([math.floor(units(v)) for v in e.tolist()], dtype=np.int64)
    half = len(x) // 2
    left, right = _ends(middle[:half], moves[:half]), _ends(middle[half:], moves[half:])
    order = np.argsort(right[0], kind="stable")
    starts, farthest = right[0][order], np.maximum.accumulate(right[1][order])
    reached, goal, slack = math.floor(units(low)), math.ceil(units(high)), math.floor(units(tol))
    codes: list[int] = []
    while not codes or reached < goal:
        index = np.searchsorted(starts, reached + slack - left[0], side="right") - 1
        ends = np.where(index >= 0, left[1] + farthest[np.maximum(index, 0)], np.iinfo(np.int64).min)
        best = int(np.argmax(ends))
        if index[best] < 0 or (codes and ends[best] + slack <= reached):
            raise InputError(
                "window", (low, high), "it is served, but by less than the grid of the candidates can show: raise tol"
            )
        allowed = right[1][order[: index[best] + 1]]
        codes.append(best | int(order[int(np.argmax(allowed))]) << half)
        reached = int(ends[best]) + slack
    return codes


def _ends(middle: Ints, moves: Ints) -> tuple[Ints, Ints]:
    """Low and high ends of what each subset reaches, by code: bit i is candidate i."""
    low, high = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for x, e in zip(middle, moves, strict=True):
        low, high = np.concatenate([low, low + x - e]), np.concatenate([high, high + x + e])
    return low, high


def _within(problem: SubsetSumProblem, solution: Solution) -> bool:
    signs, x, y = solution.keep.tolist(), problem.candidates.tolist(), solution.shift.tolist()
    terms = (int(s) * (Fraction(a) + Fraction(b)) for s, a, b in zip(signs, x, y, strict=True))
    return abs(sum(terms, -Fraction(problem.target))) <= Fraction(problem.tol)


def _row_within(batch: Any, solution: BatchSolution, row: int, keep: NDArray[np.intp]) -> bool:
    x = batch.candidates[row if len(batch.candidates) > 1 else 0][keep].tolist()
    terms = (Fraction(a) + Fraction(b) for a, b in zip(x, solution.shift[row][keep].tolist(), strict=True))
    return abs(sum(terms, -Fraction(float(batch.target[row])))) <= Fraction(float(batch.tol[row]))


def _sealed(kind: str, **body: Any) -> dict[str, Any]:
    document = {"format": f"strong_lth {kind} certificate", "version": VERSION, **body}
    return {**document, "hash": canonical_hash(document)}


def _hex(values: Floats) -> list[str]:
    return [float(v).hex() for v in values]
