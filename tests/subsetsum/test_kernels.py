"""Each compiled kernel against its numpy form, and the fixed-point conversion against exact rationals."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from strong_lth.core import BudgetError, InputError
from strong_lth.subsetsum import (
    SubsetSumProblem,
    kernels,
    kernels_classes,
    kernels_fewest,
    needed_candidates,
    solve,
    solve_batch,
    verify,
    verify_batch,
)
from strong_lth.subsetsum.engines import make_rows, search_fewest, search_lists
from strong_lth.subsetsum.exact import sum_error
from strong_lth.subsetsum.fixedpoint import GUARD, place, to_grid, window
from strong_lth.subsetsum.lists import nearest_pair, reachable, union
from strong_lth.subsetsum.solve import solve_by_numpy

ROOT = Path(__file__).parents[2]


def random_intervals(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    width = rng.integers(0, rng.integers(1, 2000), n)
    low = rng.integers(-20000, 20000, n)
    return low, low + width * rng.integers(0, 2, n)


def test_unite_is_the_numpy_union_step() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        low, high = random_intervals(rng, int(rng.integers(1, 9)))
        lo, hi = np.zeros(2000, np.int64), np.zeros(2000, np.int64)
        start, count = 0, 1
        expected = (np.zeros(1, np.int64), np.zeros(1, np.int64))
        for a, b in zip(low.tolist(), high.tolist(), strict=True):
            end = start + count
            count = kernels.unite(lo, hi, start, end, start, end, a, b, lo[end:], hi[end:])
            start = end
            expected = union(expected, (expected[0] + a, expected[1] + b))
            assert np.array_equal(lo[start : start + count], expected[0])
            assert np.array_equal(hi[start : start + count], expected[1])


def test_touching_integer_intervals_stay_apart() -> None:
    assert len(union((np.array([0, 4]), np.array([3, 5])))[0]) == 2
    assert len(union((np.array([0, 3]), np.array([3, 5])))[0]) == 1


def test_nearest_pair_is_its_numpy_form() -> None:
    rng = np.random.default_rng(2)
    for _ in range(400):
        a, b = (reachable(*random_intervals(rng, int(rng.integers(0, 8))), sized=False, signed=False)[0] for _ in "ab")
        bottom = int(rng.integers(-60000, 60000))
        top = bottom + int(rng.integers(0, 30))
        gap, i, j = kernels.nearest_pair(*a, 0, len(a[0]), *b, 0, len(b[0]), bottom, top)
        expected, y_a, y_b = nearest_pair(a, b, bottom, top)
        assert max(gap, 0) == expected
        assert max(bottom - y_a - y_b, y_a + y_b - top, 0) == expected
        assert max(bottom - a[1][i] - b[1][j], a[0][i] + b[0][j] - top) == gap


def test_merge_is_a_sort_of_both_runs() -> None:
    rng = np.random.default_rng(14)
    for _ in range(200):
        sizes = rng.integers(0, 9, 2)
        a = np.concatenate([np.sort(rng.integers(-9, 9, size)) for size in sizes])
        x, out = int(rng.integers(-9, 9)), np.zeros(20, np.int64)
        made = kernels_classes.merge(a, 0, sizes[0], sizes[0], sizes.sum(), x, out)
        assert out[:made].tolist() == sorted([*a[: sizes[0]], *(a[sizes[0] :] + x)])
    points, doubled = np.zeros(64, np.int64), np.zeros(64, np.int64)
    points[:32] = np.sort(rng.integers(-9, 9, 32))
    for x in (-5, 0, 5):
        kernels.double(points, 32, x, doubled)
        assert doubled.tolist() == sorted([*points[:32], *(points[:32] + x)])


@pytest.mark.parametrize("size", [None, 4, 12])
@pytest.mark.parametrize("signed", [False, True])
def test_classes_beyond_the_budget_are_undecided_with_a_proper_subset(size: int | None, signed: bool) -> None:
    """A budget of a few entries: the best of what fits, of the right size, and no false claim."""
    if size is None and not signed:
        size = 5
    rng = np.random.default_rng(15)
    x, z = rng.integers(-(2**30), 2**30, (40, 14)) * 2.0**-30, rng.uniform(-1, 1, 40)
    for perturbation in (0.0, 2.0**-20):
        kind = {"perturbation": perturbation, "size": size, "signed": signed, "tol": 1e-3}
        names = set()
        for objective in ("nearest", "any", "fewest") if size is None else ("nearest", "any"):
            few = solve_batch(x, z, objective=objective, budget=64, **kind)
            all_of_them = solve_batch(x, z, objective=objective, **kind)
            assert verify_batch(x, z, few, **kind).ok
            assert all_of_them.decided.all()
            assert (few.solved <= all_of_them.solved).all()
            assert (few.statuses[few.decided] == all_of_them.statuses[few.decided]).all()
            names |= {few.status(row).name for row in range(40)}
            if not few.decided.all():
                assert "budget" in few.stats["note"]
        assert "UNDECIDED" in names


@pytest.mark.parametrize("bits", [0, 4])
def test_lists_of_subsets_are_complete_and_sorted(bits: int) -> None:
    rng = np.random.default_rng(3)
    n = 9
    low = rng.integers(-100, 100, n)
    value, name, spare_value, spare_name = (np.zeros(600, np.int64) for _ in range(4))
    start, end = 0, 1
    for size in range(1, 6):
        start, end = end, kernels_fewest.larger_subsets(
            low, bits, value, name, start, end, spare_value, spare_name, np.zeros(n, np.int64)
        )  # fmt: skip
        assert end - start == math.comb(n, size)
        assert (np.diff(value[start:end]) >= 0).all()
        seen = set()
        for entry in range(start, end):
            keep = np.zeros(n, np.bool_)
            kernels_fewest.mark(name[entry], bits, size, keep)
            assert keep.sum() == size
            assert low[keep].sum() == value[entry]
            assert kernels_fewest.reach(name[entry], bits, size, np.arange(n)) == np.flatnonzero(keep).sum()
            seen.add(tuple(keep))
        assert len(seen) == end - start


def test_disjoint_reads_both_kinds_of_names() -> None:
    assert kernels_fewest.disjoint(0b0101, 2, 0b1010, 2, 0)
    assert not kernels_fewest.disjoint(0b0101, 2, 0b1100, 2, 0)
    assert kernels_fewest.disjoint((5 << 4) | 3, 2, (4 << 4) | 2, 2, 4)
    assert not kernels_fewest.disjoint((5 << 4) | 3, 2, (3 << 4) | 2, 2, 4)


@pytest.mark.parametrize("n", [20, 70, 300])
@pytest.mark.parametrize("perturbation", [0.0, 1e-5])
def test_fewest_among_many_candidates(n: int, perturbation: float) -> None:
    """Packed names (n > 63): minimal against all pairs, triples and quadruples formed by numpy."""
    rng = np.random.default_rng(4)
    x = rng.integers(-(2**40), 2**40, n) * 2.0**-40
    for z in (0.71, 2.2):
        for tol in (1e-2, 1e-4, 1e-5):
            solution = solve(SubsetSumProblem(x, z, tol, perturbation), "fewest")
            kept = int(solution.keep.sum())
            assert solution.error <= tol
            radius = tol + perturbation * np.arange(5)
            one = np.abs(x - z).min()
            i, j = np.triu_indices(n, 1)
            pairs = x[i] + x[j]
            least = 5
            if one <= radius[1]:
                least = 1
            elif np.abs(pairs - z).min() <= radius[2]:
                least = 2
            elif any(np.abs(pairs[i > c] + x[c] - z).min(initial=9) <= radius[3] for c in range(n)):
                least = 3
            assert kept == least or (least == 5 and kept >= 4)


@pytest.mark.parametrize("objective", ["nearest", "any", "fewest"])
@pytest.mark.parametrize("perturbation", [0.0, 1e-6, 1e-3])
def test_compiled_and_numpy_agree_at_moderate_size(objective: str, perturbation: float) -> None:
    rng = np.random.default_rng(5)
    for n in (17, 21, 24):
        x = rng.integers(-(2**40), 2**40, n) * 2.0**-40
        problem = SubsetSumProblem(x, rng.uniform(-1, 1), 10.0 ** rng.uniform(-6, -4), perturbation)
        a, b = solve(problem, objective), solve_by_numpy(problem, objective)
        assert a.status is b.status
        assert objective != "nearest" or abs(a.error - b.error) <= a.stats["resolution"]
        assert objective != "fewest" or a.keep.sum() == b.keep.sum()
        assert verify(problem, a).ok
        assert verify(problem, b).ok


def test_halves_take_over_when_many_must_be_kept() -> None:
    rng = np.random.default_rng(6)
    x = np.abs(rng.integers(1, 2**40, 20) * 2.0**-40)
    z = float(np.sort(x)[2:].sum())  # about everything must be kept
    for perturbation in (0.0, 2.0**-30):
        problem = SubsetSumProblem(x, z, 0.0, perturbation)
        a, b = solve(problem, "fewest"), solve_by_numpy(problem, "fewest")
        assert a.keep.sum() == b.keep.sum()
        assert a.keep.sum() > 12
        assert verify(problem, a).ok


def test_budget_ends_in_undecided_with_the_knob_named() -> None:
    rng = np.random.default_rng(7)
    problem = SubsetSumProblem(rng.integers(-(2**40), 2**40, 60) * 2.0**-40, 0.5, 1e-15)
    for objective in ("nearest", "any", "fewest"):
        solution = solve(problem, objective, budget=1 << 10)
        assert solution.status.name == "UNDECIDED"
        assert "budget" in solution.stats["note"]
        assert verify(problem, solution).ok
    assert solve(problem, "nearest", budget=1 << 10).error < 1e-3
    with pytest.raises(BudgetError, match="row 0"):
        needed_candidates(np.tile(problem.candidates, 2)[None, :], [30.0], tol=1e-14)


def test_nearest_beyond_44_candidates_is_never_called_optimal() -> None:
    x = np.random.default_rng(8).integers(-(2**40), 2**40, 60) * 2.0**-40
    short = solve(SubsetSumProblem(x, 1e-13, 1e-15), budget=1 << 16)
    assert short.status.name == "UNDECIDED"
    assert short.stats["used"] < 60


def test_many_candidates_with_perturbation_collapse() -> None:
    x = np.random.default_rng(9).integers(-(2**40), 2**40, 400) * 2.0**-40
    problem = SubsetSumProblem(x, 150.0, 0.0, 1e-2)
    solution = solve(problem)
    assert solution.stats["used"] == 400
    assert verify(problem, solution).ok
    beyond = SubsetSumProblem(x, 1e3, 0.0, 1e-2)
    assert solve(beyond).status.name == "OPTIMAL"
    assert solve(beyond, "any").status.name == "INFEASIBLE"
    assert verify(beyond, solve(beyond)).ok


def test_grid_holds_its_inputs_and_its_loss_is_a_bound() -> None:
    rng = np.random.default_rng(10)
    for scale in (1.0, 2.0**-1040, 2.0**1000, 3e-9):
        x, e = rng.normal(size=(20, 7)) * scale, np.abs(rng.normal(size=(20, 7))) * scale * 1e-3
        grid = to_grid(x, e)
        for row in range(20):
            unit = Fraction(2) ** -int(grid.q[row])
            lost = [abs(Fraction(v) - int(i) * unit) for v, i in zip(x[row], grid.values[row], strict=True)]
            move = np.minimum(grid.moves_high[row], -grid.moves_low[row])
            short = [Fraction(v) - int(i) * unit for v, i in zip(e[row], move, strict=True)]
            assert min(short) >= 0
            assert sum(lost) + sum(short) <= int(grid.loss[row]) * unit
            assert grid.exact[row] == (max(lost) == 0)
            assert not (grid.values[row] % GUARD).any()
            for i, v in enumerate(x[row]):
                for y in (grid.moves_high[row, i], grid.moves_low[row, i]):
                    assert float(int(y) * unit) == int(y) * unit  # a double
                    moved = Fraction(v) + int(y) * unit
                    assert Fraction(float(moved)) == moved or e[row, i] > 2.0**-30 * abs(v) or not grid.exact[row]


def test_windows_are_exact() -> None:
    rng = np.random.default_rng(11)
    q = np.array([12, 50, 56, 3], np.int32)
    for _ in range(300):
        z = rng.choice([rng.normal(), float(rng.integers(-9, 9)) / 4, 2.0**-60, -(2.0**-60), 0.1, 1e-300, -1e-300], 4)
        tol = rng.choice([0.0, 0.25, 1e-3, 2.0**-70, abs(rng.normal())], 4)
        bottom, top = window(z, tol, q)
        spot = place(z, q)
        for k in range(4):
            unit = GUARD * Fraction(2) ** -int(q[k])
            exact_low, exact_high = Fraction(z[k]) - Fraction(tol[k]), Fraction(z[k]) + Fraction(tol[k])
            assert int(bottom[k]) == GUARD * math.ceil(exact_low / unit)
            assert int(top[k]) == GUARD * math.floor(exact_high / unit)
            for grid_point in range(int(spot[k]) // GUARD - 1, int(spot[k]) // GUARD + 3):
                left, right = grid_point * unit - Fraction(z[k]), (grid_point + 1) * unit - Fraction(z[k])
                placed = abs(grid_point * GUARD - int(spot[k])) - abs((grid_point + 1) * GUARD - int(spot[k]))
                assert (placed > 0) == (abs(left) > abs(right))
                assert (placed < 0) == (abs(left) < abs(right))


def test_error_at_tol_is_decided_in_rationals() -> None:
    assert sum_error([1.0, 2.0**-80], 0.0, 1.0) == (1.0, False)
    assert sum_error([1.0, -(2.0**-80)], 0.0, 1.0) == (1.0, True)


def test_engines_report_a_hit_as_a_hit() -> None:
    rows = make_rows(np.array([[0.5, 0.25]]), np.zeros((1, 2)), np.array([0.75]), np.array([0.0]))
    keep, hit, used = search_lists(rows, rows.spot, rows.spot, early=True)
    assert (keep.tolist(), hit.tolist(), used.tolist()) == ([[True, True]], [True], [2])
    keep, size, decided = search_fewest(rows, *rows.window)
    assert (keep.tolist(), size.tolist(), decided.tolist()) == ([[True, True]], [2], [True])


SOLVE = """
import sys, strong_lth.subsetsum as s
assert "numba" not in sys.modules
batch = s.solve_batch([[0.5, 0.25, -0.125]], [0.6], tol=0.03)
assert batch.status(0).name == "SOLVED"
from strong_lth.subsetsum.kernels import search_rows
print(s.__file__, sum(search_rows.stats.cache_hits.values()))
"""


def test_no_cache_folder_breaks_nothing(tmp_path: Path) -> None:
    """Neither the named cache folder, nor the one beside the source, nor the user's can be made: each path is a file."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    package = tmp_path / "site" / "strong_lth"
    for name in ("__init__.py", "core.py", "jit.py", "distributions.py", "stats.py", "streams.py", "subsetsum"):
        source = ROOT / "strong_lth" / name
        for path in source.rglob("*.py") if source.is_dir() else [source]:
            copy = package / path.relative_to(ROOT / "strong_lth")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (package / "subsetsum" / "__pycache__").write_text("")
    places = dict.fromkeys(("NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME"), str(blocked))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SOLVE],
        env={**os.environ, **places, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=package.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(package / "subsetsum" / "__init__.py"), "0"]


