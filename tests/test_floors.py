"""The floors and fences of the package hold; tests/drills/test_floors_drill.py shows that this check bites."""

from pathlib import Path

import floors

ROOT = Path(__file__).resolve().parent.parent


def test_every_import_goes_down_and_every_fence_holds():
    assert floors.violations(ROOT) == []


def test_the_package_was_read():
    names = {path.stem for path in (ROOT / "strong_lth").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert {"core", "streams", "distributions", "datasets", "cli"} <= names & set(floors.FLOORS)


def test_bounds_and_subsetsum_stand_side_by_side():
    assert floors.FLOORS["bounds"] == floors.FLOORS["subsetsum"]
    assert not {("bounds", "subsetsum"), ("subsetsum", "bounds")} & set(floors.SAME_FLOOR)
