"""Candidate laws: how they are sampled, where they live, and a certified lower bound of their density.

A law is a frozen record with three abilities: ``sample`` (floats, for simulations), ``support`` and ``lower_density`` (for bounds). The laws
of a source network also have ``grid``: whole numbers m, worth m 2^-e, computed from raw random words, so that a network is the same on
every machine (``streams``).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import numpy as np

from strong_lth.core import Floats, InputError
from strong_lth.streams import FACTOR_BITS, UNIT_BITS, Grid, Words, factor_grid, sign_grid, uniform_grid


@runtime_checkable
class Law(Protocol):
    """A probability law on the real line, symmetric or not."""

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        """Independent draws."""
        ...

    @property
    def support(self) -> tuple[float, float]:
        """Smallest interval that carries the law."""
        ...

    @property
    def variance(self) -> float:
        """Variance of one draw."""
        ...

    def lower_density(self, low: float, high: float) -> float:
        """A rigorous lower bound of the density on [low, high]; 0 where there is none."""
        ...


@dataclass(frozen=True)
class Uniform:
    """U[low, high].

    >>> Uniform(-1, 1).lower_density(-1, 1)
    0.5
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError("Uniform", f"({self.low}, {self.high})", "give finite ends with low < high")

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        return rng.uniform(self.low, self.high, shape)

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def variance(self) -> float:
        return (self.high - self.low) ** 2 / 12

    def lower_density(self, low: float, high: float) -> float:
        if not (self.low <= low and high <= self.high):
            return 0.0
        return _at_most(1 / (Fraction(self.high) - Fraction(self.low)))


@dataclass(frozen=True)
class Normal:
    """N(mean, std^2)."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", float(self.mean))
        object.__setattr__(self, "std", float(self.std))
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise InputError("Normal", f"({self.mean}, {self.std})", "give a finite mean and a finite std > 0")

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        return rng.normal(self.mean, self.std, shape)

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    @property
    def variance(self) -> float:
        return self.std**2

    def lower_density(self, low: float, high: float) -> float:
        far = max(abs(low - self.mean), abs(high - self.mean)) / self.std
        # the exponent is enlarged first: far in the tail its rounding error is what counts
        lower = math.exp(-far * far / 2 * (1 + 1e-14)) / (self.std * math.sqrt(2 * math.pi)) * (1 - 1e-13)
        return lower if lower > 1e-300 else 0.0


@dataclass(frozen=True)
class ProductUniform:
    """Law of U V with U, V independent U[-1, 1]: density ln(1/|t|) / 2 on [-1, 1]."""

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        return rng.uniform(-1, 1, shape) * rng.uniform(-1, 1, shape)

    @property
    def support(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def variance(self) -> float:
        return 1 / 9

    def lower_density(self, low: float, high: float) -> float:
        far = max(abs(low), abs(high))
        return -math.log(far) / 2 * (1 - 1e-14) if 0 < far < 1 else 0.0


@dataclass(frozen=True)
class Triangular:
    """Symmetric triangular law on [-width, width]: density (1 - |t| / width) / width; the sum of two U[-width/2, width/2].

    >>> Triangular(2).lower_density(-1, 1)
    0.25
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", float(self.width))
        if not (math.isfinite(self.width) and self.width > 0):
            raise InputError("Triangular.width", self.width, "give a finite width > 0")

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        half = self.width / 2
        return rng.uniform(-half, half, shape) + rng.uniform(-half, half, shape)

    @property
    def support(self) -> tuple[float, float]:
        return -self.width, self.width

    @property
    def variance(self) -> float:
        return self.width**2 / 6

    def lower_density(self, low: float, high: float) -> float:
        far, width = Fraction(max(abs(low), abs(high))), Fraction(self.width)
        return _at_most((1 - far / width) / width) if far < width else 0.0


