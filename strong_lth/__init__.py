"""strong_lth: the reference toolkit for the strong lottery ticket hypothesis.

Public names load lazily (PEP 562): ``import strong_lth`` itself imports nothing, not even numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "strong_lth.core": (
        "Ball Box BudgetError Certificate Check FormatError InputError Outcome Point Reference RunRecord Status Verdict Window"
    ),
    "strong_lth.distributions": "BalancedSigns Law Normal ProductUniform RandomSigns Scaled SignedIntegers Uniform",
    "strong_lth.subsetsum": (
        "BatchSolution Solution SubsetSumProblem covering_radius covers hitting_times solve solve_batch verify verify_batch"
    ),
    "strong_lth.bounds": "Bound required_candidates required_width",
    "strong_lth.networks": (
        "ErrorBound Mask Network RandomSource Subnetwork approximate candidates_needed certify evaluation_error random_source verify_gadgets "
        "verify_perturbation write_certificate"
    ),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}
_SUBMODULES = (
    "bounds",
    "datasets",
    "experiment",
    "networks",
    "projection",
    "stats",
    "streams",
    "subsetsum",
    "tickets",
    "validate",
)

__all__ = sorted([*_HOME, *_SUBMODULES])

if TYPE_CHECKING:
    from strong_lth.bounds import *  # noqa: F403
    from strong_lth.core import *  # noqa: F403
    from strong_lth.distributions import *  # noqa: F403
    from strong_lth.networks import *  # noqa: F403
    from strong_lth.subsetsum import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"strong_lth.{name}")
    else:
        raise AttributeError(f"module 'strong_lth' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
