"""Where a training stands between two epochs, so that a killed one goes on from there to the identical end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from strong_lth.core import FormatError
from strong_lth.networks.files import replacing
from strong_lth.tickets import processes
from strong_lth.tickets.hooks import EpochRow
from strong_lth.tickets.safetensor import read_file
from strong_lth.tickets.types import Cost, State

FORMAT = "strong_lth.progress"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Progress:
    """State and memory of the optimiser (``kind``) before epoch ``epoch`` of phase ``phase``, with everything recorded so far.

    ``memory`` maps (parameter, what) to a tensor.
    """

    state: State
    memory: Mapping[tuple[str, str], torch.Tensor]
    kind: str
    phase: int
    epoch: int
    rows: tuple[EpochRow, ...]
    cost: Cost


class Checkpoint(Protocol):
    """Keeps the latest progress of one training."""

    def load(self) -> Progress | None:
        """What was kept, or None."""
        ...

    def save(self, progress: Progress) -> None:
        """Keep it, or not: a training ends alike from wherever it goes on."""
        ...


class FileCheckpoint:
    """Progress in one file, written at most every ``seconds``; complete or absent, and never unpickled."""

    def __init__(self, path: Path, seconds: float = 20.0) -> None:
        self.path, self._seconds, self._last = path, seconds, time.monotonic()

    def load(self) -> Progress | None:
        """The file's content, or None; FormatError for a damaged file."""
        return read_progress(self.path) if self.path.exists() else None

    def save(self, progress: Progress) -> None:
        """Write the file if the last one is old enough."""
        if processes.rank() == 0 and time.monotonic() - self._last >= self._seconds:
            write_progress(progress, self.path)
            self._last = time.monotonic()

    def remove(self) -> None:
        """The training has ended."""
        if processes.rank() == 0:
            self.path.unlink(missing_ok=True)


def write_progress(progress: Progress, path: Path) -> None:
    """Whole tensors, masked ones too: -0 stays -0."""
    from safetensors.numpy import save

    header = {
        "version": VERSION,
        "kind": progress.kind,
        "phase": progress.phase,
        "epoch": progress.epoch,
        "cost": asdict(progress.cost),
        "rows": [asdict(row) for row in progress.rows],
    }
    arrays = {f"state:{name}": tensor for name, tensor in progress.state.items()}
    arrays |= {f"memory:{what}:{name}": tensor for (name, what), tensor in progress.memory.items()}
    plain = {name: np.ascontiguousarray(tensor.detach().cpu().numpy()) for name, tensor in arrays.items()}
    for name, tensor in arrays.items():  # ascontiguousarray makes a 0-d array 1-d
        plain[name] = plain[name].reshape(tuple(tensor.shape))
    with replacing(path) as handle:
        handle.write(save(plain, metadata={FORMAT: json.dumps(header)}))


def read_progress(path: Path) -> Progress:
    """Inverse of ``write_progress``; FormatError, naming the file, for anything else."""
    header, arrays = read_file(path, FORMAT, VERSION)
    state: dict[str, torch.Tensor] = {}
    memory: dict[tuple[str, str], torch.Tensor] = {}
    try:
        for key, values in arrays.items():
            part, _, name = key.partition(":")
            if part == "state":
                state[name] = torch.tensor(values)
            else:
                what, _, name = name.partition(":")
                memory[name, what] = torch.tensor(values)
        return Progress(
            state,
            memory,
            str(header["kind"]),
            int(header["phase"]),
            int(header["epoch"]),
            tuple(EpochRow(**row) for row in header["rows"]),
            Cost(**header["cost"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: damaged ({error}); delete the file; the training will be repeated") from None
