"""Words every other module shares: outcomes, certificates, domains, target ranges, provenance and errors.

Nothing here computes; the values are frozen, so they can be passed between proposers, verifiers and bounds freely.
"""

from __future__ import annotations

import datetime
import enum
import hashlib
import json
import math
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class InputError(ValueError):
    """Bad input: names the parameter, what it got, and the remedy."""

    def __init__(self, parameter: str, got: object, remedy: str) -> None:
        self.parameter, self.got, self.remedy = parameter, got, remedy
        super().__init__(f"{parameter}: got {got}; {remedy}")


class FormatError(ValueError):
    """A file is damaged, foreign or of another format version; the message names the file and the remedy."""


class BudgetError(MemoryError):
    """The work would exceed a stated memory budget; nothing was allocated."""


class Status(enum.Enum):
    """What a solver reports about one problem. The value is the sentence shown to the user."""

    SOLVED = "a subset within the tolerance was found"
    OPTIMAL = "the smallest possible error was found and exceeds the tolerance"
    INFEASIBLE = "no admissible subset lies within the tolerance"
    UNDECIDED = "neither proved nor refuted: the budget, or the precision of doubles, ended first"


class Verdict(enum.Enum):
    """What a comparison of a claim with evidence concludes."""

    CONSISTENT = "the evidence agrees with the claim"
    REFUTED = "the evidence contradicts the claim"
    VACUOUS = "the claim says nothing here (its bound is 1 or more)"
    INCONCLUSIVE = "too little evidence for a verdict"
    NOT_APPLICABLE = "the claim does not cover this law, target range or parameter"


class Outcome(enum.Enum):
    """Result of one check inside a certificate."""

    PROVED = "proved"
    FAILED = "failed"
    NOT_RECHECKED = "not re-checked"


@dataclass(frozen=True)
class Check:
    """One verified (or refuted) statement of a certificate."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class Certificate:
    """What a verifier decided. Only functions named ``verify*`` and ``certify*`` construct it."""

    claim: str
    checks: tuple[Check, ...]
    value: float | None
    method: str

    @property
    def ok(self) -> bool:
        """No check failed (a check that was not repeated is no failure)."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces; the value as a hexadecimal float."""
        body = asdict(self)
        body["checks"] = [{**c, "outcome": c["outcome"].value} for c in body["checks"]]
        body["value"] = None if self.value is None else float(self.value).hex()
        return json.dumps(body, sort_keys=True, separators=(",", ":"))


