"""Every bound of our own is held against exact solves of its event; a planted wrong rate is refuted by the same check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strong_lth.bounds import Bound, Direction, Question, get
from strong_lth.core import Point, Verdict, Window
from strong_lth.distributions import Law, Normal, Uniform
from strong_lth.validate import check

HALF = Window(-0.5, 0.5)
SETTINGS = [
    ("rss-drift", 9, 0.2, 0.0, Uniform(), HALF),
    ("rss-drift", 9, 0.0, 0.3, Uniform(), HALF),
    ("rss-drift", 14, 0.2, 0.0, Uniform(-1, 2), HALF),
    ("rss-restarts", 15, 0.02, 0.08, Uniform(), HALF),
    ("rss-window", 14, 0.2, 0.0, Uniform(), HALF),
    ("rss-window", 14, 0.6, 0.0, Normal(), Window(-1.0, 1.0)),
    ("rss-second-moment", 6, 0.02, 0.01, Uniform(), Point(0.3)),
    ("necessary-sizes", 5, 0.005, 0.0, Uniform(), Point(0.5)),
    ("necessary-sizes", 5, 0.0, 0.003, Uniform(), Point(0.3)),
]


def _wrong_rate(bound: Bound, factor: float, question: Question) -> float:
    """As if every candidate were worth ``factor`` candidates (a necessary bound: as if it were worth a half of one)."""
    value = bound.formula(replace(question, n=round(question.n * factor)))
    assert isinstance(value, float)
    return value


@pytest.mark.statistical
@pytest.mark.parametrize(("id", "n", "tol", "perturbation", "law", "targets"), SETTINGS)
def test_own_theorems_hold_and_wrong_rates_are_refuted(
    id: str, n: int, tol: float, perturbation: float, law: Law, targets: Window | Point
) -> None:
    bound = get(id)
    assert isinstance(bound, Bound)
    setting = {
        "n": n,
        "tol": tol,
        "perturbation": perturbation,
        "law": law,
        "targets": targets,
        "trials": 3000,
        "seed": 3,
    }
    result = check(bound, **setting)
    assert result.verdict is Verdict.CONSISTENT
    assert result.claimed is not None
    assert 0 < result.claimed < 1
    factor = 0.5 if bound.direction is Direction.NECESSARY else 60.0 if id == "rss-second-moment" else 4.0
    wrong = replace(bound, id="wrong", formula=lambda question: _wrong_rate(bound, factor, question))
    refuted = check(wrong, **setting)
    assert refuted.verdict is Verdict.REFUTED
