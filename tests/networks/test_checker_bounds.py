"""The certificate checker's integer bounds and the package's float bounds are two programs with one answer."""

import importlib.util
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from network_pairs import Pair, exact_gap, exact_layers, random_pair, sample

from strong_lth.core import Box
from strong_lth.networks.difference import LayerPair, difference_bounds

CHECKER = Path(__file__).resolve().parents[2] / "proofs" / "check_certificate.py"
CLOSE = 1 + Fraction(1, 10**9)


@pytest.fixture(scope="module")
def checker():
    spec = importlib.util.spec_from_file_location("check_certificate", CHECKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pairs(seed: int, count: int, smallest: float):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield random_pair(rng, smallest, rounding=False), rng


def sides(pair: Pair):
    """(low, high, ball) as the checker takes them: a ball is given by the cube around it."""
    if isinstance(pair.domain, Box):
        low, high = pair.domain.ends(pair.dim)
        return low.tolist(), high.tolist(), False
    center = np.broadcast_to(pair.domain.center, pair.dim).tolist()
    radius = Fraction(pair.domain.radius)
    return [Fraction(c) - radius for c in center], [Fraction(c) + radius for c in center], True


def both(checker, pair: Pair):
    """(float bounds, exact bounds) of the two methods that the checker repeats."""
    floats = difference_bounds(pair.layers, pair.domain)
    for name, method in (
        ("difference-interval", checker.difference_interval),
        ("joint-zonotope", checker.joint_zonotope),
    ):
        yield [Fraction(x) for x in floats[name].tolist()], method(pair.exact, *sides(pair))


def test_float_bounds_are_the_exact_ones_rounded_outward(checker):
    for pair, _ in pairs(1, 200, smallest=-6):
        for floats, exact in both(checker, pair):
            assert all(e <= f <= e * CLOSE + Fraction(1, 2**130) for f, e in zip(floats, exact, strict=True))


def test_tiny_residuals_too_up_to_their_own_rounding(checker):
    for pair, _ in pairs(2, 150, smallest=-16):
        for floats, exact in both(checker, pair):
            assert all(e <= f for f, e in zip(floats, exact, strict=True))


def test_exact_bounds_hold(checker):
    for pair, rng in pairs(3, 150, smallest=-16):
        points = sample(pair.domain, pair.dim, rng, 6)
        gaps = [[abs(d) for d in exact_gap(pair.exact, point)] for point in points.tolist()]
        worst = [max(column) for column in zip(*gaps, strict=True)]
        for _, exact in both(checker, pair):
            assert all(w <= e for w, e in zip(worst, exact, strict=True))


def test_a_changed_residual_changes_both_bounds(checker):
    (pair, _), *_ = pairs(5, 1, smallest=-1)
    before = [exact for _, exact in both(checker, pair)]
    last = pair.exact[-1]
    last["residual"] = [[e + 5 for e in row] for row in last["residual"]]
    assert all(now != old for (_, now), old in zip(both(checker, pair), before, strict=True))


def digits_sized(rng):
    shapes = [(32, 64), (10, 32)]
    return [
        LayerPair(rng.normal(size=s) / 8, rng.normal(size=s[0]), rng.uniform(-1e-4, 1e-4, s), None, np.zeros(s[0]), 0.0)
        for s in shapes
    ]


def test_a_digits_sized_network_takes_seconds_at_most(checker):
    layers = digits_sized(np.random.default_rng(0))
    pair = Pair(layers, exact_layers(layers), Box(0, 1))
    start = time.process_time()
    for floats, exact in both(checker, pair):
        assert all(e <= f <= e * CLOSE for f, e in zip(floats, exact, strict=True))
    assert time.process_time() - start < 10  # typically 0.1 s


def test_the_checker_needs_the_standard_library_alone():
    """No package of ours and no numpy is importable in isolated mode without site packages; the file still loads and computes."""
    code = (
        f"import sys; sys.path.insert(0, {str(CHECKER.parent)!r}); import check_certificate as c; from fractions import Fraction as F;"
        "layer = dict(weight=[[1]], bias=None, residual=[[F(1, 3)]], residual_negative=None, bias_residual=None);"
        "print(*c.difference_interval([layer], [-1], [3]), 'numpy' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.split() == ["1", "False"]
