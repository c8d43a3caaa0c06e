"""Re-prove a number of candidates from a recursion certificate, in whole numbers. Standard library only.

The theorem (proofs/docs/recursion.md, Coq: Recursion.rss_recursion) holds for every table of increasing counts: it is machine-checked. What is left is to evaluate the table, and
that is done here again, in the integers of the theorem: entry i bounds P(fail) times the scale while at least counts[i] of the parts of the window are covered.
"""

from __future__ import annotations

import itertools

from certificate_reader import Rejected, listed, number, opened, whole

RECURSION, VERSION = "strong_lth recursion certificate", 1
LARGEST = 10**30
MOST_ENTRIES, MOST_STEPS = 4000, 1000


def check_recursion(document: dict) -> tuple[str, list[str]]:
    """(claim, log); Rejected if the table does not prove the stated failure probability."""
    opened(document, RECURSION, VERSION, "candidates", "tol", "parts", "gap", "scale", "counts", "failure")
    n = whole(document["candidates"], 0, MOST_STEPS)
    parts, scale = whole(document["parts"], 1, LARGEST), whole(document["scale"], 1, LARGEST)
    gap, stated = whole(document["gap"], 0, parts - 1), whole(document["failure"], 0, LARGEST)
    counts = [whole(count, 1, parts) for count in listed(document["counts"])]
    tol = number(document["tol"])
    if not 1 <= len(counts) <= MOST_ENTRIES or any(a >= b for a, b in itertools.pairwise(counts)):
        raise Rejected("the counts of the table do not increase")
    if not 0 < tol <= 1 or parts % 2 == 0 or counts[0] % 2 == 0:
        raise Rejected("tol must lie in (0, 1], and the parts and the first count must be odd")
    if not counts[0] + 2 * gap < 2 * tol * parts:
        raise Rejected("the start interval and the gap together exceed the tolerance")
    values = [0 if parts - count <= gap else scale for count in counts]
    for _ in range(n):
        values = next_values(parts, counts, values)
    if values[0] > stated:
        raise Rejected(f"only a failure probability of {values[0] / scale:.6g} is proved, not {stated / scale:.6g}")
    return (
        f"{n} candidates U[-1, 1]: P(some target of [-1/2, 1/2] is missed by more than {float(tol):g}) <= {stated / scale:.6g}",
        [
            f"recursion over {len(counts)} entries repeated; the theorem that it evaluates is machine-checked (Recursion.rss_recursion)"
        ],
    )


def next_values(parts: int, counts: list[int], values: list[int]) -> list[int]:
    """One candidate more: for each entry a line c - w x above the corners of the table, of which the mean gain takes w T (1 - T / parts) / 2."""
    head, new = 0, []
    for i in range(len(counts) - 1, -1, -1):
        value = values[i]
        room = min(counts[i], parts - counts[i + 1]) if i + 1 < len(counts) else 0
        if room > 0:
            corners = corners_from(i, room, counts, values)
            mean = room * (parts - room)
            w = max(0, slope(upper_hull(corners), mean, 2 * parts))
            c = max(0, *(y + w * x for x, y in corners))
            value = min(value, -((w * mean - 2 * parts * c) // (2 * parts)))
        head = max(value, head)
        new.append(head)
    return new[::-1]


def corners_from(i: int, room: int, counts: list[int], values: list[int]) -> list[tuple[int, int]]:
    """(gain, value) where the table steps down, seen from entry i; gains above ``room`` count as ``room``."""
    found = []
    for j in range(i, len(counts)):
        if j + 1 == len(counts) or room <= counts[j + 1] - counts[i]:
            return [*found, (room, values[j])]
        found.append((counts[j + 1] - counts[i], values[j]))
    return found


def upper_hull(corners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    hull: list[tuple[int, int]] = []
    for x, y in corners:
        while len(hull) > 1 and (hull[-1][0] - hull[-2][0]) * (y - hull[-2][1]) >= (x - hull[-2][0]) * (
            hull[-1][1] - hull[-2][1]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


def slope(hull: list[tuple[int, int]], top: int, bottom: int) -> int:
    """How steeply the hull falls at abscissa top / bottom, rounded down."""
    for (x, y), (x1, y1) in zip(hull[-2::-1], hull[:0:-1], strict=True):
        if x * bottom <= top:
            return (y - y1) // max(1, x1 - x)
    return 0
