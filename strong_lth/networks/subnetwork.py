"""The strong ticket: one seeded random source, a mask, shifts and scales."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strong_lth.core import Domain, FormatError, InputError
from strong_lth.networks.difference import LayerPair
from strong_lth.networks.layer_ticket import LayerTicket, Unserved, effective_layer
from strong_lth.networks.mask import Bools, Mask
from strong_lth.networks.network import Network
from strong_lth.networks.scaling import Scaling
from strong_lth.networks.source import RandomSource, check_size, never_negative, sign_halves

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, repr=False)
class Subnetwork:
    """A pruned random network that stands for a target network; reproducible from seed, laws, widths and mask.

    The function is g(x) = 2^gain g'(x) with g' the pruned source. ``weight_tol`` (per layer, in the rescaled target), ``chain`` and ``a_priori`` say how
    ``tol`` was allotted. ``unserved`` lists every weight that missed its tolerance.
    """

    source: RandomSource
    layers: tuple[LayerTicket, ...]
    scaling: Scaling
    domain: Domain
    tol: float
    weight_tol: tuple[float, ...]
    chain: str
    a_priori: float
    perturbation: float
    objective: str
    unserved: tuple[Unserved, ...]

    def __post_init__(self) -> None:
        for name in ("tol", "perturbation", "a_priori"):
            check_size(name, getattr(self, name))
        if self.objective not in ("fewest", "nearest"):
            raise InputError("objective", repr(self.objective), "use 'fewest' or 'nearest'")
        _check_lengths(self)
        _check_unserved(self)

    def __repr__(self) -> str:
        return (
            f"Subnetwork(kept {self.kept:,} of {self.source.parameters:,}, tol={self.tol:g}, perturbation={self.perturbation:g}, "
            f"unserved={len(self.unserved)}, domain={self.domain}, source={self.source})"
        )

    @property
    def kept(self) -> int:
        """Weights and biases kept: even ones by the mask, odd ones one for each unit that some output reads."""
        return sum(int(t.keep.sum()) + int(t.keep.any(axis=0).sum()) for t in self.layers)

    @property
    def kept_even(self) -> int:
        """Weights kept in the even matrices: the sizes of all subsets together."""
        return sum(int(t.keep.sum()) for t in self.layers)

    @property
    def density(self) -> float:
        """Fraction of the source's parameters that is kept."""
        return self.kept / self.source.parameters

    @property
    def undecided(self) -> int:
        """Subset sums whose subset was not proved to be the smallest possible."""
        return sum(ticket.undecided for ticket in self.layers)

    def overparameterization(self, target: Network) -> float:
        """Source parameters over target parameters."""
        return self.source.parameters / target.parameters

    def mask(self) -> Mask:
        """The mask as boolean arrays named like the tensors of ``to_torch``: ``1.weight`` .. ``2L.weight`` and odd biases."""
        arrays: dict[str, Bools] = {}
        for part, ticket in zip(self.source.layers, self.layers, strict=True):
            used = ticket.keep.any(axis=0)
            odd = np.zeros((part.units, part.inputs + 1), dtype=bool)
            odd[np.arange(part.units), part.unit_input] = used
            arrays[f"{2 * part.index - 1}.weight"] = odd[:, : part.inputs]
            if part.bias:
                arrays[f"{2 * part.index - 1}.bias"] = odd[:, part.inputs]
            arrays[f"{2 * part.index}.weight"] = ticket.keep
        return Mask(arrays)

    def layer_pairs(self, target: Network, domain: Domain) -> list[LayerPair]:
        """Target layers (rescaled) and exact residuals on ``domain``, as ``certify`` reads them.

        Raises InputError if ``target`` has another shape.
        """
        scaled = self.rescaled(target)
        halves = sign_halves(target, domain)
        pairs = []
        for part, dense, ticket, half in zip(self.source.layers, scaled.dense, self.layers, halves, strict=True):
            effective = effective_layer(part, dense, ticket, half)
            residual = effective.positive
            largest = float(np.abs(residual).max())
            negative = effective.negative
            if negative is not None:
                largest = max(largest, float(np.abs(negative).max()))
            pairs.append(
                LayerPair(
                    weight=dense.weight,
                    bias=dense.offset,
                    residual=residual[:, : part.inputs],
                    residual_negative=None if negative is None else negative[:, : part.inputs],
                    bias_residual=residual[:, part.inputs] if part.bias else np.zeros(part.outputs),
                    rounding=largest * 2.0**-52,
                )
            )
        return pairs

    def rescaled(self, target: Network) -> Network:
        """The target as the source sees it: rows balanced, outputs divided by the gain."""
        shapes = [(part.outputs, part.inputs, part.bias) for part in self.source.layers]
        wanted = [(*dense.shape, dense.bias is not None) for dense in target.dense]
        if shapes != wanted:
            raise InputError(
                "target", f"layers {wanted} (d_out, d_in, bias)", f"give the network this ticket was made for, {shapes}"
            )
        return self.scaling.apply(target)

    def to_torch(self) -> nn.Module:
        """An ordinary ``torch.nn.Sequential`` in double precision: frozen random weights, masks, ReLU, and the gain at the end."""
        from strong_lth.networks.torch_bridge import ticket_module

        return ticket_module(self)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: seed, laws, widths, packed mask, shifts, scales; weights are regenerated when it is read."""
        from strong_lth.networks.storage import save_ticket

        save_ticket(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Subnetwork:
        """Read what ``save`` wrote; the source is drawn again from its seed and the kept weights are checked by hash.

        Raises FormatError for a damaged or foreign file.
        """
        from strong_lth.networks.storage import read_ticket

        fields = read_ticket(Path(path))
        try:
            return cls(**fields)
        except InputError as error:
            raise FormatError(f"{path}: damaged ticket file ({error})") from None


def _check_lengths(strong: Subnetwork) -> None:
    """Every part of a ticket fits its source."""
    parts = strong.source.layers
    if len(strong.layers) != len(parts) or len(strong.weight_tol) != len(parts):
        raise InputError(
            "layers",
            f"{len(strong.layers)} and {len(strong.weight_tol)} tolerances",
            f"give one each for {len(parts)} layers",
        )
    for value in strong.weight_tol:
        check_size("weight_tol", value)
    for part, ticket in zip(parts, strong.layers, strict=True):
        shapes = {ticket.keep.shape, part.even.shape} | ({ticket.shift.shape} if ticket.shift is not None else set())
        if len(shapes) != 1 or ticket.keep.dtype != np.bool_:
            raise InputError(
                f"layer {part.index}",
                f"shapes {sorted(shapes)}",
                "give a boolean mask, and shifts, of the shape of the even matrix",
            )
    hidden = [part.outputs for part in parts[:-1]]
    if [rows.size for rows in strong.scaling.rows] != hidden:
        raise InputError(
            "scaling", f"rows for {[rows.size for rows in strong.scaling.rows]} neurons", f"give exponents for {hidden}"
        )
    exponents = [strong.scaling.gain, *(int(a) for rows in strong.scaling.rows for a in rows)]
    if max(map(abs, exponents)) > 2000:
        raise InputError("scaling", "an exponent beyond 2000", "powers of two must stay inside the range of doubles")


def _check_unserved(strong: Subnetwork) -> None:
    """Unserved entries name weights that exist, once each."""
    positive = never_negative(strong.domain, strong.source.layers[0].inputs)
    seen = set()
    for item in strong.unserved:
        place = (item.layer, item.output, item.input, item.half)
        part = strong.source.layers[item.layer - 1] if 1 <= item.layer <= len(strong.source.layers) else None
        exists = part is not None and 0 <= item.output < part.outputs and 0 <= item.input < part.inputs + int(part.bias)
        two_sided = exists and item.layer == 1 and item.input < positive.size and not positive[item.input]
        if not exists or item.half not in ("+", "-") or (item.half == "-" and not two_sided) or place in seen:
            raise InputError("unserved", place, "list weights of the target by (layer, output, input, half), once each")
        check_size("unserved error", item.error)
        seen.add(place)