def canonical_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form of a certificate document: JSON, sorted keys, no spaces, without the field ``hash``."""
    body = {key: value for key, value in document.items() if key != "hash"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Reference:
    """Where a statement comes from."""

    source: str
    place: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.source}, {self.place}" if self.place else self.source


@dataclass(frozen=True)
class RunRecord:
    """Provenance of measured numbers: what ran, where, when, for how long."""

    command: str
    commit: str
    versions: Mapping[str, str]
    device: str
    seconds: float
    started: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Readable JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, indent=2)


def run_record(command: str, seconds: float, **extra: Any) -> RunRecord:
    """Collect the provenance of a run that has just ended."""
    versions = {"python": platform.python_version()}
    for name in ("strong_lth", "numpy", "scipy", "numba", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    started = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds)
    return RunRecord(
        command=command,
        commit=_commit(),
        versions=versions,
        device=_cpu_name(),
        seconds=round(seconds, 3),
        started=started.isoformat(timespec="seconds"),
        extra=extra,
    )


def _commit() -> str:
    """Commit of the checkout this package runs from, with ``+`` when it has uncommitted changes; else ``installed``."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "installed"
    try:
        head = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, timeout=10
        )
        dirty = subprocess.run(
            ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    if head.returncode != 0:
        return "unknown"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def _cpu_name() -> str:
    if sys.platform == "linux":
        try:
            lines = Path("/proc/cpuinfo").read_text().splitlines()
        except OSError:
            lines = []
        for line in lines:
            if line.startswith("model name"):
                cores = sum(entry.startswith("processor") for entry in lines)
                return f"{line.split(':', 1)[1].strip()}, {cores} cores"
    return platform.processor() or platform.machine()


@dataclass(frozen=True)
class Window:
    """The interval [low, high] of targets, for statements about *all* targets in it."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise InputError("Window", f"[{self.low}, {self.high}]", "give finite ends with low <= high")


@dataclass(frozen=True)
class Point:
    """One fixed target z, for statements about *each* target."""

    z: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.z):
            raise InputError("Point", self.z, "give a finite target")


@dataclass(frozen=True)
class Box:
    """Inputs x with low <= x <= high, coordinate by coordinate; scalars hold for every coordinate.

    >>> Box(0, 1).ends(3)
    (array([0., 0., 0.]), array([1., 1., 1.]))
    """

    low: float | tuple[float, ...]
    high: float | tuple[float, ...]

    def __post_init__(self) -> None:
        low, high = _as_tuple("Box.low", self.low), _as_tuple("Box.high", self.high)
        object.__setattr__(self, "low", low[0] if len(low) == 1 and np.ndim(self.low) == 0 else low)
        object.__setattr__(self, "high", high[0] if len(high) == 1 and np.ndim(self.high) == 0 else high)
        if len(low) != len(high) and 1 not in (len(low), len(high)):
            raise InputError("Box", f"{len(low)} low and {len(high)} high ends", "give one per coordinate, or scalars")
        if not np.all(np.asarray(low) <= np.asarray(high)):
            raise InputError("Box", f"[{self.low}, {self.high}]", "give low <= high in every coordinate")

    def ends(self, dim: int) -> tuple[Floats, Floats]:
        """Both ends as arrays of shape (dim,)."""
        return _broadcast("Box.low", self.low, dim), _broadcast("Box.high", self.high, dim)

    def norm(self, dim: int) -> float:
        """An upper bound on the largest Euclidean norm of a point of the box."""
        low, high = self.ends(dim)
        return float(np.linalg.norm(np.maximum(np.abs(low), np.abs(high)))) * (1 + 1e-12)


@dataclass(frozen=True)
class Ball:
    """Inputs x with ||x - center||_2 <= radius."""

    radius: float
    center: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        center = _as_tuple("Ball.center", self.center)
        object.__setattr__(self, "center", center[0] if np.ndim(self.center) == 0 else center)
        if not (math.isfinite(self.radius) and self.radius >= 0):
            raise InputError("Ball.radius", self.radius, "give a finite radius >= 0")

    def point(self, dim: int) -> Floats:
        """The center as an array of shape (dim,)."""
        return _broadcast("Ball.center", self.center, dim)

    def ends(self, dim: int) -> tuple[Floats, Floats]:
        """Ends of the smallest box around the ball, rounded outward."""
        center = self.point(dim)
        reach = self.radius * (1 + 1e-15)
        return np.nextafter(center - reach, -np.inf), np.nextafter(center + reach, np.inf)

    def norm(self, dim: int) -> float:
        """An upper bound on the largest Euclidean norm of a point of the ball."""
        center = self.point(dim)
        return (float(np.linalg.norm(center)) + self.radius) * (1 + 1e-12)


Domain = Box | Ball


def _as_tuple(name: str, value: ArrayLike) -> tuple[float, ...]:
    try:
        array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError(name, repr(value), "give numbers") from None
    if array.ndim != 1 or array.size == 0:
        raise InputError(name, f"shape {array.shape}", "give a scalar or one number per coordinate")
    if not np.all(np.isfinite(array)):
        raise InputError(name, "NaN or infinity", "give finite ends")
    return tuple(float(v) for v in array)


def _broadcast(name: str, value: float | tuple[float, ...], dim: int) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 1 and array.size != dim:
        raise InputError(name, f"{array.size} coordinates", f"give {dim}, the input dimension of the network")
    return np.array(np.broadcast_to(array, (dim,)))
