"""The one way kernels are compiled: serial, without the interpreter lock, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use. No cache folder that can be written is no error: the kernel is then compiled once per process."""
    try:
        return numba.njit(nogil=True, boundscheck=False, cache=True)(function)
    except (RuntimeError, OSError):
        return numba.njit(nogil=True, boundscheck=False)(function)
