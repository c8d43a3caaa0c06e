"""Chunks of work over a thread pool: kernels run without the interpreter lock, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from strong_lth.subsetsum.problem import whole

T = TypeVar("T")


def thread_count(workers: int | None) -> int:
    """Threads to use: as many as asked; None means one per core this process may run on."""
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return whole("workers", workers, 1)


def in_order(task: Callable[[int], T], starts: range, workers: int, halt: Event | None = None) -> Iterator[T]:
    """Results of the task for every start, in order; an exception or Ctrl-C cancels what has not begun, and sets ``halt``, at which running tasks may look."""
    if workers == 1 or len(starts) <= 1:
        yield from map(task, starts)
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(task, starts)
        except BaseException:
            if halt is not None:
                halt.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
