"""Random subset sum: choose candidates, and small moves of them, whose sum is near a target. ``solve`` proposes, ``verify`` decides."""

from strong_lth.subsetsum.batch import needed_candidates, solve_batch
from strong_lth.subsetsum.certificates import batch_certificate, cover_certificate, sum_certificate
from strong_lth.subsetsum.cover import WorstTarget, covered_set, covering_radius, covers, worst_target
from strong_lth.subsetsum.hitting import FailureCurve, failure_curve, hitting_times
from strong_lth.subsetsum.oracles import BruteForce, brute_force
from strong_lth.subsetsum.problem import STATUSES, BatchSolution, Objective, Solution, SubsetSumProblem
from strong_lth.subsetsum.solve import solve
from strong_lth.subsetsum.vectors import VectorSolution, solve_vectors, verify_vectors
from strong_lth.subsetsum.verify import verify, verify_batch

__all__ = [
    "STATUSES",
    "BatchSolution",
    "BruteForce",
    "FailureCurve",
    "Objective",
    "Solution",
    "SubsetSumProblem",
    "VectorSolution",
    "WorstTarget",
    "batch_certificate",
    "brute_force",
    "cover_certificate",
    "covered_set",
    "covering_radius",
    "covers",
    "failure_curve",
    "hitting_times",
    "needed_candidates",
    "solve",
    "solve_batch",
    "solve_vectors",
    "sum_certificate",
    "verify",
    "verify_batch",
    "verify_vectors",
    "worst_target",
]
