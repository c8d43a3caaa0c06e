"""Sums of vectors against enumeration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from strong_lth.core import InputError, Status
from strong_lth.subsetsum import solve_vectors, verify_vectors

UNIT = 2.0**-30


def enumerated(x: np.ndarray, z: np.ndarray, e: np.ndarray, size: int | None) -> int:
    bits = (np.arange(1 << len(x))[:, None] >> np.arange(len(x)) & 1).astype(np.int64)
    if size is not None:
        bits = bits[bits.sum(axis=1) == size]
    return int(np.maximum(np.abs(bits @ x - z).max(axis=1) - bits @ e, 0).min())


@pytest.mark.parametrize("d", range(1, 10))
def test_vectors_equal_enumeration(d: int) -> None:
    rng = np.random.default_rng(d)
    seen = set()
    for k in range(60):
        n = int(rng.integers(1, 13))
        x = rng.integers(-(2**30), 2**30, (n, d)) // int(rng.choice([1, 1, 1 << 28]))
        if k % 6 == 0:
            x[0] = 0
            x[-1] = x[0]
        z = rng.integers(-(2**30), 2**30, d)
        e = np.zeros(n, np.int64)
        if k % 3 == 1:
            e[:] = int(rng.integers(1, 2**28))
        if k % 3 == 2:
            e = rng.integers(0, 2**28, n)
        size = int(rng.integers(0, n + 1)) if k % 4 == 3 else None
        problem = {"tol": 0.125, "perturbation": e * UNIT, "size": size}
        solution = solve_vectors(x * UNIT, z * UNIT, **problem)
        truth = enumerated(x, z, e, size)
        assert solution.error == truth * UNIT
        assert (solution.status is Status.SOLVED) == (truth * UNIT <= 0.125)
        assert size is None or solution.keep.sum() == size
        certificate = verify_vectors(x * UNIT, z * UNIT, solution, **problem)
        assert certificate.ok, certificate.failures
        seen.add(solution.status)
    assert Status.OPTIMAL in seen


def test_scan_and_tree_agree_on_larger_instances() -> None:
    rng = np.random.default_rng(0)
    for d in (4, 5, 6):
        x, z = rng.uniform(-1, 1, (18, d)), rng.uniform(-1, 1, d)
        by_tree = solve_vectors(x, z, perturbation=1e-3)
        e = np.full(18, 1e-3)
        e[0] = np.nextafter(1e-3, 0)  # unequal: the scan
        assert abs(solve_vectors(x, z, perturbation=e).error - by_tree.error) < 1e-15


def test_verify_refuses_tampered_vectors() -> None:
    rng = np.random.default_rng(1)
    x, z = rng.uniform(-1, 1, (10, 3)), rng.uniform(-1, 1, 3)
    solution = solve_vectors(x, z, perturbation=1e-3)
    assert verify_vectors(x, z, solution, perturbation=1e-3).ok
    turned = solution.keep.copy()
    turned[0] = not turned[0]
    far = solution.shift.copy()
    far[np.flatnonzero(solution.keep)[0], 1] = 2e-3
    for bad in (
        replace(solution, keep=turned),
        replace(solution, shift=far),
        replace(solution, error=float(np.nextafter(solution.error, 1))),
        replace(solution, status=Status.SOLVED),
        replace(solution, keep=solution.keep[:-1]),
    ):
        assert not verify_vectors(x, z, bad, perturbation=1e-3).ok


def test_what_only_real_moves_reach_is_undecided() -> None:
    """Moved values are doubles: where those miss the target and real moves do not, the error is not called the least."""
    x, z = [[0.3]], [-0.2378787235785361]
    solution = solve_vectors(x, z, perturbation=0.9)
    assert solution.status is Status.UNDECIDED
    assert solution.error == 2.0**-55
    assert "tol=" in solution.stats["note"]
    assert verify_vectors(x, z, solution, perturbation=0.9).ok
    rng = np.random.default_rng(7)
    seen = []
    for _ in range(150):
        d = int(rng.integers(1, 6))
        x, z = rng.uniform(-1, 1, (5, d)), rng.uniform(-1, 1, d)
        solution = solve_vectors(x, z, perturbation=0.3)
        scale = 2.0**40
        least = enumerated(
            np.rint(x * scale).astype(np.int64), np.rint(z * scale).astype(np.int64), np.full(5, int(0.3 * scale)), None
        )
        if solution.status is Status.OPTIMAL:
            assert least > 2
            assert solution.error == pytest.approx(least / scale, abs=1e-10)
        seen.append(solution.status)
    assert set(seen) == {Status.SOLVED, Status.OPTIMAL, Status.UNDECIDED}


def test_malformed_vectors_are_refused_by_name() -> None:
    for name, call in {
        "candidates": lambda: solve_vectors(np.zeros((3, 10)), np.zeros(10)),
        "target": lambda: solve_vectors(np.zeros((3, 2)), np.zeros(3)),
        "size": lambda: solve_vectors(np.zeros((3, 2)), np.zeros(2), size=4),
        "perturbation": lambda: solve_vectors(np.zeros((3, 2)), np.zeros(2), perturbation=[1.0, 2.0]),
        "MiB": lambda: solve_vectors(np.zeros((60, 2)), np.zeros(2)),
        "100000 vectors": lambda: solve_vectors(np.zeros((100_000, 2)), np.zeros(2)),
        "budget": lambda: solve_vectors(np.zeros((3, 2)), np.zeros(2), budget="much"),
        "overflow": lambda: solve_vectors([[-1.7e308]], [1.7e308], size=1),
    }.items():
        with pytest.raises(InputError, match=name):
            call()
