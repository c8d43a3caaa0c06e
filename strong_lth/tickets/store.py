"""Trainings by content: the same training is never run twice, and a killed run goes on where it stopped.

A store maps the fingerprint of a training (task, start state, mask, phases, order of the data) to its end. ``FolderStore`` keeps one safetensors file per training,
with weights on the support only and the mask as packed bits; files are complete or absent, and nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from strong_lth.core import FormatError, InputError
from strong_lth.networks.files import replacing
from strong_lth.networks.mask import Mask, pack, unpack
from strong_lth.tickets import processes
from strong_lth.tickets.engine import Trained
from strong_lth.tickets.hooks import EpochRow
from strong_lth.tickets.progress import FileCheckpoint
from strong_lth.tickets.safetensor import REMEDY, read_file
from strong_lth.tickets.types import Cost

FORMAT = "strong_lth.training"
VERSION = 1


class Store(Protocol):
    """Finished trainings by fingerprint."""

    def get(self, key: str) -> Trained | None:
        """The training of that fingerprint, or None."""
        ...

    def put(self, key: str, trained: Trained, mask: Mask | None) -> None:
        """Keep a finished training."""
        ...

    def checkpoint(self, key: str) -> FileCheckpoint | None:
        """Where the progress of an unfinished training is kept, if anywhere."""
        ...


class MemoryStore:
    """Trainings of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, Trained] = {}

    def get(self, key: str) -> Trained | None:
        """The training of that fingerprint, or None."""
        return self._kept.get(key)

    def put(self, key: str, trained: Trained, mask: Mask | None) -> None:
        """Keep a finished training."""
        self._kept[key] = trained

    def checkpoint(self, key: str) -> FileCheckpoint | None:
        """Nowhere."""
        return None


class FolderStore:
    """Trainings in a folder, which must exist. The progress of a training that takes longer than ``seconds`` is kept every ``seconds``, until it has ended."""

    def __init__(self, folder: str | Path, seconds: float = 20.0) -> None:
        self._folder, self._seconds = Path(folder), seconds
        if not self._folder.is_dir():
            raise InputError("store", str(folder), "give an existing folder")

    def get(self, key: str) -> Trained | None:
        """The training of that fingerprint, or None; FormatError for a damaged file."""
        path = self._path(key)
        return read_training(path) if path.exists() else None

    def put(self, key: str, trained: Trained, mask: Mask | None) -> None:
        """Write a finished training; the file appears complete or not at all. Of several processes that train together, the first writes."""
        if processes.rank() == 0:
            write_training(self._path(key), trained, mask)

    def checkpoint(self, key: str) -> FileCheckpoint:
        """A file beside the finished trainings."""
        return FileCheckpoint(self._folder / f"{key}.progress", self._seconds)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def write_state(state: Mapping[str, torch.Tensor], mask: Mask | None) -> dict[str, np.ndarray]:
    """A state as arrays for a file: masked tensors hold their kept values and the packed mask."""
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in state.items():
        values = tensor.detach().cpu().numpy()
        if mask is not None and name in mask.tensors:
            keep = mask.tensors[name]
            arrays[f"kept:{name}"], arrays[f"mask:{name}"] = values[keep], pack(keep)
            arrays[f"shape:{name}"] = np.array(keep.shape, dtype=np.int64)
        else:
            arrays[f"full:{name}"] = values
    return arrays


def read_state(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, torch.Tensor], Mask | None]:
    """Inverse of ``write_state``; a masked tensor without its mask is refused with FormatError."""
    state: dict[str, torch.Tensor] = {}
    masks = {}
    for key, values in arrays.items():
        kind, _, name = key.partition(":")
        if kind == "full":
            state[name] = torch.tensor(values)
        elif kind == "kept":
            if f"mask:{name}" not in arrays or f"shape:{name}" not in arrays:
                raise FormatError(f"{name}: weights without their mask")
            keep = unpack(arrays[f"mask:{name}"], tuple(int(size) for size in arrays[f"shape:{name}"]))
            if int(keep.sum()) != values.size:
                raise FormatError(f"{name}: {values.size} weights for a mask that keeps {int(keep.sum())}")
            whole = np.zeros(keep.shape, dtype=values.dtype)
            whole[keep] = values
            state[name], masks[name] = torch.tensor(whole), keep
    return state, Mask(masks) if masks else None


def write_training(path: Path, trained: Trained, mask: Mask | None) -> None:
    """One training as a safetensors file."""
    from safetensors.numpy import save

    header = {"version": VERSION, "cost": asdict(trained.cost), "rows": [asdict(row) for row in trained.rows]}
    with replacing(path) as handle:
        handle.write(save(write_state(trained.state, mask), metadata={FORMAT: json.dumps(header)}))


def read_training(path: Path) -> Trained:
    """Inverse of ``write_training``; FormatError, naming the file, for anything else."""
    header, arrays = read_file(path, FORMAT, VERSION)
    try:
        state, _ = read_state(arrays)
        rows = tuple(EpochRow(**row) for row in header["rows"])
        return Trained(state, rows, Cost(**header["cost"]))
    except (FormatError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: damaged ({error}); {REMEDY}") from None
