"""Planted faults in records and pages that the gate of the simulations must notice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from strong_lth.experiment import load, read_record
from strong_lth.experiment.records import stale

ROOT = Path(__file__).parents[2]
NAME = "perturbation-gain"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(
        ROOT / "simulations", tmp_path / "simulations", ignore=shutil.ignore_patterns("runs", "__pycache__")
    )
    return tmp_path / "simulations"


def planted(folder: Path, change) -> list[str]:
    path = folder / "records" / f"{NAME}.json"
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))
    return stale(read_record(path), load(folder / "perturbation_gain.py"))


def page_is_current(folder: Path) -> bool:
    command = [sys.executable, str(folder / "make_readme.py"), "--check"]
    result = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120)
    assert result.stderr == ""
    return result.returncode == 0


def test_the_untouched_record_passes(folder):
    assert planted(folder, lambda body: None) == []


def test_a_verdict_that_the_rows_do_not_give_is_noticed(folder):
    def prettier(body):
        body["expectations"][0]["verdict"] = "CONSISTENT"

    assert planted(folder, prettier) == ["expectations"]


def test_rows_that_do_not_give_the_verdict_are_noticed(folder):
    def worse(body):
        for row in body["rows"]:
            row["at_most_12"] = 0
            row["at_most_30"] = 0
            for k in range(1, 31):
                row[f"at_most_{k}"] = 0

    assert planted(folder, worse) == ["expectations"]


def test_another_trial_code_is_noticed(folder):
    path = folder / "perturbation_gain.py"
    path.write_text(path.read_text().replace("TARGET, MOST, ALPHA = 0.3, 40", "TARGET, MOST, ALPHA = 0.25, 40"))
    record = read_record(folder / "records" / f"{NAME}.json")
    assert stale(record, load(path)) == ["settings or trial code"]


def test_an_edited_page_is_noticed(folder):
    assert page_is_current(folder)
    path = folder / "README.md"
    path.write_text(path.read_text().replace("REFUTED", "CONSISTENT", 1))
    assert not page_is_current(folder)
