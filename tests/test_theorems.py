"""The registry as the command line shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from strong_lth.core import InputError
from strong_lth.theorems import describe, theorem_rows, theorem_text


def test_rows_name_every_theorem_once() -> None:
    rows = theorem_rows()
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids))
    assert {"slth", "slth-exact", "volume", "xiong2023-tail"} <= set(ids)
    assert "tiers" not in ids


def test_every_description_has_statement_status_and_check() -> None:
    for row in theorem_rows():
        theorem = describe(row["id"])
        assert len(theorem["statement"]) > 40
        text = theorem_text(theorem)
        assert theorem["statement"] in text
        assert "to check" in text


def test_a_machine_checked_theorem_says_where_it_is_used() -> None:
    theorem = describe("rss-contraction-checked")
    assert "2.01 (3/4)^n / tol^2" in theorem["statement"]
    assert {"slth", "slth-exact"} <= set(theorem["used by"])
    assert theorem["python"] == "strong_lth.bounds.rss_contraction_checked.failure"
    assert theorem["to check"].startswith("make -C proofs")


def test_a_refuted_statement_shows_its_correction() -> None:
    assert "8 (3 - eps)^2" in theorem_text(describe("xiong2023-theorem1-printed"))


def test_unknown_ids_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="slth-exact"):
        describe("slth-exakt")
    with pytest.raises(InputError, match="--root"):
        theorem_rows(tmp_path)
