"""Shards: what is computed together and stored together, in one file that is either whole or absent.

A shard file has one JSON object per line: a header with provenance, the rows, and a last line with their number and the SHA-256 of all bytes before it. It is
written under another name, forced to disk and then linked to its own name, which fails if that name is taken: the first writer wins, and
a file under its own name is never written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strong_lth.core import FormatError
from strong_lth.experiment.describe import Cell, Plan, Row, canonical, digest

STALE = 24 * 3600  # seconds after which an unfinished file of a killed run is swept away


@dataclass(frozen=True)
class Shard:
    """Trials start .. stop - 1 of one cell; ``name`` is its file, addressed by everything that its rows depend on."""

    index: int
    cell: Cell
    start: int
    stop: int
    name: str

    @property
    def trials(self) -> int:
        """How many trials it holds."""
        return self.stop - self.start


def shards(plan: Plan) -> list[Shard]:
    """All shards of a setting, in grid order."""
    whole, step = digest(plan.manifest), plan.experiment.shard_trials
    out: list[Shard] = []
    for cell in plan.cells:
        for start in range(0, plan.trials, step):
            stop = min(start + step, plan.trials)
            key = digest({"plan": whole, "cell": cell, "start": start, "stop": stop})
            out.append(Shard(len(out), cell, start, stop, f"{len(out):05d}-{key[:16]}.jsonl"))
    return out


def write_shard(path: Path, header: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Store a finished shard; a shard that another process has stored meanwhile stays as it is.

    Raises OSError, with nothing left behind, if the disk refuses.
    """
    body = "".join(canonical(line) + "\n" for line in [header, *rows]).encode()
    end = canonical({"rows": len(rows), "sha256": hashlib.sha256(body).hexdigest()}) + "\n"
    write_once(path, body + end.encode())


def read_shard(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and rows of a shard.

    Raises FormatError, with the file and the remedy, if it is truncated or damaged.
    """
    data = path.read_bytes()
    body, _, last = data.removesuffix(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        end = json.loads(last)
        truncated = not data.endswith(b"\n") or not isinstance(end, dict) or set(end) != {"rows", "sha256"}
    except ValueError:
        truncated = True
    if truncated:
        raise _bad(path, f"truncated in or after line {len(data.splitlines())}")
    if hashlib.sha256(body).hexdigest() != end["sha256"]:
        raise _bad(path, "damaged (its checksum is wrong)")
    header, *rows = (json.loads(line) for line in body.splitlines())
    return header, rows


def _bad(path: Path, what: str) -> FormatError:
    return FormatError(f"{path}: {what}; delete this file and resume: only its trials are computed again")


def write_once(path: Path, data: bytes) -> bool:
    """Give ``path`` these bytes unless it exists; whether it was written. All or nothing, whatever happens in between."""
    with _draft(path, data) as draft:
        return _publish(draft, path)


def write_over(path: Path, data: bytes) -> None:
    """Give ``path`` these bytes in place of what it holds; if the disk refuses, it keeps what it held."""
    with _draft(path, data) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    """A file beside ``path`` with these bytes forced to disk; gone afterwards unless it was renamed. An OSError names ``path``."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        error.filename = str(path)  # the system does not say which file a full disk has refused
        raise
    finally:
        with suppress(OSError):
            draft.unlink()


def _publish(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: renaming is atomic too, and both files hold the same rows
        if path.exists():
            return False
        draft.replace(path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True


def sweep(folder: Path) -> None:
    """Remove what runs killed long ago left unfinished."""
    for draft in folder.glob(".*.part"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > STALE:
                draft.unlink()
