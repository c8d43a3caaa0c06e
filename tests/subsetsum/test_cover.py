"""Covering against enumeration in exact integers."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from strong_lth.core import BudgetError, InputError
from strong_lth.subsetsum import (
    SubsetSumProblem,
    brute_force,
    covered_set,
    covering_radius,
    covers,
    solve,
    worst_target,
)

UNIT = 2.0**-30


def sums(x: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bits = np.arange(1 << len(x))[:, None] >> np.arange(len(x)) & 1
    return bits @ x, bits @ e


def enumerated_radius(x: np.ndarray, e: np.ndarray, low: int, high: int) -> Fraction:
    """sup over [low, high] of the distance to the union of [s - r, s + r]: it is attained at an end or in the middle of a gap."""
    s, r = sums(x, e)
    order = np.argsort(s - r, kind="stable")
    left, right = (s - r)[order], np.maximum.accumulate((s + r)[order])
    middles = [Fraction(int(a) + int(b), 2) for a, b in zip(right[:-1], left[1:], strict=True) if a < b]
    spots = [Fraction(low), Fraction(high)] + [m for m in middles if low <= m <= high]
    apart = [int(p * 2) for p in spots]
    return max(Fraction(int(np.maximum(0, np.maximum(2 * (s - r) - p, p - 2 * (s + r))).min()), 2) for p in apart)


def cases(count: int) -> list[tuple[np.ndarray, np.ndarray, int, int]]:
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        n = int(rng.integers(1, 11))
        x = rng.integers(-(2**30), 2**30, n) // int(rng.choice([1, 1, 1 << 20, 1 << 27]))
        if k % 4 == 0:
            x[rng.integers(n)] = x[0]
        if k % 5 == 0:
            x = -np.abs(x)
        if k % 7 == 0:
            x[0] = 0
        e = np.zeros(n, np.int64) if k % 3 else rng.integers(0, 2 ** int(rng.integers(1, 28)), n)
        ends = sorted(rng.integers(-(2**31), 2**31, 2).tolist())
        if k % 11 == 0:
            ends[1] = ends[0]
        found.append((x, e, *ends))
    return found


def test_covering_radius_is_the_enumerated_one() -> None:
    for x, e, low, high in cases(400):
        window = (low * UNIT, high * UNIT)
        worst = worst_target(x * UNIT, window, perturbation=e * UNIT)
        assert worst.error == float(enumerated_radius(x, e, low, high) * Fraction(UNIT))
        assert worst.resolution == 0
        assert window[0] <= worst.target <= window[1]
        assert brute_force(SubsetSumProblem(x * UNIT, worst.target, perturbation=e * UNIT)).least == Fraction(
            worst.error
        )


def test_covers_and_covered_set_are_the_enumerated_ones() -> None:
    rng = np.random.default_rng(6)
    seen = set()
    for x, e, low, high in cases(300):
        radius = enumerated_radius(x, e, low, high)
        window = (low * UNIT, high * UNIT)
        for tol in (float(radius * Fraction(UNIT)), rng.uniform(0, 2) * float(radius) * UNIT):
            answer = covers(x * UNIT, tol, e * UNIT, window)
            assert answer == (Fraction(tol) >= radius * Fraction(UNIT))
            seen.add(answer)
            intervals = covered_set(x * UNIT, tol, e * UNIT, window)
            assert answer == (intervals.shape == (1, 2) and (intervals[0] == window).all())
        tol = 2.0 ** -int(rng.integers(4, 20))
        everything = covered_set(x * UNIT, tol, e * UNIT)
        s, r = sums(x, e)
        reach = (r + tol / UNIT) * UNIT
        for z in rng.uniform(-4, 4, 30):
            truth = bool((np.abs(s * UNIT - z) <= reach).any())
            assert bool(((everything[:, 0] <= z) & (z <= everything[:, 1])).any()) == truth
        assert (everything[1:, 0] > everything[:-1, 1]).all()
    assert seen == {True, False}


def test_a_larger_instance_agrees_with_sorting_all_sums() -> None:
    x = np.random.default_rng(7).integers(-(2**40), 2**40, 18)
    s = np.zeros(1, np.int64)
    for value in x:
        s = np.concatenate([s, s + value])
    inside = np.sort(s[np.abs(s) <= 2**40])
    radius = max(int(np.diff(inside).max()), 2 * (int(inside[0]) + 2**40), 2 * (2**40 - int(inside[-1])))
    found = worst_target(x * 2.0**-40)
    assert found.error == radius * 2.0**-41
    assert solve(SubsetSumProblem(x * 2.0**-40, found.target)).error == found.error


def test_rounded_inputs_are_bracketed() -> None:
    rng = np.random.default_rng(8)
    rounded = 0
    for _ in range(40):
        x, window = rng.normal(size=8) * [1, 1, 1, 1, 1, 1, 1e-3, 1e-4], tuple(np.sort(rng.normal(size=2)).tolist())
        found = worst_target(x, window)
        exact = [sum(map(Fraction, x[np.flatnonzero([m >> k & 1 for k in range(8)])])) for m in range(256)]
        ends = sorted(exact)
        spots = [Fraction(end) for end in window] + [(a + b) / 2 for a, b in pairwise(ends)]
        truth = max(min(abs(z - s) for s in exact) for z in spots if window[0] <= z <= window[1])
        rounded += 0 < found.resolution < 2.0**-45
        assert abs(Fraction(found.error) - truth) <= Fraction(found.resolution) + Fraction(
            float(np.spacing(found.error))
        )
        assert not covers(x, float(np.nextafter(found.error - found.resolution, 0)), window=window)
        assert covers(x, found.error + 3 * found.resolution + 2.0**-50, window=window)
    assert rounded > 30


def test_thousands_of_candidates_at_a_fixed_tol() -> None:
    x = np.random.default_rng(9).uniform(-1, 1, 3000)
    assert covers(x, 1e-4)
    assert covered_set(x, 1e-4).shape[0] < 100
    assert not covers(x, 1e-4, window=(-1, 2000))


def test_malformed_input_is_refused_by_name() -> None:
    for name, call in {
        "window": lambda: covering_radius([0.5], (1, 0)),
        "candidates": lambda: covering_radius([]),
        "tol": lambda: covers([0.5], -1e-3),
        "perturbation": lambda: covers([0.5], 1e-3, [1.0, 2.0]),
        "budget": lambda: covers([0.5], 1e-3, budget=1),
    }.items():
        with pytest.raises(InputError, match=name):
            call()


def test_more_memory_than_the_budget_is_refused_with_its_size() -> None:
    x = np.random.default_rng(10).uniform(-1, 1, 60)
    with pytest.raises(BudgetError, match="MiB needed"):
        covering_radius(x, budget=1 << 16)
