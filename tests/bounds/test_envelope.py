"""Theorems D and 1: the programme against a slow oracle, the levels against enumeration, and certificates re-proved by another program."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from strong_lth.bounds import get, required_candidates
from strong_lth.bounds.envelope import grid, lines
from strong_lth.bounds.envelope_certificate import certificate
from strong_lth.bounds.envelope_tables import chain, stages
from strong_lth.core import InputError
from strong_lth.distributions import Normal, Uniform

PROOFS = Path(__file__).parents[2] / "proofs"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_bound_certificate", PROOFS / "check_bound_certificate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("id", "tol", "perturbation", "n"),
    [
        ("rss-drift", 0.01, 0.0, 41),
        ("rss-drift", 0.01, 0.01, 40),
        ("rss-drift", 1e-3, 1e-2, 43),
        ("rss-restarts", 0.01, 0.01, 39),
        ("rss-restarts", 1e-3, 1e-2, 41),
    ],
)
def test_needed_candidates(id: str, tol: float, perturbation: float, n: int) -> None:
    assert required_candidates(get(id), tol=tol, perturbation=perturbation, delta=0.01) == n


def test_a_law_without_symmetry_is_covered() -> None:
    skew = Uniform(-1, 2)  # density 1/3 on [-1, 1]
    drift = required_candidates(get("rss-drift"), tol=0.05, delta=0.05, law=skew)
    martingale = required_candidates(get("rss-martingale-kl"), tol=0.05, delta=0.05, law=skew)
    assert isinstance(drift, int)
    assert isinstance(martingale, int)
    assert required_candidates(get("rss-drift"), tol=0.05, delta=0.05) < drift < martingale  # type: ignore[operator]


def _best(points: list[tuple[float, float]], mean: float) -> float:
    """Largest mean value over laws of at most two points with the given mean: the concave envelope, by trying all pairs."""
    values = [value for at, value in points if at == mean]
    for (low, a), (high, b) in itertools.product(points, repeat=2):
        if low < mean < high:
            values.append(a + (b - a) * (mean - low) / (high - low))
    return max(values)


@pytest.mark.parametrize(("widened", "density"), [(0.0, 0.5), (0.0, 0.3), (0.04, 0.5)])
def test_lines_lie_above_the_best_law_and_close_to_it(widened: float, density: float) -> None:
    found = grid(0.03, 0.1, density, widened, 0.08)
    rng = np.random.default_rng(7)
    value = np.sort(np.exp(-6 * rng.random(found.y.size)))[::-1]
    cells = np.arange(found.y.size - 1)
    left, right, _ = lines(found, value[None], np.zeros(1), np.zeros_like(cells), cells)
    closest = 0.0
    for cell in cells[::4]:
        for share in (0.0, 0.3, 0.9):
            p = float(found.y[cell] + share * (found.y[cell + 1] - found.y[cell]))
            top, mean = min(1.0, 2 * p + widened), p + density * (1 - p) * min(1.0, p + widened)
            inside = [(float(y), float(v)) for y, v in zip(found.y, value, strict=True) if p < y <= top]
            end = 0.0 if top > found.y[-1] else float(np.interp(top, found.y, value))
            points = [(p, float(np.interp(p, found.y, value))), *inside, (top, end)]
            oracle = _best(points, mean)
            bound = left[cell] + share * (right[cell] - left[cell])
            assert oracle <= bound * (1 + 1e-12)
            closest = max(closest, oracle / bound)
    assert closest > 0.97


def test_a_finer_grid_is_sharper_and_a_longer_start_is_better() -> None:
    exact = chain(0.5, 0.002, 0.0038, 0.0)
    assert exact.bound(40, 0.0124) < exact.bound(39, 0.0124) < exact.bound(39, 0.011) < 1
    assert exact.bound(0, 0.0124) == 1.0
    assert stages(0.5, 0.02, 0.01, 2).bound(30, 0.02) < stages(0.5, 0.02, 0.01, 2).bound(25, 0.02) <= 1


def test_levels_count_inclusions() -> None:
    """The invariant of Theorem 1 by enumeration of all subsets on a lattice: after i restarts every covered point owes its place to i kept candidates."""
    rng, cells, half = np.random.default_rng(2), 201, 3
    z = np.arange(cells) - cells // 2
    reached = 0
    for _ in range(12):
        covered = np.abs(z) <= half
        start, level = covered.copy(), 0
        draws = rng.integers(-cells, cells + 1, 10)
        for x in draws:
            moved = np.zeros(cells, dtype=bool)
            if 0 <= x < cells:
                moved[x:] = covered[: cells - x]
            elif -cells < x < 0:
                moved[:x] = covered[-x:]
            covered = covered | moved
            if covered.sum() >= 3 * start.sum():
                covered = covered & ~start
                start, level = covered.copy(), level + 1
        sums, sizes = np.zeros(1, np.int64), np.zeros(1, np.int64)
        for x in draws:
            sums, sizes = np.concatenate([sums, sums + x]), np.concatenate([sizes, sizes + 1])
        reached = max(reached, level)
        for points, least in ((z[covered], level), (z[covered & ~start], level + 1)):
            allowed = sums[sizes >= least]
            assert all(np.min(np.abs(allowed - point)) <= half for point in points)
    assert reached >= 2


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> dict[str, dict[str, Any]]:
    return {
        "rss-drift": json.loads(json.dumps(certificate("rss-drift", 14, tol=0.25))),
        "rss-restarts": json.loads(json.dumps(certificate("rss-restarts", 18, tol=0.05, perturbation=0.2))),
    }


def test_certificates_are_committed() -> None:
    names = {file.stem for file in (PROOFS / "certificates").glob("*.json")}
    assert {"rss-drift-uniform-41", "rss-restarts-uniform-39", "rss-window-uniform-46"} <= names


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rss-drift-uniform-41", "rss-restarts-uniform-39"])
def test_committed_certificates_are_accepted(checker: ModuleType, name: str) -> None:
    content = json.loads((PROOFS / "certificates" / f"{name}.json").read_text())
    assert checker.check(content) <= content["failure"] < 0.01


@pytest.mark.parametrize("id", ["rss-drift", "rss-restarts"])
def test_fresh_certificates_are_accepted(checker: ModuleType, small: dict[str, Any], id: str) -> None:
    proved = checker.check(small[id])
    claimed = get(id).failure(small[id]["candidates"], small[id]["tol"], small[id]["perturbation"])
    assert float(proved) == pytest.approx(claimed, rel=0.05)
    assert proved < 0.5


def _longer_start(c: dict[str, Any]) -> None:
    c["e"] *= 1.01


def _fewer_steps(c: dict[str, Any]) -> None:
    c["steps"] -= 1
    for part in c["parts"]:
        part["slopes"].pop()


def _smaller_failure(c: dict[str, Any]) -> None:
    c["failure"] *= 0.99


def _steeper(c: dict[str, Any]) -> None:
    c["parts"][0]["slopes"] = [[3 * s for s in row] for row in c["parts"][0]["slopes"]]


def _longer_gap(c: dict[str, Any]) -> None:
    c["gap"] *= 1.01


def _spends_twice(c: dict[str, Any]) -> None:
    c["widened"] = c["gap"] / 2 if c["theorem"] == "rss-restarts" else c["gap"] * 2


def _cells_missing(c: dict[str, Any]) -> None:
    c["parts"][0]["grid"].pop()
    for row in c["parts"][0]["slopes"]:
        row.pop()


def _smaller_tolerance(c: dict[str, Any]) -> None:
    c["tol"] *= 0.9


@pytest.mark.parametrize("id", ["rss-drift", "rss-restarts"])
@pytest.mark.parametrize(
    "damage",
    [
        _longer_start,
        _fewer_steps,
        _smaller_failure,
        _steeper,
        _longer_gap,
        _spends_twice,
        _cells_missing,
        _smaller_tolerance,
    ],
    ids=lambda f: f.__name__,
)
def test_damaged_certificates_are_rejected(checker: ModuleType, small: dict[str, Any], id: str, damage: Any) -> None:
    damaged = copy.deepcopy(small[id])
    damage(damaged)
    with pytest.raises(checker.Rejected):
        checker.check(damaged)


def test_a_piece_per_candidate_that_the_perturbation_does_not_pay_is_rejected(checker: ModuleType) -> None:
    """Start from a point, widen by k > eps, k + g <= tol + eps: one inclusion is within the allowances, two are not. An earlier checker accepted it."""
    honest = certificate("rss-drift", 16, tol=0.0, perturbation=0.3)
    k = honest["widened"]
    assert honest["e"] == 0 < k <= honest["perturbation"]
    assert checker.check(json.loads(json.dumps(honest))) < 1
    with pytest.raises(checker.Rejected, match="more than the allowances"):
        checker.check(honest | {"tol": 0.3, "perturbation": 0.0})


def test_the_mean_is_rounded_down_where_little_is_left() -> None:
    """Near 1 half a unit in the last place of m is a large part of 1 - m, and a line that falls is larger at a smaller m."""
    found = grid(1e-9, 4e-10, 0.5, 0.0, 0.05)
    exact = [Fraction(y) + Fraction(1, 2) * (1 - Fraction(y)) * Fraction(y) for y in found.y[-200:].tolist()]
    rounded = [Fraction(m) for m in found.mean[-200:].tolist()]
    assert all(m <= e for m, e in zip(rounded, exact, strict=True))
    assert max((e - m) / (1 - e) for m, e in zip(rounded, exact, strict=True)) > 1e-11  # what a step is enlarged by


@pytest.mark.parametrize("name", ["parts", "steps", "e", "format"])
def test_misshapen_certificates_are_refused(checker: ModuleType, small: dict[str, Any], name: str) -> None:
    for change in ({name: "x"}, {"more": 1}):
        with pytest.raises((checker.Rejected, checker.NotACertificate)):
            checker.check(small["rss-drift"] | change)


def test_certificates_of_other_questions_are_refused() -> None:
    for name, call in {
        "law": lambda: certificate("rss-drift", 20, tol=0.01, law=Normal()),
        "id": lambda: certificate("volume", 20, tol=0.01),
        "n": lambda: certificate("rss-drift", 3, tol=0.01),
    }.items():
        with pytest.raises(InputError, match=f"^{name}: "):
            call()
