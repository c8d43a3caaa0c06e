"""What every bound and prediction promises, whatever its source."""

from __future__ import annotations

import importlib
import itertools
import math
import pkgutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strong_lth.bounds as folder
from strong_lth.bounds import (
    BOUNDS,
    ESTIMATES,
    NETWORK_BOUNDS,
    PREDICTIONS,
    Bound,
    Constants,
    Direction,
    Estimate,
    NetworkBound,
    Prediction,
    Scope,
    get,
    required_candidates,
    sharpest,
)
from strong_lth.core import InputError, Point, Verdict, Window
from strong_lth.distributions import Normal, ProductUniform, RandomSigns, Scaled, SignedIntegers, Uniform

ENTRIES = [*BOUNDS, *PREDICTIONS]
LISTED = [*ENTRIES, *NETWORK_BOUNDS, *ESTIMATES]
CONTINUOUS = [p for p in PREDICTIONS if p.id != "quantised-hits"]  # whole-number candidates have questions of their own
NUMERIC = [b for b in BOUNDS if b.constants is Constants.EXPLICIT]
SUFFICIENT = [b for b in NUMERIC if b.direction is Direction.SUFFICIENT]
MOMENT = {"fixed-size"}  # never vanishes: no union over many blocks, no tiny delta
EXPONENTIAL = [b for b in SUFFICIENT if b.id not in MOMENT]
COVERED = {"kumar2025": {"law": SignedIntegers(256), "targets": Point(100)}}  # settings of bounds on other laws
ROUNDING = 1 + 1e-11
TABULATED = {  # one dynamic programme per tolerance: asked at few tolerances only
    "rss-survival",
    "rss-hooks",
    "rss-recursion",
    "rss-drift",
    "rss-restarts",
}
# monotone on the table below; the second moment may rise by 0.3 % at tolerances of the size of the law
SAMPLED = TABULATED | MOMENT
QUICK = [b for b in NUMERIC if b.id not in SAMPLED]
by_id = pytest.mark.parametrize

sizes = st.floats(1e-6, 1.5)
allowances = st.one_of(st.just(0.0), sizes)
counts = st.integers(0, 150)


def ids(entry: Bound | Prediction) -> str:
    return entry.id


# -- the list ----------------------------------------------------------------------------------------------------------


def found_in_folder() -> dict[str, set[str]]:
    """Ids of all bounds and predictions defined at the top of a file of the folder, by file."""
    found: dict[str, set[str]] = {}
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        kinds = Bound | Prediction | NetworkBound | Estimate
        found[info.name] = {v.id for v in vars(module).values() if isinstance(v, kinds)}
    return found


def test_every_file_of_the_folder_is_listed() -> None:
    listed = {entry.id for entry in LISTED}
    for name, entries in found_in_folder().items():
        assert entries <= listed, f"{name}: {entries - listed} is missing in listed.py"
    assert set().union(*found_in_folder().values()) == listed
    shared = {"types", "evaluation", "gaussian", "listed", "planning"}
    shared |= {"early", "growth", "growth_certificate", "growth_tables", "recursion_kernels", "unimodal"}
    shared |= {"allotment", "allotment_convex", "estimate", "irwin_hall", "network_bound", "shapes", "widths"}
    shared |= {"envelope", "envelope_certificate", "envelope_kernels", "envelope_tables", "spectral"}
    assert {name for name, entries in found_in_folder().items() if not entries} == shared


def test_ids_are_unique_and_words_are_given() -> None:
    assert len({entry.id for entry in LISTED}) == len(LISTED)
    for entry in LISTED:
        assert all((entry.title, entry.status, entry.reference.source))
        assert get(entry.id) is entry


def test_proof_pages_exist_and_name_their_bound() -> None:
    docs = Path(__file__).parents[2] / "proofs" / "docs"
    for bound in (*BOUNDS, *NETWORK_BOUNDS):
        if bound.proof is not None:
            page = (docs / f"{bound.proof}.md").read_text(encoding="utf-8")
            assert f"`{bound.id}`" in page
            assert bound.scope.value in page.lower()


def test_unknown_id_names_the_near_ones() -> None:
    with pytest.raises(InputError, match="rss-contraction"):
        get("rss-contractoin")
    with pytest.raises(InputError, match="volume"):
        get("?")


# -- values ------------------------------------------------------------------------------------------------------------


@by_id("entry", [*QUICK, *CONTINUOUS], ids=ids)
@settings(max_examples=40, deadline=None)
@given(n=counts, tol=allowances, perturbation=allowances)
def test_values_are_probabilities(entry: Bound | Prediction, n: int, tol: float, perturbation: float) -> None:
    if tol + perturbation > 0:
        value = entry.failure(n, tol, perturbation)
        assert isinstance(value, float)
        assert 0 <= value <= 1


