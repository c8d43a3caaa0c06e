"""Random subset sum: choose candidates, and small moves of them, whose sum is near a target. ``solve`` proposes, ``verify`` decides."""

from strong_lth.subsetsum.batch import needed_candidates, solve_batch
from strong_lth.subsetsum.oracles import BruteForce, brute_force
from strong_lth.subsetsum.problem import BatchSolution, Objective, Solution, SubsetSumProblem
from strong_lth.subsetsum.solve import solve
from strong_lth.subsetsum.verify import verify, verify_batch

__all__ = [
    "BatchSolution",
    "BruteForce",
    "Objective",
    "Solution",
    "SubsetSumProblem",
    "brute_force",
    "needed_candidates",
    "solve",
    "solve_batch",
    "verify",
    "verify_batch",
]
