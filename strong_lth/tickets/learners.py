"""One network, or several of one shape stacked: what the training loop needs of them, under the same names.

``params`` are the leaves that the optimiser changes, ``parts`` cuts tensors by name into those of each network, and ``forward`` makes the function
(pixels, labels, scalars) -> (objective, cross-entropy, right answers) of a batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import nn
from torch.func import functional_call, vmap

from strong_lth.tickets import processes
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.hooks import Hooks, Tensors
from strong_lth.tickets.images import Images
from strong_lth.tickets.layout import state_of
from strong_lth.tickets.states import load_state
from strong_lth.tickets.types import State

Forward = Callable[
    [torch.Tensor, torch.Tensor, dict[str, torch.Tensor]], tuple[torch.Tensor, torch.Tensor, torch.Tensor]
]


class Learner(Protocol):
    """One network, or several stacked."""

    count: int
    params: dict[str, torch.Tensor]

    def training(self) -> None:
        """Switch to training mode."""
        ...

    def parts(self, values: Tensors) -> list[Tensors]:
        """The tensors of each network, as views."""
        ...

    def join(self, values: Sequence[Any]) -> torch.Tensor:
        """One tensor from the tensor, or number, of each network."""
        ...

    def load(self, states: Sequence[State], keep: Tensors) -> None:
        """Put states, masked, into the networks."""
        ...

    def states(self) -> list[dict[str, torch.Tensor]]:
        """Copies of the present states."""
        ...

    def changing(self) -> list[torch.Tensor]:
        """Every tensor that a step changes, without the optimiser's."""
        ...

    def forward(self, hooks: Sequence[Hooks]) -> Forward:
        """The function of a batch under the hooks of each network."""
        ...


