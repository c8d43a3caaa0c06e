"""What a method sees of a task: its training part, and a way to train. The test part is not in here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets import processes
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.density import kept_count
from strong_lth.tickets.engine import Job, Report, Trained, planned_cost, train
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.gathering import Member, Request
from strong_lth.tickets.hooks import Phase
from strong_lth.tickets.images import Augment, Images
from strong_lth.tickets.layout import Layout, state_of
from strong_lth.tickets.randomness import torch_seed
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.states import keep_tensors, load_state, masked, on_device, score
from strong_lth.tickets.store import Store
from strong_lth.tickets.types import Cost, Init, State, Ticket, Untrained
from strong_lth.tickets.untrained import drawn


@dataclass
class _Meter:
    """What has been spent, and what the last training began with: state, mask, cost before it."""

    spent: Cost = field(default_factory=Cost)
    latest: tuple[str | None, str | None, Cost] | None = None


class TaskView:
    """Fresh networks, training and validation for a method. Everything trained here is charged to the method.

    ``layout`` says what is prunable, ``recipe`` is the task's own, ``spent`` the cost so far, ``like`` a state with the
    names, shapes and types that every state has. A ``dry`` view trains nothing and counts what it would cost.
    """

    def __init__(
        self,
        *,
        name: str,
        identity: str,
        module: nn.Module,
        layout: Layout,
        recipe: Recipe,
        augment: Augment,
        backend: Backend,
        training: Images,
        validation: Images,
        fresh: Callable[[int], State],
        store: Store | None,
        report: Report | None,
        member: Member | None = None,
        dry: bool = False,
    ) -> None:
        self.name, self.layout, self.recipe = name, layout, recipe
        self._meter = _Meter()
        self.like = state_of(module)
        self._identity, self._module, self._augment, self._backend = identity, module, augment, backend
        self._training, self._validation = training, validation
        self._fresh, self._store, self._report, self._dry = fresh, store, report, dry
        self._member = member
        self._given: Mapping[int, State] = {}

    @property
    def spent(self) -> Cost:
        """Everything charged so far; a method can read it, not set it."""
        return self._meter.spent

    @property
    def steps_per_epoch(self) -> int:
        """Full batches of the task's recipe in one pass over the training part."""
        return self.steps(self.recipe)

    def steps(self, recipe: Recipe) -> int:
        """Full batches of a recipe in one pass over the training part; InputError when not one batch is full."""
        if recipe.batch > len(self._training):
            raise InputError(
                "recipe.batch", recipe.batch, f"give at most {len(self._training)}, the number of training images"
            )
        return len(self._training) // recipe.batch

    @property
    def training_images(self) -> int:
        """Images in the training part, without those of the validation split."""
        return len(self._training)

    def fresh(self, seed: int, init: Init = "model", redraw: int = 0) -> State:
        """A newly initialised network, a function of seed, law and redraw alone; ``redraw`` > 0 is another network of the same law."""
        if redraw == 0 and seed in self._given:
            return self._given[seed]
        if init != "model":
            return drawn(self.like, self.layout, init, seed, redraw)
        return self._fresh(seed if redraw == 0 else torch_seed(seed, "scores", 2 * redraw) >> 4)

    def beginning_with(self, seed: int, state: State) -> TaskView:
        """The same view and the same meter, whose fresh network of that seed is ``state``, whatever the law."""
        other = copy.copy(self)
        other._given = {**self._given, seed: state}
        return other

    def dense(self) -> Mask:
        """The mask that keeps every prunable weight."""
        return Mask({name: torch.ones(shape, dtype=torch.bool).numpy() for name, shape in self.layout.shapes.items()})

    def kept(self, density: float) -> int:
        """Prunable weights kept at a density."""
        return kept_count(density, self.layout.prunable)

    def magnitudes(self, state: State) -> dict[str, torch.Tensor]:
        """|w| of every prunable tensor, in model order."""
        return {name: state[name].abs() for name in self.layout.shapes}

    def train(
        self,
        state: State,
        mask: Mask | None,
        phases: Recipe | Phase | Sequence[Phase],
        *,
        order: int,
        first_epoch: int = 0,
        start: int = 0,
        until: int | None = None,
    ) -> Trained:
        """Train a state under a mask and charge its cost; a finished training in the store is taken from there, at the cost it had.

        See ``engine.train`` for ``start``, ``until`` and ``first_epoch``.
        """
        if isinstance(phases, Recipe):
            phases = (Phase(phases),)
        elif isinstance(phases, Phase):
            phases = (phases,)
        for name in self.layout.shapes if mask is not None else ():
            if mask is not None and name not in mask.tensors:
                raise InputError("mask", f"no tensor {name}", "give a mask for every prunable tensor")
        state = masked(state, mask)
        if not self._dry:
            state, mask = processes.of_first(state, mask)
        keep = None if mask is None else dict(mask.tensors)
        begun = (fingerprint(dict(state)), fingerprint(keep), self.spent)
        settings = {"order": order, "first_epoch": first_epoch, "start": start, "until": until}
        if self._dry:
            cost = planned_cost(len(self._training), phases, start, until)
            self._meter.latest, self._meter.spent = begun, self.spent + cost
            return Trained(state, (), cost)
        key = (
            None
            if self._store is None
            else fingerprint(self._identity, self._augment, dict(state), keep, list(phases), settings)
        )
        job = Job(state, mask, tuple(phases), order, first_epoch, start, until)
        trained = None if self._member is None else self._member.train(Request(job, key, self._report))
        trained = trained or self._alone(job, key)
        trained = Trained(on_device(trained.state, self._training.pixels.device), trained.rows, trained.cost)
        self._meter.latest, self._meter.spent = begun, self.spent + trained.cost
        return trained

    def _alone(self, job: Job, key: str | None) -> Trained:
        """The finished training from the store, or a new one, which goes on where a killed one stopped."""
        store = None if key is None else self._store
        found = None if store is None or key is None else store.get(key)
        if processes.all_true(found is not None) and found is not None:
            return found
        checkpoint = None if store is None or key is None else store.checkpoint(key)
        trained = train(
            self._module,
            self._training,
            self._validation,
            job.state,
            job.mask,
            job.phases,
            order=job.order,
            first_epoch=job.first_epoch,
            start=job.start,
            until=job.until,
            augment=self._augment,
            backend=self._backend,
            report=self._report,
            checkpoint=checkpoint,
        )
        if store is not None and key is not None:
            store.put(key, trained, job.mask)
        if checkpoint is not None:
            checkpoint.remove()
        processes.all_true(True)  # nobody goes on before the file is there
        return trained

    def validate(self, state: State, mask: Mask | None = None) -> tuple[float, float]:
        """(cross-entropy, accuracy) on the validation split."""
        load_state(self._module, state, keep_tensors(mask, str(self._training.pixels.device)))
        return score(self._module, self._validation)

    def ticket(
        self,
        mask: Mask,
        state: State,
        use: Literal["as-is", "train"] = "train",
        *,
        step: int = 0,
        notes: Mapping[str, Any] | None = None,
        source: Untrained | None = None,
    ) -> Ticket:
        """A ticket of this task's model; the harness fills in its cost. With ``source`` it claims that its weights are untrained, which the harness checks."""
        return Ticket(self.name, mask, state, use, notes=notes or {}, step=step, source=source)

    def cost_of(self, ticket: Ticket) -> Cost:
        """What finding a ticket took: everything spent, but not the last training if the ticket is exactly what that training began with."""
        if self._meter.latest is not None:
            state, mask, before = self._meter.latest
            if (fingerprint(masked(ticket.state, ticket.mask)), fingerprint(dict(ticket.mask.tensors))) == (
                state,
                mask,
            ):
                return before
        return self.spent
