"""Planted faults that the gates of the bounds must notice."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import strong_lth.bounds as folder

GATES = Path(__file__).parents[1] / "bounds" / "test_bounds_contract.py"


@pytest.fixture
def gates() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bounds_gates", GATES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_forgotten_bound_is_noticed(gates: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gates.test_every_file_of_the_folder_is_listed()
    (tmp_path / "planted.py").write_text(
        "import dataclasses\n"
        "from strong_lth.bounds import volume\n"
        "BOUND = dataclasses.replace(volume.BOUND, id='planted')\n"
    )
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    try:
        with pytest.raises(AssertionError, match="planted"):
            gates.test_every_file_of_the_folder_is_listed()
    finally:
        sys.modules.pop("strong_lth.bounds.planted", None)
        if hasattr(folder, "planted"):
            del folder.planted


def test_a_bound_that_grows_is_noticed(gates: ModuleType) -> None:
    import dataclasses

    good = folder.get("rss-contraction")
    assert isinstance(good, folder.Bound)
    gates.test_monotone(good)
    grows = dataclasses.replace(good, formula=lambda q: min(1.0, q.n / 200))
    with pytest.raises(AssertionError):
        gates.test_monotone(grows)


def test_wrong_published_constants_are_refuted() -> None:
    """A second moment that forgets the pairs that share candidates, and a first moment that counts each subset once too few."""
    import dataclasses

    from strong_lth.bounds import fixed_size
    from strong_lth.core import Point, Verdict
    from strong_lth.validate import check

    setting = {"tol": 0.01, "targets": Point(0.4), "trials": 4000, "seed": 1}
    independent = dataclasses.replace(
        fixed_size.BOUND,
        formula=lambda q: min(1 / (1 + fixed_size.hits(q.n, k, 0.4, 0.01)[0]) for k in range(1, q.n)) / 20,
    )
    assert check(fixed_size.BOUND, n=11, **setting).verdict is Verdict.CONSISTENT  # type: ignore[arg-type]
    assert check(independent, n=11, **setting).verdict is Verdict.REFUTED  # type: ignore[arg-type]
    counting = folder.get("counting")
    sharper = dataclasses.replace(counting, formula=lambda q: 1 - (1 - counting.formula(q)) / 3)
    assert check(counting, n=5, **setting).verdict is Verdict.CONSISTENT  # type: ignore[arg-type]
    assert check(sharper, n=5, **setting).verdict is Verdict.REFUTED  # type: ignore[arg-type]


def test_an_allotment_that_spends_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("level_gates", GATES.with_name("test_network_level.py"))
    assert spec is not None
    assert spec.loader is not None
    gates = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gates)
    gates.test_the_error_is_attained()
    row = gates.TABLE[0]
    gates.test_published_and_optimal_bits_per_weight(*row)
    from strong_lth.bounds import compare_allotments, shapes

    with monkeypatch.context() as planted:
        planted.setattr(shapes.DenseShape, "error", lambda self, weight_tol: 0.0)  # nothing holds the budget back
        with pytest.raises(AssertionError):
            gates.test_the_error_is_attained()
        with pytest.raises(AssertionError):
            gates.test_published_and_optimal_bits_per_weight(*row)
    with monkeypatch.context() as planted:
        planted.setattr(gates, "compare_allotments", lambda shape, tol: compare_allotments(shape, 2 * tol))
        with pytest.raises(AssertionError):
            gates.test_published_and_optimal_bits_per_weight(*row)
