"""Random small pairs of target and ticket, their exact evaluation, and the soundness check that tests and drills share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from strong_lth.core import Ball, Box
from strong_lth.networks.difference import LayerPair

Rows = list[list[Fraction]]


@dataclass(frozen=True)
class Pair:
    """What the package sees (``layers``), and the true residuals it stands for, as exact numbers."""

    layers: list[LayerPair]
    exact: list[dict[str, object]]
    domain: Box | Ball

    @property
    def dim(self) -> int:
        return self.layers[0].weight.shape[1]


def exact_layers(layers: Iterable[LayerPair], rng: np.random.Generator | None = None) -> list[dict[str, object]]:
    """The layers in exact numbers; with ``rng``, true residuals anywhere within ``rounding`` of the stored ones."""

    def off(layer: LayerPair) -> Fraction:
        share = 0 if rng is None else rng.choice([-1.0, 1.0, rng.uniform(-1, 1)])
        return Fraction(layer.rounding) * Fraction(float(share))

    def rows(layer: LayerPair, matrix: np.ndarray | None, moved: bool = True) -> Rows | None:
        if matrix is None:
            return None
        return [[Fraction(x) + (off(layer) if moved else 0) for x in row] for row in matrix.tolist()]

    return [
        {
            "weight": rows(layer, layer.weight, moved=False),
            "bias": [Fraction(x) for x in layer.bias.tolist()],
            "residual": rows(layer, layer.residual),
            "residual_negative": rows(layer, layer.residual_negative),
            "bias_residual": [Fraction(x) + off(layer) for x in layer.bias_residual.tolist()],
        }
        for layer in layers
    ]


def exact_gap(exact: list[dict[str, object]], point: Iterable[float]) -> list[Fraction]:
    """g(x) - f(x) in rational arithmetic, target and ticket each evaluated on its own."""
    h = g = [Fraction(x) for x in point]
    for number, layer in enumerate(exact):
        plus, minus = layer["residual"], layer["residual_negative"] or layer["residual"]
        if number:
            h, g = [max(x, Fraction(0)) for x in h], [max(x, Fraction(0)) for x in g]
        g = [
            sum(((w + (p if z >= 0 else m)) * z for w, p, m, z in zip(*rows, g, strict=True)), b + e)
            for *rows, b, e in zip(layer["weight"], plus, minus, layer["bias"], layer["bias_residual"], strict=True)
        ]
        h = [
            sum((w * z for w, z in zip(row, h, strict=True)), b)
            for row, b in zip(layer["weight"], layer["bias"], strict=True)
        ]
    return [b - a for a, b in zip(h, g, strict=True)]


def random_pair(rng: np.random.Generator, smallest: float = -16, rounding: bool = True) -> Pair:
    """Depth 1 to 4, widths 1 to 8, residuals of magnitude 10^smallest to 10, boxes and balls with inputs of either sign."""
    depth = int(rng.integers(1, 5))
    widths = rng.integers(1, 9, depth + 1)
    domain = _random_domain(rng, int(widths[0]))
    scale = 10 ** rng.uniform(smallest, 1)
    biased, two_sided = rng.random() < 0.5, rng.random() < 0.6
    layers = []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        shape = (int(outputs), int(inputs))
        weight = rng.normal(size=shape) * np.sqrt(2 / inputs) * (rng.random(shape) < 0.9)
        bias = rng.normal(size=outputs) * biased * 0.5
        sides = [scale * rng.uniform(-1, 1, shape) * (rng.random(shape) < 0.8) for _ in range(2)]
        own = scale * rng.uniform(-1, 1, outputs) * biased
        error = scale * 10 ** rng.uniform(-8, 0) if rounding and rng.random() < 0.3 else 0.0
        layers.append(LayerPair(weight, bias, sides[0], sides[1] if two_sided and number == 0 else None, own, error))
    return Pair(layers, exact_layers(layers, rng), domain)


def _random_domain(rng: np.random.Generator, dim: int) -> Box | Ball:
    kind = rng.integers(4)
    center, size = rng.normal(size=dim), 10 ** rng.uniform(-3, 0.5)
    if kind == 0:
        return Box(0, float(size))
    if kind == 1:
        return Ball(float(size), tuple(center) if rng.random() < 0.7 else 0.0)
    low = center - size * rng.random(dim)
    return Box(tuple(low), tuple(np.where(rng.random(dim) < 0.1, low, low + size * rng.random(dim))))


def sample(domain: Box | Ball, dim: int, rng: np.random.Generator, count: int) -> np.ndarray:
    """Points of the domain, rows; half of them extreme."""
    if isinstance(domain, Box):
        low, high = domain.ends(dim)
        inner = np.clip(low + (high - low) * rng.random((count, dim)), low, high)
        corners = np.where(rng.random((count, dim)) < 0.5, low, high)
        return np.where(np.arange(count)[:, None] % 2 == 0, inner, corners)
    directions = rng.normal(size=(count, dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.where(np.arange(count) % 2 == 0, rng.random(count), 1 - 1e-12)
    points = np.asarray(domain.center) + domain.radius * lengths[:, None] * directions
    return points[[contains(domain, point) for point in points]]


def contains(domain: Box | Ball, point: np.ndarray) -> bool:
    """Exact membership."""
    if isinstance(domain, Box):
        low, high = domain.ends(point.size)
        return bool(np.all((low <= point) & (point <= high)))
    center = np.broadcast_to(np.asarray(domain.center, dtype=float), point.shape)
    return sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(point.tolist(), center.tolist(), strict=True)) <= (
        Fraction(domain.radius) ** 2
    )


def violations(
    pair: Pair, bounds: Callable[[list[LayerPair], Box | Ball], dict[str, np.ndarray]], points: np.ndarray
) -> list[str]:
    """Methods whose bound is exceeded, exactly, at one of the points."""
    gaps = [exact_gap(pair.exact, point) for point in points.tolist()]
    broken = []
    for name, bound in bounds(pair.layers, pair.domain).items():
        limits = [None if np.isposinf(value) else Fraction(value) for value in bound.tolist()]
        if any(limit is not None and abs(d) > limit for gap in gaps for d, limit in zip(gap, limits, strict=True)):
            broken.append(name)
    return broken
