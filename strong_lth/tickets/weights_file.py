"""Weights of a network as a safetensors file that may say from which model, data and seed they were drawn; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from strong_lth.core import FormatError, InputError
from strong_lth.networks.files import replacing
from strong_lth.networks.mask import Mask
from strong_lth.tickets.layout import layout_of
from strong_lth.tickets.store import read_state
from strong_lth.tickets.task import Task, build
from strong_lth.tickets.types import Init, State
from strong_lth.tickets.untrained import drawn

FORMAT = "strong_lth.weights"
LAW = "initialiser of the model"
LAWS: dict[str, Init] = {
    LAW: "model",
    "uniform": "uniform",
    "kaiming": "kaiming",
    "signed-constant": "signed-constant",
}


@dataclass(frozen=True)
class Origin:
    """The law and the seed of initial weights: those that the zoo's ``model`` draws for the images of ``data`` with seed ``seed``, or that a law of score search draws in their place."""

    data: str
    model: str
    seed: int
    law: str = LAW

    def drawn(self) -> dict[str, torch.Tensor]:
        """The weights again, without running statistics. Raises InputError for an unknown law, model or data."""
        if self.law not in LAWS:
            raise InputError("law", repr(self.law), f"this version draws {', '.join(LAWS)} only")
        module = build(Task(data=self.data, model=self.model), self.seed)
        plan, state = layout_of(module), dict(module.state_dict())
        if self.law != LAW:
            state = dict(drawn(state, plan, LAWS[self.law], self.seed))
        return weights(state, plan.statistics)


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """Arrays by name (bfloat16 as float32, which holds every number of it), the mask of a ticket file, and the stated origin."""

    arrays: Mapping[str, np.ndarray]
    mask: Mask | None
    origin: Origin | None


def weights(state: State, statistics: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The floating tensors of a state without the running statistics of normalisations."""
    return {n: t for n, t in state.items() if n not in statistics and t.is_floating_point()}


def save_weights(tensors: State, path: str | Path, origin: Origin | None = None) -> None:
    """Write weights; an existing file is replaced only when the new one is complete."""
    from safetensors.torch import save

    metadata = {FORMAT: json.dumps(asdict(origin), sort_keys=True)} if origin is not None else None
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(Path(path)) as handle:
        handle.write(save(plain, metadata=metadata))


def read_weights(path: str | Path) -> WeightsFile:
    """Weights of any safetensors file of float tensors, or of a ticket file (with its mask). Integer tensors are left out.

    Raises FileNotFoundError, and FormatError, naming the file, for a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"{place}: no such file of weights")
    try:
        with safe_open(place, framework="pt") as file:
            stated = (file.metadata() or {}).get(FORMAT)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        origin = None if stated is None else Origin(**json.loads(stated))
        mask = None
        if any(name.startswith(("full:", "kept:")) for name in tensors):
            state, mask = read_state({name: tensor.numpy() for name, tensor in tensors.items()})
            tensors = dict(state)
    except (SafetensorError, FormatError, ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"{place}: damaged file of weights ({error}); write it again") from None
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    return WeightsFile({name: as_array(tensor) for name, tensor in floating.items()}, mask, origin)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as numpy holds it; bfloat16 and float16 as float32."""
    values = tensor.detach().cpu()
    array: np.ndarray = (values if values.dtype in (torch.float32, torch.float64) else values.float()).numpy()
    return array
