"""Re-prove a number of Theorem E, H, D, 1 or W (``rss-survival``, ``rss-hooks``, ``rss-drift``, ``rss-restarts``, ``rss-window``) from its certificate.

    python check_bound_certificate.py certificate.json ...

With the Python standard library alone, nothing of the package that found the numbers. E and H: the certificate holds value functions, the convex function used at every
step and cell, and the constants of the early stage; gain, survival probabilities and every inequality of the proof (docs/rss-survival.md, docs/rss-hooks.md) are
recomputed in integers of 2^-112, rounded to the safe side. D and 1: it holds the slope of one line per step and cell, and the value functions are rebuilt
(docs/rss-drift.md, docs/rss-restarts.md). W: it holds the weight and the gap, shown by elimination in whole numbers (docs/rss-window.md). Exit status: 0 accepted, 1 rejected, 2 not a certificate.
"""

from __future__ import annotations

import itertools
import sys
from bisect import bisect_right
from decimal import Decimal, getcontext
from fractions import Fraction
from math import isqrt
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from certificate_reader import MALFORMED, NotACertificate, Rejected, fields, listed, read, whole

FORMAT = "strong_lth bound certificate"
NAMES = "format theorem law candidates tol failure e early steps reserved quadrature table atoms last grid split zero start_vertex tail values above stages"
RECURSION_NAMES = "format theorem law candidates steps tol perturbation failure e gap widened parts"
WINDOW_NAMES = "format theorem law candidates tol failure half phi gap"
LAWS = ("uniform", "triangular", "normal", "product")
# Counts that no list of the file limits, and the sizes of Theorem W: a short file must not ask for hours of work.
MOST = {
    "candidates": 10**4,
    "early": 10**4,
    "steps": 10**4,
    "reserved": 10**3,
    "quadrature": 10**4,
    "table": 2**13,
    "atoms": 2**14,
}
MOST_CELLS, LEAST_WEIGHT = 200, Fraction(1, 1 << 60)
BITS = 112
ONE = 1 << BITS
PSI_BITS = 60
GRID = 1 << 40
getcontext().prec = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
MARGIN = Decimal(10) ** -45


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Rejected(what)


