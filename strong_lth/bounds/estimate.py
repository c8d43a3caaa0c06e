"""A prediction with a question of its own, one that is not about a fixed target and fresh candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strong_lth.bounds.types import Scope
from strong_lth.core import Reference


@dataclass(frozen=True)
class Estimate:
    """An asymptotically exact law as a function with its own arguments, named in ``asks``; accurate, never a bound.

    >>> from strong_lth.bounds import get
    >>> round(get("number-partitioning").function(18, 15), 3)
    0.827
    """

    id: str
    title: str
    asks: str
    reference: Reference
    scope: Scope
    status: str
    function: Callable[..., float]
