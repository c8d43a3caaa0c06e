"""The bounds report: every entry, honest words, a table that fits a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from strong_lth.bounds import BOUNDS, PREDICTIONS, get
from strong_lth.core import InputError, Point
from strong_lth.distributions import Normal, RandomSigns
from strong_lth.measured import measured_rows
from strong_lth.report import bounds_rows, bounds_table


def test_rows_list_everything_with_its_quantifier_and_source() -> None:
    rows = bounds_rows(0.01, 0.001, 0.05)
    assert [row["id"] for row in rows] == [entry.id for entry in (*BOUNDS, *PREDICTIONS)]
    json.dumps(rows)
    for row in rows:
        assert row["kind"] == ("prediction" if row["direction"] == "predicted" else "bound")
        assert row["quantifier"] == get(row["id"]).scope.value
        assert row["source"]
        assert row["status"] == get(row["id"]).status
        if isinstance(row["n"], int):
            assert row["failure"] <= 0.05
            assert row["failure"] == get(row["id"]).failure(row["n"], 0.01, 0.001)
        else:
            assert row["n"] in ("constants unspecified", "n/a")  # the cited ones know no perturbation
            assert row["failure"] is None


def test_rows_say_na_where_the_law_or_range_does_not_match() -> None:
    by_id = {row["id"]: row["n"] for row in bounds_rows(0.01, 0.0, 0.05, law=Normal())}
    assert by_id["rss-contraction"] == by_id["rss-contraction-checked"] == by_id["xiong2023-theorem1-proved"] == "n/a"
    assert by_id["rss-martingale-kl"] > 100
    far = {row["id"]: row["n"] for row in bounds_rows(0.01, 0.0, 0.05, targets=Point(0.9))}
    assert far["rss-contraction"] == far["volume"] == far["all-targets-covering"] == "n/a"
    assert isinstance(far["each-target-local-law"], int)
    assert {r["n"] for r in bounds_rows(0.01, 0.0, 0.05, law=RandomSigns()) if r["id"] != "volume"} == {"n/a"}
    assert {r["n"] for r in bounds_rows(0.01, 0.0, 0.05, law=Normal(7, 1))} >= {"none found"}


@pytest.mark.parametrize("arguments", [(0.0, 0.0, 0.05), (-1.0, 0.0, 0.05), (0.1, 0.0, 1.0)])
def test_bad_input_is_refused(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        bounds_rows(*arguments)


@pytest.mark.parametrize("setting", [(0.01, 0.001, 0.05), (1e-12, 0.0, 1e-9), (0.0, 0.3, 0.5)])
def test_table_reads_at_100_columns(setting: tuple[float, float, float]) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    rows = bounds_rows(*setting)
    console.print(bounds_table(rows))
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    for i, row in enumerate(rows, 1):
        line = next(line for line in text.splitlines() if line.split()[:1] == [row["id"]])
        assert str(row["n"]) in line
        assert f"({i})" in line
        assert row["quantifier"] in line
    assert "at least" in text
    assert "about" in text
    assert "machine-checked" in text


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
