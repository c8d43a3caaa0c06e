"""A task: data, model and recipe; and the one place from which the test images come."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from strong_lth import datasets
from strong_lth.core import InputError
from strong_lth.datasets import Dataset
from strong_lth.image_folders import load_image_folder
from strong_lth.tickets import processes
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.engine import Report, Trained, train_together
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.gathering import Gathering, Member, Request
from strong_lth.tickets.images import Augment, Images, channel_moments, make_images, split
from strong_lth.tickets.layout import Layout, layout_of, state_of
from strong_lth.tickets.models import MODELS
from strong_lth.tickets.randomness import torch_seed
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.store import Store
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import ContractError, State

_searching: ContextVar[bool | None] = ContextVar("searching", default=None)  # None: this thread has not searched yet
_searches, _lock = [0], threading.Lock()  # how many methods run right now, in all threads


@dataclass(frozen=True, eq=False)
class Task:
    """What tickets are compared on.

    ``data``: a name that ``datasets.load`` knows, "folder:PATH" for a folder of images (64 x 64 pixels; see ``image_folders``), or a ``Dataset``. ``model``: a name of ``MODELS``, or a function without arguments that builds an ``nn.Module``, with a
    ``name`` of its own. ``prunable``: names of the weights that may be pruned; by default every convolution and linear weight except the classifier's.
    ``validation`` is the fraction of the training images, drawn once per task, on which methods choose. ``backend``: how steps are computed.

    Raises InputError for unknown names and a device that is absent.

    >>> task = Task(data="digits", model="mlp-bn")
    >>> layout(task).prunable, layout(task).parameters
    (8192, 9098)
    """

    data: str | Dataset = "digits"
    model: str | Callable[[], nn.Module] = "mlp-bn"
    recipe: Recipe = field(default_factory=Recipe)
    name: str = ""
    prunable: tuple[str, ...] | None = None
    validation: float = 0.1
    augment: Augment = "none"
    device: str = "cpu"
    data_dir: str | Path | None = None
    backend: Backend = field(default_factory=Backend)

    def __post_init__(self) -> None:
        if isinstance(self.model, str) and self.model not in MODELS:
            raise InputError(
                "model", repr(self.model), f"use one of {', '.join(MODELS)}, or give a function and a name"
            )
        if not isinstance(self.model, str) and not self.name:
            raise InputError("name", "nothing", "give a model of your own a name")
        if self.augment not in ("none", "crop-flip"):
            raise InputError("augment", repr(self.augment), "use none or crop-flip")
        if self.device.partition(":")[0] not in ("cpu", "cuda"):
            raise InputError("device", repr(self.device), "use cpu or cuda")
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise InputError("device", repr(self.device), 'torch sees no GPU here; use device="cpu"')
        if self.backend.graph and not self.device.startswith("cuda"):
            raise InputError("backend.graph", f"True on {self.device}", "a captured step needs device cuda")


def dataset(task: Task) -> Dataset:
    """The data of a task."""
    return task.data if isinstance(task.data, Dataset) else _load(task.data, task.data_dir)


def model_name(task: Task) -> str:
    """The name of the model, the user's own if there is one."""
    return task.name or str(task.model)


def build(task: Task, seed: int) -> nn.Module:
    """A newly initialised module on the task's device, a function of the seed; torch's global generator is left as it was.

    Raises InputError when the module does not take the images of the task.
    """
    data = dataset(task)
    shape, classes = data.train_images.shape[1:], len(data.classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "init"))
        module = (
            MODELS[task.model]((shape[0], shape[1], shape[2]), classes) if isinstance(task.model, str) else task.model()
        )
    return module.to(task.device)


def layout(task: Task) -> Layout:
    """What the tensors of the task's model are."""
    return prepared(task).layout


def identity(task: Task) -> str:
    """SHA-256 of what a training depends on: data files, initial weights of seed 0, prunable set, split, augmentation, torch version, threads, instruction set, device kind, backend."""
    return prepared(task).identity


