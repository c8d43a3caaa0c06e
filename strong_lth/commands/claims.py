"""``strong-lth bounds``, ``check`` and ``proofs``: what is claimed, held against reality, and proved."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from strong_lth.commands.shown import check_writable, plain_table, progress_bars, show_rows, write_document

if TYPE_CHECKING:
    import strong_lth as lth


def bounds(
    id: tyro.conf.Positional[str | None] = None,
    *,
    tol: float = 0.01,
    perturbation: float = 0.0,
    delta: float = 0.05,
    law: Literal["uniform", "normal", "product"] = "uniform",
    target: float | None = None,
    window: tuple[float, float] = (-0.5, 0.5),
    network: Path | None = None,
    shape: tuple[int, ...] = (),
    norms: tuple[float, ...] = (),
    radius: float = 1.0,
    nonnegative: bool = False,
    constant: float | None = None,
    root: Path | None = None,
    certificate: Path | None = None,
    json: bool = False,
) -> int:
    """Candidates that each bound and each prediction asks for and, from recorded simulations, how many are needed; or one entry; or the widths for a network.

    `strong-lth bounds` compares all of them on one random subset sum. `strong-lth bounds ID` shows one with its source. With --network or --shape: tolerances per weight,
    published and optimal, and the width of a random network that holds the target within --tol on its outputs.

    Args:
        id: One entry: its title, source, quantifier, status and number.
        tol: Allowed approximation error: of a target, or with --network or --shape of the outputs.
        perturbation: Allowed change of each candidate.
        delta: Failure probability.
        law: Candidates uniform on [-1, 1], standard normal, or products of two uniforms.
        target: One fixed target in place of a window.
        window: Targets of the statement.
        network: A target network: an .npz file with arrays W1 .. WL (d_out, d_in) and optionally b1 .. bL; its norms are computed.
        shape: Widths d_0 d_1 .. d_L of a target network without its weights; its weights are at most 1/2.
        norms: With --shape, upper bounds of the spectral norms, one per layer; default 1.
        radius: Largest Euclidean norm of an input of the network.
        nonnegative: The inputs of the network are never negative: one sign half less in the first layer.
        constant: Value to try for the C of theorems that leave it open.
        root: Checkout that holds simulations/records/; default: the one this package runs from, if any.
        certificate: File to write: the number of rss-recursion, for proofs/check_certificate.py to re-prove with the standard library alone (.json).
        json: Print as JSON.
    """
    import strong_lth as lth
    from strong_lth import measured
    from strong_lth import report_bounds as shown
    from strong_lth.core import InputError

    check_writable(certificate)
    if certificate is not None and (id is not None or network is not None or shape):
        raise InputError(
            "--certificate", str(certificate), "give it without ID, --network and --shape: it certifies rss-recursion"
        )
    if network is not None or shape:
        if network is not None and (shape or norms):
            raise InputError("--shape", list(shape), "give a network or a shape, not both")
        if id is not None:
            raise InputError("id", repr(id), "leave it out: --network and --shape show all bounds")
        return _network_bounds(
            network, shape, norms, radius, nonnegative, tol, perturbation, delta, constant, law, json
        )
    targets = lth.Window(*window) if target is None else lth.Point(target)
    if id is not None:
        entry = lth.bounds.get(id)
        row = shown.described(entry)
        if isinstance(entry, lth.Bound | lth.bounds.Prediction):
            found = shown.bound_row(entry, tol, perturbation, delta, law=_law(law), targets=targets)
            row |= {key: found[key] for key in ("n", "why", "failure")}
        if json:
            show_rows([row], None)
        else:
            filled = [{"item": key, "value": value} for key, value in row.items() if value not in ("", None)]
            show_rows([], plain_table(filled, {"item": "", "value": ""}))
        return 0
    rows = shown.bounds_rows(tol, perturbation, delta, law=_law(law), targets=targets)
    if (_law(law), targets) == (measured.LAW, measured.TARGETS):
        rows += measured.measured_rows(tol, perturbation, delta, root=root)
    if certificate is not None:
        _write_certificate(certificate, tol, delta)
    show_rows(rows, None if json else shown.bounds_table(rows))
    return 0


def _write_certificate(path: Path, tol: float, delta: float) -> None:
    """The number of rss-recursion with what re-proves it."""
    from strong_lth.bounds import get, required_candidates, rss_recursion
    from strong_lth.core import InputError

    n = required_candidates(get("rss-recursion"), tol=tol, delta=delta)
    if not isinstance(n, int):
        raise InputError("delta", delta, "the recursion asks for no number here")
    write_document(path, rss_recursion.certificate(n, tol=tol))


def _network_bounds(
    network: Path | None, shape: tuple[int, ...], norms: tuple[float, ...], radius: float, nonnegative: bool,
    tol: float, perturbation: float, delta: float, constant: float | None, law: str, json: bool,
) -> int:  # fmt: skip
    """``bounds --network`` and ``--shape``: candidates are scaled by a power of two until the weights lie in the window of the bounds."""
    import math
    from json import dumps

    import strong_lth as lth
    from strong_lth import report_bounds as shown

    if network is None:
        seen = lth.bounds.DenseShape(shape, norms, radius, nonnegative=nonnegative)
    else:
        from strong_lth.networks.shapes import dense_shape

        seen = dense_shape(lth.Network.load(network), radius=radius, nonnegative=nonnegative)
    scale = 2.0 ** max(0, math.ceil(math.log2(2 * seen.reach)))
    report = {
        "law": f"{law}, scaled by {scale:g}",
        "norms": list(seen.norms),
        "radius": seen.radius,
        "reach": seen.reach,
    }
    candidates = _law(law) if scale == 1 else lth.Scaled(_law(law), scale)
    report |= shown.network_report(seen, tol, perturbation, delta, law=candidates, constant=constant)
    if json:
        print(dumps(report, indent=2, allow_nan=False))
        return 0
    facts = f"{seen.weights:,} weights, norms {' '.join(f'{a:.3g}' for a in seen.norms)}, candidates {report['law']}"
    print(
        f"{facts}; tol {tol:g} on the outputs for inputs of norm <= {radius:g}, perturbation {perturbation:g}, delta {delta:g}"
    )
    for table in shown.network_tables(report):
        show_rows([], table)
    return 0


def _law(name: str) -> lth.Law:
    import strong_lth as lth

    laws: dict[str, lth.Law] = {
        "uniform": lth.Uniform(-1, 1),
        "normal": lth.Normal(),
        "product": lth.ProductUniform(),
    }
    return laws[name]


def check(
    bound: tyro.conf.Positional[str],
    *,
    tol: float,
    perturbation: float = 0.0,
    delta: float = 0.05,
    n: int | None = None,
    law: Literal["uniform", "normal", "product"] = "uniform",
    target: float | None = None,
    window: tuple[float, float] = (-0.5, 0.5),
    trials: int = 2000,
    seed: int = 1,
    alpha: float = 1e-3,
    json: bool = False,
) -> int:
    """Hold a bound against exact solves of the event it speaks of; status 1 if it is refuted.

    Args:
        bound: Id of a bound, as `strong-lth bounds` lists it.
        tol: Allowed approximation error of a target.
        perturbation: Allowed change of each candidate.
        delta: Without --n, the candidates that the bound asks for at this failure probability are simulated.
        n: Number of candidates.
        law: Candidates uniform on [-1, 1], standard normal, or products of two uniforms.
        target: One fixed target in place of a window.
        window: Targets of the statement.
        trials: At most so many trials; clear cases end early.
        seed: Seed of the trials.
        alpha: A wrong REFUTED has at most this probability, and so has a wrong CONSISTENT.
        json: Print the result as JSON.
    """
    import strong_lth as lth
    from strong_lth.core import InputError

    entry = lth.bounds.get(bound)
    if not isinstance(entry, lth.Bound):
        remedy = "name a bound on subset sums, of those that `strong-lth bounds` lists"
        if isinstance(entry, lth.bounds.Prediction | lth.bounds.Estimate):
            remedy = "name a bound; a prediction claims no inequality to refute"
        raise InputError("bound", repr(bound), remedy)
    targets = lth.Window(*window) if target is None else lth.Point(target)
    needed = n if n is not None else lth.required_candidates(
        entry, tol=tol, perturbation=perturbation, delta=delta, law=_law(law), targets=targets
    )  # fmt: skip
    size = 0 if isinstance(needed, lth.Verdict) else needed
    setting = {"tol": tol, "perturbation": perturbation, "law": _law(law), "targets": targets}
    with progress_bars() as progress:
        result = lth.validate.check(
            entry,
            n=size,
            **setting,
            trials=trials,
            seed=seed,
            alpha=alpha,
            progress=lambda done, total: progress("trials", done, total),
        )
    row = asdict(result) | {"n": size, "verdict": result.verdict.name, "meaning": result.verdict.value}
    if json:
        show_rows([row], None)
    else:
        order = ("bound", "verdict", "meaning", "event", "n", "claimed", "missed", "trials", "low", "high", "note")
        show_rows([], plain_table([{"item": name, "value": row[name]} for name in order], {"item": "", "value": ""}))
    return int(result.verdict is lth.Verdict.REFUTED)


def proofs(id: tyro.conf.Positional[str | None] = None, *, root: Path | None = None, json: bool = False) -> int:
    """What is proved, by whom and how far: all theorems, or one with its statement, its Coq names and what uses it.

    Args:
        id: Id of a theorem; left out: all of them.
        root: Checkout that holds proofs/; default: the one this package runs from.
        json: Print as JSON.
    """
    from strong_lth import theorems

    if id is None:
        rows = theorems.theorem_rows(root)
        columns: dict[str, str] = {name: name for name in ("id", "title", "status", "tier") if name in rows[0]}
        show_rows(rows, None if json else plain_table(rows, columns))
        return 0
    description = theorems.describe(id, root)
    if json:
        show_rows([description], None)
    else:
        print(theorems.theorem_text(description))
    return 0
