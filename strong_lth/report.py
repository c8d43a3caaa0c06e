"""Tables for people and plain rows for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strong_lth.bounds import BOUNDS, PREDICTIONS, Bound, Constants, Prediction, required_candidates
from strong_lth.core import Point, Verdict, Window
from strong_lth.distributions import Law, Uniform

if TYPE_CHECKING:
    from rich.table import Table

_UNIFORM, _WINDOW = Uniform(-1.0, 1.0), Window(-0.5, 0.5)


def bounds_rows(
    tol: float, perturbation: float, delta: float, *, law: Law = _UNIFORM, targets: Window | Point = _WINDOW
) -> list[dict[str, Any]]:
    """Every bound and prediction at one setting, as plain data: bounds first, in the order they are listed.

    Keys: ``id``, ``kind`` (bound, prediction), ``quantifier`` (each target, all targets), ``direction`` (sufficient, necessary, predicted),
    ``status``, ``source``, ``n`` (a whole number, or the words "n/a", "constants unspecified", "none found") and ``failure``, the failure
    probability at that n, or None. A NECESSARY bound states the least n that it does not exclude.

    Raises InputError for bad tol, perturbation or delta.

    >>> [(row["id"], row["n"]) for row in bounds_rows(0.01, 0.001, 0.05)][:3]
    [('volume', 6), ('rss-contraction', 45), ('rss-contraction-checked', 45)]
    """
    entries: list[Bound | Prediction] = [*BOUNDS, *PREDICTIONS]
    return [_row(entry, tol, perturbation, delta, law, targets) for entry in entries]


def _row(
    entry: Bound | Prediction, tol: float, perturbation: float, delta: float, law: Law, targets: Window | Point
) -> dict[str, Any]:
    n = required_candidates(entry, tol=tol, perturbation=perturbation, delta=delta, law=law, targets=targets)
    failure: float | None = None
    if not isinstance(n, Verdict):
        value = entry.failure(n, tol, perturbation, law=law, targets=targets)
        failure = None if isinstance(value, Verdict) else value
    return {
        "id": entry.id,
        "kind": "bound" if isinstance(entry, Bound) else "prediction",
        "quantifier": entry.scope.value,
        "direction": entry.direction.value if isinstance(entry, Bound) else "predicted",
        "status": entry.status,
        "source": str(entry.reference),
        "n": _WORDS[n] if isinstance(n, Verdict) else n,
        "failure": failure,
    }


_WORDS = {
    Verdict.NOT_APPLICABLE: "n/a",
    Verdict.INCONCLUSIVE: Constants.UNSPECIFIED.value,
    Verdict.VACUOUS: "none found",
}


def bounds_table(rows: list[dict[str, Any]]) -> Table:
    """The rows of ``bounds_rows`` as a table that reads at 100 columns; status and source of each row stand below it.

    "at least" marks a necessary number, "about" a predicted one.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    notes = Text("\n").join(Text(f"({i}) {row['status']}; {row['source']}") for i, row in enumerate(rows, 1))
    table = Table(box=box.SIMPLE_HEAD, caption=notes, caption_justify="left", caption_style="", pad_edge=False)
    for name in ("", "candidates n", "P(miss) at n", "for", "direction", ""):
        table.add_column(name, no_wrap=True, justify="right" if name.endswith(" n") else "left")
    for i, row in enumerate(rows, 1):
        mark = _MARKS[row["direction"]] if isinstance(row["n"], int) else ""
        failure = "" if row["failure"] is None or row["direction"] == "necessary" else f"{row['failure']:.2g}"
        table.add_row(row["id"], f"{mark}{row['n']}", failure, row["quantifier"], row["direction"], f"({i})")
    return table


_MARKS = {"sufficient": "", "necessary": "at least ", "predicted": "about "}
