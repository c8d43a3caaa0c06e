"""The recursion: three programs with one answer, the truth below it, and a control above it."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pytest
from audit_modules import PROOFS

from strong_lth.bounds import get, required_candidates, rss_recursion
from strong_lth.bounds.recursion_kernels import next_table
from strong_lth.core import InputError, Window
from strong_lth.distributions import Normal, Uniform
from strong_lth.stats import binomial_p_value
from strong_lth.subsetsum import covers

sys.path.insert(0, str(PROOFS))

from certificate_reader import read
from check_recursion import next_values

CERTIFICATES = PROOFS / "certificates"


@pytest.mark.parametrize(("parts", "start", "gap"), [(101, 3, 2), (1001, 13, 3), (3333, 1299, 350), (20001, 131, 34)])
def test_the_kernel_and_the_checker_agree(parts: int, start: int, gap: int) -> None:
    scale = (1 << 60) // parts
    table = rss_recursion.table(parts, start, gap, scale=scale, ratio=(105, 100))
    counts = table.counts.tolist()
    values = [0 if parts - count <= gap else scale for count in counts]
    for n in range(12):
        assert table.numerator(n) == values[0]
        assert table.values[n].tolist() == values
        values = next_values(parts, counts, values)


def test_frozen_certificates_are_what_the_package_computes() -> None:
    fresh = rss_recursion.certificate(35, tol=0.01)
    assert fresh == read(CERTIFICATES / "recursion-35.json")
    coq = rss_recursion.table(100001, 1301, 349, scale=10**9, ratio=(1026, 1000))
    assert rss_recursion.certificate(36, tol=0.01, of=coq) == read(CERTIFICATES / "recursion-36-coq.json")
    with pytest.raises(InputError, match="tolerances above"):
        rss_recursion.certificate(36, tol=0.0099, of=coq)


def test_numbers_of_candidates() -> None:
    bound = get("rss-recursion")
    found = {tol: required_candidates(bound, tol=tol, delta=0.05) for tol in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4)}
    assert found == {0.3: 16, 0.1: 23, 0.03: 29, 0.01: 35, 0.003: 41, 0.001: 46, 1e-4: 58}
    closed = get("rss-contraction-checked")
    for tol in (1e-6, 0.5, 0.7):  # no table there: the closed form
        assert bound.failure(40, tol) == closed.failure(40, tol)
    assert bound.failure(60, 0.0, 0.01) == closed.failure(60, 0.0, 0.01)
    assert bound.failure(40, 0.02, law=Uniform(-2, 2), targets=Window(-1, 1)) == bound.failure(40, 0.01)
    assert bound.failure(40, 0.01, law=Normal()) == closed.failure(40, 0.01, law=Normal())


def test_the_numbers_that_coq_computed() -> None:
    """StatementsComputed.v, the pages, the statuses of the bounds and the bounds themselves tell of the same numbers."""
    text = (PROOFS / "theories" / "StatementsComputed.v").read_text()
    numbers = re.findall(r": fraction_at_most (\d+) \(missed ([\d.]+)\) ([\d.]+)\.\n", text)
    assert numbers == [("36", "0.01", "0.05"), ("32", "0.01", "0.05"), ("37", "0.01", "0.01")]
    assert "36 at tol 0.01, delta 0.05" in get("rss-recursion").status
    assert "32 at tol 0.01, delta 0.05, 37 at delta 0.01" in get("rss-hooks").status
    page = (PROOFS / "docs" / "growth-programme.md").read_text()
    assert "**32 candidates suffice at tol 0.01 and failure 0.05** (`rss_32`), and 37 at failure 0.01" in page
    for n, tol, delta in numbers:  # the bound on paper asks for no more, the volume bound for fewer
        assert get("rss-hooks").failure(int(n), float(tol)) <= float(delta)
        assert get("volume").failure(int(n), float(tol)) == 0


@pytest.mark.parametrize("start", [1, 2, 3])
def test_one_step_for_every_covered_set(start: int) -> None:
    """Seven parts of two cells: for every set of covered cells, the mean of V after one candidate is at most the new V. A V that is a tenth smaller is not."""
    parts, cells, scale = 7, 14, 10**9
    sets = np.arange(1 << cells)
    size = np.bitwise_count(sets).astype(np.int64)
    steps = [(sets << x) & ((1 << cells) - 1) if x >= 0 else sets >> -x for x in range(1 - cells, cells)]
    rng, closest = np.random.default_rng(start), 0.0
    counts = np.arange(start, parts + 1)
    for _ in range(20):
        values = np.sort(rng.integers(0, scale, counts.size))[::-1] * (rng.random() < 0.8) + np.where(
            counts < 6, scale // 9, 0
        )
        values, new = np.ascontiguousarray(values), np.empty(counts.size, np.int64)
        next_table(parts, counts, values, new)

        def at(table: np.ndarray, covered: np.ndarray) -> np.ndarray:
            return table[np.maximum(np.searchsorted(2 * counts, covered, side="right") - 1, 0)]

        mean = np.mean([at(values, size[sets | moved]) for moved in map(np.asarray, steps)], axis=0)
        reached = size >= 2 * start
        assert (mean[reached] <= at(new, size)[reached] * (1 + 1e-12)).all()
        closest = max(closest, float((mean[reached] / np.maximum(at(new, size)[reached], 1)).max()))
    assert closest > 0.9


@pytest.mark.statistical
def test_simulation_stays_below_the_recursion() -> None:
    bound, trials = get("rss-recursion"), 400
    for n in (17, 20, 23):
        draws = (np.random.default_rng([n, seed]).uniform(-1, 1, n) for seed in range(trials))
        missed = sum(not covers(x, 0.1, window=(-0.5, 0.5)) for x in draws)
        assert binomial_p_value(missed, trials, float(bound.failure(n, 0.1)), alternative="greater") > 1e-3
    draws = (np.random.default_rng([5, seed]).uniform(-1, 1, 5) for seed in range(trials))
    missed = sum(not covers(x, 0.1, window=(-0.5, 0.5)) for x in draws)
    assert binomial_p_value(missed, trials, float(bound.failure(23, 0.1)), alternative="greater") < 1e-3


def test_a_lower_value_anywhere_is_noticed() -> None:
    document = read(CERTIFICATES / "recursion-18-coarse.json")
    values = [0 if document["parts"] - c <= document["gap"] else document["scale"] for c in document["counts"]]
    honest = next_values(document["parts"], document["counts"], values)
    assert all(b <= a for a, b in zip(values, honest, strict=True))
    assert all(0 <= v <= document["scale"] for v in honest)
    assert not math.isclose(honest[0], values[-1])
