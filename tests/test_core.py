"""Shared words: what the plain values promise to those who pass them around."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strong_lth
from strong_lth.core import (
    Ball,
    Box,
    BudgetError,
    Certificate,
    Check,
    FormatError,
    InputError,
    Outcome,
    Point,
    Reference,
    Status,
    Verdict,
    Window,
    run_record,
)

ROOT = Path(__file__).parents[1]


def test_errors_are_what_callers_catch() -> None:
    error = InputError("tol", -1, "give a number >= 0")
    assert isinstance(error, ValueError)
    assert error.parameter == "tol"
    assert str(error) == "tol: got -1; give a number >= 0"
    assert issubclass(FormatError, ValueError)
    assert issubclass(BudgetError, MemoryError)


@pytest.mark.parametrize("kind", [Status, Verdict, Outcome])
def test_outcomes_read_as_sentences(kind: type[Status]) -> None:
    values = [member.value for member in kind]
    assert len(set(values)) == len(values)
    assert all(value == value.strip() and len(value) > 4 for value in values)


# -- certificates ------------------------------------------------------------------------------------------------------


def test_a_certificate_is_ok_unless_a_check_failed() -> None:
    proved, skipped = Check("error", Outcome.PROVED), Check("optimality", Outcome.NOT_RECHECKED, "not asked for")
    failed = Check("shift", Outcome.FAILED, "0.2 > 0.1")
    assert Certificate("claim", (proved, skipped), 0.1, "exact").ok
    broken = Certificate("claim", (proved, failed, skipped), 0.1, "exact")
    assert not broken.ok
    assert broken.failures == (failed,)


@given(value=st.one_of(st.none(), st.floats(allow_nan=False)))
def test_certificates_are_canonical_json(value: float | None) -> None:
    certificate = Certificate("claim", (Check("a", Outcome.PROVED, "b"),), value, "exact")
    text = certificate.to_json()
    body = json.loads(text)
    assert text == json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert body["checks"] == [{"detail": "b", "name": "a", "outcome": "proved"}]
    back = None if body["value"] is None else float.fromhex(body["value"])
    assert back == value


def test_references_name_source_and_place() -> None:
    assert str(Reference("A paper", "Theorem 1", "https://example.org")) == "A paper, Theorem 1"
    assert str(Reference("A paper")) == "A paper"


# -- targets and domains -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [(1, 0), (math.nan, 1), (0, math.inf)])
def test_bad_windows_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"^Window: "):
        Window(*ends)


def test_targets() -> None:
    assert Window(0.5, 0.5) == Window(0.5, 0.5)
    with pytest.raises(InputError, match=r"^Point: "):
        Point(math.nan)


finite = st.floats(-1e6, 1e6)


@given(corners=st.lists(st.tuples(finite, finite), min_size=1, max_size=5), inside=st.floats(0, 1))
def test_box_norm_bounds_every_point(corners: list[tuple[float, float]], inside: float) -> None:
    low, high = (tuple(f(pair) for pair in corners) for f in (min, max))
    box = Box(low, high)
    below, above = box.ends(len(corners))
    assert (tuple(below), tuple(above)) == (low, high)
    for point in (below, above, below + inside * (above - below)):
        assert np.linalg.norm(point) <= box.norm(len(corners))


@given(center=st.lists(finite, min_size=1, max_size=5), radius=st.floats(0, 1e6), seed=st.integers(0, 99))
def test_ball_ends_and_norm_enclose_the_ball(center: list[float], radius: float, seed: int) -> None:
    ball, dim = Ball(radius, tuple(center)), len(center)
    low, high = ball.ends(dim)
    direction = np.random.default_rng(seed).normal(size=dim)
    point = np.array(center) + radius * direction / np.linalg.norm(direction) * (1 - 1e-15)
    assert np.all((low <= point) & (point <= high))
    assert np.linalg.norm(point) <= ball.norm(dim) * (1 + 1e-15) + 1e-300
    assert np.all(low < np.array(center))
    assert np.all(high > np.array(center))


def test_domains_broadcast_scalars_and_check_dimensions() -> None:
    assert Box(0, 1).ends(2)[1].tolist() == [1, 1]
    assert Box(0, (1, 2)).ends(2)[0].tolist() == [0, 0]
    assert Ball(1).ends(3)[0].shape == (3,)
    for domain in (Box((0, 0), (1, 1)), Ball(1, (0, 0))):
        with pytest.raises(InputError, match="give 3, the input dimension"):
            domain.ends(3)
        with pytest.raises(InputError, match="give 3, the input dimension"):
            domain.norm(3)
    low, _ = Box(0, 1).ends(3)
    low[0] = -5
    assert Box(0, 1).ends(3)[0][0] == 0  # a copy: callers cannot change the domain


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("Box", lambda: Box(1, 0)),
        ("Box", lambda: Box((0, 0), (1, -1))),
        ("Box", lambda: Box((0, 0, 0), (1, 1))),
        ("Box.low", lambda: Box(math.nan, 1)),
        ("Box.high", lambda: Box(0, "one")),
        ("Box.low", lambda: Box([[0.0]], 1)),
        ("Box.low", lambda: Box((), 1)),
        ("Ball.radius", lambda: Ball(-1)),
        ("Ball.radius", lambda: Ball(math.inf)),
        ("Ball.center", lambda: Ball(1, math.nan)),
    ],
)
def test_bad_domains_are_refused_by_name(name: str, make: object) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        make()  # type: ignore[operator]


def test_domains_are_values() -> None:
    assert Box(0, 1) == Box(0.0, 1.0)
    assert hash(Box((0, 1), (2, 3))) == hash(Box(np.array([0, 1]), np.array([2, 3])))  # type: ignore[arg-type]
    assert Ball(1) == Ball(1.0, 0)


# -- provenance and the package ----------------------------------------------------------------------------------------


def test_run_record_tells_what_ran() -> None:
    record = run_record("strong-lth demo", 1.23456, rows=3)
    body = json.loads(record.to_json())
    assert body["command"] == "strong-lth demo"
    assert body["seconds"] == 1.235
    assert body["extra"] == {"rows": 3}
    assert body["versions"]["numpy"] == np.__version__
    assert body["device"]
    assert body["commit"]


def test_importing_the_package_loads_nothing() -> None:
    code = (
        "import sys, strong_lth; heavy = {'numpy', 'scipy', 'torch', 'numba', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy; strong_lth.Window; assert 'numpy' in sys.modules; assert 'torch' not in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_are_lazy_and_unknown_ones_are_refused() -> None:
    assert strong_lth.Window is Window
    assert strong_lth.bounds.get("volume").id == "volume"
    assert {"Window", "bounds", "required_candidates"} <= set(dir(strong_lth))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = strong_lth.nothing
