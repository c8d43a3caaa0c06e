"""The target network: dense layers with ReLU between them, as exact double-precision arrays."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from strong_lth.core import Floats, FormatError, InputError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, repr=False)
class Dense:
    """x -> weight x + bias; weight (d_out, d_in), bias (d_out,) or None. Arrays are copied and frozen."""

    weight: Floats
    bias: Floats | None = None

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"Dense({columns} -> {rows}{'' if self.bias is None else ', bias'})"

    def __post_init__(self) -> None:
        weight = _frozen("weight", self.weight, 2)
        object.__setattr__(self, "weight", weight)
        if self.bias is not None:
            bias = _frozen("bias", self.bias, 1)
            if bias.size != weight.shape[0]:
                raise InputError("bias", f"{bias.size} entries", f"give one per row of the weight, {weight.shape[0]}")
            object.__setattr__(self, "bias", bias)

    @property
    def shape(self) -> tuple[int, int]:
        """(d_out, d_in)."""
        rows, columns = self.weight.shape
        return rows, columns

    @property
    def offset(self) -> Floats:
        """The bias, zeros where there is none; shape (d_out,)."""
        return np.zeros(self.shape[0]) if self.bias is None else self.bias


@dataclass(frozen=True)
class Activation:
    """An entrywise activation; this version knows ``relu``."""

    name: str = "relu"

    def __post_init__(self) -> None:
        if self.name != "relu":
            raise InputError("Activation", repr(self.name), "use 'relu'; the construction is proved for ReLU only")


@dataclass(frozen=True, eq=False)
class Network:
    """A feed-forward network ``Dense, relu, Dense, ..., Dense`` (the last layer is linear).

    >>> net = Network.from_arrays([[[1.0, -2.0]], [[3.0]]])
    >>> net.widths, float(net(np.array([1.0, 0.25]))[0])
    ((2, 1, 1), 1.5)
    """

    layers: tuple[Dense | Activation, ...]

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        object.__setattr__(self, "layers", layers)
        for position, layer in enumerate(layers):
            expected = (Dense, Activation)[position % 2]
            if not isinstance(layer, expected):
                raise InputError(
                    f"layers[{position}]", type(layer).__name__, "alternate Dense and Activation('relu'), Dense first"
                )
        if len(layers) % 2 == 0:
            raise InputError("layers", f"{len(layers)} layers", "start and end with a Dense layer")
        for position, (before, after) in enumerate(zip(self.dense, self.dense[1:], strict=False), start=1):
            if before.shape[0] != after.shape[1]:
                raise InputError(
                    f"weight of dense layer {position + 1}",
                    f"{after.shape[1]} columns",
                    f"give {before.shape[0]}, the rows of dense layer {position}",
                )

    @property
    def dense(self) -> tuple[Dense, ...]:
        """The dense layers, first to last."""
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @property
    def widths(self) -> tuple[int, ...]:
        """(inputs, hidden widths..., outputs)."""
        return (self.dense[0].shape[1], *(layer.shape[0] for layer in self.dense))

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(layer.weight.size + (0 if layer.bias is None else layer.bias.size) for layer in self.dense)

    def __call__(self, x: ArrayLike) -> Floats:
        """Outputs in double precision; x (..., d_in) -> (..., d_out)."""
        values = np.asarray(x, dtype=np.float64)
        if values.shape[-1:] != (self.widths[0],):
            raise InputError(
                "x", f"shape {values.shape}", f"give a last axis of {self.widths[0]}, the inputs of the network"
            )
        for position, layer in enumerate(self.dense):
            if position:
                values = np.maximum(values, 0.0)
            values = values @ layer.weight.T + layer.offset
        return values

    @classmethod
    def from_arrays(cls, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike | None] | None = None) -> Network:
        """A network from weight matrices (d_out, d_in), first to last, and optional biases."""
        given = [None] * len(weights) if biases is None else list(biases)
        if len(given) != len(weights) or not len(weights):
            raise InputError(
                "biases",
                f"{len(given)} for {len(weights)} weights",
                "give at least one weight, and one bias (or None) each",
            )
        layers: list[Dense | Activation] = []
        for number, (weight, bias) in enumerate(zip(weights, given, strict=True), start=1):
            if layers:
                layers.append(Activation())
            try:
                layers.append(Dense(np.asarray(weight), None if bias is None else np.asarray(bias)))
            except InputError as error:
                raise InputError(f"dense layer {number}, {error.parameter}", error.got, error.remedy) from None
        return cls(tuple(layers))

    @classmethod
    def from_torch(cls, module: nn.Module) -> Network:
        """A network from a torch module made of Linear and ReLU (Flatten, Identity and Dropout are passed over).

        Raises InputError naming the first layer that has no counterpart.
        """
        from strong_lth.networks.torch_bridge import dense_layers

        weights, biases = dense_layers(module)
        return cls.from_arrays(weights, biases)

    @classmethod
    def load(cls, path: str | Path) -> Network:
        """A network from an ``.npz`` file with arrays W1 .. WL and optionally b1 .. bL. Nothing is unpickled."""
        arrays = _read_npz(Path(path))
        depth = sum(bool(re.fullmatch(r"W\d+", name)) for name in arrays)
        known = {f"{letter}{index}" for index in range(1, depth + 1) for letter in "Wb"}
        missing = [f"W{index}" for index in range(1, depth + 1) if f"W{index}" not in arrays]
        if not depth or missing or set(arrays) - known:
            names = ", ".join(sorted(arrays)) or "none"
            raise FormatError(f"{path}: got arrays {names}; expected W1 .. WL (d_out, d_in) and optionally b1 .. bL")
        try:
            return cls.from_arrays(
                [arrays[f"W{index}"] for index in range(1, depth + 1)],
                [arrays.get(f"b{index}") for index in range(1, depth + 1)],
            )
        except InputError as error:
            raise FormatError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write W1 .. WL and b1 .. bL as an ``.npz`` file that ``load`` reads."""
        from strong_lth.networks.files import replacing

        arrays: dict[str, Any] = {}
        for index, layer in enumerate(self.dense, start=1):
            arrays[f"W{index}"] = layer.weight
            if layer.bias is not None:
                arrays[f"b{index}"] = layer.bias
        with replacing(Path(path)) as handle:
            np.savez(handle, **arrays)


def _read_npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        data = np.load(path, allow_pickle=False)
        if isinstance(data, np.ndarray):
            raise FormatError(f"{path}: got a single array; expected an .npz file with W1 .. WL")
        with data:
            return {name: data[name] for name in data.files}
    except FormatError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise FormatError(f"{path}: not an .npz file of plain number arrays; write one with numpy.savez") from None


def _frozen(name: str, value: ArrayLike, ndim: int) -> Floats:
    try:
        if np.iscomplexobj(value):
            raise TypeError
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(name, type(value).__name__, "give an array of real numbers") from None
    if array.ndim != ndim or array.size == 0:
        raise InputError(name, f"shape {array.shape}", f"give a non-empty array with {ndim} axes")
    if not np.all(np.isfinite(array)):
        raise InputError(name, "NaN or infinity", "give finite numbers")
    array.setflags(write=False)
    return array
