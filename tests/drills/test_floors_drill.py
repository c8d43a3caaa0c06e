"""Planted faults that tests/test_floors.py must turn red: one forbidden import of each kind, in a copy of the package."""

import shutil
from pathlib import Path

import floors
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

FAULTS = {
    "a higher floor": (
        "streams.py",
        "from strong_lth.bounds import Bound",
        "streams (floor 1) imports bounds (floor 2)",
    ),
    "a higher floor, lazily": ("core.py", "def f():\n    import strong_lth.cli", "core (floor 0) imports cli"),
    "a higher floor, for types": (
        "core.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from strong_lth import streams",
        "core (floor 0) imports streams",
    ),
    "a higher floor, by name": (
        "core.py",
        "import importlib\nimportlib.import_module('strong_lth.cli')",
        "imports cli",
    ),
    "a computed name": ("core.py", "import importlib\nx = 'cli'\nimportlib.import_module(x)", "a computed name"),
    "a neighbour": ("subsetsum/planted.py", "from strong_lth.bounds import planted", "never import each other"),
    "a neighbour, relatively": ("bounds/planted.py", "from ..subsetsum import planted", "never import each other"),
    "another neighbour": ("datasets.py", "from strong_lth import streams", "never import each other"),
    "the package itself": ("datasets.py", "import strong_lth as lth", "import the module that defines the name"),
    "its own package": ("bounds/planted.py", "from strong_lth.bounds import BOUNDS", "imports its own package"),
    "a name on no floor": ("novelty.py", "import math\nfrom strong_lth import core", "novelty stands on no floor"),
    "torch": ("datasets.py", "def f():\n    import torch.nn", "torch may be imported only in"),
    "numba": ("datasets.py", "from numba import njit", "numba may be imported only in"),
    "matplotlib": ("cli.py", "from matplotlib import pyplot", "matplotlib may be imported only in"),
    "scipy.stats at the top": ("datasets.py", "from scipy import stats", "import it inside the function"),
    "an undeclared library": ("datasets.py", "import pandas", "pandas is not a dependency"),
    "the tests": ("datasets.py", "from tests import floors", "the library imports tests/"),
    "print": ("datasets.py", "print('hello')", "calls print"),
    "sys.exit": ("datasets.py", "import sys\nsys.exit(1)", "calls sys.exit"),
    "SystemExit": ("datasets.py", "raise SystemExit(1)", "raises SystemExit"),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A copy of the package with two empty modules to plant in, and what the check says about it."""
    root = tmp_path_factory.mktemp("original")
    shutil.copytree(ROOT / "strong_lth", root / "strong_lth", ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in ("bounds", "subsetsum"):
        folder = root / "strong_lth" / package
        folder.mkdir(exist_ok=True)
        for name in ("planted.py", "planted_too.py"):
            (folder / name).write_text("")
    return root, set(floors.violations(root))


@pytest.fixture
def plant(original, tmp_path):
    """Append a text to a file of a fresh copy, and tell what the check says beyond what it said before."""
    root, before = original
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)

    def new_violations(file: str, text: str) -> set[str]:
        path = tmp_path / "strong_lth" / file
        path.write_text(f"{path.read_text() if path.exists() else ''}\n{text}\n")
        return set(floors.violations(tmp_path)) - before

    return new_violations


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_import_is_found(plant, fault):
    file, text, message = FAULTS[fault]
    new = plant(file, text)
    assert any(message in line for line in new), new


def test_a_circle_inside_a_package_is_found(plant):
    assert plant("bounds/planted.py", "from strong_lth.bounds import planted_too") == set()
    new = plant("bounds/planted_too.py", "def f():\n    from strong_lth.bounds.planted import g")
    assert any("circle" in line for line in new), new


def test_what_is_allowed_stays_green(plant):
    allowed = "from strong_lth.core import Status\nimport numpy\ndef f():\n    import scipy.stats"
    assert plant("datasets.py", allowed) == set()
