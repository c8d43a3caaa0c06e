"""Content hashes of everything that decides a training: two trainings of one fingerprint are the same computation."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch


def fingerprint(*values: Any) -> str | None:
    """SHA-256 of nested plain data, arrays, tensors, frozen dataclasses and functions of a module; None if one of them is a closure or lambda.

    >>> fingerprint({"a": 1.0}) == fingerprint({"a": 1.0}), fingerprint({"a": 1.0}) == fingerprint({"a": 1}), fingerprint(lambda: 0)
    (True, False, None)
    """
    digest = hashlib.sha256()
    try:
        for value in values:
            _feed(digest, value)
    except _NoNameError:
        return None
    return digest.hexdigest()


class _NoNameError(Exception):
    """A value without a lasting name."""


def _feed(digest: Any, value: Any) -> None:
    kind = type(value)
    digest.update(f"{kind.__module__}.{kind.__qualname__}:".encode())
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        digest.update(repr(value).encode() + b";")
    elif isinstance(value, enum.Enum):
        digest.update(value.name.encode() + b";")
    elif isinstance(value, torch.Tensor):
        _feed(digest, value.detach().cpu().numpy())
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        digest.update(f"{len(value)};".encode())
        for key in sorted(value, key=str):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, types.FunctionType):
        if "<" in value.__qualname__:
            raise _NoNameError
        digest.update(f"{value.__module__}.{value.__qualname__};".encode())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        if "<" in kind.__qualname__:
            raise _NoNameError
        _feed(digest, {item.name: getattr(value, item.name) for item in dataclasses.fields(value)})
    elif isinstance(value, Sequence):
        digest.update(f"{len(value)};".encode())
        for item in value:
            _feed(digest, item)
    else:
        raise _NoNameError
