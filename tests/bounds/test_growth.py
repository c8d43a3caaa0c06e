"""Theorems E and H: their numbers, the lemmas behind them, simulations of the same event, and certificates re-proved by another program."""

from __future__ import annotations

import copy
import importlib.util
import json
import math
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from strong_lth.bounds import get, required_candidates
from strong_lth.bounds.growth_certificate import certificate
from strong_lth.bounds.unimodal import UNIT_UNIFORM, rho_of, shape_of
from strong_lth.core import InputError, Verdict
from strong_lth.distributions import Law, Normal, ProductUniform, RandomSigns, Scaled, Tabulated, Triangular, Uniform
from strong_lth.stats import binomial_p_value
from strong_lth.streams import trial_generator

PROOFS = Path(__file__).parents[2] / "proofs"
FILES = sorted((PROOFS / "certificates").glob("rss-*.json"))
LAWS = [Uniform(), Normal(), ProductUniform(), Triangular(), Tabulated((0.3, 1.0), (1, 1))]


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_bound_certificate", PROOFS / "check_bound_certificate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("id", "law", "tol", "delta", "n"),
    [
        ("rss-survival", Uniform(), 0.1, 0.05, 11),
        ("rss-survival", Uniform(), 0.01, 0.01, 20),
        ("rss-survival", Uniform(), 0.01, 1e-8, 48),
        ("rss-survival", Uniform(), 7.8e-5, 1.26e-8, 61),
        ("rss-survival", Normal(), 0.01, 0.01, 25),
        ("rss-survival", ProductUniform(), 0.01, 0.01, 28),
        ("rss-hooks", Uniform(), 0.01, 0.05, 27),
        ("rss-hooks", Uniform(), 0.01, 0.01, 31),
        ("rss-hooks", Uniform(), 0.01, 1e-8, 61),
        ("rss-hooks", Normal(), 0.01, 0.01, 35),
        ("rss-hooks", ProductUniform(), 0.01, 0.01, 38),
    ],
)
def test_needed_candidates(id: str, law: Law, tol: float, delta: float, n: int) -> None:
    assert required_candidates(get(id), tol=tol, delta=delta, law=law) == n


