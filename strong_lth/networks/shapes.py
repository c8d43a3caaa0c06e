"""A network as bounds see it: shapes and rigorous norms."""

from __future__ import annotations

import math

import numpy as np

from strong_lth.bounds import DenseShape
from strong_lth.networks.enclosures import spectral_norm_bound
from strong_lth.networks.network import Network

_LEAST_NORM = 1e-9  # a layer of zeros; a larger norm is as valid


def dense_shape(network: Network, *, radius: float, nonnegative: bool = False) -> DenseShape:
    """The ``DenseShape`` of a network on ||x||_2 <= radius; with biases, of its matrices [[W, b], [0, 1]] on the inputs (x, 1). Norms are rounded up.

    Raises InputError for a radius that is not positive.

    >>> dense_shape(Network.from_arrays([[[1.0, -2.0]], [[3.0]]]), radius=1).reach
    3.0
    """
    biases = any(layer.bias is not None for layer in network.dense)
    norms, reach = [], 0.0
    for position, layer in enumerate(network.dense):
        matrix = layer.weight
        if biases:
            matrix = np.column_stack([matrix, layer.offset])
            if position < len(network.dense) - 1:
                matrix = np.vstack([matrix, np.eye(1, matrix.shape[1], matrix.shape[1] - 1)])
        norms.append(max(float(spectral_norm_bound(matrix)), _LEAST_NORM))
        reach = max(reach, float(np.abs(matrix[: layer.shape[0]]).max()))
    extended = math.nextafter(math.hypot(radius, 1.0), math.inf) if biases and radius > 0 else radius
    return DenseShape(network.widths, tuple(norms), extended, max(reach, _LEAST_NORM), biases, nonnegative)
