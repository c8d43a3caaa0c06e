"""Experiments: the same rows whatever happens; killed, interrupted, crowded, damaged and full-disk runs."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from strong_lth.core import FormatError, InputError, Verdict
from strong_lth.experiment import (
    Expectation,
    Experiment,
    judge_record,
    load,
    overall,
    query,
    read_record,
    run,
    write_over,
    write_record,
)
from strong_lth.experiment.describe import code_digest, generator, load_module
from strong_lth.experiment.records import stale
from strong_lth.experiment.run import collect

SOURCE = '''
"""A dice experiment; every trial leaves a line in the file DICE_LOG, if there is one."""
import os, time
from pathlib import Path
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment

SIDES = 6
PAUSE = float(os.environ.get("DICE_PAUSE", "0"))


def _throw(rng, times):
    """Docstrings may change."""
    return [int(v) for v in rng.integers(1, SIDES + 1, times)]


def trial(cell, rng):
    values = _throw(rng, cell["times"])
    if "DICE_LOG" in os.environ:
        with Path(os.environ["DICE_LOG"]).open("a") as log:
            log.write(f"{cell['times']} {values}\\n")
    time.sleep(PAUSE)
    return {"total": sum(values), "least": min(values) / 7}


def expect(rows):
    right = all(row["times"] <= row["total"] <= SIDES * row["times"] for row in rows)
    return [Expectation("totals are possible", Verdict.CONSISTENT if right else Verdict.REFUTED, f"{len(rows)} rows", 0.0)]


EXPERIMENT = Experiment(
    id="dice", claim="totals are possible", source="none", grid=[{"times": 2}, {"times": 3}], smoke=[{"times": 2}],
    trials=12, seed=3, trial=trial, expect=expect, shard_trials=2,
)
'''
DRIVER = """
import sys
from pathlib import Path
from strong_lth.experiment import load, run
if __name__ == "__main__":
    done = run(load(Path(sys.argv[1])), Path(sys.argv[2]), workers=int(sys.argv[3]))
    print(done.complete, done.computed)
