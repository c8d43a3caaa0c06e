"""How a training step is computed: part of the configuration, chosen before training and hashed with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from strong_lth.core import InputError

COMPILERS = ("", "inductor", "aot_eager", "eager")


@dataclass(frozen=True)
class Backend:
    """Plain float32, step by step, one training at a time, unless something else is asked for.

    ``precision`` "bfloat16": forward and backward pass under autocast; weights, masks, normalisation, momentum and scores stay float32. ``channels_last``: memory format
    of images and convolutions. ``compiler``: a backend of ``torch.compile`` for the forward and backward pass ("" none; "eager" and "aot_eager" change no bit and serve
    tests). ``graph``: the whole step is captured once per phase as a CUDA graph and replayed. ``together``: so many trainings of different seeds are stacked and trained in one
    loop (``torch.func.vmap``); equal to one-by-one training up to rounding, and so in the end not bit for bit.

    Raises InputError for values out of range, and for stacking with a compiler or channels_last.

    >>> Backend(precision="bfloat16", together=4)
    Backend(precision='bfloat16', channels_last=False, compiler='', graph=False, together=4)
    """

    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False
    compiler: str = ""
    graph: bool = False
    together: int = 1

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise InputError("Backend.precision", repr(self.precision), "use float32 or bfloat16")
        if self.compiler not in COMPILERS:
            raise InputError("Backend.compiler", repr(self.compiler), f"use one of {', '.join(map(repr, COMPILERS))}")
        if isinstance(self.together, bool) or not isinstance(self.together, int) or self.together < 1:
            raise InputError("Backend.together", repr(self.together), "give a whole number >= 1")
        if self.together > 1 and (self.compiler or self.channels_last):
            raise InputError("Backend.together", self.together, "stack without a compiler and without channels_last")

    @classmethod
    def fast(cls) -> Backend:
        """One large network on a GPU: bfloat16, channels_last, compiled and captured."""
        return cls(precision="bfloat16", channels_last=True, compiler="inductor", graph=True)
