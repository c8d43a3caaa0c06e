from strong_lth.subsetsum.batch import needed_candidates, solve_batch
