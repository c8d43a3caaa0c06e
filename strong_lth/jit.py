"""The one way kernels are compiled: serial, without the interpreter lock, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use. A cache folder that cannot be written, now or later, is no error: the kernel is compiled once per process."""
    try:
        compiled = numba.njit(nogil=True, boundscheck=False, cache=True)(function)
    except (RuntimeError, OSError):
        return numba.njit(nogil=True, boundscheck=False)(function)
    cache = getattr(compiled, "_cache", None)
    for name in ("load_overload", "save_overload"):
        if hasattr(cache, name):
            setattr(cache, name, _forgiving(getattr(cache, name)))
    return compiled


def _forgiving(access: Callable[..., Any]) -> Callable[..., Any]:
    """The cache access as it is, except that a file system that fails counts as an empty cache."""

    def tried(*arguments: Any) -> Any:
        try:
            return access(*arguments)
        except OSError:
            return None

    return tried
