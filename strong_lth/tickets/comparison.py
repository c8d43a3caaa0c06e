"""A comparison as a file: configuration, resumable run in a folder, cost before it starts.

The folder holds ``config.json`` (configuration and environment), ``trainings/`` (every finished training by content), ``metrics.jsonl`` (one line per epoch, flushed),
``rows.json`` and ``record.json``. A killed run is started again by the same call: finished trainings are read, the interrupted one is repeated, and the rows are those
of an uninterrupted run.
"""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torch

from strong_lth.core import FormatError, InputError, run_record
from strong_lth.networks.files import write_text
from strong_lth.tickets import processes
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.box_settings import BoxSettings
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.harness import Row, Scored, compare, levels
from strong_lth.tickets.hooks import EpochRow
from strong_lth.tickets.images import Augment
from strong_lth.tickets.listed import NAMES
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.store import FolderStore
from strong_lth.tickets.task import Task, view
from strong_lth.tickets.trackers import tracking

Report = Callable[[str, int, EpochRow], None]


@dataclass(frozen=True)
class Comparison:
    """Methods by name, densities and seeds on one task. ``preset``: "scaled" to the task, or the "authors"' settings.

    ``box`` is for the methods that keep weights in one. Raises InputError for an unknown method.
    """

    methods: tuple[str, ...]
    densities: tuple[float, ...] = (0.5, 0.2, 0.1, 0.05)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    data: str = "digits"
    model: str = "mlp-bn"
    recipe: Recipe = field(default_factory=Recipe)
    preset: Literal["scaled", "authors"] = "scaled"
    validation: float = 0.1
    augment: Augment = "none"
    device: str = "cpu"
    backend: Backend = field(default_factory=Backend)
    box: BoxSettings | None = None

    def __post_init__(self) -> None:
        searches = () if self.box is None or self.box.then is None else (self.box.then,)
        for name in (*self.methods, *searches):
            if name not in NAMES:
                raise InputError("methods", repr(name), f"use {', '.join(NAMES)}")
        for name in ("methods", "densities", "seeds"):
            values = getattr(self, name)
            if not values:
                raise InputError(name, "none", "give at least one")
            if len(set(values)) < len(values):
                raise InputError(name, list(values), "give each once")

    @property
    def id(self) -> str:
        """Short hash of the whole configuration."""
        return (fingerprint(asdict(self)) or "")[:12]


def read_comparison(path: str | Path, **overrides: Any) -> Comparison:
    """A comparison from a TOML file: its keys are the fields, ``[recipe]`` a table; ``overrides`` that are not None win.

    Raises FormatError for a file that is not TOML, InputError for an unknown key.
    """
    try:
        written = tomllib.loads(Path(path).read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not a TOML file ({error}); correct it") from None
    return make_comparison(written | {name: value for name, value in overrides.items() if value is not None})


def make_comparison(settings: Mapping[str, Any]) -> Comparison:
    """A comparison from plain data; InputError names an unknown or missing key."""
    tables: dict[str, type[Recipe | Backend | BoxSettings]] = {"recipe": Recipe, "backend": Backend, "box": BoxSettings}
    parts = {name: _part(settings[name], kind, name) for name, kind in tables.items() if settings.get(name) is not None}
    plain = _known({**settings, **parts}, Comparison, "")
    if "methods" not in plain:
        raise InputError("methods", "none", f"name at least one of {', '.join(NAMES)}")
    return Comparison(**plain)


def task_of(comparison: Comparison) -> Task:
    """The task of a comparison."""
    return Task(
        data=comparison.data,
        model=comparison.model,
        recipe=comparison.recipe,
        validation=comparison.validation,
        augment=comparison.augment,
        device=comparison.device,
        backend=comparison.backend,
    )


def methods_of(comparison: Comparison, task: Task) -> list[TicketMethod]:
    """The methods with the settings of the preset."""
    looking = view(task)

    def made(name: str) -> TicketMethod:
        kind = NAMES[name]
        return kind.authors() if comparison.preset == "authors" else kind.scaled(looking)

    methods = [made(name) for name in comparison.methods]
    return methods if comparison.box is None else [comparison.box.applied(method, made) for method in methods]


def planned(comparison: Comparison) -> list[Row]:
    """What the comparison will cost, without training: epochs and steps of each method for all densities and seeds; a patience is counted in full.

    Trainings that methods share are counted for each, as in the rows.
    """
    task = task_of(comparison)
    final = comparison.recipe.epochs
    rows = []
    for method in methods_of(comparison, task):
        asked = (1.0,) if method.reference else comparison.densities
        search = finals = 0.0
        for part in (asked,) if method.together else [(density,) for density in asked]:
            found = list(levels(method, task, part, 0, dry=True))
            search += found[-1][0].cost.epochs
            finals += sum(
                final for _, ticket in found if ticket.use == "train" and _asked(ticket.mask.kept, part, task)
            )
        seeds = len(comparison.seeds)
        rows.append({"method": method.name, "search_epochs": round(search * seeds, 3), "final_epochs": finals * seeds})
    return rows


def run_comparison(
    comparison: Comparison,
    folder: str | Path,
    *,
    report: Report | None = None,
    scored: Scored | None = None,
    track: Sequence[str] = (),
) -> list[Row]:
    """Run or resume a comparison in a folder, and return its rows. ``track``: names of ``trackers.TRACKERS`` that get the metrics besides ``metrics.jsonl``. ``scored``: see ``compare``; of
    several processes the first one calls it.

    Raises InputError when the folder holds another configuration, or one begun under another version, thread count or instruction set; the message says which.
    """
    place = Path(folder)
    (place / "trainings").mkdir(parents=True, exist_ok=True)
    first = processes.rank() == 0
    if first:
        _claim(place / "config.json", {"comparison": asdict(comparison), "environment": environment()})
    processes.all_true(True)
    task, began = task_of(comparison), time.perf_counter()
    names = ("jsonl", *track) if first else ()
    with tracking(names, place, comparison.id, asdict(comparison)) as log:

        def note(method: str, seed: int, row: EpochRow) -> None:
            if first:
                log(f"{method}, seed {seed}", row)
                if report is not None:
                    report(method, seed, row)

        store = FolderStore(place / "trainings")
        rows = compare(
            methods_of(comparison, task),
            task,
            comparison.densities,
            comparison.seeds,
            store=store,
            report=note,
            scored=scored if first else None,
        )
    rows = [{"comparison": comparison.id, **row} for row in rows]
    if not first:
        return rows
    record = run_record(
        "strong-lth compare", time.perf_counter() - began, comparison=asdict(comparison), environment=environment()
    )
    write_text(place / "record.json", record.to_json() + "\n")
    write_text(place / "rows.json", json.dumps(rows, indent=1) + "\n")
    return rows


def environment() -> dict[str, str]:
    """What the bits of a training on a CPU depend on."""
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "strong_lth": _own_version(),
        "threads": str(torch.get_num_threads()),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "processes": str(processes.count()),
    }


