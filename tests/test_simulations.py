"""The simulations: quick settings run and agree, records are those of the code, the page is that of the records."""

from __future__ import annotations

import io
import itertools
import math
import time
from pathlib import Path

import numpy as np
import pytest

from strong_lth.bounds import BOUNDS, Direction
from strong_lth.core import Verdict
from strong_lth.experiment import judge, load, overall, query, read_record, run
from strong_lth.experiment.describe import load_module
from strong_lth.experiment.records import stale

FOLDER = Path(__file__).parents[1] / "simulations"
FILES = [path for path in sorted(FOLDER.glob("*.py")) if "\nEXPERIMENT = " in path.read_text()]
RECORDS = sorted((FOLDER / "records").glob("*.json"))
SCRIPTS = {
    "make_readme.py",  # writes the page
    "pensia2020_fc2.py",  # a run that needs its target file named
    "maene_stability.py",  # trains tickets, for minutes
    "tickets_digits.py",  # trains tickets, for minutes
}  # no experiments, so no quick setting to run here
UNRECORDED = {
    "sgd_drift_gpu",
    "xiong2023_tables_gpu",
}  # hours on a data-centre GPU; their first lines say that the record is absent
RECORDED = [path for path in FILES if path.stem not in UNRECORDED]


def test_every_file_is_an_experiment_or_a_declared_script():
    assert {path.name for path in FOLDER.glob("*.py")} - {path.name for path in FILES} <= SCRIPTS
    assert len(FILES) >= 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_quick_setting_runs_in_seconds_and_agrees(path, tmp_path):
    experiment = load(path)
    assert experiment.id == path.stem.replace("_", "-")
    begun = time.process_time()
    done = run(experiment, tmp_path, smoke=True)
    outcome = judge(experiment, done.rows)
    assert outcome
    assert all(item.as_foreseen for item in outcome), outcome
    assert all(0 <= item.alpha <= 0.05 for item in outcome)
    picture = io.BytesIO()
    experiment.figure(done.rows, picture)
    assert picture.getvalue().startswith(b"\x89PNG")
    assert time.process_time() - begun < 30  # 1 to 3 s; the rest is for compiling kernels on a crowded machine


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_simulation_has_a_record_that_its_code_stands_by(path):
    experiment = load(path)
    record = read_record(FOLDER / "records" / f"{experiment.id}.json")
    assert stale(record, experiment) == []
    assert all(item.as_foreseen for item in record.expectations)
    assert any(
        item.verdict is not Verdict.INCONCLUSIVE for item in record.expectations
    )  # a run that decides nothing is too small
    assert (FOLDER / "records" / f"{experiment.id}.png").stat().st_size > 10_000


def test_no_record_without_a_simulation():
    ids = {load(path).id for path in RECORDED}
    own = {script.removesuffix(".py") for script in SCRIPTS}
    assert {path.stem for path in RECORDS} - own == ids
    assert {path.stem for path in (FOLDER / "records").glob("*.png")} - own == ids


def test_an_absent_record_is_named_where_the_reader_looks():
    lines = (FOLDER / "README.md").read_text().splitlines()
    for path in [path for path in FILES if path.stem in UNRECORDED]:
        assert "No record is committed" in path.read_text()
        (line,) = [line for line in lines if line.startswith(f"| [{load(path).id}]")]
        assert "no record yet" in line


def test_all_records_are_one_table():
    answer = query("SELECT experiment, count(*) AS k FROM records GROUP BY 1", records=FOLDER / "records")
    assert {row["experiment"] for row in answer} == {load(path).id for path in RECORDED}


def test_the_page_is_that_of_the_records():
    page = load_module(FOLDER / "make_readme.py").page()
    assert (FOLDER / "README.md").read_text() == page, "run python simulations/make_readme.py"


def test_the_printed_factor_is_shown_as_refuted():
    record = read_record(FOLDER / "records" / "perturbation-gain.json")
    assert overall(record.expectations) is Verdict.REFUTED
    assert "**REFUTED**" in (FOLDER / "README.md").read_text()


def test_the_rank_test_of_figure_2_is_exact_and_can_fail():
    """Against all ways in which ten more draws can stand among ours."""
    module = load_module(FOLDER / "xiong2023_figure2.py")
    ours = list(range(1, 11))
    assert module.rank_test(ours, 8) == 1.0
    assert module.rank_test(ours, 0) == pytest.approx(
        2 * math.comb(12, 2) / math.comb(20, 10)
    )  # all of the first eight are theirs
    below = sum(8 in np.cumsum(order)[: 8 + 2] for order in _orders()) / math.comb(20, 10)
    assert module.rank_test(ours, 2) == pytest.approx(2 * below)


def _orders():
    """All arrangements of ten of ours (0) and ten of theirs (1)."""
    for places in itertools.combinations(range(20), 10):
        order = np.zeros(20, dtype=int)
        order[list(places)] = 1
        yield order


def test_every_bound_stands_on_its_side_in_the_committed_table():
    """Of the numbers at failure 0.1 and 0.01: necessary <= needed <= sufficient, Theorem D <= Theorem P, and Theorem D <= the machine-checked closed form."""
    table = read_record(FOLDER / "records" / "needed-candidates.json").table
    sides = {bound.id: bound.direction for bound in BOUNDS}
    assert len(table) == 20
    compared = 0
    for row in table:
        numbers = {id: [int(n) for n in row[id].split(" / ")] for id in row if " / " in row[id]}
        for delta in (0, 1):
            at = {id: both[delta] for id, both in numbers.items()}
            necessary = [n for id, n in at.items() if sides.get(id) is Direction.NECESSARY]
            sufficient = [n for id, n in at.items() if sides.get(id) is Direction.SUFFICIENT]
            assert max(necessary) <= at["needed"] <= min(sufficient)
            assert at["rss-drift"] <= at["rss-martingale-kl"]
            assert at["rss-drift"] <= at["rss-contraction-checked"]
            assert at["rss-restarts"] <= at["rss-levels"] or row["tol"] == "0.1"  # beyond 0.4 it uses no more allowance
            compared += len(at)
    assert compared > 400