@by_id("bound", [b for b in NUMERIC if b.id in SAMPLED], ids=ids)
def test_tabulated_bounds_are_monotone_probabilities(bound: Bound) -> None:
    allowances = [(0.01, 0.0), (0.0102, 0.0), (0.1, 0.01), (0.3, 0.01), (1.5, 1.0)]
    numbers = [0, 1, 5, 12, 20, 21, 33, 47, 60]
    table = [[bound.failure(n, *allowance) for n in numbers] for allowance in allowances]
    for row in table:
        assert all(isinstance(v, float) and 0 <= v <= 1 for v in row)
        assert all(b <= a * ROUNDING for a, b in itertools.pairwise(row))
    for before, after in itertools.pairwise(table):
        assert all(b <= a * ROUNDING for a, b in zip(before, after, strict=True))


@by_id("bound", QUICK, ids=ids)
@settings(max_examples=60, deadline=None)
@given(n=counts, tol=allowances, perturbation=allowances, more=st.tuples(st.integers(0, 20), allowances, allowances))
def test_monotone(bound: Bound, n: int, tol: float, perturbation: float, more: tuple[int, float, float]) -> None:
    if tol + perturbation == 0:
        return
    value = bound.failure(n, tol, perturbation)
    assert bound.failure(n + more[0], tol, perturbation) <= value * ROUNDING
    assert bound.failure(n, tol + more[1], perturbation) <= value * ROUNDING
    assert bound.failure(n, tol, perturbation + more[2]) <= value * ROUNDING


@by_id("prediction", CONTINUOUS, ids=ids)
@by_id(("tol", "perturbation"), [(0.01, 0.0), (1e-4, 1e-3), (0.0, 0.05)])
def test_predictions_fall_in_every_allowance(prediction: Prediction, tol: float, perturbation: float) -> None:
    values = [prediction.failure(n, tol, perturbation) for n in range(8, 40)]
    informative = [v for v in values if v < 0.9]  # near 1 the covering law is outside its stated accuracy
    assert len(informative) > 20
    assert all(b <= a for a, b in itertools.pairwise(informative))
    for n in (10, 16, 24):
        base = prediction.failure(n, tol, perturbation)
        assert prediction.failure(n, tol * 1.5 + 1e-3, perturbation) <= base
        assert prediction.failure(n, tol, perturbation * 1.5 + 1e-3) <= base


@by_id("entry", [*SUFFICIENT, *CONTINUOUS], ids=ids)
def test_limits(entry: Bound | Prediction) -> None:
    plain = entry.failure(50, 0.01)
    nearly = entry.failure(50, 0.01, 1e-12)
    assert nearly <= plain * ROUNDING
    assert nearly == pytest.approx(plain, rel=1e-7)
    assert entry.failure(0, 0.01) == 1.0
    if entry.id in ("fixed-size", "rss-second-moment"):
        return  # second moments: they fall slowly
    assert entry.failure(3000, 0.01) < 1e-20
    assert 0 < entry.failure(60, 0.0, 0.01) < 0.05  # exact representability: tol = 0 stays finite
    assert entry.failure(60, 1e-14, 0.01) == pytest.approx(entry.failure(60, 0.0, 0.01), rel=1e-6)


@by_id("bound", SUFFICIENT, ids=ids)
@by_id("c", [0.25, 0.54070216, 3.0])
def test_scaling(bound: Bound, c: float) -> None:
    law, window = Uniform(-c, c), Window(-c / 2, c / 2)
    for n, tol, perturbation in [(45, 0.01, 0.0), (50, 0.01, 0.02), (49, 0.0, 0.02)]:
        scaled = bound.failure(n, c * tol, c * perturbation, law=law, targets=window)
        assert scaled == pytest.approx(bound.failure(n, tol, perturbation), rel=1e-9)
        assert bound.failure(n, c * tol, c * perturbation, law=Scaled(Uniform(-1, 1), c), targets=window) == scaled