"""
SHARDS = 12
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dice.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def dice(file: Path) -> Experiment:
    return load(file)


def numbers(rows) -> list[tuple]:
    """Everything but provenance."""
    return [(row["times"], row["trial"], row["total"], row["least"]) for row in rows]


def process(file: Path, folder: Path, workers: int, **environment: str) -> subprocess.Popen:
    driver = file.with_name("driver.py")
    driver.write_text(DRIVER)
    command = [sys.executable, str(driver), str(file), str(folder), str(workers)]
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": ROOT} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_rows_come_in_grid_order_with_their_provenance(dice, tmp_path):
    done = run(dice, tmp_path / "runs")
    assert done.complete
    assert (done.shards, done.computed, len(done.rows)) == (SHARDS, SHARDS, 24)
    assert [(row["times"], row["trial"]) for row in done.rows] == [(t, i) for t in (2, 3) for i in range(12)]
    first = done.rows[0]
    assert (first["experiment"], first["mode"]) == ("dice", "full")
    assert {"commit", "device", "versions", "started", "shard_seconds", "shard"} <= set(first)
    again = run(dice, tmp_path / "runs")
    assert again.computed == 0
    assert again.rows == done.rows


@pytest.mark.slow
def test_rows_do_not_depend_on_workers_engine_or_parts(dice, tmp_path):
    alone = numbers(run(dice, tmp_path / "alone").rows)
    assert numbers(run(dice, tmp_path / "eight", workers=8).rows) == alone
    with ThreadPoolExecutor(3) as threads:
        assert numbers(run(dice, tmp_path / "threads", executor=threads, workers=3).rows) == alone
    for i in (3, 1, 2):
        part = run(dice, tmp_path / "parts", part=(i, 3))
        assert part.complete == (i == 2)
    assert numbers(part.rows) == alone
    assert len(set(alone)) > 15  # and they are not all the same number


def test_a_trial_depends_on_seed_cell_and_number_alone(dice, tmp_path):
    more = replace(dice, grid=[{"times": 5}, {"times": 3}], shard_trials=5)
    rows = numbers(run(more, tmp_path / "other").rows)
    assert [row for row in rows if row[0] == 3] == [
        row for row in numbers(run(dice, tmp_path / "runs").rows) if row[0] == 3
    ]
    draws = {generator(seed, {"times": times}, i).random() for seed in (1, 2) for times in (2, 3) for i in range(5)}
    assert len(draws) == 20


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_loses_only_the_shards_in_flight(file, dice, tmp_path, workers):
    log, folder = tmp_path / "log", tmp_path / "runs"
    killed = process(file, folder, workers, DICE_LOG=str(log), DICE_PAUSE="0.1")
    stored = folder / "dice" / "full"
    deadline = time.monotonic() + 60
    while len(list(stored.glob("*.jsonl"))) < 4:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    finished = {path.name: path.read_bytes() for path in stored.glob("*.jsonl")}
    assert 4 <= len(finished) < SHARDS
    time.sleep(0.5)  # orphaned workers end their shard, or themselves
    before = len(log.read_text().splitlines())
    resumed = process(file, folder, workers, DICE_LOG=str(log))
    out, err = resumed.communicate(timeout=60)
    assert out.split() == ["True", str(SHARDS - len(finished))], err
    assert {name: (stored / name).read_bytes() for name in finished} == finished
    assert len(log.read_text().splitlines()) - before == 2 * (SHARDS - len(finished))
    assert numbers(collect(dice, folder).rows) == numbers(run(dice, tmp_path / "undisturbed").rows)


@pytest.mark.slow
def test_two_processes_at_once_share_the_work(file, dice, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "runs"
    both = [process(file, folder, 1, DICE_LOG=str(log), DICE_PAUSE="0.05") for _ in range(2)]
    answers = [one.communicate(timeout=60) for one in both]
    assert all(out.startswith("True") for out, _ in answers), answers
    assert sum(int(out.split()[1]) for out, _ in answers) == SHARDS
    assert all(int(out.split()[1]) > 0 for out, _ in answers)
    assert len(log.read_text().splitlines()) == 24
    assert numbers(collect(dice, folder).rows) == numbers(run(dice, tmp_path / "alone").rows)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"trials": 14}, "trials"),
        ({"grid": [{"times": 2}]}, "grid"),
        ({"shard_trials": 3}, "shard_trials"),
    ],
)
def test_a_changed_experiment_under_an_old_id_is_refused(dice, tmp_path, change, named):
    run(dice, tmp_path / "runs")
    with pytest.raises(InputError, match=f"with another .*{named}.*new id"):
        run(replace(dice, **change), tmp_path / "runs")


def test_changed_code_is_refused_and_changed_words_are_not(file, dice, tmp_path):
    run(dice, tmp_path / "runs")
    words = file.with_name("words.py")
    words.write_text(SOURCE.replace("Docstrings may change", "Changed").replace("are possible", "can be"))
    assert run(load(words), tmp_path / "runs").computed == 0
    helper = file.with_name("helper.py")
    helper.write_text(SOURCE.replace("SIDES = 6", "SIDES = 8"))
    with pytest.raises(InputError, match="another code"):
        run(load(helper), tmp_path / "runs")
    assert code_digest(load_module(helper).trial) != code_digest(dice.trial)


def test_resuming_has_to_be_wanted(dice, tmp_path):
    run(dice, tmp_path / "runs", resume=False)
    with pytest.raises(InputError, match="this folder has rows"):
        run(dice, tmp_path / "runs", resume=False)


@pytest.mark.parametrize("cut", [1, 10, 120, 400])
def test_a_truncated_shard_is_named(dice, tmp_path, cut):
    run(dice, tmp_path / "runs")
    path = sorted((tmp_path / "runs").glob("dice/full/*.jsonl"))[3]
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with pytest.raises(FormatError, match=f"{path.name}: (truncated|damaged).*delete this file"):
        run(dice, tmp_path / "runs")
    path.unlink()
    mended = run(dice, tmp_path / "runs")
    assert mended.computed == 1
    assert mended.complete


def test_every_changed_byte_of_a_shard_is_noticed(dice, tmp_path):
    run(dice, tmp_path / "runs")
    path = sorted((tmp_path / "runs").glob("dice/full/*.jsonl"))[0]
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for spot in rng.choice(len(whole), 60, replace=False):
        path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
        with pytest.raises(FormatError, match=path.name):
            collect(dice, tmp_path / "runs")


def test_a_full_disk_leaves_whole_shards_only(dice, tmp_path):
    folder = tmp_path / "runs"
    run(dice, folder, part=(1, 2))
    stored = {path.name for path in (folder / "dice" / "full").iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the system itself refuses to write more
    try:
        with pytest.raises(OSError, match="large") as refused:
            run(dice, folder)
        assert str(refused.value.filename).startswith(str(folder))
        (tmp_path / "kept").write_bytes(b"old")
        with pytest.raises(OSError, match="kept"):
            write_over(tmp_path / "kept", b"new" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name for path in (folder / "dice" / "full").iterdir()} == stored
    assert run(dice, folder).computed == SHARDS // 2
    assert (tmp_path / "kept").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.glob("*kept*")) == ["kept"]


def test_what_a_trial_raises_arrives_with_its_cell(dice, tmp_path, file):
    bad = file.with_name("bad.py")
    bad.write_text(SOURCE.replace("time.sleep(PAUSE)", "assert cell['times'] == 2, 'three'"))
    with pytest.raises(AssertionError, match="three") as caught:
        run(load(bad), tmp_path / "runs")
    assert "in trial 0 of trial at {'times': 3}" in caught.value.__notes__[0]
    assert len(list((tmp_path / "runs").glob("dice/full/*.jsonl"))) == SHARDS // 2


@pytest.mark.parametrize(
    ("row", "named"),
    [("[1]", "row"), ("float('nan')", "row"), ("object()", "row")],
)
def test_a_row_that_is_not_plain_is_refused(tmp_path, file, row, named):
    bad = file.with_name("bad.py")
    bad.write_text(SOURCE.replace("min(values) / 7", row))
    with pytest.raises(InputError, match=named):
        run(load(bad), tmp_path / "runs")


@pytest.mark.parametrize("name", ["times", "commit"])
def test_a_row_may_not_hide_its_cell_or_its_provenance(tmp_path, file, name):
    bad = file.with_name("bad.py")
    bad.write_text(SOURCE.replace('"least":', f'"{name}":'))
    with pytest.raises(InputError, match=r"name results differently|use a string other than"):
        run(load(bad), tmp_path / "runs")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "A B"}, "id"),
        ({"seed": -1}, "seed"),
        ({"trials": 0}, "trials"),
        ({"grid": []}, "grid"),
        ({"grid": [{"times": 2}, {"times": 2}]}, "grid"),
        ({"smoke": [{"times": [2]}]}, "smoke"),
        ({"smoke": [{"trial": 2}]}, "smoke"),
    ],
)
def test_a_malformed_experiment_is_refused_by_name(dice, change, named):
    with pytest.raises(InputError, match=f"^{named}"):
        replace(dice, **change)


@pytest.mark.parametrize(("option", "value"), [("part", (0, 3)), ("part", (4, 3)), ("workers", 0)])
def test_malformed_options_are_refused_by_name(dice, tmp_path, option, value):
    with pytest.raises(InputError, match=option):
        run(dice, tmp_path, **{option: value})


def test_a_lambda_is_no_trial(dice, tmp_path):
    with pytest.raises(InputError, match="trial"):
        run(replace(dice, trial=lambda cell, rng: {}), tmp_path)


def test_files_without_an_experiment_are_refused(tmp_path):
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="EXPERIMENT"):
        load(tmp_path / "empty.py")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.py")


def test_progress_counts_trials_and_gives_the_time_left(dice, tmp_path):
    run(dice, tmp_path / "runs", part=(1, 2))
    seen = []
    run(dice, tmp_path / "runs", progress=seen.append)
    assert [step.done for step in seen] == list(range(2, 25, 2))
    assert all(step.total == 24 for step in seen)
    assert seen[0].left is None  # the first shard was there already
    assert seen[-1].left == 0
    assert seen[-1].rate > 0


def test_records_round_trip_and_say_when_they_are_stale(dice, tmp_path):
    done = run(dice, tmp_path / "runs")
    path = tmp_path / "dice.json"
    written = write_record(path, dice, done)
    assert read_record(path) == written
    assert written.verdict is Verdict.CONSISTENT
    assert stale(written, dice) == []
    assert stale(written, replace(dice, claim="other", seed=9)) == ["claim", "settings or trial code"]
    assert stale(written, replace(dice, expect=lambda rows: [])) == ["expectations"]
    summary = replace(
        dice, claim="sums", table=lambda rows: [{"rows": len(rows), "least": min(r["total"] for r in rows)}]
    )
    again = judge_record(path, summary)
    assert (again.claim, again.rows, again.table[0]["rows"]) == ("sums", written.rows, 24)
    assert list(read_record(path).table[0]) == ["rows", "least"]
    with pytest.raises(InputError, match="run the full experiment again"):
        judge_record(path, replace(dice, seed=9))
    path.write_text(path.read_text()[:-40])
    with pytest.raises(FormatError, match=r"dice\.json"):
        read_record(path)
    with pytest.raises(InputError, match="complete full run"):
        write_record(path, dice, run(dice, tmp_path / "part", part=(1, 2)))
    with pytest.raises(InputError, match="complete full run"):
        write_record(path, dice, run(dice, tmp_path / "smoke", smoke=True))


def test_sql_over_all_rows(dice, tmp_path):
    done = run(dice, tmp_path / "runs")
    run(replace(dice, id="other", grid=[{"faces": 2, "times": 2}]), tmp_path / "runs")
    answer = query(
        "SELECT experiment, times, count(*) AS k, sum(total) AS s FROM runs GROUP BY ALL ORDER BY 1, 2",
        runs=tmp_path / "runs",
    )
    assert answer[0] == {
        "experiment": "dice", "times": 2, "k": 12, "s": sum(row["total"] for row in done.rows if row["times"] == 2)
    }  # fmt: skip
    assert [(row["experiment"], row["times"], row["k"]) for row in answer[1:]] == [("dice", 3, 12), ("other", 2, 12)]
    write_record(tmp_path / "dice.json", dice, done)
    assert query("SELECT max(total) AS m FROM records", records=tmp_path)[0]["m"] == max(
        row["total"] for row in done.rows
    )
    (tmp_path / "another.json").write_text('{"rows": [1, 2]}')  # of another program
    assert query("SELECT count(*) AS k FROM records", records=tmp_path) == [{"k": 24}]
    (tmp_path / "broken.json").write_text('{"manifest": "x"}')
    with pytest.raises(FormatError, match="broken"):
        query("SELECT 1", records=tmp_path)
    with pytest.raises(InputError, match="none yet"):
        query("SELECT * FROM runs", runs=tmp_path / "nothing")
    with pytest.raises(InputError, match="runs"):
        query("SELEKT", runs=tmp_path / "runs")


def test_sql_knows_every_column_of_many_experiments(dice, tmp_path):
    """DuckDB reads rows with more than 200 columns together as one map, unless it is told not to."""
    done = run(dice, tmp_path / "runs")
    for part in range(3):
        rows = tuple({f"column {part} {number}": 1.5 for number in range(100)} | dict(row) for row in done.rows)
        write_record(tmp_path / f"{part}.json", dice, replace(done, rows=rows))
    (answer,) = query('SELECT count(*) AS k, sum("column 2 99") AS s FROM records', records=tmp_path)
    assert answer == {"k": 3 * len(done.rows), "s": 1.5 * len(done.rows)}


def test_sql_names_a_damaged_shard(dice, tmp_path):
    run(dice, tmp_path / "runs")
    path = sorted((tmp_path / "runs").glob("dice/full/*.jsonl"))[0]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FormatError, match=path.name):
        query("SELECT 1", runs=tmp_path / "runs")


def test_a_damaged_manifest_is_named(dice, tmp_path):
    run(dice, tmp_path / "runs")
    path = tmp_path / "runs" / "dice" / "full" / "experiment.json"
    path.write_text(path.read_text()[:-9])
    with pytest.raises(FormatError, match=r"experiment\.json"):
        run(dice, tmp_path / "runs")


def test_the_overall_verdict_and_what_was_foreseen():
    claim = Expectation("s", Verdict.REFUTED, "", 1e-3)
    assert not claim.as_foreseen
    assert replace(claim, foreseen=Verdict.REFUTED).as_foreseen
    assert replace(claim, verdict=Verdict.INCONCLUSIVE).as_foreseen
    assert overall([replace(claim, verdict=Verdict.INCONCLUSIVE)]) is Verdict.INCONCLUSIVE


def test_shards_hold_one_json_object_per_line(dice, tmp_path):
    run(dice, tmp_path / "runs")
    path = sorted((tmp_path / "runs").glob("dice/full/*.jsonl"))[0]
    header, *rows, end = [json.loads(line) for line in path.read_text().splitlines()]
    assert header["shard"] == path.name
    assert len(rows) == end["rows"] == 2


def test_every_committed_record_is_a_column_however_many_fields_there_are() -> None:
    """DuckDB takes rows with more than 200 fields in all for one map, unless it is told not to; the query of the README then failed."""
    folder = Path(__file__).resolve().parents[2] / "simulations" / "records"
    rows = query("SELECT * FROM records", records=folder)
    assert len(rows[0]) > 200
    counted = query("SELECT experiment, count(*) AS k FROM records GROUP BY 1", records=folder)
    assert {row["experiment"]: row["k"] for row in counted}["needed-candidates"] == 160
