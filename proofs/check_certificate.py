"""Re-prove a certificate with the Python standard library alone.

    python check_certificate.py certificate.json [--json]

Nothing of the package that wrote the file is imported. Certificates of subset sums, batches and coverage are re-proved by ``check_sums``, of the recursion by ``check_recursion``,
of other bounds by ``check_bound_certificate``; this file re-proves whole strong lottery tickets. From the seed in the file this program draws the kept random weights again, re-proves in exact
rationals that they add up to the target's weights within the stated tolerances, recomputes the bounds on the output error, and evaluates both networks at the
worst input that was found. Exit status: 0 accepted, 1 rejected, 2 not a certificate, 3 nothing failed, but weights of this law cannot be derived from the seed here.

How one weight is followed: ``layout`` says which unit serves which input and sign; ``kept_weights`` draws its two weights; ``residuals``
adds up even x |odd| over the kept units of a target weight and subtracts that weight; ``recheck_bounds`` turns all residuals into an output error.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import struct
import sys
from fractions import Fraction
from math import ceil, floor, isqrt, lcm
from operator import mul
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from certificate_reader import MALFORMED, NotACertificate, Rejected, check_hash, fields, number, read, whole

FORMAT, VERSION = "strong_lth certificate", 1
KEY_TAG = 0x7374726F6E675F31
LARGEST_EXPONENT, LARGEST_WIDTH, MOST_UNITS = 2000, 10**6, 10**7
WORD = (1 << 64) - 1


# ---------------------------------------------------------------------------------------------------------------------------------------
# Random words


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """One block of Philox4x64-10 (Salmon, Moraes, Dror, Shaw 2011)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p, q = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (q >> 64) ^ c1 ^ k0, q & WORD, (p >> 64) ^ c3 ^ k1, p & WORD
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & WORD, (k1 + 0xBB67AE8584CAA73B) & WORD
    return c0, c1, c2, c3


