"""Theorem W, the necessary sizes and the second moment: gaps against sets, numbers, and certificates re-proved by another program."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from strong_lth.bounds import get, required_candidates, spectral
from strong_lth.bounds.envelope_certificate import certificate
from strong_lth.bounds.unimodal import PRODUCT, STANDARD_NORMAL, UNIT_TRIANGLE, UNIT_UNIFORM, Shape
from strong_lth.core import InputError, Point, Verdict, Window
from strong_lth.distributions import Law, Normal, ProductUniform, Tabulated, Triangular, Uniform

PROOFS = Path(__file__).parents[2] / "proofs"
SHAPES = [UNIT_UNIFORM, STANDARD_NORMAL, PRODUCT, UNIT_TRIANGLE]


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_bound_certificate", PROOFS / "check_bound_certificate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("law", "n"), [(Uniform(), 46), (Normal(), 55), (ProductUniform(), 64), (Triangular(), 52)], ids=lambda v: str(v)
)
def test_needed_candidates(law: Law, n: int) -> None:
    assert required_candidates(get("rss-window"), tol=0.01, delta=0.01, law=law) == n


def test_any_target_range_and_any_symmetric_law() -> None:
    window = get("rss-window")
    numbers = [required_candidates(window, tol=0.05, delta=0.05, targets=Window(-r, r)) for r in (0.5, 1.0, 2.0)]
    assert numbers == sorted(numbers)  # type: ignore[type-var]
    assert required_candidates(get("rss-hooks"), tol=0.05, delta=0.05, targets=Window(-1, 1)) is Verdict.NOT_APPLICABLE
    two = Tabulated((0.3, 1.0), (1, 1))
    assert isinstance(required_candidates(window, tol=0.05, delta=0.05, law=two), int)
    assert window.failure(50, 0.01, targets=Point(40.0)) == 1.0
    assert window.failure(50, 0.7, targets=Point(0.6)) == 0.0


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.name)
def test_the_gap_bounds_every_set_and_not_much_more(shape: Shape) -> None:
    """M Q(A) / (phi(A) phi(A')) >= gap for random, comb and half-window sets of cells; no gap that is 2 % larger holds."""
    found, gap = spectral.certified(shape, 0.5)
    assert 0.15 < gap < 0.35
    k, w = spectral.rates(shape, found)
    rng, cells = np.random.default_rng(4), found.phi.size
    sets = [np.arange(cells) < cut for cut in range(10, cells, 10)]
    sets += [np.arange(cells) % step == 0 for step in (2, 3, 7)]
    sets += [rng.random(cells) < rng.random() for _ in range(60)]
    ratios = [
        w.sum() * k[np.ix_(inside, ~inside)].sum() / (w[inside].sum() * w[~inside].sum())
        for inside in sets
        if 0 < inside.sum() < cells
    ]
    assert min(ratios) >= gap
    assert spectral.holds(shape, found, gap)
    assert not spectral.holds(shape, found, gap * 1.02)


def test_one_step_of_the_chain_shrinks_the_potential() -> None:
    """E[M / phi(A') - 1] <= (1 - gap)(M / phi(A) - 1) by exact summation over all shifts of a lattice, U[-1, 1]."""
    found, gap = spectral.certified(UNIT_UNIFORM, 0.5)
    fine = np.repeat(found.phi, 2)
    per_unit = fine.size / (2 * found.half)
    shifts = np.arange(-round(per_unit), round(per_unit) + 1)
    total, rng, worst = fine.sum(), np.random.default_rng(5), 0.0
    for kind in range(12):
        size = int(rng.integers(20, fine.size - 20))
        covered = np.zeros(fine.size, dtype=bool)
        covered[rng.permutation(fine.size)[:size] if kind % 3 == 0 else (np.arange(size) + kind) % fine.size] = True
        potential = 0.0
        for x in shifts:
            moved = np.zeros_like(covered)
            moved[max(x, 0) : fine.size + min(x, 0)] = covered[max(-x, 0) : fine.size + min(-x, 0)]
            potential += total / fine[covered | moved].sum() - 1
        worst = max(worst, potential / shifts.size / (total / fine[covered].sum() - 1))
    assert 0.6 < worst <= 1 - gap + 2 / per_unit


@pytest.mark.parametrize("law", [Uniform(), Normal(), ProductUniform()], ids=lambda law: type(law).__name__)
def test_window_certificates_are_accepted(checker: ModuleType, law: Law) -> None:
    content: dict[str, Any] = json.loads(json.dumps(certificate("rss-window", 70, tol=0.01, law=law)))
    assert checker.check(content) <= content["failure"] < 0.01
    for name, value in {"gap": 1.02 * content["gap"], "failure": content["failure"] / 2, "candidates": 60}.items():
        with pytest.raises(checker.Rejected):
            checker.check(content | {name: value})
    with pytest.raises(checker.Rejected):
        checker.check(content | {"half": 0.4})
    for change in ({"gap": 5e-324, "candidates": 10**4}, {"phi": [5e-324] * 60}, {"phi": [1] * 1000}):
        with pytest.raises(checker.Rejected, match="more work"):
            checker.check(content | change)
    with pytest.raises(checker.NotACertificate):
        checker.check(content | {"candidates": 10**6})


def test_window_certificates_of_other_questions_are_refused() -> None:
    for name, law, n in (("law", Normal(0, 2), 70), ("n", Uniform(), 3)):
        with pytest.raises(InputError, match=f"^{name}: "):
            certificate("rss-window", n, tol=0.01, law=law)


# -- what one target needs ---------------------------------------------------------------------------------------------


def test_necessary_sizes_closed_form() -> None:
    for n, tol, perturbation in [(5, 0.002, 0.0), (6, 0.0, 0.001), (4, 0.001, 0.003)]:
        exact = get("necessary-sizes").failure(n, tol, perturbation)
        closed = 1 - 2 * math.sqrt(2) * 2**n * (tol + perturbation * n / 2) / math.sqrt(n)
        assert closed <= exact <= 1 - 2 * tol * n * 0.5  # at least the single candidates
    assert get("necessary-sizes").failure(12, 0.001) == 0.0
    assert get("necessary-sizes").failure(3, 0.3, targets=Point(0.2)) == 0.0
    assert get("necessary-sizes").failure(3, 0.01, law=Normal()) is Verdict.NOT_APPLICABLE
    assert required_candidates(get("necessary-sizes"), tol=0.001, delta=0.1) == 11


def test_second_moment_by_hand() -> None:
    bound = get("rss-second-moment")
    m, t = 8, 0.05 + 0.01 * 4
    alone = 1 - 1 / (36 + 3 * math.sqrt(m) / (2**m * t))
    assert bound.failure(8, 0.05, 0.01) <= alone * (1 + 1e-11)
    assert bound.failure(8, 0.05, 0.01) > (35 / 36) ** 2  # two groups of four at most
    assert bound.failure(80, 0.05, 0.01) <= alone**10 * (1 + 1e-11)
    assert (bound.failure(3, 0.05), bound.failure(3, 0.6)) == (1.0, 0.0)


def test_asymptotic_statements_never_become_numbers() -> None:
    for id in ("rss-one-target-asymptotic", "rss-all-targets-asymptotic"):
        assert get(id).failure(60, 0.01, 0.01) is Verdict.INCONCLUSIVE
        assert get(id).failure(60, 0.01, targets=Point(0.7)) is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("tol", [5e-324, 1e-300])
@pytest.mark.parametrize("id", ["counting", "rss-window"])
def test_allowances_at_the_end_of_the_doubles_are_answered(id: str, tol: float) -> None:
    for n in (0, 5, 2000, 100_000):
        value = get(id).failure(n, tol)
        assert isinstance(value, float)
        assert 0 <= value <= 1


def test_a_reach_within_rounding_of_a_step_is_answered() -> None:
    """Reaches are rounded up to 2^(j / 4) / 2; one that is a hair beyond a step takes the next one."""
    step = 0.5 * 2**0.25
    for far in (step * (1 - 1e-12), step, step * (1 + 1e-12)):
        assert get("rss-window").failure(200, 0.1, targets=Point(far)) < 1e-3
