"""The random source network: depth 2L for a target of depth L, fixed by a seed before anything is pruned.

Matrix 2l - 1 (odd) feeds *units*; each unit serves one input of target layer l (or the constant 1 that carries the bias) and is shared by all
outputs; matrix 2l (even) reads the units. Column order: by input, bias last; then sign half, then rank. Every weight is a function of (seed, matrix,
input, sign half, rank, output) alone, so the network of width n is contained in that of width n + 1 and nothing is ever redrawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import Ball, BudgetError, Domain, Floats, InputError
from strong_lth.distributions import BalancedSigns, Law, RandomSigns, Uniform, half_width, is_portable, weight_grid
from strong_lth.networks.network import Network
from strong_lth.streams import Grid, WordStream, check_seed

Ints = NDArray[np.int64]
DEFAULT_MEMORY = 2 * 2**30


@dataclass(frozen=True, eq=False, repr=False)
class SourceLayer:
    """Matrices 2l - 1 and 2l of the source. Unit arrays have one entry per row of the odd (column of the even) matrix.

    ``unit_input``: which input it keeps (the number of inputs for the bias); ``unit_sign``: sign of its kept odd weight, which is the half
    it serves; ``unit_rank``: its number among the units of the same input and drawn half. Values: odd 2^-odd_exponent, even 2^-even_exponent.
    """

    index: int
    inputs: int
    bias: bool
    width: int
    unit_input: Ints
    unit_sign: Ints
    unit_rank: Ints
    odd: Grid
    odd_exponent: int
    even: Grid
    even_exponent: int
    moved: Floats | None = None

    @property
    def units(self) -> int:
        """Number of units u."""
        return int(self.unit_input.size)

    @property
    def outputs(self) -> int:
        """Rows of the even matrix."""
        return int(self.even.shape[0])

    @property
    def parameters(self) -> int:
        """All weights and biases of both matrices, kept or not: u (d_in + b) + d_out u."""
        return self.units * (self.inputs + int(self.bias) + self.outputs)

    @cached_property
    def odd_kept(self) -> Floats:
        """The one incoming weight each unit keeps, exactly; shape (u,)."""
        return _frozen(np.ldexp(self.odd.astype(np.float64), -self.odd_exponent))

    @cached_property
    def even_weights(self) -> Floats:
        """The even matrix, exactly (moved if the source was moved); shape (d_out, u)."""
        if self.moved is not None:
            return self.moved
        return _frozen(np.ldexp(self.even.astype(np.float64), -self.even_exponent))

    def serving(self, position: int, sign: int) -> Ints:
        """Units that serve input ``position`` (or the bias) for one sign, by rank."""
        return np.flatnonzero((self.unit_input == position) & (self.unit_sign == sign))


@dataclass(frozen=True, eq=False, repr=False)
class RandomSource:
    """One seeded random network. ``halves[l][j]`` is the number of sign halves of input j of target layer l (bias last)."""

    seed: int
    law: Law
    first: Law
    layers: tuple[SourceLayer, ...]
    perturbation_used: float = 0.0

    def __post_init__(self) -> None:
        check_size("perturbation_used", self.perturbation_used)

    def __repr__(self) -> str:
        return f"RandomSource(seed={self.seed}, law={self.law}, first={self.first}, widths={self.widths}, parameters={self.parameters:,})"

    @property
    def parameters(self) -> int:
        """Number of all weights and biases."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Candidates per target weight and sign half, layer by layer."""
        return tuple(layer.width for layer in self.layers)

    def odd_matrix(self, layer: int) -> tuple[Floats, Floats | None]:
        """The dense odd matrix (u, d_in) of target layer ``layer`` (from 0) before pruning, and its bias (u,) or None."""
        part = self.layers[layer]
        columns = part.inputs + int(part.bias)
        if isinstance(self.first, BalancedSigns):
            full = np.repeat(part.odd_kept[:, None], columns, axis=1)
        else:
            stream = WordStream(self.seed)
            rows = [
                stream.words(int(rank), 2 * int(column), 2 * part.index - 1, columns)
                for rank, column in zip(part.unit_rank, part.unit_input, strict=True)
            ]
            grid, exponent = weight_grid(self.first, np.stack(rows), coarse=True)
            full = np.ldexp(grid.astype(np.float64), -exponent)
        return (full[:, : part.inputs], full[:, part.inputs]) if part.bias else (full, None)

    def moved(self, weights: Sequence[ArrayLike], perturbation: float) -> RandomSource:
        """The same source with its even matrices replaced by ``weights``, one (d_out, u) array per target layer.

        Raises InputError, naming the worst entry, if a weight moved by more than ``perturbation`` (decided exactly).
        """
        check_size("perturbation", perturbation)
        if len(weights) != len(self.layers):
            raise InputError("weights", f"{len(weights)} matrices", f"give one per target layer, {len(self.layers)}")
        layers = []
        for part, given in zip(self.layers, weights, strict=True):
            array = np.array(given, dtype=np.float64)
            if array.shape != part.even.shape or not np.all(np.isfinite(array)):
                raise InputError(
                    "weights",
                    f"shape {array.shape} in layer {part.index}",
                    f"give finite numbers of shape {part.even.shape}",
                )
            original = np.ldexp(part.even.astype(np.float64), -part.even_exponent)
            distance = np.abs(array - original)
            for row, column in np.argwhere(distance >= perturbation * (1 - 1e-12)):
                exact = abs(Fraction(array[row, column]) - Fraction(original[row, column]))
                if exact > Fraction(perturbation):
                    raise InputError(
                        "weights",
                        f"a move of {float(exact)} at layer {part.index}, row {row}, column {column}",
                        f"keep every weight within perturbation = {perturbation} of the source",
                    )
            array.setflags(write=False)
            layers.append(replace(part, moved=array))
        return replace(self, layers=tuple(layers), perturbation_used=float(perturbation))


