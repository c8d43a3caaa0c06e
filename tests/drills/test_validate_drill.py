"""Planted faults that ``validate.check`` must refute: a wrong constant, a wrong rate, a wrong quantifier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strong_lth.bounds import Bound, Scope, get
from strong_lth.core import Verdict
from strong_lth.validate import check

CONTRACTION = get("rss-contraction")
SETTING = {"n": 7, "tol": 0.4, "seed": 5, "trials": 4000}  # where about 2.8 % of the samples miss a target


@pytest.fixture
def sound() -> Bound:
    assert isinstance(CONTRACTION, Bound)
    result = check(CONTRACTION, **SETTING)
    assert (result.verdict, result.claimed is not None and result.claimed < 1) == (Verdict.CONSISTENT, True)
    return CONTRACTION


def test_a_wrong_constant_is_refuted(sound: Bound) -> None:
    wrong = replace(sound, id="wrong", formula=lambda question: sound.formula(question) / 60)
    result = check(wrong, **SETTING)
    assert result.verdict is Verdict.REFUTED
    assert result.low > result.claimed
    assert result.trials < SETTING["trials"]  # clear cases end early


def test_a_wrong_rate_is_refuted(sound: Bound) -> None:
    halving = replace(sound, id="halving", formula=lambda question: 0.5**question.n)
    assert check(halving, **SETTING).verdict is Verdict.REFUTED


def test_a_bound_for_each_target_sold_as_one_for_all_targets_is_refuted() -> None:
    each = replace(CONTRACTION, id="each", scope=Scope.EACH_TARGET, formula=lambda question: 0.012)
    setting = {"n": 9, "tol": 0.2, "trials": 4000, "seed": 2}
    assert check(each, **setting).verdict is not Verdict.REFUTED
    assert check(replace(each, scope=Scope.ALL_TARGETS), **setting).verdict is Verdict.REFUTED
