"""Problems every engine must get exactly right, and random ones of each kind."""

from __future__ import annotations

import numpy as np

from strong_lth.subsetsum import SubsetSumProblem

GRID = 2.0**-40


def zoo() -> dict[str, SubsetSumProblem]:
    """Named small problems; perturbations are dyadic, so the exact optimum over real moves is attained by doubles."""
    rng = np.random.default_rng(5)
    x = rng.integers(-(2**40), 2**40, 9) * GRID
    e = 2.0**-10
    problems = {
        "plain": SubsetSumProblem(x, 0.3),
        "plain with tol": SubsetSumProblem(x, 0.3, 0.01),
        "one candidate kept": SubsetSumProblem([0.5], 0.4),
        "one candidate removed": SubsetSumProblem([0.5], 0.1, 0.2),
        "one zero": SubsetSumProblem([0.0], 0.25),
        "zeros": SubsetSumProblem([0.0, 0.0, 0.5], 0.5),
        "target zero": SubsetSumProblem(x, 0.0),
        "duplicates": SubsetSumProblem([0.25] * 7, 1.3),
        "two-sided tie": SubsetSumProblem([0.25, 0.75], 0.5),
        "tie broken by the last digit": SubsetSumProblem([0.25, 0.75], np.nextafter(0.5, 1)),
        "target exactly tol away": SubsetSumProblem([0.25, 0.75], 0.5, 0.25),
        "target a hair beyond tol": SubsetSumProblem([0.25], np.nextafter(0.5, 1), 0.25),
        "all negative": SubsetSumProblem(-np.abs(x), -1.7, 1e-3),
        "above every sum": SubsetSumProblem(x, 50.0, 1.0),
        "below every sum": SubsetSumProblem(x, -1e300, 1.0),
        "tol beyond everything": SubsetSumProblem(x, 1e308, 1.7e308),
        "tiny": SubsetSumProblem(x * 2.0**-900, 0.3 * 2.0**-900),
        "subnormal": SubsetSumProblem(np.arange(1, 8) * 5e-324, 1e-322),
        "huge": SubsetSumProblem(x * 2.0**1000, 0.3 * 2.0**1000, perturbation=2.0**985),
        "target far below the grid": SubsetSumProblem(x, 1e-300),
        "target between grid points": SubsetSumProblem(x, 0.1 + 2.0**-57),
        "perturbed": SubsetSumProblem(x, 0.3, 0.0, e),
        "perturbed out of reach": SubsetSumProblem([0.5, 0.25], 0.4, 0.0, e),
        "perturbed touching": SubsetSumProblem([0.5], 0.5 + e, 0.0, e),
        "perturbed touching minus a hair": SubsetSumProblem([0.5], 0.5 + e + 2.0**-40, 0.0, e),
        "per candidate": SubsetSumProblem(x, 2.1, 1e-4, np.arange(9) * e),
        "some fixed": SubsetSumProblem(x, -0.77, 1e-4, np.arange(9) % 2 * e),
        "moves beyond the candidates": SubsetSumProblem(x * 2.0**-12, 2.0**-9, 0.0, e),
        "no candidate but a move": SubsetSumProblem([0.0, 0.0], 0.7 * e, 0.0, e),
    }
    for n in range(1, 12):
        problems[f"random {n}"] = SubsetSumProblem(
            rng.integers(-(2**40), 2**40, n) * GRID, rng.uniform(-1, 1), 10.0 ** -rng.integers(1, 4)
        )
    return problems


def sized_and_signed() -> dict[str, SubsetSumProblem]:
    """The same with a fixed size, with signs, with both."""
    made = {}
    for name, p in zoo().items():
        n = len(p.candidates)
        for size in sorted({0, 1, n // 2, n}):
            made[f"{name}, size {size}"] = SubsetSumProblem(p.candidates, p.target, p.tol, p.perturbation, size)
        if n <= 8:
            made[f"{name}, signed"] = SubsetSumProblem(p.candidates, p.target, p.tol, p.perturbation, signed=True)
            made[f"{name}, signed, size {n // 2}"] = SubsetSumProblem(
                p.candidates, p.target, p.tol, p.perturbation, n // 2, signed=True
            )
    return made
