"""Tables for people and plain rows for machines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from strong_lth.networks import ErrorBound, Network, Subnetwork


def demo_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The demo's rows (``asdict`` of its ``Row``) as one table that reads at 120 columns."""
    from rich import box
    from rich.table import Table

    notes = (
        "candidates per weight and sign half: needed = median over five random sources (range), predicted = each-target local law, "
        "proved = sharpest bound in the package at delta = 0.01 with a union over all weights. errors: largest logit error over all "
        "inputs in [0, 1]^64; a priori from the tolerances, certified rigorous, found by search (about 1e-13: every weight "
        "is represented exactly). accuracy on the test images. s: seconds, the first row with the compilation of the kernels."
    )
    table = Table(
        box=box.SIMPLE_HEAD,
        caption=notes,
        caption_justify="left",
        caption_style="",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    names = (
        "tol",
        "perturb.",
        "needed",
        "pred.",
        "proved",
        "source par.",
        "density",
        "a priori",
        "certified",
        "found",
        "target",
        "ticket",
        "s",
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        c = row["candidates"]
        table.add_row(
            f"{c['tol']:g}",
            f"{c['perturbation']:g}",
            f"{c['needed']} ({c['needed_low']}-{c['needed_high']})",
            str(c["predicted"]),
            str(c["proved"]),
            f"{row['source_parameters']:,}",
            f"{row['density']:.2%}",
            f"{row['a_priori']:.1e}",
            f"{row['certified']:.1e}" + ("" if row["verified"] else " !"),
            f"{row['found']:.1e}",
            f"{row['target_accuracy']:.2%}",
            f"{row['ticket_accuracy']:.2%}",
            f"{row['seconds']:.1f}",
        )
    return table


def ticket_numbers(target: Network, strong: Subnetwork, error: ErrorBound) -> dict[str, Any]:
    """What a ticket is worth, as plain data; infinite guarantees become None."""
    causes = Counter(item.cause for item in strong.unserved)
    recheckable = min(("difference-interval", "joint-zonotope"), key=lambda name: error.bounds[name])
    return {
        "target_parameters": target.parameters,
        "widths": list(strong.source.widths),
        "source_parameters": strong.source.parameters,
        "overparameterization": strong.overparameterization(target),
        "kept": strong.kept,
        "density": strong.density,
        "gain": 2**strong.scaling.gain,
        "objective": strong.objective,
        "perturbation": strong.perturbation,
        "source_moved_by": strong.source.perturbation_used,
        "weight_tol": list(strong.weight_tol),
        "unserved": len(strong.unserved),
        "unserved_range": causes["range"],
        "unserved_density": causes["density"],
        "not_proved_fewest": strong.undecided,
        "tol": strong.tol,
        "a_priori": error.a_priori if math.isfinite(error.a_priori) else None,
        "certified": error.certified,
        "method": error.method,
        "recheckable": error.bounds[recheckable],
        "recheckable_method": recheckable,
        "found": error.found,
        "checks_failed": [f"{check.name}: {check.detail}" for check in error.certificate.failures],
    }


def unserved_sentence(strong: Subnetwork) -> str:
    """What is not served, the first of it, and the remedy; empty if everything is served."""
    if not strong.unserved:
        return ""
    causes = Counter(item.cause for item in strong.unserved)
    first = strong.unserved[0]
    return (
        f"{len(strong.unserved)} of the target's weights and sign halves are not served ({causes['range']} out of the range of all subset sums, "
        f"{causes['density']} where the sums are too sparse); the first: layer {first.layer}, output {first.output}, input {first.input}, "
        f"half {first.half}, missed by {first.error:.2e}; raise width, tol or perturbation, or use a wider law"
    )


def ticket_table(numbers: Mapping[str, Any]) -> Table:
    """The numbers of one ticket, a line each."""
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in numbers.items():
        table.add_row(name.replace("_", " "), _shown(value))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