@dataclass(frozen=True)
class Tabulated:
    """A symmetric unimodal law as a table: the mixture of U[-widths[i], widths[i]] with probabilities weights[i].

    Its density is a staircase that falls away from 0. Weights are whole shares: they need not add up to 1 and are divided by their sum.

    >>> round(Tabulated((0.5, 1.0), (1, 3)).lower_density(-0.7, 0.7), 9)
    0.375
    """

    widths: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        widths, weights = tuple(float(w) for w in self.widths), tuple(float(w) for w in self.weights)
        object.__setattr__(self, "widths", widths)
        if not widths or not all(math.isfinite(w) and w > 0 for w in widths) or list(widths) != sorted(set(widths)):
            raise InputError("Tabulated.widths", widths, "give increasing finite widths > 0")
        if len(weights) != len(widths) or not all(math.isfinite(w) and w > 0 for w in weights):
            raise InputError("Tabulated.weights", weights, "give one finite weight > 0 per width")
        total = math.fsum(weights)
        shares = abs(total - 1) <= 1e-15 * len(weights)  # shares of a law that was divided before stay as they are
        object.__setattr__(self, "weights", weights if shares else tuple(w / total for w in weights))

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        width = rng.choice(np.array(self.widths), size=shape, p=np.array(self.weights))
        return np.asarray(rng.uniform(-1, 1, shape) * width, dtype=np.float64)

    @property
    def support(self) -> tuple[float, float]:
        return -self.widths[-1], self.widths[-1]

    @property
    def variance(self) -> float:
        return sum(p * w * w for p, w in zip(self.weights, self.widths, strict=True)) / 3

    def lower_density(self, low: float, high: float) -> float:
        far = max(abs(low), abs(high))
        total = sum(
            (Fraction(p) / Fraction(w) for p, w in zip(self.weights, self.widths, strict=True) if far <= w), Fraction(0)
        )
        return _at_most(total / 2 * (1 - Fraction(1, 10**12)))


@dataclass(frozen=True)
class SignedIntegers:
    """Uniform on {-levels, ..., -1, 1, ..., levels}: quantised candidates, which reach whole numbers exactly.

    >>> SignedIntegers(2).variance
    2.5
    """

    levels: int

    def __post_init__(self) -> None:
        if isinstance(self.levels, bool) or not isinstance(self.levels, int | np.integer) or self.levels < 1:
            raise InputError("SignedIntegers.levels", repr(self.levels), "give a whole number >= 1")
        if self.levels > 2**52:
            raise InputError("SignedIntegers.levels", self.levels, "give at most 2^52, so that candidates are exact")
        object.__setattr__(self, "levels", int(self.levels))

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        size = rng.integers(1, self.levels + 1, shape)
        return np.asarray(size * rng.choice((-1, 1), shape), dtype=np.float64)

    @property
    def support(self) -> tuple[float, float]:
        return -float(self.levels), float(self.levels)

    @property
    def variance(self) -> float:
        return (self.levels + 1) * (2 * self.levels + 1) / 6

    def lower_density(self, low: float, high: float) -> float:
        return 0.0


