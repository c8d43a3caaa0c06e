from strong_lth.subsetsum.batch import needed_candidates, solve_batch
from strong_lth.subsetsum.problem import BatchSolution, Solution, SubsetSumProblem
