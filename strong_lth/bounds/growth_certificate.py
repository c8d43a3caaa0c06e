"""Certificates of Theorems E and H: all that an independent program needs to re-prove a number in exact arithmetic.

``proofs/check_bound_certificate.py`` checks them with the standard library alone.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from strong_lth.bounds import early, rss_hooks, rss_survival
from strong_lth.bounds.growth_tables import Table
from strong_lth.bounds.types import UNIFORM
from strong_lth.bounds.unimodal import ATOMS, TABLE, shape_of
from strong_lth.core import Floats, InputError
from strong_lth.distributions import Law

VALUE_BITS, PSI_BITS, GRID_BITS = 112, 60, 40
_SLACK, _UNITS = 1 + 1e-9, 1 << 24  # per step: pay for rounding in the checking program, also where a value is zero


def certificate(id: str, n: int, *, tol: float, law: Law = UNIFORM) -> dict[str, Any]:
    """A certificate of P(fail) with n candidates in their natural unit, for targets in [-1/2, 1/2] and no perturbation.

    ``id`` is "rss-survival" or "rss-hooks"; the laws are the unit ones: U[-1, 1], N(0, 1), ProductUniform(), Triangular(1). The number
    proved, ``failure``, is that of the theorem at ``tol`` itself, up to a relative 1e-6.

    Raises InputError for other ids or laws, or if n candidates prove nothing.
    """
    known = shape_of(law)
    if known is None or known[1] != 1 or known[0].name == "tabulated":
        raise InputError("law", repr(law), "use Uniform(-1, 1), Normal(), ProductUniform() or Triangular()")
    if id == "rss-survival":
        tables = rss_survival.tables(known[0], tol)
    elif id == "rss-hooks":
        tables = rss_hooks.tables(known[0], tol, False)
    else:
        raise InputError("id", repr(id), "use rss-survival or rss-hooks")
    table = min(tables, key=lambda t: t.bound(n))
    if table.bound(n) >= 1:
        raise InputError("n", n, "nothing is proved with so few candidates")
    m, steps, shares = table.division(n)
    stages = [_stage(table, m, theta, share) for theta, share in shares.items()]
    values = [_whole(table.values[k], k) for k in range(steps + 1)]
    proved = (
        sum((Fraction(s["share"]) * Fraction(s["moments"][-1]) for s in stages), Fraction(0))
        if m
        else Fraction(values[-1][0], 1 << VALUE_BITS)
    )
    return {
        "format": "strong_lth bound certificate",
        "theorem": id,
        "law": known[0].name,
        "candidates": m + steps + table.reserved,
        "tol": tol,
        "failure": math.nextafter(float(proved), 1.0),
        "e": table.start,
        "early": m,
        "steps": steps,
        "reserved": table.reserved,
        "quadrature": rss_hooks.QUADRATURE,
        "table": TABLE,
        "atoms": ATOMS,
        "last": table.programme.grid.last,
        "grid": [int(v * 2.0**GRID_BITS) for v in table.programme.grid.y],
        "split": [u.tolist() for u in table.programme.split],
        "zero": [choice.zero.tolist() for choice in table.choices[:steps]],
        "start_vertex": [choice.start.tolist() for choice in table.choices[:steps]],
        "tail": [choice.tail.tolist() for choice in table.choices[:steps]],
        "values": values,
        "above": [_used(table, k) for k in range(steps)],
        "stages": stages,
    }


def _used(table: Table, k: int) -> list[list[int]]:
    """The functions above V_k that some cell used; the others are left empty."""
    used = set(table.choices[k].tail.tolist())
    return [_whole(above, k) if index in used else [] for index, above in enumerate(table.above[k])]


def _whole(value: Floats, k: int) -> list[int]:
    factor = Fraction(_SLACK ** (k + 1))
    return [math.ceil(Fraction(v) * factor * (1 << VALUE_BITS)) + (k + 1) * _UNITS for v in value.tolist()]


def _stage(table: Table, m: int, theta: float, share: float) -> dict[str, Any]:
    psi, kernels = early.weights(table.shape, table.length, theta)
    start = 2 * table.start * early.nearby(table.length, psi, table.start, table.offset)[m]
    moments = early.chain(start, kernels[:m], theta)
    return {
        "twice_theta": round(2 * theta),
        "share": share * _SLACK ** (len(table.values) + 2),
        "psi": [[int(Fraction(v) * (1 << PSI_BITS)) for v in row] for row in psi[: m + 1].tolist()],
        "kernels": kernels[:m].tolist(),
        "moments": moments,
    }
