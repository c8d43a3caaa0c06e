"""What an experiment is: a claim, a grid of cells, one trial function, what is expected of the rows, a figure."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np

from strong_lth.core import InputError, Verdict
from strong_lth.streams import check_seed, trial_generator

Cell = Mapping[str, Any]
Row = Mapping[str, Any]
Trial = Callable[[Cell, np.random.Generator], Row]

PROVENANCE = ("experiment", "mode", "trial", "shard", "commit", "device", "versions", "started", "shard_seconds")


@dataclass(frozen=True)
class Expectation:
    """One statement that the rows were held against, and what came out.

    ``alpha`` bounds the probability of a wrong REFUTED (0 where nothing is random). ``foreseen`` is the verdict that the repository
    stands by: a published claim that is refuted here has foreseen REFUTED, and any other outcome would be news.
    """

    statement: str
    verdict: Verdict
    evidence: str
    alpha: float
    foreseen: Verdict = Verdict.CONSISTENT

    @property
    def as_foreseen(self) -> bool:
        """Nothing here contradicts what the repository says (too little evidence does not)."""
        return self.verdict in (self.foreseen, Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Experiment:
    """A claim and the trials that test it.

    ``grid``, ``smoke``: cells (flat mappings of plain values) of the full and of the quick setting. ``trials``, ``smoke_trials``: trials per cell.
    ``trial(cell, rng)`` returns one flat row of plain values; it is a module-level function of a file, and its generator belongs to (seed, cell, number
    of the trial) alone. ``expect(rows)``, ``figure(rows, file)`` and ``table(rows)``, a short summary, see the rows in grid order, each with its cell. ``shard_trials``:
    trials computed and stored together; 5 to 60 seconds are a good shard.

    Raises InputError by the name of the field that is wrong.
    """

    id: str
    claim: str
    source: str
    grid: Sequence[Cell]
    smoke: Sequence[Cell]
    trials: int
    seed: int
    trial: Trial
    expect: Callable[[Sequence[Row]], Sequence[Expectation]]
    figure: Callable[[Sequence[Row], IO[bytes]], None] | None = None
    smoke_trials: int = 1
    shard_trials: int = 1
    cost: str = ""
    table: Callable[[Sequence[Row]], Sequence[Row]] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.id):
            raise InputError("id", repr(self.id), "use lower-case letters, digits, - and _")
        check_seed(self.seed)
        for name in ("trials", "smoke_trials", "shard_trials"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(name, repr(value), "give a whole number >= 1")
        for name in ("grid", "smoke"):
            cells = tuple(plain(cell, name) for cell in getattr(self, name))
            if not cells or len({canonical(cell) for cell in cells}) != len(cells):
                raise InputError(name, f"{len(cells)} cells", "give at least one cell, and each cell once")
            object.__setattr__(self, name, cells)


@dataclass(frozen=True)
class Plan:
    """One setting of an experiment, full or smoke, with the digest of everything its rows depend on."""

    experiment: Experiment
    mode: str
    cells: tuple[Cell, ...]
    trials: int

    @property
    def manifest(self) -> dict[str, Any]:
        """What must not change while rows are collected."""
        return {
            "format": 1,
            "id": self.experiment.id,
            "mode": self.mode,
            "seed": self.experiment.seed,
            "trials": self.trials,
            "shard_trials": self.experiment.shard_trials,
            "grid": list(self.cells),
            "code": code_digest(self.experiment.trial),
        }


def plan(experiment: Experiment, *, smoke: bool = False) -> Plan:
    """The full setting, or the quick one."""
    if smoke:
        return Plan(experiment, "smoke", tuple(experiment.smoke), experiment.smoke_trials)
    return Plan(experiment, "full", tuple(experiment.grid), experiment.trials)


def judge(experiment: Experiment, rows: Sequence[Row]) -> tuple[Expectation, ...]:
    """The expectations of the experiment, held against rows."""
    return tuple(experiment.expect(rows))


def overall(expectations: Sequence[Expectation]) -> Verdict:
    """REFUTED if one expectation is, else INCONCLUSIVE if one is or if there is none, else CONSISTENT.

    >>> from dataclasses import replace
    >>> ok = Expectation("a", Verdict.CONSISTENT, "", 0.0)
    >>> overall([ok]).name, overall([ok, replace(ok, verdict=Verdict.REFUTED)]).name, overall([]).name
    ('CONSISTENT', 'REFUTED', 'INCONCLUSIVE')
    """
    verdicts = {expectation.verdict for expectation in expectations}
    if Verdict.REFUTED in verdicts:
        return Verdict.REFUTED
    return Verdict.CONSISTENT if verdicts == {Verdict.CONSISTENT} else Verdict.INCONCLUSIVE


def load(path: Path) -> Experiment:
    """The ``EXPERIMENT`` of a file.

    Raises InputError if the file has none, FileNotFoundError if there is no file.
    """
    found = getattr(load_module(path), "EXPERIMENT", None)
    if not isinstance(found, Experiment):
        raise InputError("path", path, "name a file that defines EXPERIMENT = Experiment(...)")
    return found


def load_module(path: Path) -> ModuleType:
    """The module of a file, loaded by path once per process, so that workers need no import path."""
    path = Path(path).resolve()
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path):
            return module
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    name = f"strong_lth_experiment_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError("path", path, "name a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def generator(seed: int, cell: Cell, number: int) -> np.random.Generator:
    """The generator of one trial: it depends on the seed, the cell and the number, and on nothing else.

    >>> bool(generator(1, {"n": 8}, 0).random() == generator(1, {"n": 8}, 0).random())
    True
    """
    key = hashlib.sha256(canonical({"seed": seed, "cell": cell}).encode()).digest()[:8]
    return trial_generator(int.from_bytes(key, "big"), number)


def plain(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """A flat mapping of plain, finite values with names that are free; numpy scalars become Python numbers.

    Raises InputError for anything else.
    """
    out: dict[str, Any] = {}
    for name, value in values.items():
        item = value.item() if isinstance(value, np.generic) else value
        if not isinstance(name, str) or name in PROVENANCE:
            raise InputError(what, repr(name), f"use a string other than {', '.join(PROVENANCE)}")
        if item is not None and not isinstance(item, str | int | float | bool):
            raise InputError(f"{what}[{name!r}]", type(value).__name__, "give a number, a string, a bool or None")
        if isinstance(item, float) and not np.isfinite(item):
            raise InputError(f"{what}[{name!r}]", item, "give a finite number, or None")
        out[name] = item
    return out


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def code_digest(function: Callable[..., Any]) -> str:
    """SHA-256 of the statements of a function and of all it names in its own file.

    Comments, docstrings, figures and expectations may change; the numbers a trial is made of may not.
    """
    try:
        tree = ast.parse(Path(inspect.getfile(function)).read_text())
    except (OSError, TypeError):
        raise InputError("trial", repr(function), "define the trial as a function of a file") from None
    definitions = {name: node for node in tree.body for name in _defined(node)}
    if function.__name__ not in definitions:
        raise InputError("trial", function.__qualname__, "define the trial at the top level of its file")
    used: dict[str, str] = {}
    queue = [function.__name__]
    while queue:
        name = queue.pop()
        node = definitions.get(name)
        if node is None or name in used:
            continue
        used[name] = ast.unparse(_without_docstrings(node))
        queue += [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    return digest(used)


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part, clean=False) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return node
