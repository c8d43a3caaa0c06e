"""Measured numbers beside the bounds: honest intervals, and silence where nothing was simulated."""

from __future__ import annotations

from pathlib import Path

from strong_lth.measured import measured_rows
from strong_lth.report_bounds import bounds_rows


def test_measured_numbers_stand_beside_the_bounds(tmp_path: Path) -> None:
    (row,) = measured_rows(0.01, 0.0, 0.05)
    assert row.keys() == bounds_rows(0.01, 0.0, 0.05)[0].keys()
    assert (row["n"], row["direction"]) == ("13 to 14", "measured")
    by_id = {entry["id"]: entry["n"] for entry in bounds_rows(0.01, 0.0, 0.05)}
    assert (by_id["volume"], by_id["rss-recursion"], by_id["rss-contraction-checked"]) == (6, 35, 45)
    exact = {entry["id"]: entry["n"] for entry in bounds_rows(0.0, 0.01, 0.05)}
    assert exact["rss-contraction-checked"] == 49
    assert measured_rows(0.011, 0.0, 0.05) == []  # never simulated
    assert measured_rows(0.01, 0.0, 0.05, root=tmp_path) == []  # no checkout
    assert measured_rows(0.01, 0.0, 1e-6) == []  # too few samples to tell
