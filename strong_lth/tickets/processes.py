"""Several processes that train one network (started by ``torchrun``): each takes its share of every batch, gradients are averaged, process 0 decides.

Masks and start states are those of process 0. Normalisation uses each process's own share of the batch, running statistics are those of process 0; without
normalisation the result is that of one process, up to the order of additions. Every function does nothing in a process that is alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.types import State


def count() -> int:
    """Processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if count() > 1 else 0


@contextlib.contextmanager
def joined(device: str = "cpu") -> Iterator[int]:
    """Join the processes that ``torchrun`` started, and yield this one's rank; a process started otherwise stays alone.

    gloo on a CPU, nccl on GPUs (process r on GPU LOCAL_RANK).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield dist.get_rank()
    finally:
        dist.destroy_process_group()


def share(size: int) -> slice:
    """This process's part of a batch; InputError for a batch that cannot be shared evenly."""
    if size % count():
        raise InputError("batch", size, f"give a multiple of {count()}, the number of processes")
    part = size // count()
    return slice(rank() * part, (rank() + 1) * part)


def averaged(network: nn.Module, *, unused: bool) -> Any:
    """The network with gradients averaged over the processes; ``unused``: some parameters may get none."""
    if count() == 1:
        return network
    return nn.parallel.DistributedDataParallel(network, find_unused_parameters=unused)


def from_first(tensors: Iterable[torch.Tensor]) -> None:
    """Overwrite the tensors with those of process 0."""
    if count() > 1:
        with torch.no_grad():
            for tensor in tensors:
                whole = tensor.to(torch.uint8) if tensor.dtype is torch.bool else tensor.contiguous()
                dist.broadcast(whole, 0)
                tensor.copy_(whole)


def of_first(state: State, mask: Mask | None) -> tuple[State, Mask | None]:
    """State and mask of process 0, in every process."""
    if count() == 1:
        return state, mask
    state = {name: tensor.clone() for name, tensor in state.items()}
    from_first(state.values())
    if mask is None:
        return state, None
    device = next(iter(state.values())).device
    keep = {name: torch.tensor(part, device=device) for name, part in mask.tensors.items()}
    from_first(keep.values())
    return state, Mask({name: tensor.cpu().numpy() for name, tensor in keep.items()})


def statistics(*, normalised: bool) -> str:
    """What a normalisation sees of a batch, for the rows of a run."""
    if not normalised:
        return "none"
    return "whole batch" if count() == 1 else "per process"


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum over the processes, in place."""
    if count() > 1:
        dist.all_reduce(tensor)
    return tensor


def all_true(answer: bool) -> bool:
    """Do all processes say yes?"""
    if count() == 1:
        return answer
    votes = torch.tensor(int(answer), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(votes)
    return int(votes) == count()
