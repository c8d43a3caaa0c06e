"""Powers of two that bring every target weight inside the window of the bounds, by ReLU homogeneity.

Scaling row i of layer l by 2^a_i and column i of layer l + 1 by 2^-a_i leaves the function unchanged. Weight w of layer l from neuron j to neuron
i becomes w 2^(a_i - a_j), so "all weights at most T" is a system of difference constraints a_i - a_j <= k_ij with whole k_ij = floor(log2(T/|w|)),
a = 0 at the inputs and a = -g at the outputs. One forward pass of shortest paths gives the largest exponent that the inputs of a neuron allow, and
with it the least g >= 0. A backward pass then chooses, between that and the smallest exponent its readers allow: doubling a neuron doubles the tolerance
of its incoming weights and halves that of its outgoing ones, one bit each, so the larger number wins. The interval is never empty: a
reader stands at or below its own largest exponent, which is at most a_j + k_ij for the largest a_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, InputError
from strong_lth.networks.network import Network

Exponents = NDArray[np.int64]
_FREE = 1 << 40  # exponent of a weight that constrains nothing (it is zero)


@dataclass(frozen=True, eq=False)
class Scaling:
    """``rows[l]``: exponents of the hidden neurons of layer l; ``gain``: exponent of the factor on the outputs.

    f(x) = 2^gain f'(x) for the rescaled network f'.
    """

    rows: tuple[Exponents, ...]
    gain: int

    def apply(self, network: Network) -> Network:
        """The rescaled network f'; exact, since only exponents change.

        Raises InputError if a weight would leave the range of doubles on the way.
        """
        left = [*self.rows, np.full(network.widths[-1], -self.gain, dtype=np.int64)]
        right = [np.zeros(network.widths[0], dtype=np.int64), *self.rows]
        weights = [
            np.ldexp(d.weight, a[:, None] - c[None, :]) for d, a, c in zip(network.dense, left, right, strict=True)
        ]
        biases = [None if d.bias is None else np.ldexp(d.bias, a) for d, a in zip(network.dense, left, strict=True)]
        for number, (dense, weight, bias, a, c) in enumerate(
            zip(network.dense, weights, biases, left, right, strict=True), start=1
        ):
            back = np.ldexp(weight, c[None, :] - a[:, None])
            if not np.array_equal(back, dense.weight) or (
                bias is not None and not np.array_equal(np.ldexp(bias, -a), dense.offset)
            ):
                raise InputError(
                    f"dense layer {number}",
                    "weights that leave the range of doubles when they are rescaled",
                    "give a target of moderate size",
                )
        return Network.from_arrays(weights, biases)


def balance(network: Network, limit: float) -> Scaling:
    """Least gain (a power of two, at least 1), and row scales, with every |weight| and |bias| at most ``limit``.

    >>> balance(Network.from_arrays([[[2.0]], [[0.25]]]), 0.5)
    Scaling(rows=(array([-2]),), gain=1)
    """
    slack = [(_slack(layer.weight, limit), _slack(layer.offset, limit)) for layer in network.dense]
    high = [np.zeros(network.widths[0], dtype=np.int64)]
    for weights, biases in slack:
        high.append(np.minimum((high[-1][None, :] + weights).min(axis=1), biases))
    gain = max(0, -int(high[-1].min()))
    low = np.full(network.widths[-1], -gain, dtype=np.int64)
    rows: list[Exponents] = []
    for position in range(len(slack) - 1, 0, -1):
        weights, upper = slack[position][0], high[position]
        before, after = network.widths[position - 1], network.widths[position + 1]
        low = (low[:, None] - weights).max(axis=0)
        upper = np.where(upper > _FREE // 2, np.maximum(low, 0), upper)  # a neuron that receives only zeros
        low = np.where(low < -_FREE // 2, np.minimum(upper, 0), low)  # a neuron that nobody reads
        rows.insert(0, upper if before >= after else low)
        low = rows[0]
    return Scaling(tuple(rows), gain)


def _slack(weights: Floats, limit: float) -> Exponents:
    """floor(log2(limit / |w|)) exactly, from mantissas and exponents; ``_FREE`` for zeros."""
    mantissa, exponent = np.frexp(np.abs(weights))
    top, power = np.frexp(limit)
    result = power - exponent - (mantissa > top)
    return np.where(weights == 0, _FREE, result).astype(np.int64)
