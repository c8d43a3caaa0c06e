"""Transfer of a mask, or of a mask with its signs, to a newly initialised network: Oh et al. 2025, with the controls of Zhou et al. 2019."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from strong_lth.core import InputError
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, State, Ticket

Normalisation = Literal["initial", "trained"]


@dataclass(frozen=True)
class SignTransfer:
    """A fresh network |theta_init| * s under the mask of ``source``, where s are the signs its weights have *learned* (``Level.end``).

    Classifier and biases, which are not pruned, take their signs too. ``normalisation``: fresh, or the trained gamma, beta and statistics.
    ``signs`` "random" is the control: per layer the learned signs in random places. ``magnitudes`` "constant" puts the layer's standard deviation at init everywhere.
    The init seed differs from the source's. A kept weight that is exactly 0 at the end keeps its initial sign.
    """

    source: TicketMethod
    normalisation: Normalisation = "initial"
    signs: Literal["learned", "random"] = "learned"
    magnitudes: Literal["initial", "constant"] = "initial"
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_source(self.source)
        for name, allowed in (
            ("normalisation", ("initial", "trained")),
            ("signs", ("learned", "random")),
            ("magnitudes", ("initial", "constant")),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(f"SignTransfer.{name}", repr(getattr(self, name)), f"use {' or '.join(allowed)}")

    @property
    def name(self) -> str:
        """Short name for tables."""
        extra = [
            text
            for text, on in (
                ("random signs", self.signs == "random"),
                ("constant size", self.magnitudes == "constant"),
                ("trained norm", self.normalisation == "trained"),
            )
            if on
        ]
        return f"signs of {self.source.name}" + (f" ({', '.join(extra)})" if extra else "")

    @classmethod
    def authors(cls) -> SignTransfer:
        """From AWS with the authors' settings."""
        from strong_lth.tickets.methods.aws import AWS

        return cls(AWS.authors())

    @classmethod
    def scaled(cls, task: TaskView) -> SignTransfer:
        """From AWS scaled to the task."""
        from strong_lth.tickets.methods.aws import AWS

        return cls(AWS.scaled(task))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """The levels of the source."""
        return self.source.track(task, densities, seeds.source())

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The fresh network with the signs of the source, to be trained by the task's recipe."""
        state = transferred(task, level, task.fresh(seeds.init), self.normalisation)
        rng = generator(seeds.track, "signs")
        for name in task.layout.shapes:
            keep = torch.from_numpy(level.mask.tensors[name]).to(state[name].device)
            sign = _signs(level.end[name], state[name])
            if self.signs == "random":
                sign[keep] = sign[keep][torch.from_numpy(rng.permutation(int(keep.sum()))).to(sign.device)]
            size = (
                state[name].abs()
                if self.magnitudes == "initial"
                else torch.full_like(state[name], float(state[name].std()))
            )
            state[name] = size * sign
        for name in (*task.layout.classifier, *task.layout.biases):
            state[name] = state[name].abs() * _signs(level.end[name], state[name])
        return task.ticket(level.mask, state)


@dataclass(frozen=True)
class MaskTransfer:
    """A fresh network under the mask of ``source``; no sign and no weight is taken over. ``normalisation`` as in ``SignTransfer``."""

    source: TicketMethod
    normalisation: Normalisation = "initial"
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_source(self.source)
        if self.normalisation not in ("initial", "trained"):
            raise InputError("MaskTransfer.normalisation", repr(self.normalisation), "use initial or trained")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return f"mask of {self.source.name}" + (" (trained norm)" if self.normalisation == "trained" else "")

    @classmethod
    def authors(cls) -> MaskTransfer:
        """The authors' baseline: from learning-rate rewinding."""
        from strong_lth.tickets.methods.lrr import LRR

        return cls(LRR.authors())

    @classmethod
    def scaled(cls, task: TaskView) -> MaskTransfer:
        """From learning-rate rewinding scaled to the task."""
        from strong_lth.tickets.methods.lrr import LRR

        return cls(LRR.scaled(task))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """The levels of the source."""
        return self.source.track(task, densities, seeds.source())

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The fresh network under the mask, to be trained by the task's recipe."""
        return task.ticket(level.mask, transferred(task, level, task.fresh(seeds.init), self.normalisation))


def transferred(task: TaskView, level: Level, fresh: State, normalisation: Normalisation) -> dict[str, torch.Tensor]:
    """The fresh state, with the trained normalisation of the level where that is asked for."""
    taken = task.layout.normalisation if normalisation == "trained" else ()
    return {name: level.end[name] if name in taken else tensor for name, tensor in fresh.items()}


def _signs(source: torch.Tensor, fallback: torch.Tensor) -> torch.Tensor:
    return torch.where(source == 0, _plus_or_minus(fallback), _plus_or_minus(source))


def _plus_or_minus(tensor: torch.Tensor) -> torch.Tensor:
    return torch.where(tensor < 0, -1.0, 1.0).to(tensor.dtype)


def _check_source(source: TicketMethod) -> None:
    if source.reference or not source.together:
        raise InputError(
            "source",
            source.name,
            "transfer from a method whose track passes through all densities, like LRR, AWS or IMP",
        )
