"""The bounds report: every entry, honest words, tables that fit a terminal; and the network level."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from strong_lth import report_bounds
from strong_lth.bounds import BOUNDS, ESTIMATES, NETWORK_BOUNDS, PREDICTIONS, DenseShape, get
from strong_lth.core import InputError, Point
from strong_lth.distributions import Normal, RandomSigns, SignedIntegers
from strong_lth.report_bounds import bounds_rows, bounds_table, described, network_report, network_tables

QUICK = tuple(b for b in BOUNDS if b.id not in ("rss-survival", "rss-hooks"))  # their tables take seconds
WORDS = ("constants unspecified", "n/a")


def printed(*tables: object) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    for table in tables:
        console.print(table)
    return console.export_text()


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
            assert row["n"] in WORDS
            assert row["failure"] is None
        assert bool(row["why"]) == (row["n"] == "n/a")


def test_a_star_marks_what_is_machine_checked_in_part() -> None:
    text = printed(bounds_table(bounds_rows(0.01, 0.0, 0.05)))
    assert re.search(r"rss-recursion .* machine-checked \*", text)
    assert re.search(r"rss-contraction-checked .* machine-checked  *\n", text)
    assert "*: a part is not machine-checked" in " ".join(text.split())


def test_rows_say_na_where_the_law_or_range_does_not_match() -> None:
    by_id = {row["id"]: row["n"] for row in bounds_rows(0.01, 0.0, 0.05, law=Normal())}
    assert by_id["rss-contraction"] == by_id["rss-contraction-checked"] == by_id["xiong2023-theorem1-proved"] == "n/a"
    assert by_id["rss-martingale-kl"] > 100
    far = {row["id"]: row["n"] for row in bounds_rows(0.01, 0.0, 0.05, targets=Point(0.9))}
    assert far["rss-contraction"] == far["volume"] == far["all-targets-covering"] == "n/a"
    assert isinstance(far["each-target-local-law"], int)
    assert {r["n"] for r in bounds_rows(0.01, 0.0, 0.05, law=RandomSigns()) if r["id"] != "volume"} == {"n/a"}
    assert {r["n"] for r in bounds_rows(0.01, 0.0, 0.05, law=Normal(7, 1))} >= {"none found"}


def test_the_reason_names_what_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_bounds, "BOUNDS", QUICK)
    why = {row["id"]: row["why"] for row in bounds_rows(0.01, 0.001, 0.05, law=Normal(), targets=Point(0.9))}
    assert why["lueker1998"] == "perturbation, law"
    assert why["rss-contraction"] == "law, targets"
    assert why["range"] == "law"
    assert why["volume"] == "targets"
    assert why["each-target-local-law"] == ""
    whole = {row["id"]: row["n"] for row in bounds_rows(0.5, 0.0, 0.05, law=SignedIntegers(64), targets=Point(20))}
    assert whole["kumar2025"] == "constants unspecified"
    assert whole["quantised-hits"] == 11


@pytest.mark.parametrize("arguments", [(0.0, 0.0, 0.05), (-1.0, 0.0, 0.05), (0.1, 0.0, 1.0)])
def test_bad_input_is_refused(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        bounds_rows(*arguments)


@pytest.mark.parametrize("setting", [(0.01, 0.001, 0.05), (1e-12, 0.0, 1e-9), (0.0, 0.3, 0.5)])
def test_table_reads_at_100_columns(setting: tuple[float, float, float]) -> None:
    rows = bounds_rows(*setting)
    text = printed(bounds_table(rows))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    lines = [line.split() for line in text.splitlines()]
    assert lines.index(["each", "target"]) < lines.index(["all", "targets"])
    for row in rows:
        (line,) = (line for line in lines if line[:1] == [row["id"]])
        shown = "C" if row["n"] == "constants unspecified" else str(row["n"]).split()[0]
        assert shown in line
        assert row["direction"] in line
    order = [line[0] for line in lines if line and line[0] in {row["id"] for row in rows}]
    each = [id for id in order if get(id).scope.value == "each target"]
    assert order[: len(each)] == each
    assert all(word in text for word in ("at least", "about", "machine-checked"))


def test_numbers_of_a_group_are_sorted_by_direction_then_size() -> None:
    rows = bounds_rows(0.01, 0.0, 0.05)
    text = printed(bounds_table(list(reversed(rows))))
    sufficient = [row for row in rows if row["direction"] == "sufficient" and row["quantifier"] == "all targets"]
    numbers = sorted(row["n"] for row in sufficient if isinstance(row["n"], int))
    shown = [
        line.split()[1]
        for line in text.splitlines()
        if line.split()[:1] and line.split()[0] in {r["id"] for r in sufficient}
    ]
    assert [int(word) for word in shown if word.isdigit()] == numbers


def test_every_entry_is_described() -> None:
    kinds = set()
    for entry in (*BOUNDS, *PREDICTIONS, *NETWORK_BOUNDS, *ESTIMATES):
        row = described(entry)
        json.dumps(row)
        assert all(row[key] for key in ("id", "kind", "title", "quantifier", "direction", "status", "source"))
        kinds.add(row["kind"])
    assert len(kinds) == 4
    assert described(get("number-partitioning"))["asks"] == "n, bits"


def test_network_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_bounds, "BOUNDS", QUICK)
    report = network_report(DenseShape((784, 500, 10)), 0.1, 0.0, 0.01, constant=2.0)
    json.dumps(report, allow_nan=False)
    published, _, best = report["allotments"]
    assert published["rule"] == "pensia2020"
    assert published["bits"] - best["bits"] == pytest.approx(24.82 - 12.67, abs=0.01)
    assert published["proved"][0] > best["proved"][0]
    plans = {row["id"]: row for row in report["plans"]}
    assert plans["each-target-local-law"]["parameters"] < plans["rss-contraction"]["parameters"]
    assert plans["quantised-hits"]["why"] == "n/a (law)"
    theorems = {row["id"]: row for row in report["theorems"]}
    assert theorems["pensia2020-network"]["widths"] == [30676, 15202]
    assert theorems["malach2020"]["widths"] == "form not available"
    text = printed(*network_tables(report))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert all(word in text for word in ("pensia2020", "at C = 2", "one given network", "form not available"))


def test_network_report_without_tolerance_or_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_bounds, "BOUNDS", tuple(b for b in BOUNDS if b.id == "rss-contraction"))
    report = network_report(DenseShape((20, 5), nonnegative=True), 0.0, 0.01, 0.01)
    assert report["allotments"] == []
    assert next(row for row in report["plans"] if row["id"] == "rss-contraction")["candidates"] is not None
    assert {row["widths"] for row in report["theorems"]} <= {"n/a", "form not available", "constants unspecified"}
