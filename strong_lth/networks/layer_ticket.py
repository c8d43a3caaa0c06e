"""What is kept of one layer of the source, and what it adds up to, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strong_lth.core import Floats
from strong_lth.networks.mask import Bools
from strong_lth.networks.network import Dense
from strong_lth.networks.source import Ints, SourceLayer


@dataclass(frozen=True, eq=False)
class LayerTicket:
    """What is kept of one even matrix: ``keep`` and ``shift`` (d_out, u), shift None where nothing may move.

    ``undecided``: subset sums whose smallest subset was not proved smallest within the budget.
    """

    keep: Bools
    shift: Floats | None
    undecided: int = 0


@dataclass(frozen=True)
class Unserved:
    """One weight (``input`` = number of inputs means the bias) and sign half that missed its tolerance, why, and by how much it errs."""

    layer: int
    output: int
    input: int
    half: str
    cause: str
    error: float


@dataclass(frozen=True, eq=False)
class Effective:
    """Exact residuals of one layer, correctly rounded: effective weight minus target, (d_out, d_in [+ 1 for the bias]).

    ``negative`` acts on inputs below 0 and is None where inputs have no such half.
    """

    positive: Floats
    negative: Floats | None


def effective_layer(part: SourceLayer, dense: Dense, ticket: LayerTicket, halves: Ints) -> Effective:
    """What the kept candidates of every weight add up to, minus the target: exact sums, rounded once.

    p_ij - w_ij over kept units k of input j with a_k > 0: p_ij = sum (v_ik + y_ik) |a_k|; for inputs below 0, q_ij - w_ij with
    q_ij = -sum over a_k < 0. Shapes (d_out, d_in [+ 1 for the bias]).
    """
    columns = dense.weight if dense.bias is None else np.column_stack([dense.weight, dense.bias])
    two_sided = bool((halves == 2).any())
    positive = _residuals(part, ticket, columns, 1)
    if not two_sided:
        return Effective(positive, None)
    negative = -_residuals(part, ticket, -columns, -1)
    return Effective(positive, np.where(halves[None, :] == 2, negative, positive))


def _residuals(part: SourceLayer, ticket: LayerTicket, targets: Floats, sign: int) -> Floats:
    """fsum over kept units of one sign of (even weight + shift) |odd weight|, minus the target; correctly rounded."""
    outputs, units = np.nonzero(ticket.keep & (part.unit_sign == sign)[None, :])
    values = part.even_weights[outputs, units]
    if ticket.shift is not None:
        values = values + ticket.shift[outputs, units]
    factors = np.abs(part.odd_kept)[units]
    if np.all(factors == 1.0):
        terms = values[:, None]
    else:
        high = _upper_half(values)
        terms = np.column_stack([high * factors, (values - high) * factors])
    place = outputs * targets.shape[1] + part.unit_input[units]
    order = np.argsort(place, kind="stable")
    flat = terms[order].tolist()
    result = -targets.reshape(-1)
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    ends = np.append(starts, place.size)[1:]
    for where, start, end in zip(place[order][starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
        result[where] = math.fsum([result[where], *(term for row in flat[start:end] for term in row)])
    return result.reshape(targets.shape)


def _upper_half(values: Floats) -> Floats:
    """The leading 26 bits of every number (Veltkamp's split): its product with a 25-bit factor is exact."""
    scaled = values * (2.0**27 + 1)
    high: Floats = scaled - (scaled - values)
    return high
