"""Committed records: the rows, expectations and provenance of one complete run, in one small JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from strong_lth.core import FormatError, InputError, Verdict
from strong_lth.experiment.describe import PROVENANCE, Expectation, Experiment, Row, digest, judge, overall, plain, plan
from strong_lth.experiment.run import Run
from strong_lth.experiment.shards import write_over


@dataclass(frozen=True)
class Record:
    """What a complete run left behind; ``manifest`` is the digest of what its rows depend on."""

    id: str
    claim: str
    source: str
    manifest: str
    expectations: tuple[Expectation, ...]
    rows: tuple[Row, ...]
    seconds: float
    commit: str
    device: str
    versions: str
    started: str
    table: tuple[Row, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict over all expectations."""
        return overall(self.expectations)


def write_record(path: Path, experiment: Experiment, run: Run) -> Record:
    """Judge a complete full run and write its record.

    Raises InputError if shards are missing or if it is a smoke run.
    """
    if not run.complete or run.rows[0]["mode"] != "full":
        raise InputError("run", f"{run.missing} of {run.shards} shards missing", "record a complete full run")
    first = min(run.rows, key=lambda row: str(row["started"]))
    record = Record(
        id=experiment.id,
        claim=experiment.claim,
        source=experiment.source,
        manifest=digest(plan(experiment).manifest),
        expectations=(),
        rows=tuple({name: value for name, value in row.items() if name not in PROVENANCE[3:]} for row in run.rows),
        seconds=round(run.seconds, 1),
        commit=str(first["commit"]),
        device=str(first["device"]),
        versions=str(first["versions"]),
        started=str(first["started"]),
    )
    return _store(path, _judged(record, experiment))


def judge_record(path: Path, experiment: Experiment) -> Record:
    """Judge the rows of a record again, where expectations or what they speak of (a new bound, say) have changed, and write it back.

    Raises InputError if the rows themselves are of other settings or of another trial code.
    """
    record = read_record(path)
    if record.manifest != digest(plan(experiment).manifest):
        raise InputError("record", path, "its rows are of other settings or code: run the full experiment again")
    return _store(path, _judged(replace(record, claim=experiment.claim, source=experiment.source), experiment))


def _judged(record: Record, experiment: Experiment) -> Record:
    table = () if experiment.table is None else tuple(plain(row, "table") for row in experiment.table(record.rows))
    return replace(record, expectations=judge(experiment, record.rows), table=table)


def _store(path: Path, record: Record) -> Record:
    body: dict[str, Any] = dict(vars(record)) | {
        "expectations": [
            vars(item) | {"verdict": item.verdict.name, "foreseen": item.foreseen.name} for item in record.expectations
        ]
    }
    rows = ",\n".join(json.dumps(row, allow_nan=False) for row in body.pop("rows"))
    head = json.dumps(body, indent=1, allow_nan=False)
    write_over(path, (head.removesuffix("\n}") + ',\n "rows": [\n' + rows + "\n]}\n").encode())
    return record


def read_record(path: Path) -> Record:
    """Inverse of ``write_record``.

    Raises FormatError, with the file and the remedy, if it is not one.
    """
    try:
        body = json.loads(path.read_text())
        expectations = tuple(_expectation(item) for item in body.pop("expectations"))
        tables = {name: tuple(body.get(name, ())) for name in ("rows", "table")}
        return Record(**body | {"expectations": expectations} | tables)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(f"{path}: not a record; run the full experiment again with --record") from None


def _expectation(item: dict[str, Any]) -> Expectation:
    return Expectation(**item | {"verdict": Verdict[item["verdict"]], "foreseen": Verdict[item["foreseen"]]})


def stale(record: Record, experiment: Experiment) -> list[str]:
    """What the experiment would now say differently from its record; empty if nothing.

    The recorded rows are judged again, so a statement about something that has changed since (a new bound, say) is tested on them. Words of evidence may
    differ, verdicts may not.
    """
    found: Sequence[tuple[str, object, object]] = (
        ("claim", record.claim, experiment.claim),
        ("source", record.source, experiment.source),
        ("settings or trial code", record.manifest, digest(plan(experiment).manifest)),
        ("expectations", _words(record.expectations), _words(judge(experiment, record.rows))),
    )
    return [name for name, before, now in found if before != now]


def _words(expectations: Sequence[Expectation]) -> list[Expectation]:
    return [replace(item, evidence="") for item in expectations]
