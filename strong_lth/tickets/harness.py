"""Find tickets, score them, compare methods. Only this module grades: methods propose masks and states, nothing else.

Every level and ticket is checked against the contract (exact density, mask inside the prunable set, complete finite states), and costs are read from the meter of
the view that did the training.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets import processes
from strong_lth.tickets.density import kept_count
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.gathering import Member
from strong_lth.tickets.hooks import EpochRow
from strong_lth.tickets.layout import Layout
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.states import load_state, masked, on_device, score
from strong_lth.tickets.store import MemoryStore, Store
from strong_lth.tickets.task import (
    Task,
    build,
    dataset,
    gathering,
    identity,
    layout,
    model_name,
    refuse_while_searching,
    scoring_images,
    searching,
    view,
)
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import ContractError, Cost, Level, Outcome, Seeds, State, Ticket
from strong_lth.tickets.untrained import check_untrained, weights_hash

Row = dict[str, Any]
Report = Callable[[EpochRow], None]
SeedReport = Callable[[str, int, EpochRow], None]
Scored = Callable[[str, float, int, Ticket], None]


def levels(
    method: TicketMethod,
    task: Task,
    densities: Sequence[float],
    seed: int | Seeds = 0,
    *,
    store: Store | None = None,
    report: Report | None = None,
    member: Member | None = None,
    dry: bool = False,
) -> Iterator[tuple[Level, Ticket]]:
    """Every level that a method makes on the way to the densities, with its ticket, checked and with costs. ``dry``: nothing is trained, costs are planned.

    Raises ContractError when the method breaks a rule, or leaves a requested density out.
    """
    seeds = Seeds.of(seed) if isinstance(seed, int) else seed
    looking = view(task, store, report, member=member, dry=dry)
    missing = {kept_count(density, looking.layout.prunable) for density in densities}
    with searching():
        track = iter(method.track(looking, tuple(densities), seeds))
    while True:
        with searching():
            level = next(track, None)
            draft = None if level is None else method.ticket(level, looking, seeds)
        if level is None or draft is None:
            break
        level, draft = replace(level, mask=_own_mask(level.mask), cost=looking.spent), _own(draft)
        check_level(level, looking.layout, method.name)
        check_ticket(draft, level, looking, method.name)
        if draft.source is not None and draft.source.seed != seeds.init:
            raise ContractError(
                f"{method.name}: untrained weights of seed {draft.source.seed}; this run's network has seed {seeds.init}"
            )
        missing.discard(level.mask.kept)
        yield level, replace(draft, cost=looking.cost_of(draft))
    if missing:
        raise ContractError(f"{method.name}: no level with exactly {', '.join(map(str, sorted(missing)))} kept weights")


def find(
    method: TicketMethod,
    task: Task,
    density: float,
    seed: int | Seeds = 0,
    *,
    store: Store | None = None,
    report: Report | None = None,
) -> Ticket:
    """The ticket of one method at one density.

    Raises InputError for a density outside (0, 1] or without a kept weight, ContractError when the method breaks a rule.
    """
    wanted = kept_count(density, layout(task).prunable)
    found = [
        ticket
        for level, ticket in levels(method, task, (density,), seed, store=store, report=report)
        if level.mask.kept == wanted
    ]
    return found[-1]


def evaluate(
    ticket: Ticket,
    task: Task,
    seed: int = 0,
    *,
    store: Store | None = None,
    report: Report | None = None,
    member: Member | None = None,
) -> Outcome:
    """Train a ticket by the task's recipe (unless it is used as it is) and score it on the test images, after the last epoch, whatever the method.

    ``seed`` is the order of the data in that training. Raises ContractError for a ticket of another model, for a strong ticket whose weights are not those of its law and seed, and when called by a
    method during its search.
    """
    refuse_while_searching("an evaluation")
    if ticket.model != model_name(task):
        raise ContractError(f"ticket of {ticket.model}: the model of this task is {model_name(task)}")
    looking = view(task, store, report, member=member)
    check_mask(ticket.mask, looking.layout, "ticket")
    check_state(ticket.state, looking.like, "ticket")
    check_step(ticket, looking, "ticket")
    check_strong(ticket, looking, "ticket")
    state: State = on_device(ticket.state, task.device)
    cost = Cost()
    if ticket.use == "train":
        trained = looking.train(state, ticket.mask, task.recipe, order=seed, start=ticket.step)
        state, cost = trained.state, trained.cost
    module, final = build(task, 0), masked(state, ticket.mask)
    load_state(module, final, {})
    loss, accuracy = score(module, scoring_images(task))
    validation_loss, validation_accuracy = looking.validate(final, ticket.mask)
    return Outcome(
        accuracy=accuracy,
        loss=loss,
        validation_accuracy=validation_accuracy,
        validation_loss=validation_loss,
        density=ticket.density,
        kept=ticket.mask.kept,
        prunable=looking.layout.prunable,
        parameters=looking.layout.parameters,
        cost=cost,
        state=final,
    )


def compare(
    methods: Sequence[TicketMethod],
    task: Task,
    densities: Sequence[float],
    seeds: Sequence[int],
    *,
    store: Store | None = None,
    report: SeedReport | None = None,
    scored: Scored | None = None,
    workers: int = 1,
) -> list[Row]:
    """One flat row per method, density and seed; a reference method has one row per seed, at its own density.

    All methods share the three seeds of a run, the prunable set, the final recipe and the selection rule (last epoch). Without ``store`` equal trainings of one
    seed are still run once (the dense level of IMP and LRR), and cost every method what they took. ``scored`` gets every ticket that has a row: method, requested density, seed, ticket.
    ``workers`` > 1 gives each seed to a process of its own, with this process's number of torch threads; the rows are the same, ``report`` and ``scored`` are not called, and methods, task
    and store must be picklable.

    Raises InputError for empty lists, two methods of one name, a seed given twice, and densities that keep the same number of weights.
    """
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise InputError("methods", "two of one name", "give each method a name of its own")
    if not methods or not densities or not list(seeds):
        raise InputError("methods, densities, seeds", "an empty one", "give at least one of each")
    if len(set(seeds)) < len(seeds):
        raise InputError("seeds", list(seeds), "give each seed once; the same run again is no new evidence")
    plan = layout(task)
    if len({kept_count(density, plan.prunable) for density in densities}) < len(densities):
        raise InputError("densities", list(densities), "give each once, and none that keep the same number of weights")
    if workers > 1:
        parts = _in_processes(methods, task, densities, seeds, store, workers)
        return [row for part in parts for row in part]
    shared = {
        "task": task_id(task, plan),
        "prunable_set": fingerprint(dict(plan.shapes)),
        "data": dataset(task).name,
        "data_status": dataset(task).status,
        "processes": processes.count(),
        "statistics": processes.statistics(normalised=bool(plan.statistics)),
    }
    rows: list[Row] = []
    for group in batched(seeds, task.backend.together):
        memory = store if store is not None else MemoryStore()
        if len(group) == 1:
            parts = [_rows_of(group[0], methods, task, densities, memory, report, scored, None)]
        else:
            searches = [partial(_rows_of, seed, methods, task, densities, memory, report, scored) for seed in group]
            parts = gathering(task, memory).run(searches)
        rows += [shared | row for part in parts for row in part]
    return rows


def batched(seeds: Sequence[int], size: int) -> list[list[int]]:
    """The seeds in groups of ``size``, the last one perhaps smaller."""
    return [list(seeds[start : start + size]) for start in range(0, len(seeds), size)]


def _rows_of(
    seed: int,
    methods: Sequence[TicketMethod],
    task: Task,
    densities: Sequence[float],
    store: Store,
    report: SeedReport | None,
    scored: Scored | None,
    member: Member | None,
) -> list[Row]:
    """The rows of one seed."""
    rows, plan = [], layout(task)
    for method in methods:
        told = None if report is None else _told(report, method.name, seed)
        asked = (1.0,) if method.reference else tuple(densities)
        for part in (asked,) if method.together else [(density,) for density in asked]:
            counts = {kept_count(density, plan.prunable): density for density in part}
            for level, ticket in levels(method, task, part, seed, store=store, report=told, member=member):
                if level.mask.kept in counts:
                    order = Seeds.of(seed).order
                    outcome = evaluate(ticket, task, order, store=store, report=told, member=member)
                    rows.append(_row(method, ticket, outcome, seed, plan))
                    if scored is not None:
                        scored(method.name, counts[level.mask.kept], seed, ticket)
    return rows


def _in_processes(
    methods: Sequence[TicketMethod],
    task: Task,
    densities: Sequence[float],
    seeds: Sequence[int],
    store: Store | None,
    workers: int,
) -> list[list[Row]]:
    """One ``compare`` per group of seeds that train together (of one, by default), in fresh interpreters; the rows in the order of the seeds."""
    if isinstance(store, MemoryStore):
        raise InputError("store", "one in memory", "with several workers give a FolderStore, or none")
    try:
        pickle.dumps((methods, task, store))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            "workers", workers, f"give methods and a model that other processes can import ({error})"
        ) from None
    groups = batched(seeds, task.backend.together)
    arguments = ((list(methods), task, list(densities), group, store, torch.get_num_threads()) for group in groups)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(_one_group, arguments))


def _one_group(work: tuple[list[TicketMethod], Task, list[float], list[int], Store | None, int]) -> list[Row]:
    methods, task, densities, seeds, store, threads = work
    torch.set_num_threads(threads)
    return compare(methods, task, densities, seeds, store=store)


def task_id(task: Task, plan: Layout | None = None) -> str:
    """Short hash of task and recipe, for rows and folders."""
    text = fingerprint(identity(task), task.recipe)
    return "" if text is None else text[:12]


def _row(method: TicketMethod, ticket: Ticket, outcome: Outcome, seed: int, plan: Layout) -> Row:
    return {
        "method": method.name,
        "settings": repr(method),
        "model": ticket.model,
        "density": outcome.density,
        "kept": outcome.kept,
        "prunable": outcome.prunable,
        "parameters": outcome.parameters,
        "seed": seed,
        "use": ticket.use,
        "strong": ticket.source is not None,
        "redraws": 0 if ticket.source is None else ticket.source.redraws,
        "weights": "" if ticket.source is None else weights_hash(ticket.state, plan),
        "accuracy": outcome.accuracy,
        "loss": outcome.loss,
        "validation_accuracy": outcome.validation_accuracy,
        "find_epochs": round(ticket.cost.epochs, 6),
        "find_steps": ticket.cost.steps,
        "find_seconds": ticket.cost.seconds,
        "train_epochs": round(outcome.cost.epochs, 6),
        "train_steps": outcome.cost.steps,
        "train_seconds": outcome.cost.seconds,
    }


def check_mask(mask: Mask, plan: Layout, who: str) -> None:
    """A boolean array for every prunable tensor and for no other, of its shape; ContractError otherwise."""
    if not isinstance(mask, Mask):
        raise ContractError(f"{who}: the mask is a {type(mask).__name__}; give a Mask")
    if set(mask.tensors) != set(plan.shapes):
        raise ContractError(
            f"{who}: the mask has tensors {sorted(set(mask.tensors) ^ set(plan.shapes))} too many or too few; mask exactly the prunable set"
        )
    for name, shape in plan.shapes.items():
        keep = mask.tensors[name]
        if keep.dtype != np.bool_ or keep.shape != shape:
            raise ContractError(f"{who}: mask of {name} is {keep.dtype} {keep.shape}; give booleans of shape {shape}")


def check_state(state: State, like: State, who: str) -> None:
    """The tensors of the model, of its shapes and types, all finite; ContractError otherwise."""
    if set(state) != set(like):
        raise ContractError(f"{who}: state with tensors {sorted(set(state) ^ set(like))} too many or too few")
    for name, tensor in like.items():
        if state[name].shape != tensor.shape or state[name].dtype != tensor.dtype:
            raise ContractError(
                f"{who}: {name} is {state[name].dtype} {tuple(state[name].shape)}; expected {tensor.dtype} {tuple(tensor.shape)}"
            )
        if not bool(torch.isfinite(state[name]).all()):
            raise ContractError(f"{who}: {name} is not finite")


def check_level(level: Level, plan: Layout, who: str) -> None:
    """The mask fits and the density is kept / prunable, exactly."""
    check_mask(level.mask, plan, who)
    if level.density != level.mask.kept / plan.prunable:
        raise ContractError(
            f"{who}: level of density {level.density} keeps {level.mask.kept} of {plan.prunable} weights"
        )


def check_ticket(ticket: Ticket, level: Level, looking: TaskView, who: str) -> None:
    """A ticket of this model, with the mask of its level."""
    check_mask(ticket.mask, looking.layout, who)
    check_state(ticket.state, looking.like, who)
    if ticket.model != looking.name:
        raise ContractError(f"{who}: ticket of {ticket.model}; the model of this task is {looking.name}")
    if ticket.use not in ("as-is", "train"):
        raise ContractError(f"{who}: use {ticket.use!r}; give as-is or train")
    check_step(ticket, looking, who)
    if any(not np.array_equal(ticket.mask.tensors[name], keep) for name, keep in level.mask.tensors.items()):
        raise ContractError(f"{who}: the mask of the ticket is not that of its level")
    check_strong(ticket, looking, who)


def check_step(ticket: Ticket, looking: TaskView, who: str) -> None:
    """A ticket to be trained starts inside the task's schedule, so that none is trained for longer than the others; ContractError otherwise."""
    steps = looking.recipe.epochs * looking.steps_per_epoch
    if isinstance(ticket.step, bool) or not isinstance(ticket.step, int) or not 0 <= ticket.step < steps:
        raise ContractError(
            f"{who}: training from step {ticket.step!r}; the task's recipe has the steps 0 to {steps - 1}"
        )


def check_strong(ticket: Ticket, looking: TaskView, who: str) -> None:
    """A ticket that claims untrained weights is used as it is and has exactly those of its law and seed; ContractError otherwise."""
    if ticket.source is None:
        return
    if ticket.use != "as-is":
        raise ContractError(f"{who}: a strong ticket is scored as it is; a ticket to be trained has no source")
    check_untrained(ticket.state, ticket.mask, ticket.source, looking.layout, looking.fresh, who)


def _own(ticket: Ticket) -> Ticket:
    """A copy of everything that is scored: what a method does to its own arrays after the check changes nothing."""
    return replace(
        ticket,
        mask=_own_mask(ticket.mask),
        state={name: tensor.detach().clone() for name, tensor in ticket.state.items()},
    )


def _own_mask(mask: Mask) -> Mask:
    """A copy; what is no mask is left for the check to refuse."""
    return Mask({name: np.array(keep) for name, keep in mask.tensors.items()}) if isinstance(mask, Mask) else mask


def _told(report: SeedReport, name: str, seed: int) -> Report:
    return lambda row: report(name, seed, row)
