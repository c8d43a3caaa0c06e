"""What the bounds say at one setting, for people and for machines: one subset sum, or a whole network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from strong_lth.bounds import (
    BOUNDS,
    ESTIMATES,
    NETWORK_BOUNDS,
    PREDICTIONS,
    Bound,
    Constants,
    DenseShape,
    Direction,
    Estimate,
    NetworkBound,
    Prediction,
    Scope,
    compare_allotments,
    get,
    required_candidates,
    required_width,
)
from strong_lth.core import Point, Verdict, Window
from strong_lth.distributions import Law, Uniform

if TYPE_CHECKING:
    from rich.table import Table

_UNIFORM, _WINDOW = Uniform(-1.0, 1.0), Window(-0.5, 0.5)
Row = Mapping[str, Any]


def bounds_rows(
    tol: float, perturbation: float, delta: float, *, law: Law = _UNIFORM, targets: Window | Point = _WINDOW
) -> list[dict[str, Any]]:
    """Every bound and prediction on random subset sums at one setting, as plain data: bounds first, in the order they are listed.

    Keys: ``id``, ``title``, ``kind`` (bound, prediction), ``quantifier`` (each target, all targets), ``direction`` (sufficient, necessary, predicted), ``status``, ``source``, ``n`` (a
    whole number, or the words "n/a", "constants unspecified", "none found"), ``why`` (what stands in the way of a number, in a word or two) and ``failure``, the failure
    probability at that n, or None. A NECESSARY bound states the least n that it does not exclude.

    Raises InputError for bad tol, perturbation or delta.

    >>> [(row["id"], row["n"]) for row in bounds_rows(0.01, 0.001, 0.05)][:4]
    [('volume', 6), ('counting', 7), ('range', 8), ('necessary-sizes', 7)]
    """
    entries: list[Bound | Prediction] = [*BOUNDS, *PREDICTIONS]
    return [bound_row(entry, tol, perturbation, delta, law=law, targets=targets) for entry in entries]


def bound_row(
    entry: Bound | Prediction,
    tol: float,
    perturbation: float,
    delta: float,
    *,
    law: Law = _UNIFORM,
    targets: Window | Point = _WINDOW,
) -> dict[str, Any]:
    """One row of ``bounds_rows``."""
    n = required_candidates(entry, tol=tol, perturbation=perturbation, delta=delta, law=law, targets=targets)
    failure: float | None = None
    if not isinstance(n, Verdict):
        value = entry.failure(n, tol, perturbation, law=law, targets=targets)
        failure = None if isinstance(value, Verdict) else value
    return {
        "id": entry.id,
        "title": entry.title,
        "kind": "bound" if isinstance(entry, Bound) else "prediction",
        "quantifier": entry.scope.value,
        "direction": entry.direction.value if isinstance(entry, Bound) else "predicted",
        "status": entry.status,
        "source": str(entry.reference),
        "n": _WORDS[n] if isinstance(n, Verdict) else n,
        "why": why_not(entry, tol, perturbation, law, targets) if n is Verdict.NOT_APPLICABLE else "",
        "failure": failure,
    }


_WORDS = {
    Verdict.NOT_APPLICABLE: "n/a",
    Verdict.INCONCLUSIVE: Constants.UNSPECIFIED.value,
    Verdict.VACUOUS: "none found",
}


def why_not(entry: Bound | Prediction, tol: float, perturbation: float, law: Law, targets: Window | Point) -> str:
    """Which change would bring the question inside the theorem: "perturbation", "law", "targets", several of them, or "setting"."""

    def covered(change: Sequence[str]) -> bool:
        value = entry.failure(
            40,
            tol if tol > 0 else 0.01,
            0.0 if "perturbation" in change else perturbation,
            law=_UNIFORM if "law" in change else law,
            targets=_WINDOW if "targets" in change else targets,
        )
        return value is not Verdict.NOT_APPLICABLE

    names = ("perturbation", "law", "targets")
    changes = (change for size in (1, 2, 3) for change in itertools.combinations(names, size))
    return ", ".join(next((change for change in changes if covered(change)), ("law",)))


def bounds_table(rows: Sequence[Row]) -> Table:
    """The rows of ``bounds_rows`` as a table that reads at 100 columns: grouped by quantifier, by number of candidates, numbers first.

    Within a group, what is necessary, predicted and sufficient stands in that order, so the truth lies between the first and the last line of the table.
    """
    table = _table("", "candidates n", "P(miss) at n", "direction", "how sure")
    for scope in Scope:
        some = [row for row in rows if row["quantifier"] == scope.value]
        table.add_section()
        table.add_row(f"[bold]{scope.value}[/]")
        numbers = [row for row in some if str(row["n"])[0].isdigit()]  # a measured one may be "13 to 14"
        for row in sorted(numbers, key=lambda row: (_ORDER[row["direction"]], int(str(row["n"]).split()[0]))):
            failure = "" if row["failure"] is None or row["direction"] == "necessary" else f"{row['failure']:.2g}"
            mark = _MARKS[row["direction"]]
            table.add_row(f"  {row['id']}", f"{mark}{row['n']}", failure, row["direction"], _sure(row["status"]))
        for row in (row for row in some if row not in numbers):
            why = f" ({row['why']})" if row["why"] else ""
            table.add_row(f"  {row['id']}", f"{_SHORT[row['n']]}{why}", "", row["direction"], _sure(row["status"]))
    table.caption = (
        "each target: a fixed one, with candidates of its own; all targets: one sample serves the window.\n"
        "C: the theorem says 'for some constant C'; n/a (x): it covers another x. *: a part is not machine-checked.\n"
        "Title, source and proof of one entry: strong-lth bounds ID. "
        f"Other questions: {', '.join(entry.id for entry in ESTIMATES)}.\n"
        f"Whole networks, {len(NETWORK_BOUNDS)} theorems: strong-lth bounds --network FILE or --shape 784 500 10."
    )
    return table


_MARKS = {"sufficient": "", "necessary": "at least ", "predicted": "about ", "measured": ""}
_ORDER = {"necessary": 0, "predicted": 1, "measured": 2, "sufficient": 3}
_SHORT = {"n/a": "n/a", Constants.UNSPECIFIED.value: "C", "none found": "none found"}


def _sure(status: str) -> str:
    """The first words of a status: machine-checked (with a star if only a part is), proved on paper, cited, asymptotic."""
    words = next((words for words in _STATUSES if status.startswith(words)), status)
    return f"{words} *" if words == "machine-checked" != status else words


_STATUSES = ("machine-checked", "proved on paper", "cited", "asymptotic", "measured")


def described(entry: Bound | Prediction | NetworkBound | Estimate) -> dict[str, Any]:
    """One entry in words: what kind it is, title, quantifier, direction, constants, status, source, address, page of the proof, and what it asks."""
    return {
        "id": entry.id,
        "kind": _KINDS[type(entry)],
        "title": entry.title,
        "quantifier": entry.scope.value,
        "direction": entry.direction.value if isinstance(entry, Bound | NetworkBound) else "predicted",
        "constants": entry.constants.value if isinstance(entry, Bound | NetworkBound) else "none",
        "status": entry.status,
        "source": str(entry.reference),
        "url": entry.reference.url or "",
        "page": f"proofs/docs/{entry.proof}.md" if isinstance(entry, Bound | NetworkBound) and entry.proof else "",
        "asks": entry.asks if isinstance(entry, Estimate) else "",
    }


_KINDS: dict[type, str] = {
    Bound: "bound on random subset sums",
    NetworkBound: "bound on whole networks",
    Prediction: "prediction, no bound",
    Estimate: "prediction with a question of its own",
}


def network_report(
    shape: DenseShape,
    tol: float,
    perturbation: float,
    delta: float,
    *,
    law: Law = _UNIFORM,
    constant: float | None = None,
) -> dict[str, Any]:
    """Everything the bounds say about targets of one shape: ``allotments`` (published beside ours), ``plans`` (widths by subset-sum bounds, at our allotment) and
    ``theorems`` (hidden widths by theorems on whole networks, in units of their constant where none is given).

    Raises InputError for bad parameters.
    """
    allotments = []
    for found in compare_allotments(shape, tol) if tol > 0 else []:
        row: dict[str, Any] = {
            "rule": found.rule,
            "source": found.source,
            "bits": found.bits,
            "weight_tol": list(found.weight_tol),
            "error": found.error,
        }
        for name, id in _COMPARED.items():
            plan = required_width(
                get(id), shape, tol=tol, delta=delta, perturbation=perturbation, law=law, weight_tol=found.weight_tol
            )
            row[name] = None if isinstance(plan, Verdict) else list(plan.candidates)
        allotments.append(row)
    plans = [_plan_row(entry, shape, tol, perturbation, delta, law) for entry in _planners()]
    theorems = []
    for theorem in NETWORK_BOUNDS:
        unit = constant if theorem.constants is Constants.UNSPECIFIED else None
        widths = theorem.widths(shape, tol=tol, delta=delta, perturbation=perturbation, constant=unit)
        theorems.append(
            {
                "id": theorem.id,
                "direction": theorem.direction.value,
                "constants": theorem.constants.value,
                "constant": unit,
                "widths": _FORMLESS
                if theorem.formula is None
                else _WORDS[widths]
                if isinstance(widths, Verdict)
                else list(widths),
                "title": theorem.title,
                "status": theorem.status,
                "source": str(theorem.reference),
            }
        )
    return {"weights": shape.weights, "allotments": allotments, "plans": plans, "theorems": theorems}


def _planners() -> list[Bound | Prediction]:
    """What gives sufficient numbers: explicit bounds and predictions."""
    sufficient = [b for b in BOUNDS if b.direction is Direction.SUFFICIENT and b.constants is Constants.EXPLICIT]
    return [*sufficient, *PREDICTIONS]


def _plan_row(
    entry: Bound | Prediction, shape: DenseShape, tol: float, perturbation: float, delta: float, law: Law
) -> dict[str, Any]:
    plan = required_width(entry, shape, tol=tol, delta=delta, perturbation=perturbation, law=law)
    row: dict[str, Any] = {
        "id": entry.id,
        "direction": "sufficient" if isinstance(entry, Bound) else "predicted",
        "promises": "one given network" if entry.scope is Scope.EACH_TARGET else "every network",
    }
    if not isinstance(plan, Verdict):
        facts = {"candidates": list(plan.candidates), "units": list(plan.units), "parameters": plan.parameters}
        return row | facts | {"overparameterization": plan.overparameterization, "why": ""}
    why = _WORDS[plan]
    if plan is Verdict.NOT_APPLICABLE:
        why += f" ({why_not(entry, tol, perturbation, law, Window(-shape.reach, shape.reach))})"
    return row | dict.fromkeys(("candidates", "units", "parameters", "overparameterization")) | {"why": why}


_FORMLESS = "form not available"
_COMPARED = {"predicted": "each-target-local-law", "proved": "rss-contraction"}  # laws that answer at every tolerance


def network_tables(report: Mapping[str, Any]) -> list[Table]:
    """The three parts of ``network_report`` as tables that read at 100 columns."""
    first = _table(
        "tolerances", "bits per weight", "tolerance per weight", "really guarantees", "n predicted", "n proved"
    )
    for row in report["allotments"]:
        first.add_row(
            row["rule"], f"{row['bits']:.2f}", _short(row["weight_tol"], ".1e"), f"{row['error']:.2e}",
            _short(row["predicted"], "d"), _short(row["proved"], "d"),
        )  # fmt: skip
    first.caption = (
        "bits: mean of lg(1 / tolerance). pensia2020: published allotment (Pensia et al. 2020 as restated, Xiong et al. 2023); equal, optimal: tight propagation. "
        "n per weight and sign half, layer by layer: each-target-local-law, rss-contraction."
    )
    second = _table("widths", "n per weight", "parameters", "times target", "promises")
    numbers = [row for row in report["plans"] if row["candidates"] is not None]
    for row in sorted(numbers, key=lambda row: (row["promises"], row["parameters"])):
        mark = "about " if row["direction"] == "predicted" else ""
        second.add_row(
            row["id"], mark + _short(row["candidates"], "d"), _short(row["parameters"], ","),
            f"{row['overparameterization']:.0f}", row["promises"],
        )  # fmt: skip
    for row in (row for row in report["plans"] if row["candidates"] is None):
        second.add_row(row["id"], row["why"], "", "", row["promises"])
    second.caption = "At the tolerances that need the fewest parameters; n per weight and sign half, layer by layer."
    third = _table("theorems on whole networks", "hidden widths", "direction", "how sure")
    for row in report["theorems"]:
        shown = row["widths"] if isinstance(row["widths"], str) else _short(row["widths"], ",")
        if row["constant"] is not None and not isinstance(row["widths"], str):
            shown += f" at C = {row['constant']:g}"
        third.add_row(row["id"], _SHORT.get(shown, shown), row["direction"], _sure(row["status"]))
    third.caption = "C: the statement says 'for some constant C'; --constant 2 shows its widths at C = 2. n/a: other shapes or assumptions."
    return [first, second, third]


def _short(values: Any, form: str) -> str:
    """A number, or a list of them joined by spaces, the middle left out beyond four."""
    if values is None:
        return "n/a"
    if not isinstance(values, list):
        return format(values, form)
    shown = [format(value, form) for value in values]
    return " ".join(shown if len(shown) <= 4 else [*shown[:2], "..", shown[-1]])


def _table(*names: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, caption_justify="left", caption_style="", pad_edge=False, collapse_padding=True)
    for i, name in enumerate(names):
        left = i == 0 or name in ("direction", "how sure", "promises")
        table.add_column(name, no_wrap=True, justify="left" if left else "right")
    return table
