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