def up(x: Fraction) -> int:
    """Integer of 2^-112 at or above x."""
    return -((-x.numerator << BITS) // x.denominator)


def down(x: Fraction) -> int:
    return (x.numerator << BITS) // x.denominator


def times(a: int, b: int) -> int:
    """Product of two non-negative numbers, rounded up."""
    return (a * b + ONE - 1) >> BITS


# ---------------------------------------------------------------------------------------------------------------------------------------
# Laws: density on (0, inf) and P(|x| <= t), each with a margin on either side


def decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


def both(value: Decimal) -> tuple[int, int]:
    return down(Fraction(value - MARGIN)), up(Fraction(value + MARGIN))


def density(law: str, x: Fraction) -> tuple[int, int]:
    """(lower, upper) bound of the density at x > 0; for the product law of min(density, 6/5), a density below it."""
    if law == "uniform":
        return (ONE >> 1, ONE >> 1) if x <= 1 else (0, 0)
    if law == "triangular":
        return down(max(1 - x, Fraction(0))), up(max(1 - x, Fraction(0)))
    if law == "normal":
        return both((-decimal(x * x) / 2).exp() / (2 * PI).sqrt())
    require(law == "product", f"unknown law {law!r}")
    return both(-decimal(x).ln() / 2) if x < 1 else (0, 0)


def central(law: str, t: Fraction) -> tuple[int, int]:
    if t <= 0:
        return 0, 0
    inside = min(t, Fraction(1))
    if law == "uniform":
        return down(inside), up(inside)
    if law == "triangular":
        return down(inside * (2 - inside)), up(inside * (2 - inside))
    if law == "product":
        return both(decimal(inside) * (1 - decimal(inside).ln()))
    z = decimal(t * t / 2)
    term = decimal(t)
    total, j = term, 0
    while term > MARGIN / 100 or j < 20:  # alternating series of erf; the terms fall after the first few
        j += 1
        term = term * z / j
        total += (-term if j % 2 else term) / (2 * j + 1)
    return both(total * 2 / (2 * PI).sqrt())


def gain(s: Fraction, t: Fraction, length: Fraction) -> Fraction:
    """Lemma 1."""
    v = min(t, s)
    u = min(v, max(length - s, Fraction(0)))
    return v * (min(s, length) + u - v) - u * u / 2


def gain_table(law: str, length: Fraction, intervals: int, atoms: int) -> list[int]:
    """Upper bounds of rho(t) = t - h(t) at t = j L / (2 intervals)."""
    knots = [length * j / (2 * intervals) for j in range(intervals + 1)]
    if law == "uniform":
        return [up(t - gain(Fraction(1), t, length) / 2) for t in knots]
    p = [density(law, length * i / atoms) for i in range(1, atoms + 1)]
    masses = [max(p[i][0] - (p[i + 1][1] if i + 1 < atoms else 0), 0) for i in range(atoms)]
    # lengths in units of L / (2 intervals atoms): s and t are whole numbers
    whole, scale = 2 * intervals * atoms, length / (2 * intervals * atoms)
    table = []
    for j, knot in enumerate(knots):
        t, total = j * atoms, 0
        for i in range(atoms):
            s = 2 * intervals * (i + 1)
            v = t if t < s else s
            u = whole - s if whole - s < v else v
            total += masses[i] * (2 * v * (s + u - v) - u * u)
        h = Fraction(total, ONE) * scale * scale / 2
        table.append(up(knot - h))
    return table


# ---------------------------------------------------------------------------------------------------------------------------------------
# The growth programme


def survival(c: dict, y: list[Fraction]) -> list[tuple[Fraction, Fraction]]:
    """Lemma 6: q at both ends of every cell; 1 for Theorem H."""
    if c["theorem"] == "rss-hooks":
        return [(Fraction(1), Fraction(1))] * (len(y) - 1)
    length = y[-1]
    if c["law"] == "uniform" and length <= 2:
        return [(1 - a / 2, 1 - b / 2) for a, b in itertools.pairwise(y)]
    outside = ONE - central(c["law"], length / 2)[0]
    ends = []
    for a, b in itertools.pairwise(y):
        half = (length - a) / 2
        left = Fraction(outside + central(c["law"], half)[1], ONE)
        right = left - Fraction(density(c["law"], half)[0], ONE) * (b - a)
        ends.append((min(left, Fraction(1)), min(max(right, Fraction(0)), Fraction(1))))
    return ends


def rises(c: dict, y: list[Fraction], q: list[tuple[Fraction, Fraction]]) -> tuple[list[list[int]], list[list[int]]]:
    """r(y_j - a) for both ends a of every cell, rounded up, after checking the points u where r turns into a line."""
    length = y[-1]
    table = gain_table(c["law"], length, c["table"], c["atoms"])
    step = length / (2 * c["table"])

    def rho(t: Fraction) -> Fraction:
        j = min(int(t / step), c["table"] - 1)
        return (table[j] + (table[j + 1] - table[j]) * (t - j * step) / step) / ONE

    result: tuple[list[list[int]], list[list[int]]] = ([], [])
    for i in range(len(y) - 1):
        for side in (0, 1):
            a, u = y[i + side], Fraction(c["split"][side][i])
            require(0 <= u <= min(a, length - a), "a point u leaves the range of Lemma 1")
            if u > 0:
                j = -int(-u // step) - 1 if u % step == 0 else int(u / step)
                slope = Fraction(table[j + 1] - table[j], ONE) / step
                require(slope <= q[i][1], "the slope of rho at u is above q")
            at_u = rho(u)
            row = []
            for z in y:
                ahead = max(z - a, Fraction(0))
                row.append(up(rho(ahead)) if ahead <= u else up(at_u + (ahead - u) * q[i][side]))
            result[side].append(row)
    return result


def check_programme(c: dict, y: list[Fraction]) -> None:
    """V_(k+1) >= Phi_g at both ends of every cell, for a convex g above V_k that is rebuilt here from two whole numbers."""
    last, cells = c["last"], len(y) - 1
    widths = [y[j + 1] - y[j] for j in range(cells)]
    q = survival(c, y)
    left, right = rises(c, y, q)
    for k, (zeros, starts) in enumerate(zip(c["zero"], c["start_vertex"], strict=True)):
        value, new = c["values"][k], c["values"][k + 1]
        tails: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
        for above in c["above"][k]:
            require(
                not above or all(a >= v for a, v in zip(above, value, strict=True)),
                "a tail lies below its value function",
            )
        for i in range(min(last, cells)):
            if starts[i] < 0:
                slopes, end = [0] * cells, min(max(value[i:]), ONE)
            else:
                key = zeros[i], c["tail"][k][i]
                if key not in tails:
                    tails[key] = convex_tail(c["above"][k][key[1]], widths, y, last, key[0])
                slopes, end = with_line(value, y, tails[key], starts[i], i)
            for side, rows in ((0, left), (1, right)):
                row = rows[i]
                total = times(end, up(q[i][side]))
                for j in range(i, cells):
                    if slopes[j]:
                        total += times(slopes[j], max(row[j + 1] - row[j], 0) + 1)
                require(new[i + side] >= total, f"step {k + 1}, cell {i}: the value is too small")


def convex_tail(
    value: list[int], widths: list[Fraction], y: list[Fraction], last: int, zero: int
) -> tuple[list[int], list[int]]:
    """Slopes and values, from the right, of the least convex function above ``value``; right of the jump it is a line to vertex ``zero``."""
    cells = len(widths)
    slopes, g = [0] * cells, [0] * (cells + 1)
    slope = 0 if zero < 0 else ceil(value[last], y[zero] - y[last])
    for j in range(cells, last, -1):
        g[j] = value[last] if zero < 0 else max(0, value[last] - int(slope * (y[j] - y[last])))
        slopes[j - 1] = slope if j <= zero else 0
    g[last] = value[last]
    for j in range(last - 1, -1, -1):
        slope = max(slope, ceil(value[j] - g[j + 1], widths[j]))
        slopes[j], g[j] = slope, g[j + 1] + int(slope * widths[j])
    return slopes, g


def with_line(
    value: list[int], y: list[Fraction], tail: tuple[list[int], list[int]], start: int, i: int
) -> tuple[list[int], int]:
    """The tail right of vertex ``start``; left of it, down to vertex i, one line above ``value``."""
    slopes, g = tail
    if start > i:
        steep = slopes[start] if start < len(slopes) else 0
        for j in range(i, start):
            steep = max(steep, ceil(value[j] - g[start], y[start] - y[j]))
        slopes = slopes[:i] + [steep] * (start - i) + slopes[start:]
    return slopes, g[-1]


def ceil(height: int, width: Fraction) -> int:
    return -(-height * width.denominator // width.numerator)


# ---------------------------------------------------------------------------------------------------------------------------------------
# Start, end and early stage


def check_start(c: dict, y: list[Fraction]) -> None:
    tol, e, length = Fraction(c["tol"]), Fraction(c["e"]), y[-1]
    first = c["values"][0]
    require(all(a < b for a, b in itertools.pairwise(y)) and length >= 1, "the grid is not increasing")
    require(0 < e <= tol and y[0] <= 2 * e, "the start interval is too long")
    require(all(v >= 0 for row in c["values"] for v in row), "a value is negative")
    if c["theorem"] == "rss-survival":
        offset = (length - 1) / 2 if c["law"] == "uniform" and length <= 2 else Fraction(1, 2)
        require(c["last"] == len(y) - 1 and c["reserved"] == 0, "Theorem E has no jump and no end stage")
        require(e <= Fraction(1, 2) and e + offset <= length / 2, "the start interval leaves the window")
        require(all(v >= ONE for v in first), "V_0 must be 1")
        return
    tau = tol - e
    if c["reserved"] == 0:
        stop = tau + min(tau, (length - 1) / 2)
        require(y[c["last"]] >= length - stop, "the gap that ends the chain is too long")
        require(all(v >= ONE for v in first[: c["last"] + 1]), "V_0 must be 1 before the jump")
        return
    require(length >= 1 + 2 * tau and c["last"] == len(y) - 1, "Lemma 5 needs a longer window")
    for i in range(
        len(y) - 1
    ):  # V_0 falls, so its value at the left end of a cell must lie below both ends of the chord
        bound = end_stage(c, length - y[i], tau, length)
        require(first[i] >= min(bound, ONE) and first[i + 1] >= min(bound, ONE), "V_0 is below Lemma 5")


def end_stage(c: dict, b: Fraction, tau: Fraction, length: Fraction) -> int:
    width = min(b, 1 + 2 * tau) / 2
    middle, total = central(c["law"], b / 2)[1], 0
    for j in range(1, c["quadrature"] + 1):
        z = max(Fraction(1, 2) + tau - width + width * j / c["quadrature"], Fraction(0))
        inside = central(c["law"], max(length / 2 - z, Fraction(0)))[0] + central(c["law"], length / 2 + z)[0]
        q = min(middle + ONE - inside // 2, ONE)
        total += -(-(q ** c["reserved"]) >> (BITS * (c["reserved"] - 1)))
    return up(Fraction(total, ONE) * 2 * width / c["quadrature"] / (2 * tau))


def inverse_power(x: int, twice: int, *, bits: int, ceiling: bool = False) -> int:
    """(x 2^-bits)^(-twice / 2), rounded down or up."""
    root = isqrt((1 << (bits * twice + 2 * BITS)) // x**twice)
    return root + 1 if ceiling else root


def check_moment(c: dict, stage: dict, length: Fraction) -> None:
    """Lemma 3 for one theta: the weights psi, the kernels K and the moments M."""
    twice, psi, cells = stage["twice_theta"], stage["psi"], len(stage["psi"][0])
    width, e = length / cells, Fraction(c["e"])
    tops = Fraction(6, 5) * ONE if c["law"] == "product" else ONE
    least = [min(density(c["law"], (d + 1) * width)[0], tops) for d in range(cells)]
    most = [min(density(c["law"], (d - 1) * width)[1], tops) if d > 1 else peak(c["law"]) for d in range(cells)]
    cell = up(width)
    require(all(v <= 1 << PSI_BITS for v in psi[0]) and len(psi) == c["early"] + 1, "psi_0 must be 1")
    for old, new, kernel in zip(psi[:-1], psi[1:], stage["kernels"], strict=True):
        low = [inverse_power(x, twice, bits=PSI_BITS) for x in old]
        pair: dict[int, int] = {}
        saved = []
        for x, alone in zip(old, low, strict=False):
            row = []
            for z in old:
                if x + z not in pair:
                    pair[x + z] = inverse_power(x + z, twice, bits=PSI_BITS, ceiling=True)
                row.append(alone - pair[x + z])
            saved.append(row)
        tops_inverse = [inverse_power(x, twice, bits=PSI_BITS) for x in new]
        for i in range(cells):
            mean = (
                low[i] + 1 - sum(least[abs(i - j)] * saved[i][j] for j in range(cells)) // ONE * (cell - 1) // ONE + 1
            )
            require(tops_inverse[i] >= mean, "a weight psi grows too fast")
        for i in range(cells):
            for j in range(i + 1):
                first = (saved[i][j] + 2) * ONE // tops_inverse[i] * (1 << PSI_BITS) // new[j]
                second = (saved[j][i] + 2) * ONE // tops_inverse[j] * (1 << PSI_BITS) // new[i]
                require(
                    Fraction(kernel) * 2 * ONE * ONE >= most[i - j] * (first + second + 4), "a kernel K is too small"
                )
    offset = Fraction(0)
    if c["theorem"] == "rss-survival":
        offset = (length - 1) / 2 if c["law"] == "uniform" and length <= 2 else Fraction(1, 2)
    reach = min(-int(-(e + offset) // width), cells // 2)
    nearby = Fraction(min(psi[-1][cells // 2 - reach : cells // 2 + reach]), 1 << PSI_BITS)
    moments = [Fraction(m) for m in stage["moments"]]
    require(moments[0] > 0 and moments[0] ** 2 * (2 * e * nearby) ** twice >= 1, "M_0 is too small")
    for j, (old_moment, new_moment) in enumerate(itertools.pairwise(moments)):
        kernel = Fraction(stage["kernels"][c["early"] - 1 - j])
        step = new_moment - old_moment
        require(step > 0 and step**twice >= kernel**twice * old_moment ** (twice - 2), "a moment M is too small")


def peak(law: str) -> int:
    """The density near 0 (cut at 6/5 for the product law)."""
    return {
        "uniform": ONE >> 1,
        "triangular": ONE,
        "product": ONE * 6 // 5 + 1,
        "normal": density(law, Fraction(1, 10**30))[1] + 1,
    }[law]


def bound_of(c: dict, y: list[Fraction]) -> Fraction:
    """What has been proved: V_k at the start, or sum C_theta M_m(theta) with sum C_theta a^-theta above V_k."""
    value = c["values"][-1]
    if not c["early"]:
        return Fraction(value[0], ONE)
    for i in range(min(c["last"], len(y) - 1)):
        middle, half = (y[i] + y[i + 1]) / 2, (y[i + 1] - y[i]) / 2
        at = [Fraction(0), Fraction(0)]
        for stage in c["stages"]:
            theta = Fraction(stage["twice_theta"], 2)
            ends = [
                inverse_power(int(middle * GRID * 2), stage["twice_theta"], bits=41, ceiling=flag)
                for flag in (False, True)
            ]
            for side, factor in ((0, 1 + theta * half / middle), (1, 1 - theta * half / middle)):
                at[side] += Fraction(stage["share"]) * ends[factor < 0] * factor
        require(at[0] >= value[i] and at[1] >= value[i + 1], f"cell {i}: the powers do not lie above V_k")
    return sum((Fraction(s["share"]) * Fraction(s["moments"][-1]) for s in c["stages"]), Fraction(0))


def check_shape(c: dict) -> None:
    """Every count a whole number in its range, every list as long as it must be: no index may run backwards, no loop may be empty."""
    fields(c, *NAMES.split())
    require(c["format"] == FORMAT, "another format")
    require(c["theorem"] in ("rss-survival", "rss-hooks"), f"unknown theorem {c['theorem']!r}")
    require(c["law"] in LAWS, f"unknown law {c['law']!r}")
    for value in (c["tol"], c["failure"], c["e"], *itertools.chain(*listed(c["split"], 2))):
        plain(value)
    for name, most in MOST.items():
        whole(c[name], int(name in ("quadrature", "table", "atoms")), most)
    vertices, steps = len(listed(c["grid"])), c["steps"]
    whole(c["last"], 0, vertices - 1)
    for value in c["grid"]:
        whole(value, 1, GRID * 10**6)
    for row in listed(c["values"], steps + 1):
        for value in listed(row, vertices):
            whole(value, 0, 1 << (2 * BITS))
    for name in ("zero", "start_vertex", "tail"):
        for row in listed(c[name], steps):
            for value in listed(row):
                whole(value, -1, vertices - 1)
    for row in c["zero"]:
        require(all(zero < 0 or zero > c["last"] for zero in row), "a line ends before the jump")
    for functions in listed(c["above"], steps):
        for row in listed(functions):
            for value in listed(row, vertices if row else 0):
                whole(value, 0, 1 << (2 * BITS))
    require(bool(c["stages"]) == bool(c["early"]), "an early stage without moments, or moments without it")
    for stage in listed(c["stages"]):
        fields(stage, "twice_theta", "share", "psi", "kernels", "moments")
        whole(stage["twice_theta"], 1, 100)
        cells = len(listed(stage["psi"], c["early"] + 1)[0])
        require(cells >= 2 and cells % 2 == 0, "the window is not cut into an even number of cells")
        for row in stage["psi"]:
            for value in listed(row, cells):
                whole(value, 1, 1 << (4 * PSI_BITS))
        for value in (stage["share"], *listed(stage["kernels"], c["early"]), *listed(stage["moments"], c["early"] + 1)):
            plain(value)
            require(value >= 0, "a share, kernel or moment is negative")


def check_growth(c: dict) -> Fraction:
    """Theorems E and H."""
    check_shape(c)
    y = [Fraction(v, GRID) for v in c["grid"]]
    require(len(c["values"]) == c["steps"] + 1 == len(c["zero"]) + 1, "the number of steps is wrong")
    require(c["candidates"] == c["early"] + c["steps"] + c["reserved"], "the numbers of candidates do not add up")
    check_start(c, y)
    check_programme(c, y)
    for stage in c["stages"]:
        check_moment(c, stage, y[-1])
    return bound_of(c, y)


# ---------------------------------------------------------------------------------------------------------------------------------------
# Theorems D and 1: the martingale programme, for U[-1, 1]


def value_at(y: list[int], value: list[int], at: int) -> int:
    """The piecewise linear nonincreasing ``value`` at a point, rounded up: 1 left of the grid, the last value right of it."""
    if at < y[0]:
        return ONE
    if at >= y[-1]:
        return value[-1]
    j = bisect_right(y, at) - 1
    return value[j] - (value[j] - value[j + 1]) * (at - y[j]) // (y[j + 1] - y[j])


def step_of_lines(
    y: list[int], value: list[int], beyond: int, slopes: list[float | None], restart: list[int], widened: int
) -> list[int]:
    """One candidate more: under a line f - s x above ``value`` on [y_i, min(1, 2 y_(i+1) + k)], E V(P) <= f - s m(p) at both ends of cell i."""
    new = [0] * len(y)
    mean = [v + (ONE - v) * min(ONE, v + widened) // (2 * ONE) for v in y]
    require(len(slopes) == len(y) - 1, "a step does not have one slope per cell")
    for i, given in enumerate(slopes):
        if given is None:
            ends = [restart[i]] * 2
        else:
            s = int(Fraction(given) * ONE)
            require(s >= 0, "a line rises")
            top = min(ONE, 2 * y[i + 1] + widened)
            j = bisect_right(y, top)
            height = max(v * ONE + s * x for v, x in zip(value[i:j], y[i:j], strict=True))
            height = max(height, (beyond if top > y[-1] else value_at(y, value, top)) * ONE + s * top)
            ends = [-((s * mean[i + side] - height) // ONE) for side in (0, 1)]
        new[i], new[i + 1] = max(new[i], ends[0]), max(new[i + 1], ends[1])
    for i in range(len(y) - 2, -1, -1):
        new[i] = max(new[i], new[i + 1])
    last = max((i for i, v in enumerate(new) if v > ONE), default=0)
    return [ONE if i < last else v for i, v in enumerate(new)]


def recursion_shape(c: dict) -> None:
    """Exactly the fields of Theorems D and 1, numbers where numbers belong, one slope per step and cell."""
    fields(c, *RECURSION_NAMES.split())
    require(c["format"] == FORMAT, "another format")
    for name in ("tol", "perturbation", "failure", "e", "gap", "widened"):
        plain(c[name])
    whole(c["candidates"], 0, MOST["candidates"])
    whole(c["steps"], 0, c["candidates"])
    require(len(listed(c["parts"])) in (1, 2), "at most one restart is certified")
    for part, more in zip(c["parts"], (0, 1), strict=False):
        fields(part, "grid", "slopes")
        vertices = len(listed(part["grid"]))
        require(vertices >= 2, "a grid without cells")
        for value in part["grid"]:
            whole(value, 0, 1 << 50)
        for row in listed(part["slopes"], c["steps"] + more):
            for slope in listed(row, vertices - 1):
                if slope is not None or not more:
                    plain(slope)


def plain(value: object) -> None:
    if type(value) not in (int, float):
        raise NotACertificate(f"{value!r} is not a number")


def check_recursion(c: dict) -> Fraction:
    recursion_shape(c)
    tol, eps, e, gap, widened = (Fraction(c[name]) for name in ("tol", "perturbation", "e", "gap", "widened"))
    levels = len(c["parts"]) - 1
    require(
        c["law"] == "uniform" and levels in (0, 1) and c["steps"] <= c["candidates"], "not a question of this theorem"
    )
    require(
        0 <= e <= Fraction(1, 2) and 0 < gap < 1 and 2 * e + widened > 0 <= widened <= gap, "e, g or k is out of range"
    )
    if c["theorem"] == "rss-drift":
        require(levels == 0, "Theorem D has no restart")
        require(
            widened <= eps and (e + gap <= tol or (e == 0 and gap + widened <= tol + eps)),
            "e, g and k spend more than the allowances",
        )
    else:
        require(widened == 0 <= eps and e + gap <= tol + levels * eps, "e and g spend more than the allowances")
    grids = [[v << (BITS - 50) for v in part["grid"]] for part in c["parts"]]
    require(all(a < b for y in grids for a, b in itertools.pairwise(y)), "a grid is not increasing")
    require(grids[0][-1] >= up(1 - gap) and grids[-1][0] <= down(2 * e), "a grid is too short")
    y, k = grids[0], up(widened)
    values = [[ONE] * len(y)]
    for slopes in c["parts"][0]["slopes"]:
        values.append(step_of_lines(y, values[-1], 0, slopes, [ONE] * len(y), k))
    if levels == 0:
        return Fraction(value_at(y, values[c["steps"]], down(2 * e)), ONE)
    first, value = grids[1], [ONE] * len(grids[1])
    for steps, slopes in enumerate(c["parts"][1]["slopes"]):
        require(steps > 0 or all(s is None for s in slopes), "a line is used without a candidate")
        restart = [value_at(y, values[steps], v - first[0]) for v in first[:-1]]
        value = step_of_lines(first, value, value[-1], slopes, restart, 0)
    return Fraction(value[0], ONE)


# ---------------------------------------------------------------------------------------------------------------------------------------
# Theorem W: a spectral gap, shown by fraction-free elimination


def check_window(c: dict) -> Fraction:
    fields(c, *WINDOW_NAMES.split())
    require(c["format"] == FORMAT and c["law"] in LAWS, "another format or law")
    whole(c["candidates"], 0, MOST["candidates"])
    for value in (c["tol"], c["failure"], c["half"], c["gap"], *listed(c["phi"])):
        plain(value)
    half, gap, tol = Fraction(c["half"]), Fraction(c["gap"]), Fraction(c["tol"])
    phi = [Fraction(v) for v in c["phi"]]
    cells, width = len(phi), 2 * half / len(phi)
    require(
        half >= Fraction(1, 2) and cells % 2 == 0 and min(phi) > 0 and 0 < gap < 1 and 0 < tol <= 1,
        "not a question of this theorem",
    )
    small = cells <= MOST_CELLS and max(half, *phi) <= 1 / LEAST_WEIGHT
    require(small and min(gap, *phi) >= LEAST_WEIGHT, "more work than a certificate may ask for")
    least = [Fraction(density(c["law"], (d + 1) * width)[0], ONE) for d in range(cells)]
    w, total = [v * width for v in phi], sum(phi) * width
    k = [[down(least[abs(i - j)] * w[i] * w[j] / (phi[i] + phi[j])) for j in range(cells)] for i in range(cells)]
    require(all(sum(row) >= up(gap * weight) for row, weight in zip(k, w, strict=True)), "a cell leaks too little")
    # Laplacian of weights below K - gap w w / M; it kills constants, so the first row and column go
    excess = [[k[i][j] - up(gap * w[i] * w[j] / total) if i != j else 0 for j in range(cells)] for i in range(cells)]
    matrix = [[sum(excess[i]) if i == j else -excess[i][j] for j in range(1, cells)] for i in range(1, cells)]
    before = 1
    for p in range(cells - 1):
        require(matrix[p][p] > 0, "the form is not positive")
        for i in range(p + 1, cells - 1):
            for j in range(i, cells - 1):
                matrix[i][j] = (matrix[p][p] * matrix[i][j] - matrix[p][i] * matrix[p][j]) // before
        before = matrix[p][p]

    def smallest(reach: Fraction) -> Fraction:
        touched = min(-int(-reach // width), cells // 2)
        return min(phi[cells // 2 - touched : cells // 2 + touched])

    return (1 - gap) ** c["candidates"] * 2 * total**2 / (smallest(tol / 2) * smallest(Fraction(1, 2)) * tol**2)


def check(c: dict) -> Fraction:
    """The failure probability that the certificate proves; Rejected if a step does not hold."""
    others = {"rss-drift": check_recursion, "rss-restarts": check_recursion, "rss-window": check_window}
    theorem = c.get("theorem")
    proved = others.get(theorem if isinstance(theorem, str) else "", check_growth)(c)
    require(proved >= 0, "a probability below 0 is proved")  # no inequality above can give it: a fault of this program
    require(proved <= Fraction(c["failure"]), f"only {float(proved)} is proved")
    return proved


def check_document(c: dict) -> tuple[str, list[str]]:
    """(claim, log); Rejected if a step does not hold."""
    proved = check(c)
    quantifier = "any one target" if c["theorem"] == "rss-survival" else "some target"
    shifts = f" + {c['perturbation']} |S|" if c.get("perturbation") else ""
    claim = f"{c['candidates']} {c['law']} candidates: P({quantifier} of [-1/2, 1/2] is missed by more than {c['tol']}{shifts}) <= {float(proved):.6g}"
    return claim, [
        f"every inequality of {c['theorem']} holds in integers of 2^-{BITS}; the theorem itself is proved on paper"
    ]


def main(paths: list[str]) -> int:
    for path in paths:
        try:
            claim, _ = check_document(read(Path(path)))
        except Rejected as error:
            print(f"{path}: REJECTED: {error}")
            return 1
        except (OSError, NotACertificate, *MALFORMED) as error:
            print(f"{path}: not a certificate: {error!r}")
            return 2
        print(f"{path}: accepted. {claim}")
    return 0 if paths else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