@dataclass(frozen=True)
class RandomSigns:
    """+1 or -1, each with probability 1/2."""

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        return np.where(rng.random(shape) < 0.5, -1.0, 1.0)

    @property
    def support(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def variance(self) -> float:
        return 1.0

    def lower_density(self, low: float, high: float) -> float:
        return 0.0


@dataclass(frozen=True)
class BalancedSigns:
    """Rows of +1 and rows of -1, as many of each as the construction needs (Xiong et al. 2023, Assumption 1).

    This is a design, not a random law: the rows of the odd matrices are fixed. It has no density, and it is sampled as alternating signs.
    """

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        signs = np.ones(shape)
        signs.reshape(-1)[1::2] = -1.0
        return signs

    @property
    def support(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def variance(self) -> float:
        return 1.0

    def lower_density(self, low: float, high: float) -> float:
        return 0.0


@dataclass(frozen=True)
class Scaled:
    """Law of factor X for X of ``law``.

    >>> Scaled(Uniform(-1, 1), 2).lower_density(-2, 2)
    0.25
    """

    law: Law
    factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", float(self.factor))
        if not (math.isfinite(self.factor) and self.factor > 0):
            raise InputError("Scaled.factor", self.factor, "give a finite factor > 0")

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
        return self.law.sample(rng, shape) * self.factor

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.law.support
        return low * self.factor, high * self.factor

    @property
    def variance(self) -> float:
        return self.law.variance * self.factor**2

    def lower_density(self, low: float, high: float) -> float:
        if not (math.isfinite(low) and math.isfinite(high)):
            return 0.0
        factor = Fraction(self.factor)
        inner = self.law.lower_density(_at_most(Fraction(low) / factor), -_at_most(-Fraction(high) / factor))
        return _at_most(Fraction(inner) / factor)


def half_width(law: Law) -> float | None:
    """c if the law is U[-c, c] (however it is written), else None.

    >>> half_width(Scaled(Uniform(-1, 1), 2)), half_width(Uniform(0, 1)), half_width(Normal())
    (2.0, None, None)
    """
    if isinstance(law, Scaled):
        inner = half_width(law.law)
        if inner is None or Fraction(inner) * Fraction(law.factor) != Fraction(inner * law.factor):
            return None
        return inner * law.factor
    return law.high if isinstance(law, Uniform) and law.low == -law.high else None


_LARGEST = 1024  # of a weight that is rounded to the grid: 2^10 * 2^40 leaves room for 2^13 of them in an int64


def weight_grid(law: Law, words: Words, *, coarse: bool = False) -> tuple[Grid, int]:
    """Whole numbers m and an exponent e: weights m 2^-e of the given law, one per random word.

    ``coarse`` asks for the 2^-24 grid, on which products of two weights stay exact. U[-c, c] with c a power of two is regenerated bit
    for bit from the words anywhere (``is_portable``). Other laws go through floating-point functions whose last bit depends on the
    library, so files store their kept values.

    Raises InputError for a law that has no place in a weight matrix, or whose weights are too large for the grid.
    """
    bits, uniform = (FACTOR_BITS, factor_grid) if coarse else (UNIT_BITS, uniform_grid)
    width = half_width(law)
    if width is not None and _is_power_of_two(width):
        return uniform(words), bits - round(math.log2(width))
    if isinstance(law, RandomSigns):
        return sign_grid(words), 0
    if np.max(np.abs(_quantile(law, np.array([2.0**-42, 1 - 2.0**-42])))) > _LARGEST:
        raise InputError("law", repr(law), f"use weights of size up to {_LARGEST}, so that sums stay within 64 bits")
    draws = _quantile(law, np.asarray((uniform_grid(words) + 0.5) * 2.0**-41 + 0.5, dtype=np.float64))
    return np.rint(draws * 2.0**bits).astype(np.int64), bits


def is_portable(law: Law) -> bool:
    """Whether ``weight_grid`` gives the same whole numbers with every library version."""
    width = half_width(law)
    return (width is not None and _is_power_of_two(width)) or isinstance(law, RandomSigns | BalancedSigns)


def _quantile(law: Law, u: Floats) -> Floats:
    if isinstance(law, Scaled):
        return _quantile(law.law, u) * law.factor
    if isinstance(law, Uniform):
        return law.low + (law.high - law.low) * u
    if isinstance(law, Normal):
        from scipy.special import ndtri

        return law.mean + law.std * np.asarray(ndtri(u), dtype=np.float64)
    raise InputError("law", repr(law), "use Uniform, Normal or a Scaled one of them for the even matrices")


_LAWS = (Uniform, Normal, ProductUniform, Triangular, Tabulated, SignedIntegers, RandomSigns, BalancedSigns)


def law_record(law: Law) -> dict[str, Any]:
    """The law as plain data, for files.

    >>> law_record(Uniform(-1, 1))
    {'law': 'Uniform', 'low': '-0x1.0000000000000p+0', 'high': '0x1.0000000000000p+0'}
    """
    if isinstance(law, Scaled):
        return {"law": "Scaled", "of": law_record(law.law), "factor": law.factor.hex()}
    if not isinstance(law, _LAWS):
        raise InputError("law", repr(law), f"use one of {', '.join(t.__name__ for t in _LAWS)}, Scaled")
    return {"law": type(law).__name__} | {key: _plain(value) for key, value in asdict(law).items()}


def law_from_record(record: dict[str, Any]) -> Law:
    """Inverse of ``law_record``; InputError for anything else."""
    try:
        fields = dict(record)
        name = fields.pop("law", None)
        if name == "Scaled":
            law: Law = Scaled(law_from_record(fields["of"]), float.fromhex(fields["factor"]))
        else:
            kind: Any = {law.__name__: law for law in _LAWS}[str(name)]
            law = kind(**{key: _value(value) for key, value in fields.items()})
        if law_record(law) != record:  # a missing parameter is no invitation to use its default
            raise KeyError(name)
        return law
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise InputError("law record", repr(record), "use what law_record wrote") from None


def _plain(value: float | tuple[float, ...]) -> str | int | list[str]:
    """A parameter for a file: floats as hex words, whole numbers as they are."""
    if isinstance(value, tuple):
        return [x.hex() for x in value]
    return value.hex() if isinstance(value, float) else value


def _value(plain: str | int | list[str]) -> float | tuple[float, ...]:
    """Inverse of ``_plain``."""
    if isinstance(plain, list):
        return tuple(float.fromhex(x) for x in plain)
    return float.fromhex(plain) if isinstance(plain, str) else plain


def _is_power_of_two(x: float) -> bool:
    return x > 0 and math.frexp(x)[0] == 0.5


def _at_most(x: Fraction) -> float:
    """The largest double <= x."""
    nearest = float(x)
    return nearest if Fraction(nearest) <= x else math.nextafter(nearest, -math.inf)
