"""Declarative experiments: a grid of cells, seeded trials, shards that survive anything, rows with provenance.

An ``Experiment`` says what is claimed, what is run and what is expected; ``run`` runs it on any ``concurrent.futures.Executor`` and never
computes a finished shard twice; ``judge`` compares the rows with the claim; ``query`` reads all rows as one table. Nothing here knows what a trial is about.
"""

from strong_lth.experiment.describe import Expectation, Experiment, judge, load, overall
from strong_lth.experiment.records import Record, judge_record, read_record, write_record
from strong_lth.experiment.run import Progress, Run, run
from strong_lth.experiment.shards import write_over
from strong_lth.experiment.table import query

__all__ = [
    "Expectation",
    "Experiment",
    "Progress",
    "Record",
    "Run",
    "judge",
    "judge_record",
    "load",
    "overall",
    "query",
    "read_record",
    "run",
    "write_over",
    "write_record",
]
