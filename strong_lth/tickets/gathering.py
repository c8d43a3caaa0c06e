"""Searches of several seeds side by side, so that their trainings can be stacked: each search runs until it asks for a training, and when all have asked, all are answered.

Searches are ordinary code that waits inside ``TaskView.train``; each has a thread of its own, but only one of them runs at any time, so that nothing they share is
touched by two at once. What is stacked with what depends on the trainings alone, never on timing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from strong_lth.tickets.engine import Job, Report, Trained, stackable
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.store import Store


@dataclass(frozen=True, eq=False)
class Request:
    """A training that a search waits for. ``key``: its fingerprint, None if it cannot be stored."""

    job: Job
    key: str | None
    report: Report | None


Stack = Callable[[list[Request]], list[Trained]]


class Gathering:
    """``stack`` trains several requests as one. A group is stored and found as a whole: results depend, in their last bits, on who is in it."""

    def __init__(self, stack: Stack, store: Store) -> None:
        self._stack, self._store = stack, store
        self._turn = threading.Condition()
        self._active: set[int] = set()
        self._asked: dict[int, Request] = {}
        self._answers: dict[int, Trained | BaseException | None] = {}

    def run(self, searches: Sequence[Callable[[Member], Any]]) -> list[Any]:
        """The results of all searches, in their order; the first error, if there was one, after all have ended."""
        results: list[Any] = [None] * len(searches)
        errors: dict[int, BaseException] = {}
        self._active = set(range(len(searches)))
        count = torch.get_num_threads()

        def search(number: int) -> None:
            torch.set_num_threads(count)
            with self._turn:
                try:
                    results[number] = searches[number](Member(self, number))
                except BaseException as error:
                    errors[number] = error
                finally:
                    self._active.discard(number)
                    self._serve()

        threads = [threading.Thread(target=search, args=(number,), daemon=True) for number in range(len(searches))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[min(errors)]
        return results

    def answer(self, number: int, request: Request) -> Trained | None:
        """Wait for the others, and for the training; None: train this one alone."""
        self._asked[number] = request
        self._serve()
        self._turn.wait_for(lambda: number in self._answers)
        answer = self._answers.pop(number)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _serve(self) -> None:
        """Train what was asked for, once everybody who is still searching has asked."""
        if not self._active or set(self._asked) != self._active:
            return
        groups: dict[object, list[int]] = {}
        for number in sorted(self._asked):
            form = stackable(self._asked[number].job)
            groups.setdefault(number if form is None else form, []).append(number)
        for numbers in groups.values():
            requests = [self._asked[number] for number in numbers]
            try:
                made: Sequence[Trained | BaseException | None] = self._trained(requests)
            except Exception as error:
                made = [error] * len(requests)
            self._answers.update(zip(numbers, made, strict=True))
        self._asked.clear()
        self._turn.notify_all()

    def _trained(self, requests: list[Request]) -> Sequence[Trained | None]:
        if len(requests) == 1:
            return [None]
        keys = [request.key for request in requests]
        places = None if None in keys else [fingerprint(keys, index) for index in range(len(keys))]
        if places is not None:
            found = [None if place is None else self._store.get(place) for place in places]
            if None not in found:
                return found
        made = self._stack(requests)
        for place, trained, request in zip(places or [], made, requests, strict=places is not None):
            if place is not None:
                self._store.put(place, trained, request.job.mask)
        return made


@dataclass(frozen=True, eq=False)
class Member:
    """One search of a gathering."""

    gathering: Gathering
    number: int

    def train(self, request: Request) -> Trained | None:
        """The training, done together with those of the others; None: it cannot be stacked."""
        return self.gathering.answer(self.number, request)
