# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The lines of ``envelope``, one cell after the other, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats
from strong_lth.jit import kernel

Ints = NDArray[np.int64]
_CUTS = 24  # a line is found after about five


@kernel
def fill_lines(
    y: Floats,
    mean: Floats,
    reach: Ints,
    end: Floats,
    index: Ints,
    share: Floats,
    extended: Floats,
    rows: Ints,
    cells: Ints,
    found: Floats,
) -> None:
    """found[:, j] = (value at the left end, at the right end, slope) of the line above extended[rows[j]] on the range of cells[j] that is least in the middle of the cell.

    ``extended``: values at the vertices, then twice that beyond them. Two points of the hull, cut by cut, until no third point lies above their line; the largest
    offset of any point then makes it a line above all of them, whatever was rounded.
    """
    vertices = y.size
    x, height = np.empty(vertices + 1), np.empty(vertices + 1)
    for j in range(cells.size):
        i, value = cells[j], extended[rows[j]]
        if value[min(index[i] + 1, vertices)] >= 1:  # V = 1 on the whole range
            found[0, j], found[1, j], found[2, j] = 1.0, 1.0, 0.0
            continue
        points = reach[i] - i + 1
        for k in range(points):
            x[k], height[k] = y[i + k], value[i + k]
        x[points] = end[i]
        beyond = value[min(index[i] + 1, vertices + 1)]
        height[points] = value[index[i]] * (1 - share[i]) + beyond * share[i]
        middle = (mean[i] + mean[i + 1]) / 2
        left, right, slope, best = 0, points, 0.0, np.inf
        for _ in range(_CUTS):
            trial = max(height[left] - height[right], 0.0) / max(x[right] - x[left], 1e-300)
            most, top = 0, -np.inf
            for k in range(points + 1):
                above = height[k] + trial * (x[k] - middle)
                if above > top:
                    most, top = k, above
            if top < best:
                slope, best = trial, top
            if (height[left] + trial * (x[left] - middle)) * (1 + 1e-12) >= top:
                break
            if x[most] < middle:
                left = most
            else:
                right = most
        found[0, j], found[1, j], found[2, j] = -np.inf, -np.inf, slope
        for k in range(points + 1):
            found[0, j] = max(found[0, j], height[k] + slope * (x[k] - mean[i]))
            found[1, j] = max(found[1, j], height[k] + slope * (x[k] - mean[i + 1]))
