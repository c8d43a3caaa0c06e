"""``verify_gadgets``: re-prove a ticket from its seed, without looking at how it was found."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from strong_lth.core import Certificate, Check, Outcome
from strong_lth.distributions import is_portable
from strong_lth.networks.layer_ticket import LayerTicket, effective_layer
from strong_lth.networks.network import Dense, Network
from strong_lth.networks.source import Ints, SourceLayer, random_source, same_source, sign_halves
from strong_lth.networks.subnetwork import Subnetwork


def verify_gadgets(target: Network, strong: Subnetwork) -> Certificate:
    """Re-prove every gadget from the seed, in exact rationals, without looking at how it was found.

    Draws the source again and checks: kept weights are the source's own (or the verified moved ones); every shift is within the perturbation;
    every weight outside ``.unserved`` is within its tolerance. ``value`` is the largest exact residual of a served weight.

    >>> import strong_lth as lth
    >>> target = lth.Network.from_arrays([[[0.3, -0.2]]])
    >>> strong = lth.approximate(target, domain=lth.Box(0, 1), tol=0.01, width="smallest", seed=0)
    >>> verify_gadgets(target, strong).ok
    True
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
        checks.append(
            _check_source(part, drawn, ticket, strong.source.perturbation_used, is_portable(strong.source.law))
        )
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


def _check_source(part: SourceLayer, drawn: SourceLayer, ticket: LayerTicket, allowed: float, portable: bool) -> Check:
    name = f"layer {part.index}: kept weights are those of the seed"
    used = ticket.keep.any(axis=0)
    kept, seeded = part.even[ticket.keep], drawn.even[ticket.keep] if part.even.shape == drawn.even.shape else None
    if seeded is None or not same_source(part, drawn):
        return Check(name, Outcome.FAILED, "the units, signs or odd weights are not those the seed gives")
    slack = 0 if portable else 1  # libraries may differ in the last bit of other laws
    if np.any((kept < seeded - slack) | (kept > seeded + slack)):
        return Check(name, Outcome.FAILED, "a kept weight differs from the one the seed gives")
    exact = np.ldexp(kept.astype(np.float64), -part.even_exponent)
    if part.moved is None and not np.array_equal(exact, part.even_weights[ticket.keep]):
        return Check(name, Outcome.FAILED, "a kept weight was changed after it was drawn")
    if part.moved is not None:
        for moved, original in zip(part.moved[ticket.keep], exact, strict=True):
            if abs(Fraction(moved) - Fraction(original)) > Fraction(allowed):
                return Check(name, Outcome.FAILED, f"a weight of the given source moved by more than {allowed}")
    moved_note = "" if part.moved is None else f", of a source moved by at most {allowed:g}"
    return Check(name, Outcome.PROVED, f"{int(ticket.keep.sum())} even and {int(used.sum())} odd weights{moved_note}")


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
