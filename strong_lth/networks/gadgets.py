"""One target weight is one subset sum per sign half: from source units to candidates and back.

For an input z and kept unit k with odd weight a_k and even weight v_k, v_k relu(a_k z) = v_k |a_k| relu(sign(a_k) z). Since
w z = w relu(z) - w relu(-z), the units with a_k > 0 must choose candidates v_k |a_k| with sum w, those with a_k < 0 with sum -w. A bias is the weight
of the constant input 1. ``halves_of`` lists the (input, sign) pairs of a layer; ``problems`` turns a run of them into subset-sum problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from strong_lth.core import Floats
from strong_lth.networks.network import Dense
from strong_lth.networks.source import Ints, SourceLayer
from strong_lth.projection import box_ends, clip

_CHUNK = 2_000_000  # candidates in memory at once


@dataclass(frozen=True, eq=False)
class Halves:
    """The (input, sign) pairs of one layer and the units that serve them, by rank; ``units`` (P, m) is padded with -1."""

    inputs: Ints
    signs: Ints
    units: Ints

    @property
    def padded(self) -> bool:
        """Whether some pair has fewer units than others (random first sublayers only)."""
        return bool((self.units < 0).any())


@dataclass(frozen=True, eq=False)
class Problems:
    """Subset sums of one run of pairs, one row per (pair, output), pair-major.

    ``candidates`` (B, m), ``targets`` (B,), ``factors`` (B, m): |odd weight| of each candidate's unit, 0 for padding; ``units`` (B, m).
    """

    candidates: Floats
    targets: Floats
    factors: Floats
    units: Ints
    outputs: Ints
    inputs: Ints
    signs: Ints

    def allowances(self, weight_tol: float, perturbation: float) -> tuple[float, Floats]:
        """Tolerance and largest moves of the candidates, (m,) or (B, m).

        Where odd weights are not +1 or -1, a candidate moves by at most perturbation |odd weight|, rounded down, and a small part of the
        tolerance is kept back for the rounding of the moved weights.
        """
        if np.all(self.factors == 1.0):
            return weight_tol, np.full(self.factors.shape[1], perturbation)
        moves = perturbation * self.factors
        return weight_tol * (1 - 2.0**-20), np.where(moves > 0, np.nextafter(moves, 0.0), 0.0)


def halves_of(layer: SourceLayer, halves: Ints) -> Halves:
    """All (input, sign) pairs that must be served: sign +1 for every input, -1 too where the input may be negative."""
    pairs = [(position, 1) for position in range(halves.size)] + [(int(j), -1) for j in np.flatnonzero(halves == 2)]
    pairs.sort(key=lambda pair: (pair[0], -pair[1]))
    lists = [layer.serving(position, sign) for position, sign in pairs]
    units = np.full((len(pairs), max(1, max(len(found) for found in lists))), -1, dtype=np.int64)
    for row, found in zip(units, lists, strict=True):
        row[: len(found)] = found
    inputs, signs = np.array(pairs, dtype=np.int64).T
    return Halves(inputs, signs, units)


def half_targets(dense: Dense, halves: Halves) -> Floats:
    """Targets of all subset sums: w for the + half, -w for the - half; shape (P, d_out)."""
    columns = dense.weight if dense.bias is None else np.column_stack([dense.weight, dense.bias])
    targets: Floats = columns.T[halves.inputs] * halves.signs[:, None]
    return targets


def problems(layer: SourceLayer, dense: Dense, halves: Halves) -> Iterator[Problems]:
    """The subset sums of a layer in chunks of bounded memory."""
    outputs = layer.outputs
    per_chunk = max(1, _CHUNK // max(1, outputs * halves.units.shape[1]))
    targets = half_targets(dense, halves)
    factors = np.abs(layer.odd_kept)
    for start in range(0, halves.inputs.size, per_chunk):
        run = slice(start, start + per_chunk)
        units = np.repeat(halves.units[run], outputs, axis=0)
        rows = np.tile(np.arange(outputs), len(halves.inputs[run]))
        scale = np.where(units < 0, 0.0, factors[units])
        yield Problems(
            candidates=layer.even_weights[rows[:, None], units] * scale,
            targets=targets[run].reshape(-1),
            factors=scale,
            units=units,
            outputs=rows,
            inputs=np.repeat(halves.inputs[run], outputs),
            signs=np.repeat(halves.signs[run], outputs),
        )


def moved_weights(original: Floats, candidates: Floats, factors: Floats, shift: Floats, perturbation: float) -> Floats:
    """Even weights that realise the shifts: nearest double to (candidate + shift) / |odd weight| within the exact box around ``original``.

    With odd weights of size 1 this is original + shift, exactly.
    """
    safe = np.where(factors > 0, factors, 1.0)
    wanted = np.where(factors == 1.0, original + shift, (candidates + shift) / safe)
    moved: Floats = clip(wanted, *box_ends(original, perturbation)).astype(np.float64)
    return moved