def view(
    task: Task,
    store: Store | None = None,
    report: Report | None = None,
    *,
    member: Member | None = None,
    dry: bool = False,
) -> TaskView:
    """What a method sees of the task: no test images."""
    parts = prepared(task)

    def fresh(seed: int) -> State:
        return state_of(build(task, seed))

    return TaskView(
        name=model_name(task),
        identity=parts.identity,
        module=build(task, 0),
        layout=parts.layout,
        recipe=task.recipe,
        augment=task.augment,
        backend=task.backend,
        training=parts.training,
        validation=parts.validation,
        fresh=fresh,
        store=store,
        report=report,
        member=member,
        dry=dry,
    )


def gathering(task: Task, store: Store) -> Gathering:
    """Where searches meet whose trainings are to be stacked.

    Raises InputError when several processes already train together.
    """
    if processes.count() > 1:
        raise InputError(
            "backend.together", task.backend.together, "stack in one process, or train one network in several"
        )
    parts, module = prepared(task), build(task, 0)

    def stack(requests: list[Request]) -> list[Trained]:
        jobs, reports = [one.job for one in requests], [one.report for one in requests]
        return train_together(module, parts.training, jobs, augment=task.augment, backend=task.backend, reports=reports)

    return Gathering(stack, store)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is made once per task: images on the device, the roles of the tensors, the content hash."""

    training: Images
    validation: Images
    layout: Layout
    identity: str


@lru_cache(maxsize=2)
def prepared(task: Task) -> Prepared:
    """The parts of a task that stay the same, made once."""
    data, module = dataset(task), build(task, 0)
    training, validation = (
        _part(task, data.train_images[chosen], data.train_labels[chosen]) for chosen in split(data, task.validation)
    )
    plan = layout_of(module, task.prunable)
    state = state_of(module)
    _check_model(task, module, training, len(data.classes))
    text = fingerprint(
        dict(data.hashes) or {"pixels": data.train_images, "labels": data.train_labels},
        model_name(task),
        state,
        dict(plan.shapes),
        [task.validation, task.augment, torch.__version__, torch.get_num_threads(), torch.device(task.device).type],
        task.backend,
        processes.count(),
        torch.backends.cpu.get_cpu_capability(),
    )
    if text is None:
        raise InputError("data", "values without a content hash", "give a Dataset of arrays and plain text")
    return Prepared(training, validation, plan, text)


def scoring_images(task: Task) -> Images:
    """The test part, for scoring only; ContractError while a method searches."""
    refuse_while_searching("the test images")
    data = dataset(task)
    return _part(task, data.test_images, data.test_labels)


@contextlib.contextmanager
def searching() -> Iterator[None]:
    """Marks the time in which a method runs: nothing may be scored on test images, in this thread or in one that the method starts."""
    before = _searching.get()
    _searching.set(True)
    with _lock:
        _searches[0] += 1
    try:
        yield
    finally:
        with _lock:
            _searches[0] -= 1
        _searching.set(bool(before))


def refuse_while_searching(what: str) -> None:
    """Raise ContractError if a method runs right now; a thread that never searched might be a method's own, so it waits until no search runs."""
    if _searching.get():
        raise ContractError(f"a method asked for {what} during its search; it may use the validation split only")
    if _searching.get() is None and _searches[0]:
        raise ContractError(f"a new thread asked for {what} while a method searches; ask when the search has ended")


def _part(task: Task, pixels: np.ndarray, labels: np.ndarray) -> Images:
    mean, std = channel_moments(dataset(task).train_images)
    return make_images(pixels, labels, mean, std, task.device)


def _check_model(task: Task, module: nn.Module, images: Images, classes: int) -> None:
    module.eval()
    try:
        with torch.no_grad():
            output = module(images.inputs(images.pixels[:2]))
    except RuntimeError as error:
        raise InputError(
            "model",
            f"{model_name(task)} on images of shape {tuple(images.pixels.shape[1:])}",
            f"give a model for them ({error})",
        ) from None
    if tuple(output.shape) != (2, classes):
        raise InputError("model", f"outputs of shape {tuple(output.shape[1:])}", f"give a model with {classes} outputs")


@lru_cache(maxsize=4)
def _load(name: str, data_dir: str | Path | None) -> Dataset:
    kind, _, place = name.partition(":")
    return load_image_folder(place) if kind == "folder" and place else datasets.load(name, data_dir)