@by_id("bound", SUFFICIENT, ids=ids)
def test_not_applicable_outside(bound: Bound) -> None:
    for law in (RandomSigns(), Uniform(0, 1), Uniform(-1, 2), ProductUniform()):
        if bound.id in ("rss-survival", "rss-hooks", "rss-window") and law == ProductUniform():
            continue
        if bound.id in ("rss-martingale-kl", "rss-density", "rss-drift", "rss-restarts") and law == Uniform(-1, 2):
            continue  # density 1/3 on [-1, 1]: covered
        assert bound.failure(50, 0.01, law=law) is Verdict.NOT_APPLICABLE
        assert required_candidates(bound, tol=0.01, delta=0.05, law=law) is Verdict.NOT_APPLICABLE
    r = 2 if bound.id == "rss-wide" else 1  # its window is twice as wide
    for targets in (Window(-0.5 * r, 0.51 * r), Window(-0.6 * r, 0.0), Point(0.500001 * r), Point(-3)):
        if bound.id in MOMENT:
            assert bound.failure(50, 0.01, targets=Point(0.5)) <= bound.failure(50, 0.01, targets=targets) <= 1  # type: ignore[operator]
        elif bound.id != "rss-window":  # targets of any range
            assert bound.failure(50, 0.01, targets=targets) is Verdict.NOT_APPLICABLE
    assert isinstance(bound.failure(50, 0.01, targets=Point(-0.5)), float)  # all targets include each


def test_laws_with_a_density_bound() -> None:
    contraction, martingale = get("rss-contraction"), get("rss-martingale-kl")
    assert contraction.failure(200, 0.01, law=Normal()) is Verdict.NOT_APPLICABLE
    normal = martingale.failure(200, 0.01, law=Normal())
    assert 0 < normal < 0.01
    wide = martingale.failure(200, 0.02, law=Normal(0, 2), targets=Window(-1, 1))
    assert wide == pytest.approx(normal, rel=1e-9)
    product = martingale.failure(400, 0.01, law=ProductUniform(), targets=Window(-0.18, 0.18))
    assert 0 < product < 1
    assert martingale.failure(400, 0.01, law=Normal(100, 1)) is Verdict.NOT_APPLICABLE


def test_bounds_with_machine_checked_constants_beyond_the_uniform_window() -> None:
    wide, density, scaled = get("rss-wide"), get("rss-density"), get("rss-scaled")
    assert required_candidates(wide, tol=0.01, delta=0.05, targets=Window(-1, 1)) == 50
    assert required_candidates(wide, tol=0.0, perturbation=0.01, delta=0.05, targets=Window(-1, 1)) == 54
    assert required_candidates(density, tol=0.01, delta=0.05) == 45  # U[-1, 1]: p = 1/2
    assert required_candidates(density, tol=0.01, delta=0.05, law=Normal()) == 101
    assert density.failure(200, 0.02, law=Normal(0, 2), targets=Window(-1, 1)) == pytest.approx(
        density.failure(200, 0.01, law=Normal()), rel=1e-9
    )
    assert density.failure(200, 0.01, law=Normal(100, 1)) is Verdict.NOT_APPLICABLE
    product, narrow = ProductUniform(), Window(-0.25, 0.25)
    assert required_candidates(scaled, tol=0.01, delta=0.05, law=product, targets=narrow) == 180
    assert scaled.failure(180, 0.01, law=product, targets=Window(-0.3, 0.3)) > scaled.failure(
        180, 0.01, law=product, targets=narrow
    )
    assert scaled.failure(180, 0.01, law=product) is Verdict.NOT_APPLICABLE


def test_predictions_know_their_laws_and_quantifiers() -> None:
    each, cover = get("each-target-local-law"), get("all-targets-covering")
    for prediction in (each, cover):
        for law in (RandomSigns(), Uniform(0, 1), Normal(0.1, 1)):
            assert prediction.failure(16, 0.01, law=law) is Verdict.NOT_APPLICABLE
        for law in (Normal(), Normal(0, 0.3), ProductUniform(), Scaled(ProductUniform(), 2)):
            assert isinstance(prediction.failure(16, 0.01, law=law), float)
    assert cover.failure(16, 0.01, targets=Point(0.3)) is Verdict.NOT_APPLICABLE
    assert each.failure(16, 0.01, targets=Window(-0.5, 0.3)) == each.failure(16, 0.01, targets=Point(0.5))
    for n in (10, 14, 18):
        for z in (0.05, 0.3, 0.5):
            assert each.failure(n, 0.01, targets=Point(z)) <= cover.failure(n, 0.01)


def test_unspecified_constants_never_become_numbers() -> None:
    for bound in BOUNDS:
        if bound.constants is Constants.UNSPECIFIED:
            setting = COVERED.get(bound.id, {})
            assert bound.failure(100, 0.01, **setting) is Verdict.INCONCLUSIVE
            assert required_candidates(bound, tol=0.01, delta=0.05, **setting) is Verdict.INCONCLUSIVE
            assert bound.failure(100, 0.01, law=Normal()) is Verdict.NOT_APPLICABLE
            assert bound.failure(100, 0.01, 2.0) is Verdict.NOT_APPLICABLE
            assert "refuted" not in bound.status


# -- bad input ---------------------------------------------------------------------------------------------------------


