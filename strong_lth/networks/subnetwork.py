"""The strong ticket: one seeded random source, a mask, shifts and scales; and what its weights add up to, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strong_lth.core import Certificate, Check, Domain, Floats, InputError, Outcome
from strong_lth.networks.difference import LayerPair
from strong_lth.networks.mask import Bools, Mask
from strong_lth.networks.network import Dense, Network
from strong_lth.networks.scaling import Scaling
from strong_lth.networks.source import Ints, RandomSource, SourceLayer, random_source, sign_halves

if TYPE_CHECKING:
    from torch import nn


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


@dataclass(frozen=True, eq=False)
class Subnetwork:
    """A pruned random network that stands for a target network; reproducible from seed, laws, widths and mask.

    The function is g(x) = 2^gain g'(x) with g' the pruned source. ``weight_tol`` (per layer, in the rescaled target), ``chain`` and ``a_priori`` say how
    ``tol`` was allotted. ``unserved`` lists every weight that missed its tolerance.
    """

    source: RandomSource
    layers: tuple[LayerTicket, ...]
    scaling: Scaling
    domain: Domain
    tol: float
    weight_tol: tuple[float, ...]
    chain: str
    a_priori: float
    perturbation: float
    objective: str
    unserved: tuple[Unserved, ...]

    @property
    def kept(self) -> int:
        """Weights and biases kept: even ones by the mask, odd ones one for each unit that some output reads."""
        return sum(int(t.keep.sum()) + int(t.keep.any(axis=0).sum()) for t in self.layers)

    @property
    def kept_even(self) -> int:
        """Weights kept in the even matrices: the sizes of all subsets together."""
        return sum(int(t.keep.sum()) for t in self.layers)

    @property
    def density(self) -> float:
        """Fraction of the source's parameters that is kept."""
        return self.kept / self.source.parameters

    @property
    def undecided(self) -> int:
        """Subset sums whose subset was not proved to be the smallest possible."""
        return sum(ticket.undecided for ticket in self.layers)

    def overparameterization(self, target: Network) -> float:
        """Source parameters over target parameters."""
        return self.source.parameters / target.parameters

    def mask(self) -> Mask:
        """The mask as boolean arrays named like the tensors of ``to_torch``: ``1.weight`` .. ``2L.weight`` and odd biases."""
        arrays: dict[str, Bools] = {}
        for part, ticket in zip(self.source.layers, self.layers, strict=True):
            used = ticket.keep.any(axis=0)
            odd = np.zeros((part.units, part.inputs + 1), dtype=bool)
            odd[np.arange(part.units), part.unit_input] = used
            arrays[f"{2 * part.index - 1}.weight"] = odd[:, : part.inputs]
            if part.bias:
                arrays[f"{2 * part.index - 1}.bias"] = odd[:, part.inputs]
            arrays[f"{2 * part.index}.weight"] = ticket.keep
        return Mask(arrays)

    def layer_pairs(self, target: Network, domain: Domain) -> list[LayerPair]:
        """Target layers (rescaled) and exact residuals on ``domain``, as ``certify`` reads them.

        Raises InputError if ``target`` has another shape.
        """
        scaled = self.rescaled(target)
        halves = sign_halves(target, domain)
        pairs = []
        for part, dense, ticket, half in zip(self.source.layers, scaled.dense, self.layers, halves, strict=True):
            effective = effective_layer(part, dense, ticket, half)
            residual = effective.positive
            largest = float(np.abs(residual).max())
            negative = effective.negative
            if negative is not None:
                largest = max(largest, float(np.abs(negative).max()))
            pairs.append(
                LayerPair(
                    weight=dense.weight,
                    bias=dense.offset,
                    residual=residual[:, : part.inputs],
                    residual_negative=None if negative is None else negative[:, : part.inputs],
                    bias_residual=residual[:, part.inputs] if part.bias else np.zeros(part.outputs),
                    rounding=largest * 2.0**-52,
                )
            )
        return pairs

    def rescaled(self, target: Network) -> Network:
        """The target as the source sees it: rows balanced, outputs divided by the gain."""
        shapes = [(part.outputs, part.inputs, part.bias) for part in self.source.layers]
        wanted = [(*dense.shape, dense.bias is not None) for dense in target.dense]
        if shapes != wanted:
            raise InputError(
                "target", f"layers {wanted} (d_out, d_in, bias)", f"give the network this ticket was made for, {shapes}"
            )
        return self.scaling.apply(target)

    def to_torch(self) -> nn.Module:
        """An ordinary ``torch.nn.Sequential`` in double precision: frozen random weights, masks, ReLU, and the gain at the end."""
        from strong_lth.networks.torch_bridge import ticket_module

        return ticket_module(self)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: seed, laws, widths, packed mask, shifts, scales; weights are regenerated when it is read."""
        from strong_lth.networks.storage import save_ticket

        save_ticket(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Subnetwork:
        """Read what ``save`` wrote; the source is drawn again from its seed and the kept weights are checked by hash.

        Raises FormatError for a damaged or foreign file.
        """
        from strong_lth.networks.storage import load_ticket

        return load_ticket(Path(path))


def effective_layer(part: SourceLayer, dense: Dense, ticket: LayerTicket, halves: Ints) -> Effective:
    """What the kept candidates of every weight add up to, minus the target: exact sums, rounded once."""
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
    ends = np.append(starts[1:], place.size)
    for where, start, end in zip(place[order][starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
        result[where] = math.fsum([result[where], *(term for row in flat[start:end] for term in row)])
    return result.reshape(targets.shape)


def _upper_half(values: Floats) -> Floats:
    """The leading 26 bits of every number (Veltkamp's split): its product with a 25-bit factor is exact."""
    scaled = values * (2.0**27 + 1)
    high: Floats = scaled - (scaled - values)
    return high


def verify_gadgets(target: Network, strong: Subnetwork) -> Certificate:
    """Re-prove every gadget from the seed, in exact rationals, without looking at how it was found.

    Draws the source again and checks: kept weights are the source's own (or the verified moved ones); every shift is within the perturbation;
    every weight outside ``.unserved`` is within its tolerance; nothing is listed twice. ``value`` is the largest exact residual of a served weight.
    """
    scaled = strong.rescaled(target)
    halves = sign_halves(target, strong.domain)
    fresh = random_source(
        target,
        domain=strong.domain,
        width=strong.source.widths,
        law=strong.source.law,
        first=strong.source.first,
        seed=strong.source.seed,
        memory=2**62,
    )
    checks: list[Check] = []
    largest = Fraction(0)
    for part, drawn, dense, ticket, half, weight_tol in zip(
        strong.source.layers, fresh.layers, scaled.dense, strong.layers, halves, strong.weight_tol, strict=True
    ):
        checks.append(_check_source(part, drawn, ticket, strong.source.perturbation_used))
        checks.append(_check_shifts(part, ticket, strong.perturbation))
        unserved = {(u.output, u.input, u.half) for u in strong.unserved if u.layer == part.index}
        worst, problem = _worst_residual(part, dense, ticket, half, Fraction(weight_tol), unserved)
        largest = max(largest, worst)
        name = f"layer {part.index}: every served weight within its tolerance"
        checks.append(
            Check(
                name, Outcome.FAILED if problem else Outcome.PROVED, problem or f"largest residual {float(worst):.3e}"
            )
        )
    return Certificate(
        "every gadget of the ticket represents its target weight", tuple(checks), float(largest), "exact rationals"
    )


def _check_source(part: SourceLayer, drawn: SourceLayer, ticket: LayerTicket, allowed: float) -> Check:
    name = f"layer {part.index}: kept weights are those of the seed"
    used = ticket.keep.any(axis=0)
    same = part.even_exponent == drawn.even_exponent and np.array_equal(part.odd[used], drawn.odd[used])
    if not same or not np.array_equal(part.even[ticket.keep], drawn.even[ticket.keep]):
        return Check(name, Outcome.FAILED, "a kept weight differs from the one the seed gives")
    if part.moved is not None:
        for moved, original in zip(part.moved[ticket.keep], drawn.even_weights[ticket.keep], strict=True):
            if abs(Fraction(moved) - Fraction(original)) > Fraction(allowed):
                return Check(name, Outcome.FAILED, f"a weight of the given source moved by more than {allowed}")
    return Check(name, Outcome.PROVED, f"{int(ticket.keep.sum())} even and {int(used.sum())} odd weights")


def _check_shifts(part: SourceLayer, ticket: LayerTicket, perturbation: float) -> Check:
    name = f"layer {part.index}: every shift within the perturbation"
    if ticket.shift is None:
        return Check(name, Outcome.PROVED, "nothing moved")
    if np.any(ticket.shift[~ticket.keep] != 0):
        return Check(name, Outcome.FAILED, "a weight that is not kept was moved")
    outputs, units = np.nonzero(ticket.shift)
    for shift, weight in zip(ticket.shift[outputs, units], part.even_weights[outputs, units], strict=True):
        if abs(Fraction(shift)) > Fraction(perturbation):
            return Check(name, Outcome.FAILED, f"a shift of {float(shift)!r} exceeds the perturbation {perturbation!r}")
        if Fraction(weight) + Fraction(shift) != Fraction(weight + shift):
            return Check(name, Outcome.FAILED, f"{float(weight)!r} moved by {float(shift)!r} is not a double")
    return Check(name, Outcome.PROVED, f"{outputs.size} weights moved")


def _worst_residual(
    part: SourceLayer,
    dense: Dense,
    ticket: LayerTicket,
    halves: Ints,
    tol: Fraction,
    unserved: set[tuple[int, int, str]],
) -> tuple[Fraction, str]:
    """Largest exact residual among the weights that count as served, and a sentence about the first one beyond ``tol``."""
    effective = effective_layer(part, dense, ticket, halves)
    worst, problem = Fraction(0), ""
    for half, residual in (("+", effective.positive), ("-", effective.negative)):
        if residual is None:
            continue
        served = np.ones(residual.shape, dtype=bool)
        for output, position, name in unserved:
            if name == half:
                served[output, position] = False
        if half == "-":
            served &= (halves == 2)[None, :]
        size = np.where(served, np.abs(residual), 0.0)
        close = np.argwhere(served & (size >= float(tol) * (1 - 1e-12))) if tol else np.argwhere(size > 0)
        for output, position in close:
            exact = _exact_residual(part, dense, ticket, int(output), int(position), half)
            worst = max(worst, exact)
            if exact > tol and not problem:
                problem = f"output {output}, input {position}, half {half} errs by {float(exact):.3e}, allowed {float(tol):.3e}"
        worst = max(worst, Fraction(float(size.max())))
    return worst, problem


def _exact_residual(
    part: SourceLayer, dense: Dense, ticket: LayerTicket, output: int, position: int, half: str
) -> Fraction:
    sign = 1 if half == "+" else -1
    target = Fraction(float(dense.offset[output] if position == part.inputs else dense.weight[output, position])) * sign
    total = Fraction(0)
    for unit in part.serving(position, sign):
        if ticket.keep[output, unit]:
            shift = Fraction(0) if ticket.shift is None else Fraction(float(ticket.shift[output, unit]))
            total += (Fraction(float(part.even_weights[output, unit])) + shift) * abs(
                Fraction(float(part.odd_kept[unit]))
            )
    return abs(total - target)
