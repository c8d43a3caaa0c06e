"""Masks: which weights of which tensor are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import FormatError, InputError

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Mask:
    """Boolean arrays by tensor name; True is kept.

    >>> Mask({"1.weight": np.array([[True, False]])}).density
    0.5
    """

    tensors: Mapping[str, Bools]

    def __post_init__(self) -> None:
        for name, array in self.tensors.items():
            if not isinstance(array, np.ndarray) or array.dtype != np.bool_:
                raise InputError(
                    f"mask of {name}", getattr(array, "dtype", type(array).__name__), "give a boolean numpy array"
                )

    @property
    def kept(self) -> int:
        """Number of kept entries."""
        return sum(int(array.sum()) for array in self.tensors.values())

    @property
    def density(self) -> float:
        """Fraction kept."""
        return self.kept / max(1, sum(array.size for array in self.tensors.values()))


def pack(keep: Bools) -> NDArray[np.uint8]:
    """Eight mask bits per byte, row-major.

    >>> pack(np.array([[True, False, True]]))
    array([160], dtype=uint8)
    """
    return np.packbits(keep)


def unpack(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> Bools:
    """Inverse of ``pack``; FormatError if the length does not fit the shape."""
    size = int(np.prod(shape))
    if packed.dtype != np.uint8 or packed.size != (size + 7) // 8:
        raise FormatError(f"mask: got {packed.size} bytes; expected {(size + 7) // 8} for shape {shape}")
    return np.unpackbits(packed, count=size).reshape(shape).astype(bool)