@by_id("entry", ENTRIES, ids=ids)
def test_bad_input_is_named(entry: Bound | Prediction) -> None:
    cases = [
        ("tol", (10, -0.1, 0.1)),
        ("tol", (10, math.nan)),
        ("tol", (10, "0.1")),
        ("tol", (10, 0.0, 0.0)),
        ("perturbation", (10, 0.1, -1e-9)),
        ("perturbation", (10, 0.1, math.inf)),
        ("n", (-1, 0.1)),
        ("n", (2.5, 0.1)),
    ]
    for name, arguments in cases:
        with pytest.raises(InputError, match=f"^{name}: "):
            entry.failure(*arguments)
    with pytest.raises(InputError, match=r"^law: "):
        entry.failure(10, 0.1, law="uniform")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^targets: "):
        entry.failure(10, 0.1, targets=0.3)  # type: ignore[arg-type]
    for delta in (0, 1, -0.5, 2, math.nan, True):
        with pytest.raises(InputError, match=r"^delta: "):
            required_candidates(entry, tol=0.1, delta=delta)
    for blocks in (0, 1.5):
        with pytest.raises(InputError, match=r"^blocks: "):
            required_candidates(entry, tol=0.1, delta=0.1, blocks=blocks)  # type: ignore[arg-type]


def test_required_candidates_wants_a_bound() -> None:
    with pytest.raises(InputError, match=r"^bound: "):
        required_candidates("volume", tol=0.1, delta=0.1)  # type: ignore[arg-type]


# -- numbers of candidates ---------------------------------------------------------------------------------------------


@by_id("bound", EXPONENTIAL, ids=ids)
@settings(max_examples=15, deadline=None)
@given(
    tol=st.sampled_from([1e-3, 0.01, 0.1]),
    perturbation=st.sampled_from([0.0, 0.01]),
    delta=st.floats(1e-6, 0.5),
    blocks=st.integers(1, 10**6),
)
def test_required_candidates_is_the_least(
    bound: Bound, tol: float, perturbation: float, delta: float, blocks: int
) -> None:
    n = required_candidates(bound, tol=tol, perturbation=perturbation, delta=delta, blocks=blocks)
    assert isinstance(n, int)
    assert blocks * bound.failure(n, tol, perturbation) <= delta
    assert n == 0 or blocks * bound.failure(n - 1, tol, perturbation) > delta
    best = sharpest(tol=tol, perturbation=perturbation, delta=delta, blocks=blocks)
    assert isinstance(best, tuple)
    assert best[1] <= n
    assert best[0] in SUFFICIENT


def test_necessary_is_below_sufficient() -> None:
    for tol, perturbation in [(0.1, 0.0), (0.01, 0.001), (1e-5, 0.0), (0.0, 0.01)]:
        low = required_candidates(get("volume"), tol=tol, perturbation=perturbation, delta=0.05, blocks=1000)
        about = required_candidates(get("all-targets-covering"), tol=tol, perturbation=perturbation, delta=0.05)
        best = sharpest(tol=tol, perturbation=perturbation, delta=0.05, scope=Scope.ALL_TARGETS)
        assert isinstance(low, int)
        assert isinstance(about, int)
        assert isinstance(best, tuple)
        assert low <= about <= best[1]


def test_sharpest_says_why_there_is_none() -> None:
    assert sharpest(tol=0.01, delta=0.05, law=RandomSigns()) is Verdict.NOT_APPLICABLE
    beyond = sharpest(tol=0.01, delta=0.05, targets=Point(1.1))
    assert isinstance(beyond, tuple)
    assert beyond[0].id in ("rss-window", "fixed-size")  # the others stop at the half-width of the law
    assert sharpest(tol=0.01, delta=0.05, law=Uniform(-1, 2), targets=Point(1.1)) is Verdict.NOT_APPLICABLE
    far = Normal(7, 1)  # density above 0 on [-1, 1], but far too small to be of use
    assert sharpest(tol=0.01, delta=0.05, law=far) is Verdict.VACUOUS
    bound, n = sharpest(tol=0.01, delta=0.05, law=Normal(), targets=Point(0.2))  # type: ignore[misc]
    assert (bound.id, bound.scope) == ("rss-survival", Scope.EACH_TARGET)
    assert n == 20
    bound, more = sharpest(tol=0.01, delta=0.05, law=Normal(), scope=Scope.ALL_TARGETS)  # type: ignore[misc]
    assert (bound.id, bound.scope) == ("rss-hooks", Scope.ALL_TARGETS)
    assert n < more <= 31


def test_limit_is_respected() -> None:
    assert required_candidates(get("rss-contraction"), tol=0.01, delta=0.05, limit=44) is Verdict.VACUOUS
    assert required_candidates(get("rss-contraction"), tol=0.01, delta=0.05, limit=45) == 45
