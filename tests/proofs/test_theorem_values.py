"""The theorems of ``proofs/`` on numbers: exact where possible, each with a control that shows that the check can fail."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from covered_chain import Cells, dilate, law_of_the_uncovered
from numpy.typing import NDArray

from strong_lth.projection import box_ends, clip


def subset_sums(candidates: list[Fraction]) -> list[tuple[Fraction, int]]:
    """(sum, size) of every subset."""
    sums = [(Fraction(0), 0)]
    for x in candidates:
        sums += [(s + x, k + 1) for s, k in sums]
    return sums


def random_fractions(rng: np.random.Generator, n: int) -> list[Fraction]:
    return [Fraction(int(x), 1000) for x in rng.integers(-1000, 1001, n)]


def covered(candidates: list[Fraction], tol: Fraction, low: Fraction, high: Fraction) -> bool:
    """Whether every real target of [low, high] is within tol of a subset sum: no gap between sorted sums is wider than 2 tol."""
    reached = low
    for s in sorted(s for s, _ in subset_sums(candidates)):
        if s - tol <= reached:
            reached = max(reached, s + tol)
    return reached >= high


def test_greedy_covering() -> None:
    rng = np.random.default_rng(1)
    tol = Fraction(1, 20)
    for _ in range(20):
        candidates: list[Fraction] = []
        low, high = -tol, tol
        for _ in range(7):
            x = Fraction(int(rng.integers(1, 100)), 100) * (high - low) * int(rng.choice([-1, 1]))
            candidates.append(x)
            low, high = min(low, low + x), max(high, high + x)
        assert high - low == 2 * tol + sum(abs(x) for x in candidates)
        assert covered(candidates, tol, low, high)
    too_long = Fraction(101, 100) * 2 * tol
    assert not covered([too_long], tol, -tol, too_long + tol)


def test_perturbed_intervals() -> None:
    rng = np.random.default_rng(2)
    perturbation = Fraction(1, 50)
    candidates = random_fractions(rng, 5)
    reached = 0
    for target in random_fractions(rng, 300):
        inside = [(s, k) for s, k in subset_sums(candidates) if abs(target - s) <= perturbation * k]
        corners = [
            (sum(moved, Fraction(0)) - sum(kept, Fraction(0)), len(kept), sum(kept, Fraction(0)))
            for size in range(6)
            for kept in itertools.combinations(candidates, size)
            for moved in ([x + sign * perturbation for x in kept] for sign in (-1, 1))
        ]
        between = any(abs(target - s) <= abs(shift) for shift, _, s in corners)
        assert between == bool(inside)
        for s, k in inside:
            assert k == 0 or abs((target - s) / k) <= perturbation
        reached += bool(inside)
    assert 0 < reached < 300


def test_first_moment() -> None:
    n, size, tol, k, z = 4, 10, 0, 1, 3
    draws = range(-size, size + 1)
    hits = 0
    for sample in itertools.product(draws, repeat=n):
        sums = subset_sums([Fraction(x) for x in sample]) if n < 3 else None
        hits += any(abs(z - s) <= tol + k * c for s, c in sums) if sums else _hit(sample, z, tol, k)
    share = hits / len(draws) ** n
    bound = 2**n * (2 * tol + 1 + n * k) / len(draws)
    assert share <= bound
    assert share > bound / 20


def _hit(sample: tuple[int, ...], z: int, tol: int, k: int) -> bool:
    sums = {(0, 0)}
    for x in sample:
        sums |= {(s + x, c + 1) for s, c in sums}
    return any(abs(z - s) <= tol + k * c for s, c in sums)


def contraction(cells: Cells, N: int, k: int, low: int, size: int) -> Fraction:
    """E psi(next) / psi(cells) for one candidate that is uniform on {-N..N}."""

    def psi(count: int) -> Fraction:
        return Fraction(size - count, count + k)

    grown = dilate(cells, k, low, size)
    window = range(low, low + size)
    total = sum(psi(len(cells | {z for z in window if z - x in grown})) for x in range(-N, N + 1))
    return total / (2 * N + 1) / psi(len(cells))


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("N", [2, 3, 4, 5])
def test_potential_contracts_for_every_set(N: int, k: int) -> None:
    size, low = N + 1, -(N // 2)
    rate = 1 - Fraction(size, 2 * (2 * N + 1))
    window = range(low, low + size)
    sets = [frozenset(c) for m in range(1, size) for c in itertools.combinations(window, m)]
    worst = max(contraction(cells, N, k, low, size) for cells in sets)
    assert worst <= rate <= Fraction(3, 4)
    if k == 0:
        assert worst == rate


@pytest.mark.parametrize(("N", "e", "g", "k"), [(6, 0, 0, 0), (8, 1, 1, 0), (8, 0, 1, 1)])
def test_exact_law_of_the_covered_set(N: int, e: int, g: int, k: int) -> None:
    size = N + 1
    rate = 1 - size / (2 * (2 * N + 1))
    start = (size - (2 * e + 1)) / (2 * e + 1 + k)
    laws = law_of_the_uncovered(N, e, k, 40)
    truth = np.array([law[g + 1 :].sum() for law in laws])
    bound = np.array([rate**n * start * (size + k) / (g + 1) for n in range(41)])
    assert (truth <= bound).all()
    squared = np.array([rate ** (2 * n) * start * (size + k) / (g + 1) for n in range(41)])
    assert (truth > squared).any()


def gadget(units: list[tuple[float, float]], x: float) -> float:
    return sum(v * max(a * x, 0.0) for a, v in units)


def test_gadget() -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        units = [(float(a), float(v)) for a, v in rng.uniform(-1, 1, (6, 2))]
        p, q = (sum(v * a for a, v in units if (a < 0) == half) for half in (False, True))
        w = float(rng.uniform(-1, 1))
        tol = max(abs(w - p), abs(w - q))
        for x in rng.uniform(-3, 3, 20):
            assert gadget(units, x) == pytest.approx(p * max(x, 0) - q * max(-x, 0), abs=1e-12)
            assert abs(w * x - gadget(units, x)) <= tol * abs(x) + 1e-12
    one_sided = [(1.0, 0.5)]
    assert abs(0.5 * -1.0 - gadget(one_sided, -1.0)) == 0.5


def test_propagation() -> None:
    rng = np.random.default_rng(4)
    ratios = []
    for _ in range(200):
        depth, width = int(rng.integers(1, 5)), 4
        norms, errors = rng.uniform(0.5, 1.5, depth), rng.uniform(0, 0.2, depth)
        x = y = rng.normal(size=width)
        start = float(np.linalg.norm(x))
        for B, eta in zip(norms, errors, strict=True):
            weights, change = rng.normal(size=(2, width, width))
            weights *= B / np.linalg.norm(weights, 2)
            change *= eta / np.linalg.norm(change, 2)
            x, y = np.maximum(weights @ x, 0), np.maximum((weights + change) @ y, 0)
        bound = (np.prod(norms + errors) - np.prod(norms)) * start
        ratios.append(float(np.linalg.norm(x - y)) / bound)
    assert 0.02 < max(ratios) <= 1 + 1e-9


def test_projected_descent() -> None:
    rng = np.random.default_rng(5)
    start = rng.uniform(-1, 1, 30)
    perturbation = 0.1
    ends = box_ends(start, perturbation)
    w, free = start.copy(), start.copy()
    for _ in range(100):
        moved = w + rng.normal(0, 0.1, 30)
        free += rng.normal(0, 0.1, 30)
        w = clip(moved, *ends)
        assert all(abs(Fraction(a) - Fraction(b)) <= Fraction(perturbation) for a, b in zip(w, start, strict=True))
        assert np.array_equal(clip(w, *ends), w)
        for _ in range(5):
            y = start + rng.uniform(-perturbation, perturbation, 30)
            assert np.sum((w - moved) ** 2) + np.sum((y - w) ** 2) <= np.sum((y - moved) ** 2) + 1e-12
    assert np.abs(free - start).max() > perturbation


def test_interval_chain() -> None:
    rng = np.random.default_rng(6)
    candidates = [int(x) for x in rng.integers(-1000, 1001, 12)]
    tol, perturbation = 10, 5
    intervals = sorted(
        (s - tol - perturbation * k, s + tol + perturbation * k)
        for s, k in ((int(s), k) for s, k in subset_sums([Fraction(x) for x in candidates]))
    )

    def chain(parts: list[tuple[int, int]], low: int, high: int) -> bool:
        reached = low
        for left, right in parts:
            if left > reached:
                return False
            reached = max(reached, right)
        return reached >= high

    inside = [part for part in intervals if part[1] >= -500]
    assert inside[0][0] <= -500
    assert chain(inside, -500, 500)
    grid = np.linspace(-500, 500, 4001)
    assert all(any(left <= z <= right for left, right in inside) for z in grid)
    holed = [part for part in inside if not part[0] <= 100 <= part[1]]
    assert not chain(holed, -500, 500)


def test_printed_tail_is_false() -> None:
    n = 300
    eps = math.sqrt(64 / 3 / n)
    resolution = 64
    step = np.full(
        2 * resolution, 1 / (2 * resolution)
    )  # (2i + 1)/resolution - 2, i < 2 resolution: centres of cells of [-1, 1]
    law = np.array([1.0])
    for _ in range(n):
        law = np.convolve(law, step)
    values = (np.arange(law.size) - (law.size - 1) / 2) / resolution
    truth = float(law[np.abs(values) >= n * eps / 2 + 1 / resolution].sum())
    assert math.exp(-n * eps**2 / 2) < truth <= 2 * math.exp(-n * eps**2 / 8)


@pytest.mark.parametrize("N", [1, 2, 3])
def test_half_of_the_pairs_are_near(N: int) -> None:
    cells = range(2 * N)
    tight = 0
    for states in itertools.product((0, 1, 2), repeat=2 * N):  # 0: outside g, 1: in g only, 2: in f and g
        g = [c for c in cells if states[c]]
        outside_f = [c for c in cells if states[c] != 2]
        near = sum(abs(y - z) <= N for y in g for z in outside_f)
        assert 2 * near >= len(g) * len(outside_f)
        tight += bool(g) and 2 * sum(abs(y - z) < N for y in g for z in outside_f) < len(g) * len(outside_f)
    assert tight > 0


def rounded(x: Fraction) -> int:
    """The integer in (x - 1/2, x + 1/2]."""
    return math.floor(x + Fraction(1, 2))


def test_scaled_draws_read_every_small_integer() -> None:
    N = 25
    for factor in [Fraction(k, 60) for k in range(20, 61)]:
        read = {rounded(factor * x) for x in range(-N, N + 1)}
        reach = math.floor(factor * (N - Fraction(1, 2)))
        assert set(range(-reach, reach + 1)) <= read
    too_large = {rounded(Fraction(7, 5) * x) for x in range(-N, N + 1)}
    assert not set(range(-N, N + 1)) <= too_large


def test_one_table_of_masks_serves_a_convolution() -> None:
    rng = np.random.default_rng(7)
    n, perturbation, taps = 13, 0.05, 3
    factors = rng.uniform(0.5, 1.0, (2 * taps + 1, n))
    outgoing = rng.uniform(-1, 1, (2 * taps + 1, n))
    masks = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1

    def serve(block: int, value: float) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """A mask and the outgoing weights after equal shifts, from the block's number and the value alone."""
        sums, sizes = masks @ (factors[block] * outgoing[block]), masks @ factors[block]
        best = int(np.argmin(np.abs(value - sums) - perturbation * sizes))
        assert abs(value - sums[best]) <= perturbation * sizes[best]
        return masks[best], outgoing[block] + (value - sums[best]) / max(sizes[best], 1e-300)

    def weight_times(block: int, w: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros_like(y)
        for sign, number in ((1, 2 * block), (-1, 2 * block + 1)):
            keep, moved = serve(number, sign * w)
            assert np.abs(moved - outgoing[number]).max() <= perturbation
            hidden = np.maximum(sign * factors[number][:, None] * y, 0)
            out += (keep * moved) @ hidden
        return out

    signal = rng.uniform(-1, 1, 40)
    for kernel in rng.uniform(-0.25, 0.25, (5, taps)):
        bias = float(rng.uniform(-0.25, 0.25))
        keep, moved = serve(2 * taps, bias)
        pruned = sum(weight_times(t, float(w), signal[t : 38 + t]) for t, w in enumerate(kernel))
        pruned = pruned + float((keep * moved * factors[2 * taps]).sum())
        target = np.convolve(signal, kernel[::-1], mode="valid") + bias
        assert np.abs(pruned - target).max() < 1e-12


def test_hooks() -> None:
    rng = np.random.default_rng(8)
    equal = 0
    for _ in range(400):
        A, B = (sorted({int(x) for x in rng.integers(0, 12, rng.integers(1, 9))}) for _ in range(2))
        differences = [y - x for x in A for y in B]
        for t in range(min(len(A), len(B)) + 1):
            counted = sum(min(differences.count(k), t) for k in set(differences))
            assert counted >= t * (len(A) + len(B) - t)
            equal += t > 0 and counted == t * (len(A) + len(B) - t)
    assert equal > 0
    assert sum(min(count, 2) for count in (1, 1, 1, 1)) < 2 * (
        1 + 4 - 2
    )  # A = {0}, B = {0, 1, 2, 3}: t = 2 is too large


def level_potential(levels: list[int], time: int, ratio: Fraction = Fraction(13, 12), size: int = 8) -> Fraction:
    """window / (sum of weights) - 1; level 0 is not served, level j + 1 has odds ratio^time / size^j."""
    weights = [1 / (1 + ratio**time / Fraction(size) ** (p - 1)) for p in levels if p]
    return len(levels) / sum(weights, Fraction(0)) - 1


def climbed(levels: list[int], x: int) -> list[int]:
    shifted = [levels[z - x] if 0 <= z - x < len(levels) else 0 for z in range(len(levels))]
    return [max(p, q + 1 if q else 0) for p, q in zip(levels, shifted, strict=True)]


def test_levels_contract() -> None:
    rng = np.random.default_rng(9)
    N, worst, false = 5, Fraction(0), False
    for _ in range(150):
        levels = [int(p) for p in rng.integers(0, 5, N + 1)]
        if not any(levels):
            continue
        time = int(rng.integers(0, 60))
        nexts = [climbed(levels, x) for x in range(-N, N + 1)]
        worst = max(
            worst, sum(level_potential(f, time + 1) for f in nexts) / (2 * N + 1) / level_potential(levels, time)
        )
        faster = sum(level_potential(f, time + 1, Fraction(3, 2), 2) for f in nexts) / (2 * N + 1)
        false |= faster > Fraction(3, 4) * level_potential(levels, time, Fraction(3, 2), 2)
    assert Fraction(1, 2) < worst <= Fraction(3, 4)
    assert false  # odds that fall faster do not contract


@pytest.mark.parametrize("N", [4, 6])
def test_mean_of_a_kink(N: int) -> None:
    size = N + 1
    tight = False
    for bits in range(1, 1 << size):
        cells = frozenset(i for i in range(size) if bits >> i & 1)
        gains = [len({z for z in range(size) if z - x in cells} - cells) for x in range(-N, N + 1)]
        for t in range(size - len(cells) + 1):
            mean = Fraction(sum(max(0, t - gain) for gain in gains), 2 * N + 1)
            for u in range(min(len(cells), size - len(cells)) + 1):
                bound = Fraction(max(t * (size + t), 2 * size * (t - u) + u * (size + u)), 2 * size)
                assert mean <= bound
                tight |= t > 0 and mean > bound - Fraction(t, 2)
    assert tight


def test_growth_programme_in_the_unit_window() -> None:
    from strong_lth.bounds import growth
    from strong_lth.bounds.unimodal import rho_of, shape_of
    from strong_lth.distributions import Uniform

    known = shape_of(Uniform())
    assert known is not None
    rho, knots = rho_of(known[0], 1.0)
    grid = growth.grid(27 / 2001, 1.0, 6 / 2001, 90, jump=True)  # Coq's start and gap
    ones = np.ones(grid.y.size - 1)
    programme = growth.programme(grid, (ones, ones), rho, knots)
    value = np.where(np.arange(grid.y.size) <= grid.last, 1.0, 0.0)
    failures = []
    for _ in range(37):
        value = growth.advance(programme, value)[0]
        failures.append(float(value[0]))
    assert failures[30] > 0.05 >= failures[31]
    assert failures[36] <= 0.01 < failures[34]


def test_weighted_contraction() -> None:
    rng = np.random.default_rng(10)
    size, reach = 7, 4
    law = {x: Fraction(int(rng.integers(1, 9))) for x in range(-reach, reach + 1)}
    law = {x: p / sum(law.values()) for x, p in law.items()}
    phi = [Fraction(int(p)) for p in rng.integers(1, 6, size)]
    sets = [[i for i in range(size) if bits >> i & 1] for bits in range(1, (1 << size) - 1)]

    def mass(cells: list[int] | set[int]) -> Fraction:
        return sum((phi[i] for i in cells), Fraction(0))

    rate, steps = Fraction(1), []
    for cells in sets:
        rest = [z for z in range(size) if z not in cells]
        flow = sum(law.get(z - y, Fraction(0)) * phi[y] * phi[z] / (phi[y] + phi[z]) for y in cells for z in rest)
        grown = {x: set(cells) | {y + x for y in cells if 0 <= y + x < size} for x in law}
        mean = sum(p / mass(grown[x]) for x, p in law.items())
        assert mean <= (mass(cells) - flow) / mass(cells) ** 2
        rate = min(rate, flow * sum(phi) / (mass(cells) * mass(rest)))
        steps.append((sum(phi) * mean - 1) / (sum(phi) / mass(cells) - 1))
    assert 0 < rate < 1
    assert 1 - 2 * rate < max(steps) <= 1 - rate


def coq_list(name: str) -> list[int]:
    text = (Path(__file__).parents[2] / "proofs/theories/FlowCertificates.v").read_text()
    found = re.search(rf"Definition {name} : list Z := \[([^\]]*)\]", text)
    assert found is not None
    return [int(entry) for entry in found[1].split(";")]


def test_masses_of_the_certificates_lie_below_the_densities() -> None:
    normal = [math.exp(-((0.2 * (d + 1)) ** 2) / 2) / math.sqrt(2 * math.pi) for d in range(11)]
    product = [max(0.0, -math.log(0.1 * (d + 1)) / 2) for d in range(11)]
    for name, densities in (("normal", normal), ("product", product)):
        masses = coq_list(f"{name}_masses")
        assert all(0 <= 10000 * p - m < 1 for p, m in zip(densities, masses, strict=True))


def test_mixing_rate_against_random_sets() -> None:
    rng = np.random.default_rng(11)
    phi, masses = (np.array(coq_list(f"product_{name}"), dtype=float) for name in ("weights", "masses"))
    apart = np.abs(np.subtract.outer(np.arange(11), np.arange(11)))
    rates = masses[apart] * np.outer(phi, phi) / np.add.outer(phi, phi)
    least = math.inf
    for f in rng.integers(0, 2, (2000, 11)).astype(float):
        mass = float(phi @ f)
        if 0 < mass < phi.sum():
            least = min(least, float(f @ rates @ (1 - f)) * phi.sum() / (mass * (phi.sum() - mass)))
    assert 14352 <= least < 2 * 14352
