"""Out of memory, said in a way that helps: with the batch that fits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from strong_lth.core import InputError
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.hooks import Hooks
from strong_lth.tickets.images import Images
from strong_lth.tickets.learners import Network


@contextlib.contextmanager
def naming_the_batch_that_fits(
    module: nn.Module, images: Images, batches: Sequence[int], backend: Backend
) -> Iterator[None]:
    """Turn an error of the allocator into InputError with the largest of batch / 2, / 4, ... whose forward and backward pass fits."""
    try:
        yield
        return
    except (RuntimeError, MemoryError) as error:
        if not _of_the_allocator(error):
            raise
    size = max(batches) // 2
    while size >= 2 and not fits(module, images, size, backend):
        size //= 2
    remedy = f"a batch of {size} fits" if size >= 2 else "not even a batch of 2 fits; use a smaller model"
    raise InputError(
        "recipe.batch", f"{max(batches)}, for which the memory of {images.pixels.device} is too small", remedy
    )


def fits(module: nn.Module, images: Images, size: int, backend: Backend) -> bool:
    """Does one forward and backward pass of this batch fit? Parameters and buffers are left as they are."""
    if images.pixels.device.type == "cuda":
        torch.cuda.empty_cache()
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        network = Network(module, images, Hooks(), backend)
        objective, *_ = network(images.pixels[:size], images.labels[:size], {})
        torch.autograd.grad(objective, list(module.parameters()))
        return True
    except (RuntimeError, MemoryError) as error:
        if not _of_the_allocator(error):
            raise
        return False
    finally:
        for buffer, value in buffers:
            buffer.copy_(value)


def _of_the_allocator(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)
