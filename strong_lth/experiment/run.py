"""Running: which shards are missing, who computes them, how far it is.

Workers compute and return rows; this process alone writes them. A claim is a lock on one byte of a file, which the operating system takes
back when its process dies: several processes can work on one folder, and none computes what another is computing.
"""

from __future__ import annotations

import inspect
import json
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from strong_lth.core import FormatError, InputError, RunRecord, run_record
from strong_lth.experiment.describe import Cell, Experiment, Plan, Row, generator, load_module, plain, plan
from strong_lth.experiment.shards import Shard, read_shard, shards, sweep, write_once, write_shard

PAUSE = 0.2  # seconds between looks at shards that another process has claimed


@dataclass(frozen=True)
class Progress:
    """Trials done of all, counting those found on disk; trials per second of this run; seconds left, None before the first shard."""

    done: int
    total: int
    rate: float
    left: float | None


@dataclass(frozen=True)
class Run:
    """Rows in grid order (each with cell and provenance), shards in all, shards still missing (of other parts), computing seconds of all shards."""

    rows: tuple[Row, ...]
    shards: int
    missing: int
    seconds: float
    computed: int

    @property
    def complete(self) -> bool:
        """Every shard is there."""
        return self.missing == 0


def run(
    experiment: Experiment,
    folder: Path,
    *,
    smoke: bool = False,
    workers: int = 1,
    executor: Executor | None = None,
    part: tuple[int, int] = (1, 1),
    resume: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Compute what is missing in ``folder/<id>/<full or smoke>`` and read all rows back.

    workers: processes; 1 computes here. executor: any other ``concurrent.futures.Executor`` (threads, Dask's ``get_executor()``), with ``workers`` shards in flight
    at a time; its workers must see the file of the experiment under the same path. part: (i, N) computes every N-th shard, beginning with the i-th, for array jobs.
    resume: False refuses a folder that has rows. Rows do not depend on workers, executor, parts or interruptions.

    Raises InputError if the experiment has changed since the folder was begun, FormatError for a damaged shard, OSError if the disk refuses
    (what is finished stays), and what a trial raises.
    """
    part = _check_part(part)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError("workers", repr(workers), "give a whole number >= 1")
    setting = plan(experiment, smoke=smoke)
    home = Path(folder) / experiment.id / setting.mode
    home.mkdir(parents=True, exist_ok=True)
    _settle(home, setting)
    sweep(home)
    everything = shards(setting)
    if not resume and any((home / shard.name).exists() for shard in everything):
        raise InputError("resume", home, "this folder has rows: resume, or use another folder")
    mine = everything[part[0] - 1 :: part[1]]
    with _claims(home) as claims, _pool(executor, workers, len(mine)) as (pool, slots):
        job = _Job(home, setting, pool, slots, claims, progress, sum(shard.trials for shard in mine))
        job.work_off(mine)
    return collect(experiment, folder, smoke=smoke, computed=job.computed)


def collect(experiment: Experiment, folder: Path, *, smoke: bool = False, computed: int = 0) -> Run:
    """The rows that are there, without computing any. Errors as for ``run``."""
    setting = plan(experiment, smoke=smoke)
    home = Path(folder) / experiment.id / setting.mode
    everything = shards(setting)
    rows: list[Row] = []
    seconds, missing = 0.0, 0
    for shard in everything:
        try:
            header, found = read_shard(home / shard.name)
        except FileNotFoundError:
            missing += 1
            continue
        seconds += header["shard_seconds"]
        rows += [header | row for row in found]
    return Run(tuple(rows), len(everything), missing, seconds, computed)


def compute(file: str, name: str, seed: int, cell: Cell, start: int, stop: int) -> tuple[list[Row], RunRecord]:
    """The rows of one shard and their provenance: what a worker does."""
    trial = getattr(load_module(Path(file)), name)
    begun = time.perf_counter()
    rows: list[Row] = []
    for number in range(start, stop):
        try:
            row = plain(trial(cell, generator(seed, cell, number)), "row")
        except Exception as error:
            error.add_note(f"in trial {number} of {name} at {dict(cell)}")
            raise
        if taken := sorted(set(row) & set(cell)):
            raise InputError("row", ", ".join(taken), "name results differently from the coordinates of the cell")
        rows.append({"trial": number, **cell, **row})
    return rows, _stamped(time.perf_counter() - begun)


@dataclass
class _Job:
    """The shards of one call of ``run``: waiting, in flight, claimed elsewhere, done."""

    home: Path
    setting: Plan
    pool: Executor
    slots: int
    claims: _Claims
    progress: Callable[[Progress], None] | None
    total: int
    done: int = 0
    fresh: int = 0
    computed: int = 0
    begun: float = field(default_factory=time.perf_counter)

    def work_off(self, todo: Sequence[Shard]) -> None:
        waiting, elsewhere = deque(todo), deque[Shard]()
        flying: dict[Future[tuple[list[Row], RunRecord]], Shard] = {}
        try:
            while waiting or flying or elsewhere:
                while waiting and len(flying) < self.slots:
                    self._begin(waiting.popleft(), flying, elsewhere)
                if flying:
                    finished, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in finished:
                        self._finish(flying.pop(future), *future.result())
                elif elsewhere:
                    time.sleep(PAUSE)
                    waiting, elsewhere = elsewhere, deque()
        except BrokenProcessPool:
            raise MemoryError("a worker process was killed (memory?); resume with fewer workers") from None
        finally:
            for future in flying:
                future.cancel()

    def _begin(self, shard: Shard, flying: dict[Future[Any], Shard], elsewhere: deque[Shard]) -> None:
        path = self.home / shard.name
        if not path.exists() and not self.claims.take(shard.index):
            elsewhere.append(shard)
            return
        if path.exists():  # also when it was finished elsewhere just before the claim was granted
            self.claims.free(shard.index)
            self._report(shard, fresh=False)
            return
        trial = self.setting.experiment.trial
        where = str(Path(inspect.getfile(trial)).resolve())
        task = self.pool.submit(
            compute, where, trial.__name__, self.setting.experiment.seed, shard.cell, shard.start, shard.stop
        )
        flying[task] = shard

    def _finish(self, shard: Shard, rows: list[Row], stamp: RunRecord) -> None:
        header = {
            "experiment": self.setting.experiment.id,
            "mode": self.setting.mode,
            "shard": shard.name,
            "commit": stamp.commit,
            "device": stamp.device,
            "versions": ", ".join(f"{name} {version}" for name, version in stamp.versions.items()),
            "started": stamp.started,
            "shard_seconds": stamp.seconds,
        }
        write_shard(self.home / shard.name, header, rows)
        self.claims.free(shard.index)
        self.computed += 1
        self._report(shard, fresh=True)

    def _report(self, shard: Shard, *, fresh: bool) -> None:
        self.done += shard.trials
        self.fresh += shard.trials if fresh else 0
        if self.progress is not None:
            rate = self.fresh / max(time.perf_counter() - self.begun, 1e-9)
            self.progress(
                Progress(self.done, self.total, rate, (self.total - self.done) / rate if self.fresh else None)
            )


def _settle(home: Path, setting: Plan) -> None:
    """Write the manifest of a new folder; refuse a folder that was begun with another one."""
    path, manifest = home / "experiment.json", setting.manifest
    if write_once(path, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()):
        return
    try:
        before = json.loads(path.read_text())
    except ValueError:
        raise FormatError(f"{path}: not readable as JSON; restore it, or use another folder") from None
    changed = sorted(name for name in manifest if name not in before or before[name] != manifest[name])
    if changed:
        remedy = f"rows of two versions would mix in {home}: give the experiment a new id, or use another folder"
        raise InputError("experiment", f"{setting.experiment.id!r} with another {', '.join(changed)}", remedy)


def _check_part(part: tuple[int, int]) -> tuple[int, int]:
    number, count = part
    if not (isinstance(number, int) and isinstance(count, int) and 1 <= number <= count):
        raise InputError("part", repr(part), "give (i, N) with 1 <= i <= N")
    return part


@cache
def _here() -> RunRecord:
    return run_record("", 0.0)


def _stamped(seconds: float) -> RunRecord:
    here = _here()
    started = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds))
    return RunRecord(here.command, here.commit, here.versions, here.device, round(seconds, 3), started)


class _Claims:
    """Locks on the bytes of one file, one per shard; where the system has none, every claim is granted and a shard may be computed twice."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def take(self, index: int) -> bool:
        try:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, index)
        except BlockingIOError:
            return False
        except (ImportError, OSError):
            return True
        return True

    def free(self, index: int) -> None:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, index)

    def close(self) -> None:
        self._file.close()


@contextmanager
def _claims(home: Path) -> Iterator[_Claims]:
    claims = _Claims(home / "claims.lock")
    try:
        yield claims
    finally:
        claims.close()


class _Here(Executor):
    """Computes at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def _pool(executor: Executor | None, workers: int, tasks: int) -> Iterator[tuple[Executor, int]]:
    """The executor and the number of shards in flight. Processes are spawned, because forking a process that has threads is not safe."""
    if executor is not None:
        yield executor, workers
        return
    workers = min(workers, max(tasks, 1))
    if workers == 1:
        yield _Here(), 1
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_follow_parent)
    try:
        yield pool, workers
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """End this worker when its parent is killed; it would otherwise wait for work forever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt goes to the whole group: the parent alone answers it
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