def _own_version() -> str:
    try:
        return metadata.version("strong_lth")
    except metadata.PackageNotFoundError:
        return "a checkout"


def _claim(path: Path, wanted: Mapping[str, Any]) -> None:
    """Write the configuration of a new folder, or compare it with the one that is there."""
    text = json.dumps(wanted, indent=1, sort_keys=True) + "\n"
    if not path.exists():
        write_text(path, text)
        return
    try:
        there = json.loads(path.read_text())
        pairs = [(there[part], json.loads(text)[part]) for part in ("comparison", "environment")]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: damaged ({error}); use a new folder") from None
    changed = [
        f"{key} was {old.get(key)!r} and is {new[key]!r}"
        for old, new in pairs
        for key in new
        if old.get(key) != new[key]
    ]
    if changed:
        raise InputError(
            "folder",
            f"{path.parent}, begun with another setting",
            f"{'; '.join(changed)}; restore it, or use a new folder",
        )


def _part(given: Any, kind: type[Recipe | Backend | BoxSettings], name: str) -> Recipe | Backend | BoxSettings:
    """A table of the file as the settings it stands for."""
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise InputError(name, repr(given), f"give a table, [{name}]")
    return kind(**_known(given, kind, f"{name}."))


def _known(
    settings: Mapping[str, Any], kind: type[Comparison | Recipe | Backend | BoxSettings], prefix: str
) -> dict[str, Any]:
    names = [item.name for item in fields(kind)]
    for key in settings:
        if key not in names:
            raise InputError(f"{prefix}{key}", "an unknown key", f"use {', '.join(names)}")
    hints = get_type_hints(kind)
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    for key, value in plain.items():
        if not _fits(value, hints[key]):
            raise InputError(f"{prefix}{key}", repr(settings[key]), f"give {_in_words(hints[key])}")
    return plain


def _fits(value: Any, hint: Any) -> bool:
    """Is the value of this type? Whole numbers are numbers, bools are neither."""
    kind, inside = get_origin(hint), get_args(hint)
    if kind is tuple:
        return isinstance(value, tuple) and all(_fits(item, inside[0]) for item in value)
    if kind is Literal:
        return value in inside
    if inside:  # a union
        return any(_fits(value, one) for one in inside)
    if hint in (int, float):
        return isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
    return isinstance(value, hint)


def _in_words(hint: Any) -> str:
    kind, inside = get_origin(hint), get_args(hint)
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", type(None): "nothing"}
    if kind is tuple:
        example = {int: "[0, 1]", float: "[0.5, 0.1]"}.get(inside[0], '["imp"]')
        return f"a list, like {example}"
    if kind is Literal:
        return " or ".join(map(repr, inside))
    if inside:
        return " or ".join(map(_in_words, inside))
    return names.get(hint, f"a table of {hint.__name__}")


def _asked(kept: int, densities: Sequence[float], task: Task) -> bool:
    looking = view(task)
    return kept in {looking.kept(density) for density in densities}


def with_recipe(comparison: Comparison, **changes: Any) -> Comparison:
    """The comparison with a changed recipe; None leaves a field as it is."""
    return replace(comparison, recipe=replace(comparison.recipe, **{k: v for k, v in changes.items() if v is not None}))
