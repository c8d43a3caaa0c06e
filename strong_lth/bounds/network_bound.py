"""A theorem on whole networks: how wide a random network must be to hold a given target, or every target, as a subnetwork."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from strong_lth.bounds.shapes import NetworkShape
from strong_lth.bounds.types import Constants, Direction, Scope, check_allowance
from strong_lth.core import InputError, Reference, Verdict


@dataclass(frozen=True)
class NetworkQuestion:
    """Output error ``tol`` with failure probability ``delta`` for targets of this shape; kept weights may move by ``perturbation``.

    ``constant`` is a value for the C that a statement leaves open; statements with explicit constants do not look at it.
    """

    shape: NetworkShape
    tol: float
    perturbation: float
    delta: float
    constant: float = 1.0


Widths = tuple[float, ...]


@dataclass(frozen=True)
class NetworkBound:
    """A published or proved statement on networks, evaluated as far as its constants are known.

    ``scope``: EACH_TARGET for one target network drawn before the source, ALL_TARGETS for all of a shape by one source. ``formula``: the widths of the hidden layers of
    the source in the theorem's own construction, for a given constant, or a Verdict; None where not even the form is available to us.

    >>> from strong_lth.bounds import DenseShape, get
    >>> bound = get("pensia2020-network")
    >>> bound.widths(DenseShape((784, 500, 10)), tol=0.01, delta=0.01).name
    'INCONCLUSIVE'
    >>> bound.widths(DenseShape((784, 500, 10)), tol=0.01, delta=0.01, constant=1)
    (15338, 7601)
    """

    id: str
    title: str
    reference: Reference
    direction: Direction
    scope: Scope
    constants: Constants
    status: str
    proof: str | None
    formula: Callable[[NetworkQuestion], Widths | Verdict] | None

    def widths(
        self, shape: NetworkShape, *, tol: float, delta: float, perturbation: float = 0.0, constant: float | None = None
    ) -> tuple[int, ...] | Verdict:
        """Hidden widths of the source, layer by layer, or a Verdict.

        INCONCLUSIVE where the statement leaves a constant open and none is given, or its form was not available; NOT_APPLICABLE for another kind of shape, for norms beyond
        the theorem's and for a perturbation that it does not treat; VACUOUS where no width suffices. Raises InputError for bad parameters.
        """
        check_allowance(tol, perturbation)
        check_delta(delta)
        if constant is not None and not (math.isfinite(constant) and constant > 0):
            raise InputError("constant", constant, "give a finite number > 0")
        if self.formula is None:
            return Verdict.INCONCLUSIVE
        open_constant = self.constants is Constants.UNSPECIFIED and constant is None
        question = NetworkQuestion(shape, float(tol), float(perturbation), float(delta), constant or 1.0)
        found = self.formula(question)
        if open_constant and found is not Verdict.NOT_APPLICABLE:
            return Verdict.INCONCLUSIVE
        return found if isinstance(found, Verdict) else tuple(math.ceil(w) for w in found)


def check_delta(delta: float) -> float:
    """The failure probability as a float, or InputError unless 0 < delta < 1."""
    if isinstance(delta, bool) or not isinstance(delta, int | float) or not 0 < delta < 1:
        raise InputError("delta", delta, "give a probability strictly between 0 and 1")
    return float(delta)
