"""The engines of the least error, each against another that shares nothing with it, in exact integers."""

from __future__ import annotations

import numpy as np
import pytest

from strong_lth.core import Status
from strong_lth.subsetsum import SubsetSumProblem, kernels_windows, solve, solve_batch, verify, windows
from strong_lth.subsetsum.engines import make_rows, moves_of, nearest_engine
from strong_lth.subsetsum.exact import choose_moves
from strong_lth.subsetsum.fixedpoint import GUARD
from strong_lth.subsetsum.kernels_nearest import any_rows, nearest_rows


def nearest(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep, gap = np.zeros((len(z), x.shape[1]), np.bool_), np.empty(len(z), np.int64)
    nearest_rows(x, z, keep, gap)
    return keep, gap


def adversarial(rng: np.random.Generator, count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Ties, zeros, duplicates, tiny beside huge, all negative, targets far outside the range, as large as the grid allows."""
    x = rng.integers(-(2**54), 2**54, (count, n)) * 4
    kind = np.arange(count) % 8
    x[kind == 1] = rng.integers(-3, 4, ((kind == 1).sum(), n)) * 4
    x[kind == 2, : n // 2] = 0
    x[kind == 3] = x[kind == 3, :1]
    x[kind == 4, ::2] >>= 45
    x[kind == 5] = -np.abs(x[kind == 5])
    z = rng.integers(-(2**56), 2**56, count)
    z[kind == 6] = rng.choice([-1, 1], (kind == 6).sum()) << 61
    z[kind == 1] = rng.integers(-60, 60, (kind == 1).sum())
    z[kind == 7] = (x[kind == 7] * rng.integers(0, 2, ((kind == 7).sum(), n))).sum(axis=1)
    return x, z


@pytest.mark.parametrize("n", range(1, 17))
def test_every_sum_and_meet_in_the_middle_equal_brute_force(n: int) -> None:
    rng = np.random.default_rng(n)
    x, z = adversarial(rng, 800 if n < 13 else 200, n)
    keep, gap = nearest(x, z)
    bits = (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(np.int64)
    truth = [np.abs(bits @ row - target).min() for row, target in zip(x, z, strict=True)]
    assert gap.tolist() == truth
    assert (np.abs((x * keep).sum(axis=1) - z) == gap).all()


def test_shared_candidates_give_the_distances_of_repeated_ones() -> None:
    x, z = adversarial(np.random.default_rng(1), 100, 15)
    assert np.array_equal(nearest(x[:1], z)[1], nearest(np.repeat(x[:1], 100, axis=0), z)[1])


@pytest.mark.parametrize("n", [1, 5, 12, 14, 19])
def test_any_subset_is_found_exactly_where_there_is_one(n: int) -> None:
    rng = np.random.default_rng(n)
    x, z = adversarial(rng, 240, n)
    half = rng.integers(0, 1 << int(rng.integers(3, 56)), 240) * 2 * GUARD
    z = np.clip(z, -(2**58), 2**58) // GUARD * GUARD
    bottom, top = z - half, z + half
    bottom[::9] = top[::9] + 2 * GUARD  # empty
    keep, used = np.zeros((240, n), np.bool_), np.empty(240, np.int64)
    any_rows(x, bottom, top, n, keep, used)
    hit = used >= 0
    distance = nearest(x, (bottom + top) // 2)[1]
    assert np.array_equal(hit, distance <= (top - bottom) // 2)
    sums = (x * keep).sum(axis=1)
    assert ((bottom <= sums) & (sums <= top))[hit].all()
    assert not keep[~hit].any()
    last = np.where(keep.any(axis=1), n - keep[:, ::-1].argmax(axis=1), 0)
    assert (last[hit] <= used[hit]).all()
    assert hit.any() or n == 1


def test_compiled_moves_are_the_numpy_moves() -> None:
    rng = np.random.default_rng(6)
    for k in range(150):
        n = int(rng.integers(1, 15))
        x = rng.normal(size=(20, n)) * 10.0 ** rng.uniform(-6, 2, (20, n)) if k % 2 else rng.uniform(-1, 1, (20, n))
        e = rng.uniform(0, 1, (20, n)) * 10.0 ** rng.uniform(-9, 1)
        if k % 3 == 0:
            x, e = x[:1], e[:1]
        rows = make_rows(x, e, rng.normal(size=20) * n**0.5, np.zeros(20))
        keep = rng.random((20, n)) < 0.5
        assert np.array_equal(moves_of(rows, keep), choose_moves(rows.grid, keep, rows.spot))


def window_instances(count: int) -> list[tuple[np.ndarray, int, int, int]]:
    """Many tiny windows and a poor first subset: where a missed cell or margin would show."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(count):
        n = int(rng.integers(16, 23))
        scale = 2 ** int(rng.choice([50, 50, 50, 12, 3]))
        x = rng.integers(-scale, scale, n) * 4
        found.append(
            (
                x,
                int(rng.integers(-4 * scale, 4 * scale)) * int(rng.choice([1, 1, 5])),
                1 << int(rng.integers(2, 9)),
                int(rng.integers(1, 9)),
            )
        )
    return found


def test_windows_equal_meet_in_the_middle() -> None:
    instances = window_instances(400)
    for k, (x, z, window, seed) in enumerate(instances):
        keep, distance, proved = windows.nearest_by_windows(x, z, 1 << 24, workers=1 + k % 3, window=window, seed=seed)
        assert proved
        assert distance == nearest(x[None], np.array([z]))[1][0]
        assert abs(int(x[keep].sum()) - z) == distance


@pytest.mark.parametrize("fault", ["narrow cells", "no margins"])
def test_a_planted_fault_in_the_windows_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The uncompiled kernel with one of its correctness conditions removed gives wrong distances."""
    source = kernels_windows.search_windows.py_func
    names = dict(vars(kernels_windows)) | {
        name: getattr(kernels_windows, name).py_func for name in ("below", "length_in_bits", "mark", "marked")
    }
    import inspect
    import textwrap

    code = textwrap.dedent(inspect.getsource(source)).replace("@kernel\n", "")
    old, new = {
        "narrow cells": ("least = length_in_bits(2 * best)", "least = 0"),
        "no margins": ("rest - d[q] >= lo - best", "False"),
    }[fault]
    assert code.count(old) == 1
    wrong = 0
    for text in (code, code.replace(old, new)):
        scope = dict(names)
        exec(text, scope)
        monkeypatch.setattr(kernels_windows, "search_windows", scope["search_windows"])
        monkeypatch.setattr(kernels_windows, "BITS", 10)
        scope["BITS"] = 8
        misses = 0
        for x, z, window, seed in window_instances(60):
            x = x[:14]
            _, distance, _ = windows.nearest_by_windows(x, z, 1 << 24, window=window, seed=seed)
            misses += distance != nearest(x[None], np.array([z]))[1][0]
        assert (misses == 0) == (text is code)
        wrong += misses
    assert wrong > 0


def test_a_window_that_never_fits_is_not_called_proved() -> None:
    x = np.full(24, 1 << 40)
    x[0] = 4
    keep, distance, proved = windows.nearest_by_windows(x, (1 << 40) * 7 + 2, 64, seed=4)
    assert distance == abs(int(x[keep].sum()) - (1 << 40) * 7 - 2)
    assert not proved or distance == 2


def test_50_candidates_are_proved_and_70_hit_the_grid() -> None:
    rng = np.random.default_rng(4)
    problem = SubsetSumProblem(rng.uniform(-1, 1, 48), 0.3)
    solution = solve(problem)
    assert solution.status in (Status.OPTIMAL, Status.SOLVED)
    assert solution.error < 2e-13
    assert solution.stats["engine"] == "windows"
    turned = solve(SubsetSumProblem(problem.candidates[::-1], 0.3))
    assert turned.error == solution.error
    coarse = SubsetSumProblem(rng.integers(-(2**44), 2**44, 70) * 2.0**-44, 0.25)
    solution = solve(coarse)
    assert (solution.status, solution.error) == (Status.SOLVED, 0.0)
    assert solution.stats["engine"] == "bracketing sub-problem"
    assert verify(coarse, solution).ok


def test_engines_are_chosen_by_size_perturbation_and_budget() -> None:
    chosen = [nearest_engine(n, False, 1 << 24) for n in (13, 14, 46, 47, 60, 61)]
    assert chosen == [
        "all sums",
        "meet in the middle",
        "meet in the middle",
        "windows",
        "windows",
        "bracketing sub-problem",
    ]
    assert nearest_engine(20, True, 1 << 24) == "interval lists"
    assert nearest_engine(46, False, 1 << 23) == "windows"


def test_integers_and_float32_are_their_doubles() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(-1000, 1000, (50, 14))
    z = rng.integers(-3000, 3000, 50)
    for kind in (np.int64, np.int16, np.float32):
        for objective in ("nearest", "any", "fewest"):
            a = solve_batch(x.astype(kind), z.astype(kind), objective=objective)
            b = solve_batch(x.astype(np.float64), z.astype(np.float64), objective=objective)
            assert np.array_equal(a.errors, b.errors)
            assert np.array_equal(a.keep, b.keep)


def test_many_candidates_whose_sums_coincide_are_proved_by_merging() -> None:
    rng = np.random.default_rng(7)
    coarse = rng.integers(-8, 9, 50) / 8
    solution = solve(SubsetSumProblem(coarse, 0.3))
    assert (solution.status, solution.error) == (Status.OPTIMAL, pytest.approx(0.05))
    twins = np.repeat(rng.uniform(-1, 1, 3), 17)  # equal candidates, on no coarse grid
    solution = solve(SubsetSumProblem(twins, 0.3))
    sums = (
        np.arange(18)[:, None, None] * twins[0] + np.arange(18)[:, None] * twins[17] + np.arange(18) * twins[34]
    ).ravel()
    assert solution.error == pytest.approx(np.abs(sums - 0.3).min(), abs=1e-14)
    assert solution.status is Status.OPTIMAL