def word(seed: int, a: int, b: int, c: int, position: int) -> int:
    """Word ``position`` of stream (a, b, c)."""
    return philox((1 + position // 4, a, b, c), (seed, KEY_TAG))[position % 4]


# ---------------------------------------------------------------------------------------------------------------------------------------
# Laws


def uniform_exponent(law: dict) -> int | None:
    """k if the law is U[-2^k, 2^k], whose weights an integer recipe derives; else None."""
    factor = Fraction(1)
    while law["law"] == "Scaled":
        fields(law, "law", "factor", "of")
        factor *= number(law["factor"])
        law = law["of"]
    if law["law"] != "Uniform" or number(law["low"]) != -number(law["high"]):
        return None
    fields(law, "law", "low", "high")
    width = number(law["high"]) * factor
    k = width.numerator.bit_length() - width.denominator.bit_length()
    return k if width == Fraction(2) ** k else None


def uniform_weight(drawn: int, exponent: int, coarse: bool) -> Fraction:
    """The weight of U[-2^k, 2^k] that a word stands for, on the grid 2^(k-40), or 2^(k-24) where products must stay exact."""
    bits, drop = (24, 39) if coarse else (40, 23)
    return Fraction((drawn >> drop) - (1 << bits)) * Fraction(2) ** (exponent - bits)


# ---------------------------------------------------------------------------------------------------------------------------------------
# The source network


def input_box(domain: dict, size: int) -> tuple[list[Fraction], list[Fraction]]:
    """A box that contains the domain."""

    def ends(value: object) -> list[Fraction]:
        return [number(v) for v in value] if isinstance(value, list) else [number(value)] * size

    fields(domain, "kind", *(("low", "high") if domain["kind"] == "box" else ("radius", "center")))
    if domain["kind"] == "box":
        low, high = ends(domain["low"]), ends(domain["high"])
    elif domain["kind"] == "ball":
        center, radius = ends(domain["center"]), number(domain["radius"])
        low, high = [c - radius for c in center], [c + radius for c in center]
    else:
        raise NotACertificate(f"unknown domain {domain['kind']!r}")
    if len(low) != size or len(high) != size or any(a > b for a, b in zip(low, high, strict=True)):
        raise Rejected("the domain does not fit the inputs of the target")
    return low, high


def layout(
    layer: int, inputs: int, bias: bool, low: list[Fraction], width: int, first: str
) -> list[tuple[int, int, int]]:
    """(input, half, rank) of every unit, in column order; the bias is input number ``inputs``."""
    units = []
    for position in range(inputs + int(bias)):
        two_sided = layer == 1 and position < inputs and low[position] < 0
        if first == "BalancedSigns":
            units += [(position, half, rank) for half in range(1 + two_sided) for rank in range(width)]
        else:
            units += [(position, 0, rank) for rank in range(2 * width)]
    return units


class Source:
    """Draws single weights of the source on demand."""

    def __init__(self, record: dict, depth: int) -> None:
        fields(record, "seed", "law", "first", "widths", "kept_sha256")
        self.seed = whole(record["seed"], 0, 2**64 - 1)
        self.widths = [whole(width, 1, LARGEST_WIDTH) for width in record["widths"]]
        if len(self.widths) != depth:
            raise NotACertificate("not one width per layer")
        self.first = record["first"]["law"]
        self.exponent = uniform_exponent(record["law"])
        if self.first == "Uniform":
            if uniform_exponent(record["first"]) != 0:
                raise NotACertificate("the law of the first sublayer is not U[-1, 1]")
        elif self.first not in ("BalancedSigns", "RandomSigns") or set(record["first"]) != {"law"}:
            raise NotACertificate(f"unknown law of the first sublayer {record['first']!r}")

    def odd(self, layer: int, unit: tuple[int, int, int]) -> Fraction:
        """The kept incoming weight of a unit."""
        position, half, rank = unit
        if self.first == "BalancedSigns":
            return Fraction(1 - 2 * half)
        drawn = word(self.seed, rank, 2 * position, 2 * layer - 1, position)
        return Fraction(1 - 2 * (drawn >> 63)) if self.first == "RandomSigns" else uniform_weight(drawn, 0, coarse=True)

    def even(self, layer: int, unit: tuple[int, int, int], output: int) -> Fraction | None:
        """The weight from a unit to an output; None for laws that no integer recipe derives."""
        if self.exponent is None:
            return None
        position, half, rank = unit
        drawn = word(self.seed, rank, 2 * position + half, 2 * layer, output)
        return uniform_weight(drawn, self.exponent, coarse=self.first == "Uniform")


def rescaled(document: dict) -> list[dict]:
    """Target layers after the row scales and the gain: {"weight": rows, "bias": row or None} in rationals."""
    fields(document["scaling"], "rows", "gain")
    limit = LARGEST_EXPONENT
    rows = [[whole(a, -limit, limit) for a in row] for row in document["scaling"]["rows"]]
    gain = whole(document["scaling"]["gain"], 0, limit)
    target = [fields(entry, "weight", "bias") for entry in document["target"]]
    left = [*rows, [-gain] * len(target[-1]["weight"])]
    right = [[0] * len(target[0]["weight"][0]), *rows]
    layers = []
    for entry, out, into in zip(target, left, right, strict=True):
        weight = [
            [number(w) * Fraction(2) ** (a - c) for w, c in zip(row, into, strict=True)]
            for row, a in zip(entry["weight"], out, strict=True)
        ]
        bias = (
            None
            if entry["bias"] is None
            else [number(b) * Fraction(2) ** a for b, a in zip(entry["bias"], out, strict=True)]
        )
        layers.append({"weight": weight, "bias": bias})
    return layers


# ---------------------------------------------------------------------------------------------------------------------------------------
# Gadgets


def residuals(document: dict, source: Source, layers: list[dict], low: list[Fraction], log: list[str]) -> list[dict]:
    """Exact residuals of every layer; Rejected if a kept weight, a shift or a served weight breaks its promise.

    Returns {"weight", "bias", "positive", "negative"}: effective minus target weight for inputs >= 0 and < 0, bias last.
    """
    perturbation = number(document["perturbation"])
    digest = hashlib.sha256()
    result = []
    for index, (layer, entry, tol) in enumerate(
        zip(layers, document["layers"], document["weight_tol"], strict=True), start=1
    ):
        weight, bias = layer["weight"], layer["bias"]
        fields(entry, "keep", *(("grid", "grid_exponent") if source.exponent is None else ()), optional=("shift",))
        inputs, outputs = len(weight[0]), len(weight)
        if 2 * (inputs + 1) * source.widths[index - 1] > MOST_UNITS:
            raise NotACertificate(f"layer {index} has more units than {MOST_UNITS}")
        units = layout(index, inputs, bias is not None, low, source.widths[index - 1], source.first)
        odd, kept = kept_weights(entry, source, index, units, outputs)
        hash_layer(digest, index, inputs, units, outputs, odd, kept)
        targets = [row + ([bias[i]] if bias is not None else []) for i, row in enumerate(weight)]
        positive = [[-w for w in row] for row in targets]
        negative = [[-w for w in row] for row in targets]
        for output in range(outputs):
            for slot, (unit, even) in enumerate(kept[output]):
                moved = even + shift_of(entry, output, slot, perturbation, even)
                position = units[unit][0]
                if odd[unit] > 0:
                    positive[output][position] += moved * odd[unit]
                else:
                    negative[output][position] -= moved * -odd[unit]
        two_sided = [index == 1 and j < inputs and low[j] < 0 for j in range(len(targets[0]))]
        worst = check_served(document["unserved"], index, positive, negative, two_sided, number(tol))
        log.append(
            f"layer {index}: {sum(map(len, kept))} kept weights drawn again, largest served residual {float(worst):.3e} <= {float(number(tol)):.3e}"
        )
        result.append(
            {"weight": weight, "bias": bias, "positive": positive, "negative": negative if any(two_sided) else None}
        )
    if digest.hexdigest() != document["source"]["kept_sha256"]:
        raise Rejected("the kept weights drawn from the seed do not match their hash")
    return result


def kept_weights(entry: dict, source: Source, layer: int, units: list, outputs: int) -> tuple[dict, list]:
    """Odd weight of every unit in use, and (unit, even weight) of every kept entry by output."""
    if len(entry["keep"]) != outputs:
        raise Rejected(f"layer {layer}: kept lists for {len(entry['keep'])} outputs, the target has {outputs}")
    odd: dict[int, Fraction] = {}
    kept = []
    for output, chosen in enumerate(entry["keep"]):
        if any(type(u) is not int or not 0 <= u < len(units) for u in chosen) or any(
            a >= b for a, b in itertools.pairwise(chosen)
        ):
            raise Rejected(f"layer {layer}, output {output}: kept units are not an increasing list of units")
        row = []
        for slot, unit in enumerate(chosen):
            if unit not in odd:
                odd[unit] = source.odd(layer, units[unit])
            even = source.even(layer, units[unit], output)
            if even is None:
                even = Fraction(
                    whole(entry["grid"][output][slot], -(2**62), 2**62), 2 ** whole(entry["grid_exponent"], 0, 200)
                )
            row.append((unit, even))
        kept.append(row)
    return odd, kept


def hash_layer(digest: object, layer: int, inputs: int, units: list, outputs: int, odd: dict, kept: list) -> None:
    """Feed name, shape and kept entries of both matrices to the hash."""
    digest.update(f"{2 * layer - 1}.weight {(len(units), inputs)}".encode())  # type: ignore[attr-defined]
    digest.update(b"".join(struct.pack("<d", odd[unit]) for unit in sorted(odd)))  # type: ignore[attr-defined]
    digest.update(f"{2 * layer}.weight {(outputs, len(units))}".encode())  # type: ignore[attr-defined]
    digest.update(b"".join(struct.pack("<d", even) for row in kept for _, even in row))  # type: ignore[attr-defined]


def shift_of(entry: dict, output: int, slot: int, perturbation: Fraction, even: Fraction) -> Fraction:
    """The shift of one kept weight, within the perturbation, to a weight that is a double."""
    if "shift" not in entry:
        return Fraction(0)
    if len(entry["shift"][output]) != len(entry["keep"][output]):
        raise Rejected(f"output {output}: as many shifts as kept weights are needed")
    shift = number(entry["shift"][output][slot])
    if abs(shift) > perturbation:
        raise Rejected(f"a shift of {float(shift)!r} exceeds the perturbation {float(perturbation)!r}")
    if Fraction(float(even + shift)) != even + shift:
        raise Rejected(f"a weight moved by {float(shift)!r} is not a double")
    return shift


def check_served(
    unserved: list, layer: int, positive: list, negative: list, two_sided: list[bool], tol: Fraction
) -> Fraction:
    """Largest residual of a served weight; Rejected if it exceeds its tolerance."""
    excused = {(output, position, half) for where, output, position, half in unserved if where == layer}
    inside = {
        (i, j, h) for i, row in enumerate(positive) for j in range(len(row)) for h in ("+-" if two_sided[j] else "+")
    }
    if not excused <= inside:
        raise Rejected(f"layer {layer}: a weight is listed as not served that the target does not have")
    worst = Fraction(0)
    for output, row in enumerate(positive):
        for position, residual in enumerate(row):
            halves = [("+", residual)] + ([("-", negative[output][position])] if two_sided[position] else [])
            for half, value in halves:
                if (output, position, half) in excused:
                    continue
                if abs(value) > tol:
                    raise Rejected(
                        f"layer {layer}, output {output}, input {position}, half {half}: residual {float(value):.3e} exceeds {float(tol):.3e}"
                    )
                worst = max(worst, abs(value))
    return worst


# ---------------------------------------------------------------------------------------------------------------------------------------
# Bounds on the difference of two networks
#
# A *layer* is a dict of exact numbers (int, Fraction, or float for the double it is), W of ``outputs`` rows of ``inputs`` entries:
#
#     weight             W   rows                   the target's layer is z -> W z + b
#     bias               b   list, or None for 0
#     residual           E+  rows                   the ticket's is z -> (W + E+) max(z, 0) - (W + E-) max(-z, 0) + b + e
#     residual_negative  E-  rows, or None for E+   read in the first layer only: behind a ReLU no input is negative
#     bias_residual      e   list, or None for 0
#
# Both networks apply a ReLU behind every layer but the last. Inputs lie between the lists ``low`` and ``high``; with ``ball=True``, in the
# Euclidean ball that touches the sides of this cube. The target's values h and the gaps d = (ticket's value - h) go through the layers
# together:
#
#     d' = (W + E) d + E h + e,    h' = W h + b,    then    (h, d) -> (relu(h), relu(h + d) - relu(h)).


# ---------------------------------------------------------------------------------------------------------------------------------------
# Exact numbers as integers over one denominator


def common_denominator(*tables):
    """Least q that makes every entry of every list (or list of rows) an integer over q."""
    q = 1
    for table in tables:
        for row in table:
            for entry in row if isinstance(row, list | tuple) else (row,):
                denominator = entry.as_integer_ratio()[1]
                if q % denominator:
                    q = lcm(q, denominator)
    return q


def over(q, values):
    """Numerators over q of a list of numbers."""
    return [top * (q // bottom) for top, bottom in (value.as_integer_ratio() for value in values)]


def integer_layer(layer):
    """(q, W, W + E+, E+, E- or None, b, e): the layer's matrices and vectors as integers over q."""
    zeros = [0] * len(layer["weight"])
    bias, bias_residual = layer["bias"] or zeros, layer["bias_residual"] or zeros
    minus = layer.get("residual_negative")
    q = common_denominator(layer["weight"], layer["residual"], minus or [], bias, bias_residual)
    weight = [over(q, row) for row in layer["weight"]]
    residual = [over(q, row) for row in layer["residual"]]
    ticket = [[w + e for w, e in zip(*rows, strict=True)] for rows in zip(weight, residual, strict=True)]
    negative = None if minus is None else [over(q, row) for row in minus]
    return q, weight, ticket, residual, negative, over(q, bias), over(q, bias_residual)


def dot(row, column):
    return sum(map(mul, row, column))


def size_dot(row, column):
    """Sum of |entry| times column."""
    return sum(map(mul, map(abs, row), column))


def ceiling(top, bottom):
    return -(-top // bottom)


def relu_gap(low, high, gap_low, gap_high, quarters):
    """Exact range of 4 (relu(h + d) - relu(h)) - quarters d over the box of (h, d), for slopes quarters / 4 in [0, 1].

    Monotone in h for each d, and convex in d for each h with its kink at d = -h: the largest value is at a corner, the smallest at an
    end of h, with d at the kink or as near to it as the box allows.
    """

    def value(h, d):
        return 4 * (max(h + d, 0) - max(h, 0)) - quarters * d

    kinks = [(h, min(max(-h, gap_low), gap_high)) for h in (low, high)]
    return (
        min(value(h, d) for h, d in kinks),
        max(value(h, d) for h in (low, high) for d in (gap_low, gap_high)),
    )


# ---------------------------------------------------------------------------------------------------------------------------------------
# Difference intervals, exactly. A range is (low, high, gap_low, gap_high), integers over a common denominator.


def difference_interval(layers, low, high, ball=False):
    """Upper bound of |g(x)_i - f(x)_i| over the inputs for each output i, as a list of Fractions: exact interval arithmetic."""
    scale, ranges = difference_ranges(layers, low, high, ball)[-1]
    return [Fraction(max(-r[2], r[3]), scale) for r in ranges]


def difference_ranges(layers, low, high, ball=False):
    """(denominator, ranges) in front of each ReLU, and of the outputs last."""
    scale = common_denominator(low, high) << (128 if ball else 0)  # room for square roots
    low, high = over(scale, low), over(scale, high)
    levels = []
    for layer in layers:
        q, weight, ticket, residual, negative, bias, bias_residual = integer_layer(layer)
        if levels:
            state = [after_relu(*r) for r in levels[-1][1]]
            low, high, gap_low, gap_high = (list(ends) for ends in zip(*state, strict=True))
            gaps = sums_and_widths(gap_low, gap_high)
            carried = [image(row, *gaps) for row in ticket]
            added = [image(row, *sums_and_widths(low, high)) for row in residual]
        else:
            carried = [(0, 0)] * len(weight)
            added = [
                first_gap(plus, minus, low, high) for plus, minus in zip(residual, negative or residual, strict=True)
            ]
        values = sums_and_widths(low, high)
        ranges = []
        for row, b, e, old, new in zip(weight, bias, bias_residual, carried, added, strict=True):
            below, above = image(row, *values)
            shift, gap_shift = b * scale, e * scale
            ranges.append((below + shift, above + shift, old[0] + new[0] + gap_shift, old[1] + new[1] + gap_shift))
        if ball and not levels:
            round_ranges = ball_ranges(weight, residual, negative or residual, low, high)
            shifts = [(b * scale, b * scale, e * scale, e * scale) for b, e in zip(bias, bias_residual, strict=True)]
            ranges = [
                cut(r, [end + by for end, by in zip(other, shift, strict=True)])
                for r, other, shift in zip(ranges, round_ranges, shifts, strict=True)
            ]
        scale *= q
        levels.append((scale, ranges))
    return levels


def ball_ranges(weight, plus, minus, low, high):
    """Ranges of the first layer without biases: the value at the center of the ball, and radius times the Lipschitz constant of each row."""
    center = [(a + b) // 2 for a, b in zip(low, high, strict=True)]  # exact: low and high are multiples of 2^128
    radius = max(b - c for b, c in zip(high, center, strict=True))
    for row, p_row, m_row in zip(weight, plus, minus, strict=True):
        value, reach = dot(row, center), root_up(dot(row, row) * radius**2)
        gap = sum((p if c >= 0 else m) * c for p, m, c in zip(p_row, m_row, center, strict=True))
        gap_reach = root_up(sum(max(abs(p), abs(m)) ** 2 for p, m in zip(p_row, m_row, strict=True)) * radius**2)
        yield value - reach, value + reach, gap - gap_reach, gap + gap_reach


def root_up(square):
    """Least integer not below the square root."""
    root = isqrt(square)
    return root if root * root == square else root + 1


def cut(mine, other):
    """What two ranges both allow."""
    return max(mine[0], other[0]), min(mine[1], other[1]), max(mine[2], other[2]), min(mine[3], other[3])


def after_relu(low, high, gap_low, gap_high):
    least, most = relu_gap(low, high, gap_low, gap_high, 0)
    return max(low, 0), max(high, 0), least // 4, most // 4


def sums_and_widths(low, high):
    return [a + b for a, b in zip(low, high, strict=True)], [b - a for a, b in zip(low, high, strict=True)]


def image(row, sums, widths):
    """Range of row . z for z with the given sums and differences of its ends (both even together, so halving is exact)."""
    middle, reach = dot(row, sums), size_dot(row, widths)
    return (middle - reach) // 2, (middle + reach) // 2


def first_gap(plus, minus, low, high):
    """Range of sum_j plus_j max(z_j, 0) - minus_j max(-z_j, 0): coordinate by coordinate, 0 is attained only where the sign changes."""
    least = most = 0
    for p, m, a, b in zip(plus, minus, low, high, strict=True):
        ends = [(p if a >= 0 else m) * a, (p if b >= 0 else m) * b]
        if a < 0 < b:
            ends.append(0)
        least += min(ends)
        most += max(ends)
    return least, most


# ---------------------------------------------------------------------------------------------------------------------------------------
# Joint zonotope in fixed point. Numbers are integers in units of 2^-BITS; each rounding adds to the slack of its coordinate.

BITS = 160
ONE = 1 << BITS
SLOPES = (2, 1, 3, 0, 4)  # quarters, tried in this order for each gap
MARGIN = 10**6  # a later slope must beat the best so far by one part in MARGIN


class Affine:
    """h and d of one level: center + sum of symbols xi_k in [-1, 1], up to slack, for h ("value") and for d ("gap").

    ``symbols`` is a list of pairs (value vector, gap vector), None for a zero vector. The first ``in_ball`` symbols lie together in the
    Euclidean unit ball instead.
    """

    def __init__(self, value, value_slack, gap, gap_slack, symbols, in_ball):
        self.value, self.value_slack, self.gap, self.gap_slack = value, value_slack, gap, gap_slack
        self.symbols, self.in_ball = symbols, in_ball

    def ends(self, neurons):
        """Ranges (low, high, gap_low, gap_high) and the ends of h + d, for each neuron."""
        value_reach, gap_reach, sum_reach = list(self.value_slack), list(self.gap_slack), [0] * neurons
        squares = [(0, 0, 0)] * neurons
        for place, (value, gap) in enumerate(self.symbols):
            for i in range(neurons):
                v, g = value[i] if value else 0, gap[i] if gap else 0
                if place < self.in_ball:
                    a, b, c = squares[i]
                    squares[i] = a + v * v, b + g * g, c + (v + g) ** 2
                else:
                    value_reach[i] += abs(v)
                    gap_reach[i] += abs(g)
                    sum_reach[i] += abs(v + g)
        for i in range(neurons):
            for reach, square in zip((value_reach, gap_reach, sum_reach), squares[i], strict=True):
                reach[i] += root_up(square)
        ranges, sums = [], []
        for i in range(neurons):
            h, d, total = self.value[i], self.gap[i], sum_reach[i] + self.value_slack[i] + self.gap_slack[i]
            ranges.append((h - value_reach[i], h + value_reach[i], d - gap_reach[i], d + gap_reach[i]))
            sums.append((h + d - total, h + d + total))
        return ranges, sums


def joint_zonotope(layers, low, high, ball=False):
    """Upper bound of |g(x)_i - f(x)_i| over the inputs for each output i, as a list of Fractions: outward-rounded fixed point."""
    state, ranges, sums = None, [], []
    for layer, (scale, exact) in zip(layers, difference_ranges(layers, low, high, ball), strict=True):
        numbers = integer_layer(layer)
        state = linear(numbers, relu(state, ranges, sums)) if state else first_affine(numbers, low, high, ball)
        ranges, sums = state.ends(len(exact))
        ranges = [meet(mine, other, scale) for mine, other in zip(ranges, exact, strict=True)]
        sums = [(max(a, r[0] + r[2]), min(b, r[1] + r[3])) for (a, b), r in zip(sums, ranges, strict=True)]
    return [Fraction(max(-r[2], r[3]), ONE) for r in ranges]


def meet(mine, exact, scale):
    """What the zonotope and the exact interval both allow."""
    lows = [max(mine[k], (exact[k] << BITS) // scale) for k in (0, 2)]
    highs = [min(mine[k], ceiling(exact[k] << BITS, scale)) for k in (1, 3)]
    return lows[0], highs[0], lows[1], highs[1]


def first_affine(numbers, low, high, ball):
    """Behind the first layer, whose inputs are center + spread xi."""
    q, weight, _, residual, negative, bias, bias_residual = numbers
    value, gap = [(b << BITS) // q for b in bias], [(e << BITS) // q for e in bias_residual]
    symbols, bends = [], []
    for j, (below, above) in enumerate(zip(low, high, strict=True)):
        a, b = Fraction(below), Fraction(above)
        center, spread = floor((a + b) / 2 * ONE), floor((b - a) / 2 * ONE) + 2  # the input is within spread of center
        column = [row[j] for row in weight]
        slopes, bent = input_gap([row[j] for row in residual], [row[j] for row in negative or residual], a, b, q)
        value = [c + w * center // q for c, w in zip(value, column, strict=True)]
        gap = [c + s * center // (2 * q * ONE) + t for c, s, t in zip(gap, slopes, bent, strict=True)]
        symbols.append(([w * spread // q for w in column], [s * spread // (2 * q * ONE) for s in slopes]))
        if any(bent):
            bends.append((None, bent))
    slack = [1 + 3 * len(symbols + bends)] * len(weight)  # each addend and each symbol is rounded by less than one unit
    return Affine(value, slack, gap, slack, symbols + bends, len(symbols) if ball else 0)


def input_gap(plus, minus, a, b, q):
    """(slopes in units of 2^-BITS / 2q, bends): plus max(z, 0) - minus max(-z, 0) = slope z + bend (1 + nu) for a <= z <= b.

    It is m z + k |z| with m, k half the sum and half the difference of plus and minus; where z takes both signs, |z| = s z + t + t nu
    with the slope s of the chord and one symbol nu in [-1, 1] for all outputs.
    """
    if a >= 0 or b <= 0:
        return [2 * e << BITS for e in (plus if b > 0 else minus)], [0] * len(plus)
    chord = floor((a + b) * ONE / (b - a))
    tilt = ceil(max(b * (ONE - chord), -a * (ONE + chord)) / 2)
    slopes = [(p + m << BITS) + (p - m) * chord for p, m in zip(plus, minus, strict=True)]
    return slopes, [(p - m) * tilt // (2 * q) for p, m in zip(plus, minus, strict=True)]


def linear(numbers, state):
    """h' = W h + b and d' = (W + E) d + E h + e for the affine forms."""
    q, weight, ticket, residual, _, bias, bias_residual = numbers
    outputs = range(len(weight))
    value = [(dot(weight[i], state.value) + (bias[i] << BITS)) // q for i in outputs]
    gap = [
        (dot(ticket[i], state.gap) + dot(residual[i], state.value) + (bias_residual[i] << BITS)) // q for i in outputs
    ]
    symbols = []
    for v, g in state.symbols:
        new_value = [dot(row, v) // q for row in weight] if v else None
        if v and g:
            new_gap = [(dot(ticket[i], g) + dot(residual[i], v)) // q for i in outputs]
        else:
            new_gap = [dot(row, v or g) // q for row in (residual if v else ticket)]
        symbols.append((new_value, new_gap))
    rounding = len(symbols) + 1
    value_slack = [ceiling(size_dot(row, state.value_slack), q) + rounding for row in weight]
    gap_slack = [
        ceiling(size_dot(ticket[i], state.gap_slack) + size_dot(residual[i], state.value_slack), q) + rounding
        for i in outputs
    ]
    return Affine(value, value_slack, gap, gap_slack, symbols, state.in_ball)


def relu(state, ranges, sums):
    """Both forms behind a ReLU: slope x + center + radius nu with a symbol nu of its own for each value and gap that the ReLU bends."""
    neurons = range(len(ranges))
    parts = [value_part(r[0], r[1]) for r in ranges]
    gap_parts = [gap_part(r, s) for r, s in zip(ranges, sums, strict=True)]
    rounding = len(state.symbols) + 2
    value = [(parts[i][0] * state.value[i] >> BITS) + parts[i][1] for i in neurons]
    value_slack = [(parts[i][0] * state.value_slack[i] >> BITS) + rounding for i in neurons]
    gap = [(gap_parts[i][0] * state.gap[i] >> 2) + gap_parts[i][1] for i in neurons]
    gap_slack = [(gap_parts[i][0] * state.gap_slack[i] >> 2) + rounding for i in neurons]
    symbols = []
    for v, g in state.symbols:
        new_value = [part[0] * x >> BITS for part, x in zip(parts, v, strict=True)] if v else None
        new_gap = [part[0] * x >> 2 for part, x in zip(gap_parts, g, strict=True)] if g else None
        symbols.append((new_value, new_gap))
    for i in neurons:
        if parts[i][2]:
            symbols.append((one_hot(i, parts[i][2], len(ranges)), None))
        if gap_parts[i][2]:
            symbols.append((None, one_hot(i, gap_parts[i][2], len(ranges))))
    return Affine(value, value_slack, gap, gap_slack, symbols, state.in_ball)


def one_hot(place, entry, length):
    vector = [0] * length
    vector[place] = entry
    return vector


def value_part(low, high):
    """(slope in units of 2^-BITS, center, radius): relu(h) lies in slope h + [0, 2 radius] for h in [low, high]."""
    if low >= 0:
        return ONE, 0, 0
    if high <= 0:
        return 0, 0, 0
    slope = high * ONE // (high - low)
    top = (max(-slope * low, (ONE - slope) * high) >> BITS) + 1
    return slope, (top + 1) // 2, (top + 1) // 2


def gap_part(ranges, ticket):
    """(slope in quarters, center, radius): relu(h + d) - relu(h) lies within slope d + center + [-radius, radius]."""
    low, high, gap_low, gap_high = ranges
    if low >= 0 and ticket[0] >= 0:
        return 4, 0, 0
    if high <= 0 and ticket[1] <= 0:
        return 0, 0, 0
    best = None
    for quarters in SLOPES:
        least, most = relu_gap(low, high, gap_low, gap_high, quarters)
        # the same seen from the ticket: with g = h + d it is -(relu(g - d) - relu(g) - slope (-d))
        mirror_least, mirror_most = relu_gap(ticket[0], ticket[1], -gap_high, -gap_low, quarters)
        least, most = max(least, -mirror_most), min(most, -mirror_least)
        center = (least + most) // 8
        radius = ceiling(max(most - 4 * center, 4 * center - least), 4)
        if best is None or radius * MARGIN < best[2] * (MARGIN - 1):
            best = quarters, center, radius
    return best


# ---------------------------------------------------------------------------------------------------------------------------------------
# The claim on the output


def bound_layers(parts: list[dict]) -> list[dict]:
    """Residuals in the form that ``difference_interval`` reads."""
    layers = []
    for part in parts:
        inputs = len(part["weight"][0])
        has_bias = part["bias"] is not None
        negative = part["negative"]
        layers.append(
            {
                "weight": part["weight"],
                "bias": part["bias"],
                "residual": [row[:inputs] for row in part["positive"]],
                "residual_negative": None if negative is None else [row[:inputs] for row in negative],
                "bias_residual": [row[inputs] for row in part["positive"]] if has_bias else None,
            }
        )
    return layers


RECOMPUTED = {"difference-interval": difference_interval, "joint-zonotope": joint_zonotope}


def recheck_bounds(
    claim: dict,
    layers: list[dict],
    low: list[Fraction],
    high: list[Fraction],
    gain: Fraction,
    ball: bool,
    log: list[str],
) -> None:
    """Recompute the bounds that exact arithmetic can; Rejected if one is claimed smaller than it is."""
    fields(claim["bounds"], *RECOMPUTED, "mixed-l2")
    claimed = {name: number(claim["bounds"][name]) for name in RECOMPUTED}
    certified, method = number(claim["certified"]), claim["method"]
    if (
        method not in RECOMPUTED
        or certified != claimed[method]
        or certified != min(claimed[name] for name in RECOMPUTED)
    ):
        raise Rejected(
            "the certified value is not the least bound that can be repeated, or not that of the named method"
        )
    for name, recompute in RECOMPUTED.items():
        value = gain * max(recompute(layers, low, high, ball))
        if claimed[name] < value:
            raise Rejected(f"{name}: claimed {float(claimed[name])!r}, recomputed {float(value)!r}")
        log.append(f"{name}: {float(claimed[name]):.6e} re-proved (recomputed {float(value):.6e})")
    log.append("mixed-l2: not re-checked, and not part of the claim (needs a spectral norm)")


def recheck_found(
    claim: dict, layers: list[dict], document: dict, low: list[Fraction], high: list[Fraction], gain: Fraction
) -> str:
    """Evaluate both networks exactly at the worst input that was found."""
    point = [number(v) for v in claim["found_at"]]
    found = number(claim["found"])
    if len(point) != len(low) or any(not a <= x <= b for x, a, b in zip(point, low, high, strict=True)):
        raise Rejected("the point at which the found error is claimed lies outside the domain")
    if document["domain"]["kind"] == "ball":
        center = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        if sum((x - c) ** 2 for x, c in zip(point, center, strict=True)) > number(document["domain"]["radius"]) ** 2:
            raise Rejected("the point at which the found error is claimed lies outside the ball")
    error = gain * largest_gap(layers, point)
    if found > error or found > number(claim["certified"]):
        raise Rejected(f"found error {float(found)!r} at the given point, where the exact error is {float(error)!r}")
    return f"found: {float(found):.6e} at the given point, exact error there {float(error):.6e}"


def largest_gap(layers: list[dict], point: list[Fraction]) -> Fraction:
    """max_i |g(x)_i - f(x)_i| of the rescaled networks, exactly."""
    f = g = point
    gaps = [Fraction(0)]
    for position, layer in enumerate(layers):
        if position:
            f, g = [max(v, 0) for v in f], [max(v, 0) for v in g]
        zeros = [0] * len(layer["weight"])
        bias, extra = layer["bias"] or zeros, layer["bias_residual"] or zeros
        minus = layer["residual_negative"] or layer["residual"]
        ticket = [
            sum((w + (p if z >= 0 else m)) * z for w, p, m, z in zip(*rows, g, strict=True)) + b + e
            for rows, b, e in zip(zip(layer["weight"], layer["residual"], minus, strict=True), bias, extra, strict=True)
        ]
        f = [dot(row, f) + b for row, b in zip(layer["weight"], bias, strict=True)]
        g = ticket
        gaps = [abs(a - b) for a, b in zip(f, g, strict=True)]
    return max(gaps)


# ---------------------------------------------------------------------------------------------------------------------------------------
# The program


DOCUMENT = (
    "format",
    "version",
    "claim",
    "domain",
    "target",
    "source",
    "scaling",
    "tol",
    "weight_tol",
    "perturbation",
    "layers",
    "unserved",
    "hash",
)


def check(document: dict) -> tuple[bool, list[str]]:
    """Whether everything was re-proved from the seed, and what was done; Rejected if anything is false."""
    if (
        not isinstance(document, dict)
        or document.get("format") != FORMAT
        or type(document.get("version")) is not int
        or document["version"] != VERSION
    ):
        raise NotACertificate(
            f"format {document.get('format')!r} version {document.get('version')!r}, expected {FORMAT!r} version {VERSION}"
        )
    check_hash(document)
    fields(document, *DOCUMENT)
    fields(document["claim"], "bounds", "certified", "method", "found", "found_at")
    log: list[str] = []
    layers = rescaled(document)
    low, high = input_box(document["domain"], len(layers[0]["weight"][0]))
    source = Source(document["source"], len(layers))
    if source.exponent is None:
        log.append("weights of this law are not re-derived: taken from the file")
    parts = residuals(document, source, layers, low, log)
    gain = Fraction(2) ** document["scaling"]["gain"]  # a whole number: ``rescaled`` has seen to it
    chain = bound_layers(parts)
    claim = document["claim"]
    log.append(recheck_found(claim, chain, document, low, high, gain))
    recheck_bounds(claim, chain, low, high, gain, document["domain"]["kind"] == "ball", log)
    listed = [tuple(entry) for entry in document["unserved"]]
    if len(set(listed)) < len(listed) or any(len(entry) != 4 or not 1 <= entry[0] <= len(layers) for entry in listed):
        raise Rejected("the list of weights that are not served is malformed")
    if document["unserved"]:
        log.append(f"{len(document['unserved'])} weights are not served; the error bound covers them")
    tol, certified = number(document["tol"]), number(claim["certified"])
    log.append(f"kept weights of the even matrices moved by at most {float(number(document['perturbation'])):g}")
    log.append(f"tol {float(tol):g} on the output is {'met' if certified <= tol else 'NOT met'} by the certified value")
    return source.exponent is not None, log


def check_ticket(document: dict) -> tuple[str, list[str], bool]:
    """(claim, log, whether the weights were derived from the seed) of a whole ticket."""
    proved, log = check(document)
    certified = float.fromhex(document["claim"]["certified"])
    return (
        f"sup over the domain of the largest output error <= {certified:.6e} ({document['claim']['method']})",
        log,
        proved,
    )


def check_any(document: dict) -> tuple[str, list[str], bool]:
    """(claim, log, whether all was re-proved) of a certificate of any kind; Rejected, or NotACertificate."""
    import check_bound_certificate
    import check_recursion
    import check_sums

    others = {
        check_sums.SUM: check_sums.check_sum,
        check_sums.BATCH: check_sums.check_batch,
        check_sums.COVER: check_sums.check_cover,
        check_recursion.RECURSION: check_recursion.check_recursion,
        check_bound_certificate.FORMAT: check_bound_certificate.check_document,
    }
    kind = document.get("format")
    if isinstance(kind, str) and kind in others:
        return (*others[kind](document), True)
    return check_ticket(document)


def main() -> int:
    """Read the file named on the command line; see the head of this file for the exit status."""
    parser = argparse.ArgumentParser(
        description="Re-prove a certificate (ticket, subset sum, batch, cover, recursion, bound) with the standard library alone."
    )
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    options = parser.parse_args()
    log: list[str] = []
    claim = ""
    try:
        claim, log, proved = check_any(read(options.certificate))
        outcome, status = ("accepted", 0) if proved else ("not re-proved", 3)
    except RecursionError:
        outcome, status, claim = "not a certificate", 2, "nested too deeply"
    except Rejected as reason:
        outcome, status, claim = "rejected", 1, str(reason)
    except OSError as reason:
        outcome, status, claim = "unreadable", 2, str(reason)
    except (NotACertificate, struct.error, *MALFORMED) as reason:
        outcome, status, claim = "not a certificate", 2, f"{type(reason).__name__}: {reason}"
    if options.json:
        print(json.dumps({"outcome": outcome, "claim": claim, "log": log}))
    else:
        print("\n".join([*log, f"{outcome}: {claim}"]))
    return status


if __name__ == "__main__":
    sys.exit(main())
