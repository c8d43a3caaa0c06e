"""Symmetric unimodal laws as mixtures of centred uniforms: what Theorems H and E need to know about the candidates.

A density p that is even and nonincreasing on (0, inf) is p(x) = nu{s >= |x|} for a measure nu on (0, inf). A profile holds atoms of a
measure below nu (mass moved to smaller s), so the gain h below is a lower bound, and two-sided bounds on probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from strong_lth.core import Floats
from strong_lth.distributions import Law, Normal, ProductUniform, Scaled, Tabulated, Triangular, half_width

_LOWER, _UPPER = 1 - 1e-12, 1 + 1e-12
ATOMS, TABLE = 2048, 512  # atoms of a law, intervals of the table of rho


@dataclass(frozen=True)
class Shape:
    """A law up to scale: name for messages and certificates, density and central probability, both accurate to a relative 1e-13."""

    name: str
    density: Callable[[Floats], Floats]  # on (0, inf), nonincreasing
    central: Callable[[Floats], Floats]  # P(|x| <= t)
    atoms: tuple[tuple[float, float], ...] = ()  # (s, mass of nu), where nu is finite and known exactly
    cut: float = math.inf  # the density may be replaced by min(density, cut)


def _uniform_density(x: Floats) -> Floats:
    return np.where(x <= 1, 0.5, 0.0)


def _normal_central(t: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(erf(t / math.sqrt(2)), dtype=np.float64)


def _product_central(t: Floats) -> Floats:
    inside = np.clip(t, 1e-300, 1.0)
    return np.where(t > 0, inside * (1 - np.log(inside)), 0.0)


UNIT_UNIFORM = Shape("uniform", _uniform_density, lambda t: np.clip(t, 0, 1), ((1.0, 0.5),))
STANDARD_NORMAL = Shape("normal", lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi), _normal_central)
PRODUCT = Shape("product", lambda x: np.maximum(-np.log(np.clip(x, 1e-300, None)) / 2, 0.0), _product_central, cut=1.2)
UNIT_TRIANGLE = Shape(
    "triangular", lambda x: np.maximum(1 - x, 0.0), lambda t: np.clip(t, 0, 1) * (2 - np.clip(t, 0, 1))
)


def shape_of(law: Law) -> tuple[Shape, float] | None:
    """(shape, unit) with law = unit * shape; None for a law that is not symmetric and unimodal, or not known here.

    >>> shape_of(Normal(0, 3))[1], shape_of(Normal(1, 3))
    (3.0, None)
    """
    if isinstance(law, Scaled):
        inner = shape_of(law.law)
        return None if inner is None else (inner[0], inner[1] * law.factor)
    width = half_width(law)
    if width is not None:
        return UNIT_UNIFORM, width
    if isinstance(law, Normal):
        return (STANDARD_NORMAL, law.std) if law.mean == 0 else None
    if isinstance(law, ProductUniform):
        return PRODUCT, 1.0
    if isinstance(law, Triangular):
        return UNIT_TRIANGLE, law.width
    return (_tabulated(law), 1.0) if isinstance(law, Tabulated) else None


@lru_cache(maxsize=32)
def _tabulated(law: Tabulated) -> Shape:
    widths, weights = np.array(law.widths), np.array(law.weights)

    def density(x: Floats) -> Floats:
        return np.asarray(((np.asarray(x)[..., None] <= widths) * (weights / (2 * widths))).sum(-1), dtype=np.float64)

    def central(t: Floats) -> Floats:
        return np.asarray((np.minimum(np.asarray(t)[..., None] / widths, 1) * weights).sum(-1), dtype=np.float64)

    atoms = tuple(zip(law.widths, (weights / (2 * widths)).tolist(), strict=True))
    return Shape("tabulated", density, central, atoms, float((weights / (2 * widths)).sum()))


def gain(s: Floats, t: Floats, length: float) -> Floats:
    """Lemma 1: the integral of min(D(x), t) over [-s, s] is at least H(s, t) for t <= min(a, L - a); sharp.

    H = v (min(s, L) + u - v) - u^2 / 2 with v = min(t, s), u = min(v, (L - s)_+).

    >>> float(gain(np.array(1.0), np.array(0.5), 2.0))
    0.375
    """
    v = np.minimum(t, s)
    u = np.minimum(v, np.maximum(length - s, 0.0))
    return np.asarray(v * (np.minimum(s, length) + u - v) - u * u / 2, dtype=np.float64)


def atoms_of(shape: Shape, length: float) -> tuple[Floats, Floats]:
    """Atoms (s, mass) of a measure below nu; mass beyond the window is moved to its length, where the gain no longer grows."""
    if shape.atoms:
        s, mass = (np.array(column) for column in zip(*shape.atoms, strict=True))
        return s, mass * _LOWER
    s = np.arange(1, ATOMS + 1, dtype=np.float64) * (length / ATOMS)
    p = shape.density(s)
    mass = np.append(p[:-1] * _LOWER - p[1:] * _UPPER, p[-1] * _LOWER)
    return s[mass > 0], mass[mass > 0]


@lru_cache(maxsize=64)
def rho_table(name: str, length: float, shape: Shape) -> tuple[Floats, Floats]:
    """Knots t in [0, L/2] and upper bounds of rho(t) = t - h(t), h(t) = integral of H(s, t) dnu(s); convex, so linear interpolation is above.

    rho >= t / 2, so nothing cancels.
    """
    t = np.linspace(0.0, length / 2, TABLE + 1)
    s, mass = atoms_of(shape, length)
    h = np.zeros_like(t)
    for part in range(0, s.size, 256):
        h += gain(s[part : part + 256], t[:, None], length) @ mass[part : part + 256]
    return t, (t - h * _LOWER) * _UPPER


def rho_of(shape: Shape, length: float) -> tuple[Callable[[Floats], Floats], Floats]:
    """The function rho and the knots of its table."""
    t, values = rho_table(shape.name, length, shape)
    return lambda x: np.interp(x, t, values), t