class Network(nn.Module):
    """A forward pass with its hooks as one module, so that a compiler and the averaging of gradients see all of it."""

    def __init__(self, module: nn.Module, images: Images, hooks: Hooks, backend: Backend) -> None:
        super().__init__()
        self.module, self.backend = module, backend
        self.mean, self.std = images.mean, images.std
        self.effective, self.penalty = hooks.effective, hooks.penalty

    def forward(
        self, pixels: torch.Tensor, labels: torch.Tensor, scalars: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Objective, cross-entropy and number of right answers of a batch."""
        params = dict(self.module.named_parameters())
        used = None if self.effective is None else dict(self.effective(params, scalars))
        inputs = (pixels.float() - self.mean) / self.std
        if self.backend.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with precision(self.backend, pixels.device):
            output = self.module(inputs) if used is None else functional_call(self.module, used, (inputs,))
        loss, right = graded(output, labels)
        return loss if self.penalty is None else loss + self.penalty(params, scalars), loss.detach(), right


class Alone:
    """One network: the module itself."""

    count = 1

    def __init__(self, module: nn.Module, images: Images, backend: Backend) -> None:
        self._module, self._images, self._backend = module, images, backend
        if backend.channels_last:
            module.to(memory_format=torch.channels_last)
        self.params: dict[str, torch.Tensor] = dict(module.named_parameters())

    def training(self) -> None:
        """Normalisations use the batch."""
        self._module.train()

    def parts(self, values: Tensors) -> list[Tensors]:
        """The tensors themselves."""
        return [values]

    def join(self, values: Sequence[Any]) -> torch.Tensor:
        """The only one."""
        return torch.as_tensor(values[0])

    def load(self, states: Sequence[State], keep: Tensors) -> None:
        """Put the state into the module."""
        load_state(self._module, states[0], keep)

    def states(self) -> list[dict[str, torch.Tensor]]:
        """A copy of the state."""
        return [state_of(self._module)]

    def changing(self) -> list[torch.Tensor]:
        """Parameters and buffers."""
        return [tensor.detach() for tensor in self._module.state_dict(keep_vars=True).values()]

    def forward(self, hooks: Sequence[Hooks]) -> Forward:
        """The module, compiled and averaged over processes where asked."""
        network: Any = Network(self._module, self._images, hooks[0], self._backend)
        if self._backend.compiler:
            network = torch.compile(network, backend=self._backend.compiler, dynamic=False)
        made: Forward = processes.averaged(network, unused=hooks[0].effective is not None)
        return made


class Stacked:
    """Several networks: every tensor has a first dimension more. The module is the pattern, its own weights are not used."""

    def __init__(self, module: nn.Module, images: Images, backend: Backend, count: int) -> None:
        self.count = count
        self._module, self._images, self._backend = module, images, backend
        shapes = {name: torch.stack([tensor.detach()] * count) for name, tensor in module.named_parameters()}
        self.params: dict[str, torch.Tensor] = {name: tensor.requires_grad_() for name, tensor in shapes.items()}
        self._buffers = {name: torch.stack([tensor] * count) for name, tensor in module.named_buffers()}

    def training(self) -> None:
        """Normalisations use the batch."""
        self._module.train()

    def parts(self, values: Tensors) -> list[Tensors]:
        """Slices along the first dimension."""
        return [{name: tensor[index] for name, tensor in values.items()} for index in range(self.count)]

    def join(self, values: Sequence[Any]) -> torch.Tensor:
        """All of them, stacked."""
        return torch.stack([torch.as_tensor(value) for value in values])

    def load(self, states: Sequence[State], keep: Tensors) -> None:
        """Stack the states."""
        with torch.no_grad():
            for name, own in (*self.params.items(), *self._buffers.items()):
                own.copy_(torch.stack([state[name].to(own.device) for state in states]))
                if name in keep:
                    own.mul_(keep[name])

    def states(self) -> list[dict[str, torch.Tensor]]:
        """A copy of the state of each network, in the order of the module."""
        own = {**self.params, **self._buffers}
        names = self._module.state_dict()
        return [{name: own[name][index].detach().clone() for name in names} for index in range(self.count)]

    def changing(self) -> list[torch.Tensor]:
        """Stacked parameters and buffers."""
        return [tensor.detach() for tensor in (*self.params.values(), *self._buffers.values())]

    def forward(self, hooks: Sequence[Hooks]) -> Forward:
        """All networks in one pass. Hooks act on each network by itself, so that they need not know about the stack."""

        def one(
            params: Tensors, buffers: Tensors, inputs: torch.Tensor, labels: torch.Tensor
        ) -> tuple[torch.Tensor, ...]:
            with precision(self._backend, inputs.device):
                output = functional_call(self._module, ({**params}, {**buffers}), (inputs,))
            return graded(output, labels)

        every = vmap(one, randomness="different")

        def forward(
            pixels: torch.Tensor, labels: torch.Tensor, scalars: dict[str, torch.Tensor]
        ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            own, values = self.parts(self.params), self.parts(scalars)
            used: Mapping[str, torch.Tensor] = self.params
            if any(hook.effective is not None for hook in hooks):
                made = [
                    p if h.effective is None else h.effective(p, s) for h, p, s in zip(hooks, own, values, strict=True)
                ]
                used = {name: torch.stack([part[name] for part in made]) for name in self.params}
            inputs = (pixels.float() - self._images.mean) / self._images.std
            losses, right = every(used, self._buffers, inputs, labels)
            penalties = [h.penalty(p, s) for h, p, s in zip(hooks, own, values, strict=True) if h.penalty is not None]
            return losses.sum() + sum(penalties), losses.detach(), right

        return forward


def precision(backend: Backend, device: torch.device) -> Any:
    """Autocast to bfloat16 where asked. Its cache of cast weights is off: a captured step must cast anew at every replay."""
    if backend.precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


def graded(output: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy, at least in float32, and the number of right answers."""
    output = output.float() if output.dtype is torch.bfloat16 else output
    return nn.functional.cross_entropy(output, labels), (output.argmax(dim=1) == labels).sum()
