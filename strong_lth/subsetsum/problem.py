"""What a subset-sum problem is and what a solution is: frozen data, refused by name when malformed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Floats, InputError, Status

Objective = Literal["nearest", "any", "fewest"]
STATUSES = tuple(Status)
CODES = {status: np.int8(code) for code, status in enumerate(STATUSES)}


@dataclass(frozen=True, eq=False)
class SubsetSumProblem:
    """Choose S and moves |y_i| <= perturbation_i to bring sum_{i in S} (x_i + y_i) near the target z.

    ``candidates`` x: n numbers. ``target`` z. ``tol``: the error that counts as solved. ``perturbation``: a number, or one per
    candidate. ``size``: keep exactly that many candidates. ``signed``: a kept candidate enters as +(x_i + y_i) or -(x_i + y_i).
    Moved values x_i + y_i are doubles (unless x_i has digits below the last place of |x_i| + perturbation_i; no grid law does).
    InputError for NaN, infinity, negative tol or perturbation, wrong shapes, size > n.

    >>> SubsetSumProblem([0.5, -0.25], target=0.25).perturbation
    array([0., 0.])
    """

    candidates: Floats
    target: float
    tol: float = 0.0
    perturbation: Floats = 0.0  # type: ignore[assignment]  # any array-like; stored as (n,)
    size: int | None = None
    signed: bool = False

    def __init__(
        self,
        candidates: ArrayLike,
        target: float,
        tol: float = 0.0,
        perturbation: ArrayLike = 0.0,
        size: int | None = None,
        signed: bool = False,
    ) -> None:
        x = numbers("candidates", candidates)
        if x.ndim != 1 or x.size == 0:
            raise InputError("candidates", f"shape {x.shape}", "give at least one number in a one-dimensional array")
        store = object.__setattr__
        store(self, "candidates", frozen(x))
        store(self, "target", scalar("target", target))
        store(self, "tol", scalar("tol", tol, least=0.0))
        store(self, "perturbation", frozen(spread("perturbation", perturbation, x.shape)))
        store(self, "size", check_size(size, x.size))
        store(self, "signed", bool(signed))


@dataclass(frozen=True, eq=False)
class Solution:
    """One answer. ``keep`` (n,) bool, or int8 -1/0/1 when signed; ``shift`` (n,) the moves y_i, 0 where not kept; ``error`` the
    correctly rounded |sum_S (x_i + y_i) - z|; ``stats``: objective, engine, candidates used, resolution (how much smaller an
    error rounding could have hidden; 0 when all inputs fit the grid), and a note when undecided.
    """

    status: Status
    keep: NDArray[np.bool_] | NDArray[np.int8]
    shift: Floats
    error: float
    stats: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keep", frozen(self.keep))
        object.__setattr__(self, "shift", frozen(self.shift))
        object.__setattr__(self, "stats", MappingProxyType(dict(self.stats)))


@dataclass(frozen=True, eq=False)
class BatchSolution:
    """Answers to B problems: ``statuses`` (B,) codes (read with ``status``), ``keep`` (B, n) bool, or int8 -1/0/1 when signed,
    ``shift`` (B, n), ``errors`` (B,), ``stats``.
    """

    statuses: NDArray[np.int8]
    keep: NDArray[np.bool_] | NDArray[np.int8]
    shift: Floats
    errors: Floats
    stats: Mapping[str, Any] = field(default_factory=dict)

    def status(self, row: int) -> Status:
        """Status of one row."""
        return STATUSES[int(self.statuses[row])]

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Rows with status SOLVED, shape (B,)."""
        return np.asarray(self.statuses == CODES[Status.SOLVED])

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Rows with any status but UNDECIDED, shape (B,)."""
        return np.asarray(self.statuses != CODES[Status.UNDECIDED])


def numbers(name: str, value: ArrayLike) -> Floats:
    """``value`` as a float64 array of finite numbers, copied only where it must be."""
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "fiub":
            given = np.array(value, dtype=object)
        array = np.asarray(given, dtype=np.float64)
        plain = given.dtype != object and given.dtype.itemsize <= 8
        exact = plain or bool((given == (array.astype(object) if given.dtype == object else array)).all())
    except (TypeError, ValueError, OverflowError):
        raise InputError(name, type(value).__name__, "give real numbers in a rectangular array") from None
    if not exact and np.isfinite(array).all():
        raise InputError(name, "numbers that doubles do not hold", "round them first, and count the rounding in tol")
    if not np.isfinite(array).all():
        raise InputError(name, "NaN or infinity", "give finite numbers")
    if given.dtype.kind in "iu" and given.dtype.itemsize == 8 and (np.abs(array) > 2.0**53).any():
        raise InputError(name, "integers beyond 2^53, which doubles do not hold", "divide them all by a power of two")
    return array


def scalar(name: str, value: float, least: float = -math.inf) -> float:
    """``value`` as one finite number >= least."""
    array = numbers(name, value)
    if array.ndim != 0:
        raise InputError(name, f"shape {array.shape}", "give one number")
    if array < least:
        raise InputError(name, float(array), f"give a number >= {least:g}")
    return float(array)


def spread(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Numbers >= 0 broadcast to ``shape``."""
    array = numbers(name, value)
    if (array < 0).any():
        raise InputError(name, float(array.min()), "give numbers >= 0")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise InputError(name, f"shape {array.shape}", f"give a number, or numbers that broadcast to {shape}") from None


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def check_objective(objective: str, size: int | None = None) -> None:
    """InputError unless ``objective`` is one of nearest, any, fewest; and for fewest with a fixed size."""
    if objective not in get_args(Objective):
        raise InputError("objective", repr(objective), 'give "nearest", "any" or "fewest"')
    if objective == "fewest" and size is not None:
        raise InputError(
            "objective", "'fewest' with a fixed size", 'use "nearest" or "any": all subsets of a size keep as many'
        )


def check_size(size: int | None, n: int) -> int | None:
    """The size as an int from 0 to n, or None."""
    if size is not None and whole("size", size) > n:
        raise InputError("size", size, f"give a whole number from 0 to {n}, the number of candidates")
    return None if size is None else int(size)


def whole(name: str, value: int, least: int = 0) -> int:
    """``value`` as a whole number >= least."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(name, repr(value), f"give a whole number >= {least}")
    return int(value)


def check_budget(budget: int) -> int:
    """The budget as an int >= 64 list entries."""
    return whole("budget", budget, 64)
