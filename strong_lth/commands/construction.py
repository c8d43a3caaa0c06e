"""``strong-lth approximate``, ``certify`` and ``verify-perturbation``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import tyro

from strong_lth.commands.shown import check_writable, progress_bars, show_rows


def approximate(
    target: tyro.conf.Positional[Path],
    *,
    tol: float,
    perturbation: float = 0.0,
    perturb: Literal["none", "best", "psgd", "distil", "random"] = "best",
    data: str = "digits",
    delta: float = 0.01,
    width: str = "smallest",
    objective: Literal["fewest", "nearest"] = "fewest",
    low: float = 0.0,
    high: float = 1.0,
    scale: float = 1.0,
    first: Literal["balanced", "signs", "uniform"] = "balanced",
    seed: int = 0,
    out: Path | None = None,
    certificate: Path | None = None,
    memory_gib: float = 2.0,
    json: bool = False,
) -> int:
    """Prune one random network into a target network and certify the result; status 1 if a weight cannot be served.

    Args:
        target: The target: an .npz file with arrays W1 .. WL (d_out, d_in) and optionally b1 .. bL.
        tol: Allowed output error, the largest over the input box [low, high]^d.
        perturbation: Allowed change of each kept random weight of the even matrices.
        perturb: Who moves those weights: nobody, the solver (the best way), projected SGD on the data, projected descent towards the target's outputs, or chance.
            All but the solver move the whole network before it is pruned, and need a --width in numbers.
        data: Images for psgd and distil: digits, mnist, fashion-mnist, cifar10 or cifar100.
        delta: Failure probability behind --width proved.
        width: Candidates per weight and sign half: a number, numbers joined by commas (one per layer), "smallest" or "proved".
        objective: Keep as few weights as possible, or make each weight as accurate as possible.
        low: Lower end of every input.
        high: Upper end of every input.
        scale: The even matrices are U[-scale, scale].
        first: Law of the odd matrices: rows of +1 and -1, random signs, or U[-1, 1].
        seed: Seed of the random network.
        out: Ticket file to write (safetensors).
        certificate: Certificate file to write (JSON).
        memory_gib: Memory budget; more is refused before it is used.
        json: Print the numbers as JSON.
    """
    import strong_lth as lth
    from strong_lth import networks

    firsts: dict[str, lth.Law] = {
        "balanced": lth.BalancedSigns(),
        "signs": lth.RandomSigns(),
        "uniform": lth.Uniform(-1, 1),
    }
    check_writable(out, certificate, apart_from=target)
    if not 0 < memory_gib <= 2**20:
        raise lth.InputError("--memory-gib", memory_gib, "give a number of GiB above 0")
    if not 0 < scale < float("inf"):
        raise lth.InputError("--scale", scale, "give a finite number above 0")
    network = lth.Network.load(target)
    domain = lth.Box(low, high)
    candidates = _width(width)
    settings: dict[str, Any] = {
        "domain": domain,
        "tol": tol,
        "law": lth.Uniform(-scale, scale),
        "first": firsts[first],
        "perturbation": perturbation,
        "objective": objective,
        "seed": seed,
        "memory": int(memory_gib * 2**30),
    }
    with progress_bars() as progress:
        if perturb == "best":
            strong = lth.approximate(network, delta=delta, width=candidates, progress=progress, **settings)
        else:
            strong = _moved_first(network, perturb, data, candidates, certificate, progress, settings)
        progress("certificate", 0, 1)
        error = lth.certify(network, strong, domain=domain)
        progress("certificate", 1, 1)
    if out is not None:
        strong.save(out)
    if certificate is not None:
        networks.write_certificate(network, strong, error, certificate)
    return _show_ticket(network, strong, error, json)


def _moved_first(
    network: Any, perturb: Any, data: str, width: Any, certificate: Path | None, progress: Any, settings: dict[str, Any]
) -> Any:
    """Prune a source that was moved as a whole before."""
    from strong_lth.core import InputError
    from strong_lth.tickets import bridge

    if width is None or isinstance(width, str):
        raise InputError(
            "--width",
            width or "proved",
            f"give numbers with --perturb {perturb}: the source is moved before it is pruned",
        )
    if certificate is not None and perturb != "none":
        raise InputError(
            "--certificate",
            certificate,
            "leave it out: a certificate file is about weights that a seed derives, and these were moved",
        )
    return bridge.approximate_perturbed(network, perturb=perturb, data=data, width=width, progress=progress, **settings)


def certify(target: tyro.conf.Positional[Path], ticket: tyro.conf.Positional[Path], *, json: bool = False) -> int:
    """Re-prove a ticket file against its target and bound its error on the ticket's domain; status 1 if a check fails
    or a weight is not served.

    Args:
        target: The target the ticket was made for (.npz).
        ticket: A ticket file written by `approximate --out` or Subnetwork.save.
        json: Print the numbers as JSON.
    """
    import strong_lth as lth

    network, strong = lth.Network.load(target), lth.Subnetwork.load(ticket)
    error = lth.certify(network, strong, domain=strong.domain)
    return _show_ticket(network, strong, error, json)


def verify_perturbation(
    before: tyro.conf.Positional[Path],
    after: tyro.conf.Positional[Path],
    *,
    perturbation: float,
    shape: Literal["box", "relative", "ball"] = "box",
    json: bool = False,
) -> int:
    """Decide in exact rationals whether every weight stayed within its perturbation; status 1, naming the worst weight, if one left.

    Where the first file states model, data and seed, its weights must be what they draw. Running statistics are compared with nothing.

    Args:
        before: Weights before (safetensors).
        after: Weights after: a safetensors file, or a ticket file, whose kept weights are compared.
        perturbation: Allowed change of every weight (box), as a share of its size (relative), or of all together (ball).
        shape: box, relative or ball.
        json: Print the certificate as JSON.
    """
    import strong_lth as lth
    from strong_lth.tickets import weights_file

    old, new = weights_file.read_weights(before), weights_file.read_weights(after)
    drawn = None if old.origin is None else {n: t.numpy() for n, t in old.origin.drawn().items()}
    moved = {name: new.arrays[name] for name in new.arrays if drawn is None or name in drawn}
    certificate = lth.verify_perturbation(old.arrays, moved, perturbation, shape=shape, mask=new.mask, drawn=drawn)
    if json:
        print(certificate.to_json())
    else:
        seed = "no seed stated: not re-drawn" if old.origin is None else f"seed {old.origin.seed} of {old.origin.model}"
        print(f"{certificate.claim}: {'proved' if certificate.ok else 'FAILED'} ({certificate.method}; {seed})")
        for check in certificate.checks:
            print(f"  {check.outcome.value}  {check.name}: {check.detail}")
    for check in certificate.failures:
        print(f"strong-lth: {check.name}: {check.detail}", file=sys.stderr)
    return int(not certificate.ok)


def _show_ticket(network: Any, strong: Any, error: Any, json: bool) -> int:
    """Print the numbers of a ticket; status 1 if a check failed or a weight is not served."""
    from strong_lth import report

    numbers = report.ticket_numbers(network, strong, error)
    if json:
        show_rows([numbers], None)
    else:
        show_rows([], report.ticket_table(numbers))
    if strong.unserved:
        print(f"strong-lth: {report.unserved_sentence(strong)}", file=sys.stderr)
    return int(bool(strong.unserved) or not error.certificate.ok)


def _width(text: str) -> int | list[int] | Literal["smallest"] | None:
    """``--width``: a number, numbers joined by commas, "smallest", or "proved" (None to the library)."""
    from strong_lth.core import InputError

    if text == "smallest":
        return "smallest"
    if text == "proved":
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError("--width", repr(text), "give a number, numbers joined by commas, smallest or proved") from None
    return numbers[0] if len(numbers) == 1 else numbers
