"""Where the metrics of a run go while it runs: a file of lines always, and the trackers people use, behind one protocol.

A tracker is imported when it is asked for; ``pip install 'strong_lth[tracking]'`` brings all three.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from strong_lth.core import InputError
from strong_lth.tickets.hooks import EpochRow

Log = Callable[[str, EpochRow], None]


class Tracker(Protocol):
    """Takes the numbers of one epoch. ``curve`` is the method with its seed, ``number`` counts the epochs of that curve."""

    def log(self, curve: str, number: int, numbers: Mapping[str, float], row: EpochRow) -> None:
        """One epoch."""
        ...

    def close(self) -> None:
        """The run has ended, or failed."""
        ...


class JsonLines:
    """One JSON object per epoch in ``metrics.jsonl``, flushed, so that a killed run keeps them."""

    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        self._file = (folder / "metrics.jsonl").open("a")

    def log(self, curve: str, number: int, numbers: Mapping[str, float], row: EpochRow) -> None:
        """One line."""
        method, _, seed = curve.rpartition(", seed ")
        self._file.write(json.dumps({"method": method, "seed": int(seed), **asdict(row)}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorBoard:
    """Scalars "curve/number" in ``tensorboard/``."""

    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise _absent("tensorboard") from None
        self._writer: Any = SummaryWriter(str(folder / "tensorboard"))
        self._writer.add_text("settings", json.dumps(settings))

    def log(self, curve: str, number: int, numbers: Mapping[str, float], row: EpochRow) -> None:
        """One point per number."""
        for name, value in numbers.items():
            self._writer.add_scalar(f"{curve}/{name}", value, number)

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()


class WandB:
    """A run of Weights & Biases, named after the hash of the configuration; files stay in the folder of the run."""

    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        try:
            import wandb
        except ImportError:
            raise _absent("wandb") from None
        self._run: Any = wandb.init(
            project="strong_lth", id=run, resume="allow", config=dict(settings), dir=str(folder)
        )

    def log(self, curve: str, number: int, numbers: Mapping[str, float], row: EpochRow) -> None:
        """One step."""
        self._run.log({f"{curve}/epoch": number} | {f"{curve}/{name}": value for name, value in numbers.items()})

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


class MLflow:
    """A run of MLflow, named after the hash of the configuration."""

    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        try:
            import mlflow
        except ImportError:
            raise _absent("mlflow") from None
        self._client: Any = mlflow
        self._client.set_experiment("strong_lth")
        self._client.start_run(run_name=run)
        self._client.log_dict(dict(settings), "settings.json")

    def log(self, curve: str, number: int, numbers: Mapping[str, float], row: EpochRow) -> None:
        """One metric per number; MLflow allows no comma in names."""
        plain = curve.replace(",", "")
        self._client.log_metrics({f"{plain}/{name}": value for name, value in numbers.items()}, step=number)

    def close(self) -> None:
        """End the run."""
        self._client.end_run()


TRACKERS: dict[str, Callable[[Path, str, Mapping[str, Any]], Tracker]] = {
    "jsonl": JsonLines,
    "tensorboard": TensorBoard,
    "wandb": WandB,
    "mlflow": MLflow,
}


@contextlib.contextmanager
def tracking(names: Sequence[str], folder: Path, run: str, settings: Mapping[str, Any]) -> Iterator[Log]:
    """A function (curve, row of an epoch) that tells every tracker; they are closed in any case.

    Raises InputError for an unknown tracker, and for one whose library is absent.
    """
    for name in names:
        if name not in TRACKERS:
            raise InputError("track", repr(name), f"use {', '.join(TRACKERS)}")
    plain = json.loads(json.dumps(settings))
    with contextlib.ExitStack() as stack:
        trackers: list[Tracker] = []
        for name in dict.fromkeys(names):
            trackers.append(TRACKERS[name](folder, run, plain))
            stack.callback(trackers[-1].close)
        counts: dict[str, int] = {}

        def log(curve: str, row: EpochRow) -> None:
            counts[curve] = counts.get(curve, 0) + 1
            for tracker in trackers:
                tracker.log(curve, counts[curve], numbers_of(row), row)

        yield log


def numbers_of(row: EpochRow) -> dict[str, float]:
    """The numbers of an epoch by name, without those that nobody asked for.

    >>> numbers_of(EpochRow(0, 3, 40, 0.1, 0.25, watched={"size": 2.0}))
    {'lr': 0.1, 'train_loss': 0.25, 'size': 2.0}
    """
    plain = {key: value for key, value in asdict(row).items() if key not in ("phase", "epoch", "steps", "watched")}
    return {name: float(value) for name, value in {**plain, **row.watched}.items() if value is not None}


def _absent(package: str) -> InputError:
    remedy = f"install it: pip install {package}, or pip install 'strong_lth[tracking]'"
    return InputError("track", f"{package}, which is not installed", remedy)