def test_needed_candidates_counts_doubles_and_refuses_what_they_cannot_reach() -> None:
    """tol = 0, targets finer than the doubles that moved candidates can be: the count is of a prefix that reaches them, or refused by name."""
    rng = np.random.default_rng(13)
    counted = refused = 0
    for _ in range(150):
        n = int(rng.integers(1, 8))
        x, e = rng.integers(-(2**20), 2**20, n) * 2.0**-20, 2.0 ** -float(rng.integers(1, 12))
        z = float(rng.uniform(-1, 1)) * 10.0 ** -float(rng.integers(0, 5))
        prefixes = [solve(SubsetSumProblem(x[:m], z, 0.0, e)).status.name for m in range(1, n + 1)]
        if "UNDECIDED" in prefixes and "SOLVED" not in prefixes:
            try:
                needed = int(needed_candidates(x, [z], tol=0.0, perturbation=e)[0])
            except InputError:
                refused += 1
                continue
            assert prefixes[needed - 1] == "UNDECIDED"  # reached by another subset than the one that solve looked at
        else:
            expected = prefixes.index("SOLVED") + 1 if "SOLVED" in prefixes else -1
            assert needed_candidates(x, [z], tol=0.0, perturbation=e)[0] == expected
            counted += 1
    assert min(counted, refused) > 20


def test_a_batch_may_be_empty() -> None:
    batch = solve_batch(np.zeros((0, 3)), np.zeros(0))
    assert batch.keep.shape == (0, 3)
    assert needed_candidates([0.5], [], tol=0.1).shape == (0,)


def test_a_cache_folder_that_vanishes_after_the_import_breaks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    vanish = f"""import pathlib, shutil, strong_lth.subsetsum.kernels_nearest
shutil.rmtree({str(folder)!r})
pathlib.Path({str(folder)!r}).write_text("")
"""
    before, after = SOLVE.split("batch =")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{before}{vanish}batch ={after}"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert folder.is_file()