def random_source(
    target: Network,
    *,
    domain: Domain,
    width: int | Sequence[int],
    law: Law = Uniform(-1, 1),  # noqa: B008
    first: Law = BalancedSigns(),  # noqa: B008
    seed: int,
    memory: int = DEFAULT_MEMORY,
) -> RandomSource:
    """Draw the source network for the shape of ``target``.

    ``width`` is the number n of candidates per target weight and sign half, one for all layers or one per layer. ``law`` is the law of the even matrices,
    ``first`` that of the odd ones: ``BalancedSigns()`` draws n units of each sign that exists, ``RandomSigns()`` and ``Uniform(-1, 1)`` draw 2n units per input.

    Raises InputError for a law with no place here, BudgetError (before allocating) above ``memory`` bytes.

    >>> import strong_lth as lth
    >>> source = random_source(lth.Network.from_arrays([[[0.3, -0.2]]]), domain=lth.Box(0, 1), width=3, seed=0)
    >>> source.parameters, source.layers[0].even.shape
    (18, (1, 6))
    """
    widths = check_widths(width, len(target.dense))
    check_laws(law, first)
    check_seed(seed)
    halves = sign_halves(target, domain)
    total = source_bytes(target, halves, widths, first)
    if total > memory:
        fits = largest_width(target, halves, first, memory)
        advice = f"the largest uniform width that fits is {fits}" if fits else "not even width 1 fits"
        raise BudgetError(
            f"width: got {max(widths)}, which needs about {total / 2**20:.0f} MiB of the {memory / 2**20:.0f} MiB allowed; "
            f"{advice}, or allow more memory"
        )
    layers = tuple(
        _draw(
            WordStream(seed), index + 1, layer.shape, layer.bias is not None, halves[index], widths[index], law, first
        )
        for index, layer in enumerate(target.dense)
    )
    return RandomSource(int(seed), law, first, layers)


def check_size(name: str, value: float) -> None:
    """Refuse anything but a finite number >= 0."""
    known = isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)
    if not (known and math.isfinite(value) and value >= 0):
        raise InputError(name, repr(value), "give a finite number >= 0")


def same_source(mine: SourceLayer, drawn: SourceLayer) -> bool:
    """Whether a layer has the units, signs and exponents of the one that the seed draws; weights are compared by the caller."""
    arrays = ("unit_input", "unit_sign", "unit_rank", "odd")
    exponents = (mine.odd_exponent, mine.even_exponent, mine.inputs, mine.bias, mine.width, mine.even.shape)
    drawn_exponents = (drawn.odd_exponent, drawn.even_exponent, drawn.inputs, drawn.bias, drawn.width, drawn.even.shape)
    return exponents == drawn_exponents and all(
        np.array_equal(getattr(mine, name), getattr(drawn, name)) for name in arrays
    )


def check_laws(law: Law, first: Law) -> None:
    """Refuse laws that the construction does not know."""
    if not isinstance(first, BalancedSigns | RandomSigns) and first != Uniform(-1, 1):
        raise InputError("first", repr(first), "use BalancedSigns(), RandomSigns() or Uniform(-1, 1)")
    if isinstance(law, BalancedSigns | RandomSigns):
        raise InputError("law", repr(law), "use Uniform, Normal or a Scaled one of them for the even matrices")
    if isinstance(first, Uniform) and not (half_width(law) and is_portable(law)):
        raise InputError(
            "law", repr(law), "with first=Uniform(-1, 1) use Uniform(-c, c), c a power of two: its products are exact"
        )
    weight_grid(law, WordStream(0).words(0, 0, 0, 1))


