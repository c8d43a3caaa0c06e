"""Brute force in Python integers: slow, short, and right by inspection. Every engine is tested against it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from strong_lth.core import InputError
from strong_lth.subsetsum.problem import SubsetSumProblem


@dataclass(frozen=True)
class BruteForce:
    """``least``: the exact least error over all admissible subsets and real moves. ``fewest``: fewest kept within tol, or None."""

    least: Fraction
    fewest: int | None


def brute_force(problem: SubsetSumProblem) -> BruteForce:
    """Try all 2^n subsets (3^n when signed), n <= 16: error of S = max(0, |sum_S x_i - z| - sum_S perturbation_i).

    >>> brute_force(SubsetSumProblem([0.5, -0.25], target=0.375, tol=0.125))
    BruteForce(least=Fraction(1, 8), fewest=1)
    """
    n = len(problem.candidates)
    if n > 16:
        raise InputError("candidates", f"{n} of them", "brute force takes at most 16; use solve")
    target = Fraction(problem.target)
    states = [(Fraction(0), Fraction(0), 0)]  # sum, reach, number kept
    for x, e in zip(map(Fraction, problem.candidates), map(Fraction, problem.perturbation), strict=True):
        kept = [(s + x, r + e, k + 1) for s, r, k in states]
        if problem.signed:
            kept += [(s - x, r + e, k + 1) for s, r, k in states]
        states += kept
    errors = [(max(Fraction(0), abs(s - target) - r), k) for s, r, k in states if problem.size in (None, k)]
    within = [k for error, k in errors if error <= Fraction(problem.tol)]
    return BruteForce(min(errors)[0], min(within, default=None))
