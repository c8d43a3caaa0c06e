"""Upper bounds of the difference of two ReLU networks, recomputed in integers with the standard library alone.

A *layer* is a dict of exact numbers (int, Fraction, or float for the double it is), W of ``outputs`` rows of ``inputs`` entries:

    weight             W   rows                   the target's layer is z -> W z + b
    bias               b   list, or None for 0
    residual           E+  rows                   the ticket's is z -> (W + E+) max(z, 0) - (W + E-) max(-z, 0) + b + e
    residual_negative  E-  rows, or None for E+   read in the first layer only: behind a ReLU no input is negative
    bias_residual      e   list, or None for 0

Both networks apply a ReLU behind every layer but the last. Inputs lie between the lists ``low`` and ``high``; with ``ball=True``, in the
Euclidean ball that touches the sides of this cube. The target's values h and the gaps d = (ticket's value - h) go through the layers together:

    d' = (W + E) d + E h + e,    h' = W h + b,    then    (h, d) -> (relu(h), relu(h + d) - relu(h)).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt, lcm
from operator import mul

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
        for number, (value, gap) in enumerate(self.symbols):
            for i in range(neurons):
                v, g = value[i] if value else 0, gap[i] if gap else 0
                if number < self.in_ball:
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