def check_widths(width: int | Sequence[int], depth: int) -> list[int]:
    """One width >= 1 per target layer."""
    values = list(width) if isinstance(width, Sequence | np.ndarray) else [width] * depth
    whole = all(isinstance(w, int | np.integer) and not isinstance(w, bool) and w >= 1 for w in values)
    if len(values) != depth or not whole:
        raise InputError("width", repr(width), f"give a whole number >= 1, or {depth} of them, one per target layer")
    return [int(w) for w in values]


def sign_halves(target: Network, domain: Domain) -> list[Ints]:
    """Sign halves per input of each layer: 1 where the input is provably >= 0 on the domain, else 2; the bias, last, has 1."""
    halves = []
    for index, layer in enumerate(target.dense):
        own = (
            np.where(never_negative(domain, target.widths[0]), 1, 2)
            if index == 0
            else np.ones(layer.shape[1], dtype=np.int64)
        )
        halves.append(np.append(own, 1) if layer.bias is not None else own)
    return halves


def never_negative(domain: Domain, dim: int) -> NDArray[np.bool_]:
    """Which inputs are >= 0 everywhere on the domain, decided exactly; shape (dim,)."""
    if isinstance(domain, Ball):
        return np.asarray(domain.point(dim) >= domain.radius)
    return np.asarray(domain.ends(dim)[0] >= 0)


def units_per_input(halves: Ints, width: int, first: Law) -> Ints:
    """Units drawn for each input (bias last): n per sign half, or 2n where the first sublayer is random."""
    return width * halves if isinstance(first, BalancedSigns) else np.full_like(halves, 2 * width)


def source_bytes(target: Network, halves: Sequence[Ints], widths: Sequence[int], first: Law) -> int:
    """Bytes that a construction holds at its peak: grid and double form, mask and shift of the even matrices, and one chunk."""
    units = [int(units_per_input(h, w, first).sum()) for h, w in zip(halves, widths, strict=True)]
    return sum(26 * layer.shape[0] * u + 64 * u for layer, u in zip(target.dense, units, strict=True)) + 200 * 2**20


def largest_width(target: Network, halves: Sequence[Ints], first: Law, memory: int) -> int:
    """Largest width, the same for all layers, within ``memory`` bytes; 0 if there is none."""
    depth = len(target.dense)
    fixed = source_bytes(target, halves, [0] * depth, first)
    return max(0, (memory - fixed) // (source_bytes(target, halves, [1] * depth, first) - fixed))


def _frozen(array: Floats) -> Floats:
    array.setflags(write=False)
    return array


def _draw(
    stream: WordStream, index: int, shape: tuple[int, int], bias: bool, halves: Ints, width: int, law: Law, first: Law
) -> SourceLayer:
    outputs, inputs = shape
    unit_input: list[int] = []
    unit_half: list[int] = []
    unit_rank: list[int] = []
    for position, count in enumerate(units_per_input(halves, width, first)):
        for unit in range(int(count)):
            unit_input.append(position)
            half, rank = divmod(unit, width) if isinstance(first, BalancedSigns) else (0, unit)
            unit_half.append(half)
            unit_rank.append(rank)
    places = list(zip(unit_rank, unit_input, unit_half, strict=True))
    coarse = isinstance(first, Uniform)
    even = np.empty((outputs, len(places)), dtype=np.int64)
    exponent = 0
    for start in range(0, len(places), 4096):
        block = places[start : start + 4096]
        words = np.stack([stream.words(rank, 2 * where + half, 2 * index, outputs) for rank, where, half in block])
        grid, exponent = weight_grid(law, words, coarse=coarse)
        even[:, start : start + len(block)] = grid.T
    if isinstance(first, BalancedSigns):
        odd, odd_exponent = 1 - 2 * np.array(unit_half, dtype=np.int64), 0
    else:
        kept = [stream.words(rank, 2 * where, 2 * index - 1, where + 1)[-1] for rank, where, _ in places]
        odd, odd_exponent = weight_grid(first, np.array(kept, dtype=np.uint64), coarse=True)
    for array in (even, odd):
        array.setflags(write=False)
    return SourceLayer(
        index=index,
        inputs=inputs,
        bias=bias,
        width=width,
        unit_input=np.array(unit_input, dtype=np.int64),
        unit_sign=np.sign(odd),
        unit_rank=np.array(unit_rank, dtype=np.int64),
        odd=odd,
        odd_exponent=odd_exponent,
        even=even,
        even_exponent=exponent,
    )
