"""Planted faults in trials, shards and claims that the gates of the experiments must notice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strong_lth.experiment import Experiment, load, run
from strong_lth.experiment import shards as storage

SOURCE = '''
"""A drill."""
import itertools
from strong_lth.experiment import Experiment

COUNTER = itertools.count()


def honest(cell, rng):
    return {"draw": float(rng.random())}


def stateful(cell, rng):
    return {"draw": float(rng.random()) + next(COUNTER)}


EXPERIMENT = Experiment(
    id="drill", claim="", source="", grid=[{"a": 1}, {"a": 2}], smoke=[{"a": 1}], trials=6, seed=1, trial=TRIAL, expect=lambda rows: []
)
'''


def experiment(folder: Path, trial: str) -> Experiment:
    path = folder / f"{trial}.py"
    path.write_text(re.sub("TRIAL", trial, SOURCE))
    return load(path)


def draws(rows) -> list[float]:
    return [row["draw"] for row in rows]


def independent_of_the_engine(entry: Experiment, folder: Path) -> bool:
    """The gate: rows computed in parts, in another order and by threads are the rows computed at once."""
    at_once = draws(run(entry, folder / "once").rows)
    run(entry, folder / "parts", part=(2, 2))
    parts = draws(run(entry, folder / "parts").rows)
    with ThreadPoolExecutor(2) as threads:
        threaded = draws(run(entry, folder / "threads", executor=threads, workers=2).rows)
    return at_once == parts == threaded


def test_a_trial_that_remembers_is_noticed(tmp_path):
    assert independent_of_the_engine(experiment(tmp_path, "honest"), tmp_path / "honest")
    assert not independent_of_the_engine(experiment(tmp_path, "stateful"), tmp_path / "stateful")


def test_a_shard_written_in_place_is_noticed(tmp_path, monkeypatch):
    """A writer that dies half-way through the final file leaves what reading must refuse."""
    entry = experiment(tmp_path, "honest")

    def in_place(path: Path, data: bytes) -> bool:
        path.write_bytes(data[: len(data) // 2] if path.suffix == ".jsonl" else data)
        return True

    run(entry, tmp_path / "whole")
    monkeypatch.setattr(storage, "write_once", in_place)
    with pytest.raises(ValueError, match=r"truncated.*delete this file"):
        run(entry, tmp_path / "halves")