@pytest.mark.parametrize("id", ["rss-survival", "rss-hooks"])
def test_neighbouring_tolerances_are_ordered(id: str) -> None:
    """What a step of the ladder of tolerances is worth exceeds the noise of the grids."""
    values = [get(id).failure(31, 0.0095 * 2 ** (j / 32 + 1e-7)) for j in range(6)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 6


def test_perturbation_counts_from_the_first_candidate() -> None:
    each, every = get("rss-survival"), get("rss-hooks")
    assert each.failure(16, 0.005, 0.005) == each.failure(16, 0.01)
    assert every.failure(34, 0.01, 0.01) < every.failure(34, 0.01)
    assert every.failure(40, 0.0, 0.01) < 0.05


@pytest.mark.statistical
@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_a_given_target_is_missed_no_more_often_than_bounded(law: Law) -> None:
    trials = 400
    for n, tol, perturbation, z in [
        (7, 0.1, 0.0, 0.5),
        (6, 0.05, 0.05, 0.3),
        (5, 0.0, 0.1, 0.02),
        (11, 0.02, 0.0, 0.5),
    ]:
        bound = get("rss-survival").failure(n, tol, perturbation, law=law)
        assert isinstance(bound, float)
        missed = sum(_missed(law.sample(trial_generator(11, i), n), tol, perturbation, z) for i in range(trials))
        assert binomial_p_value(missed, trials, bound) > 1e-3
        if missed > 40:  # the test can fail: a third of the measured frequency is refuted as a bound
            assert binomial_p_value(missed, trials, missed / trials / 3) < 1e-3


def _missed(candidates: np.ndarray, tol: float, perturbation: float, z: float) -> bool:
    sums, sizes = np.zeros(1), np.zeros(1)
    for x in candidates:
        sums, sizes = np.concatenate([sums, sums + x]), np.concatenate([sizes, sizes + 1])
    return bool(np.all(np.abs(sums - z) > tol + perturbation * sizes))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_lemma_1_on_random_sets(law: Law) -> None:
    """E min(D, t) >= h(t): cells of a window, candidates drawn from the law, moved to the nearest cell."""
    known = shape_of(law)
    assert known is not None
    rng, length, cells = np.random.default_rng(1), 2.0, 80
    rho, _ = rho_of(known[0], length)
    x = law.sample(rng, 4000)
    shifts = np.rint(x * cells / length).astype(int)
    for kind in range(6):
        size = int(rng.integers(4, cells // 2))
        inside = np.zeros(cells, dtype=bool)
        inside[rng.permutation(cells)[:size] if kind % 2 else np.arange(size)] = True
        index = np.flatnonzero(inside)
        moved = index[None, :] + shifts[:, None]
        valid = (moved >= 0) & (moved < cells)
        grown = (valid & ~inside[np.clip(moved, 0, cells - 1)]).sum(axis=1) * length / cells
        limit = min(size, cells - size) * length / cells
        for t in (limit / 4, limit / 2, limit):
            h = t - float(rho(np.array(t)))
            assert np.minimum(grown, t).mean() >= h - 0.05 * t


def test_only_symmetric_unimodal_laws() -> None:
    for id in ("rss-survival", "rss-hooks"):
        for law in (Normal(0.1, 1), Uniform(-1, 2), RandomSigns()):
            assert get(id).failure(60, 0.01, law=law) is Verdict.NOT_APPLICABLE
        assert get(id).failure(24, 0.02, law=Scaled(Triangular(), 2)) == get(id).failure(24, 0.01, law=Triangular())


# -- closed forms beside them ------------------------------------------------------------------------------------------


def test_range_bound_is_the_laguerre_value_rounded_down() -> None:
    from strong_lth.bounds.gaussian import range_failure

    for n, tol, perturbation in [(8, 0.01, 0.1), (10, 0.4, 0.0), (30, 0.2, 0.5)]:
        exact = float(range_failure(n, perturbation, np.array([0.5 - tol]))[0])
        value = get("range").failure(n, tol, perturbation)
        assert value == pytest.approx(exact, rel=1e-9)
    assert get("range").failure(5, 0.6) == 0.0
    trials, value = 3000, get("range").failure(8, 0.1, 0.1)
    missed = sum(_missed(Uniform().sample(trial_generator(5, i), 8), 0.1, 0.1, 0.5) for i in range(trials))
    assert missed >= trials * float(value) / 2  # type: ignore[arg-type]


def test_levels_closed_form() -> None:
    for tol, perturbation, numbers in [(0.01, 0.001, (49, 54)), (1e-3, 1e-2, (45, 51)), (0.0, 1e-3, (59, 64))]:
        for delta, n in zip((0.05, 0.01), numbers, strict=True):
            assert required_candidates(get("rss-levels"), tol=tol, perturbation=perturbation, delta=delta) == n


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    return json.loads(json.dumps(certificate("rss-survival", 9, tol=0.1)))


def test_certificates_are_committed() -> None:
    assert {"rss-survival-uniform-20", "rss-hooks-uniform-31", "rss-hooks-normal-35"} <= {file.stem for file in FILES}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rss-survival-uniform-20", "rss-hooks-product-38"])
def test_committed_certificates_are_accepted(checker: ModuleType, name: str) -> None:
    content = json.loads((PROOFS / "certificates" / f"{name}.json").read_text())
    assert checker.check(content) <= content["failure"] < 0.01


def test_a_fresh_certificate_is_accepted(checker: ModuleType, small: dict[str, Any], tmp_path: Path) -> None:
    assert float(checker.check(small)) == pytest.approx(get("rss-survival").failure(9, 0.1), rel=0.1)
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(small))
    assert checker.main([str(path)]) == 0
    path.write_text("{}")
    assert checker.main([str(path)]) == 2


def _lower_value(c: dict[str, Any]) -> None:
    c["values"][2][30] = c["values"][2][30] * 99 // 100


def _longer_start(c: dict[str, Any]) -> None:
    c["e"] *= 1.01


def _fewer_candidates(c: dict[str, Any]) -> None:
    c["candidates"] -= 1


def _smaller_failure(c: dict[str, Any]) -> None:
    c["failure"] *= 0.99


def _other_law(c: dict[str, Any]) -> None:
    c["law"] = "triangular" if c["law"] == "uniform" else "uniform"


def _wrong_split(c: dict[str, Any]) -> None:
    c["split"][0] = [2 * u for u in c["split"][0]]


def _lower_first(c: dict[str, Any]) -> None:
    c["values"][0] = [v // 2 for v in c["values"][0]]


def _jump_before_the_start(c: dict[str, Any]) -> None:
    c.update(theorem="rss-hooks", last=-1, reserved=0, early=0, steps=0, candidates=0, failure=0.0)
    c.update(values=[[0] * len(c["grid"])], zero=[], start_vertex=[], tail=[], above=[], stages=[])


def _unknown_theorem(c: dict[str, Any]) -> None:
    c["theorem"] = "rss-magic"


def _empty_quadrature(c: dict[str, Any]) -> None:
    c["quadrature"] = -1


def _negative_early_stage(c: dict[str, Any]) -> None:
    c["early"] = -1


def _a_field_too_many(c: dict[str, Any]) -> None:
    c["proved"] = True


def _a_count_that_is_a_bool(c: dict[str, Any]) -> None:
    c["reserved"] = False


def _a_value_that_is_infinite(c: dict[str, Any]) -> None:
    c["values"][0] = [math.inf] * len(c["values"][0])


def _hours_of_quadrature(c: dict[str, Any]) -> None:
    c["quadrature"] = 10**6


def _hours_of_gain(c: dict[str, Any]) -> None:
    c.update(table=10**6, atoms=10**6)


@pytest.mark.parametrize(
    "damage",
    [
        _jump_before_the_start, _unknown_theorem, _empty_quadrature, _negative_early_stage, _a_field_too_many, _a_count_that_is_a_bool,
        _a_value_that_is_infinite, _hours_of_quadrature, _hours_of_gain,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_malformed_certificates_are_refused(checker: ModuleType, small: dict[str, Any], damage: Any) -> None:
    """Each of these ran through the loops of an earlier checker without entering them, or could have."""
    damaged = copy.deepcopy(small)
    damage(damaged)
    with pytest.raises((checker.Rejected, checker.NotACertificate)):
        checker.check(damaged)


def _negative_moments(c: dict[str, Any]) -> None:
    """M_0 < 0 has a large square, and odd powers of the later ones are negative as well: a failure probability below 0."""
    for stage in c["stages"]:
        stage["moments"] = [-1e9 + 1e4 * j for j in range(len(stage["moments"]))]


def _weights_without_a_middle(c: dict[str, Any]) -> None:
    for stage in c["stages"]:
        stage["psi"] = [row[:-1] for row in stage["psi"]]


def _a_power_of_ten_in_words(c: dict[str, Any]) -> None:
    c["stages"][0]["share"] = "1e-999999999"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_negative_moments, "negative"),
        (_weights_without_a_middle, "even number"),
        (_a_power_of_ten_in_words, "not a number"),
    ],
    ids=lambda f: f.__name__ if callable(f) else f,
)
def test_an_early_stage_is_made_of_numbers_that_make_sense(checker: ModuleType, damage: Any, message: str) -> None:
    content = json.loads((PROOFS / "certificates" / "rss-survival-uniform-20.json").read_text())
    assert content["early"] > 0
    damage(content)
    with pytest.raises((checker.Rejected, checker.NotACertificate), match=message):
        checker.check(content)


@pytest.mark.parametrize(
    "damage",
    [_lower_value, _longer_start, _fewer_candidates, _smaller_failure, _other_law, _wrong_split, _lower_first],
    ids=lambda f: f.__name__,
)
def test_damaged_certificates_are_rejected(checker: ModuleType, small: dict[str, Any], damage: Any) -> None:
    damaged = copy.deepcopy(small)
    damage(damaged)
    with pytest.raises(checker.Rejected):
        checker.check(damaged)


def test_moments_below_zero_are_rejected(checker: ModuleType) -> None:
    """An earlier checker compared squares of M_0 only, and a negative one "proved" a failure probability below 0."""
    content = json.loads((PROOFS / "certificates" / "rss-survival-uniform-20.json").read_text())
    stage, length = content["stages"][0], Fraction(content["grid"][-1], 1 << 40)
    checker.check_moment(content, stage, length)
    least, rise = stage["moments"][0], 1.001 * stage["kernels"][0] + 1
    forged = [-least + rise * j for j in range(len(stage["moments"]))]
    with pytest.raises(checker.Rejected, match="M_0"):
        checker.check_moment(content, stage | {"moments": forged}, length)


def test_a_middle_cell_is_refused(checker: ModuleType) -> None:
    """With an odd number of cells the cells beside the middle are not those that the start interval touches."""
    content = json.loads((PROOFS / "certificates" / "rss-survival-uniform-20.json").read_text())
    for stage in content["stages"]:
        stage["psi"] = [row[1:] for row in stage["psi"]]
    with pytest.raises(checker.Rejected, match="even number"):
        checker.check(content)


def test_certificates_of_other_questions_are_refused() -> None:
    for name, call in {
        "law": lambda: certificate("rss-survival", 20, tol=0.01, law=Normal(0, 2)),
        "id": lambda: certificate("volume", 20, tol=0.01),
        "n": lambda: certificate("rss-hooks", 3, tol=0.01),
    }.items():
        with pytest.raises(InputError, match=f"^{name}: "):
            call()
    assert UNIT_UNIFORM.atoms == ((1.0, 0.5),)
