"""Re-prove subset sums and coverage from their certificates, in exact rationals. Standard library only.

Three kinds. *Subset sum* and *batch*: the kept candidates, after shifts within the perturbation, come this near to the target. *Cover*: every target of a
window is served by one sample, because the intervals that some of its subsets serve form a chain without a gap (proofs/docs/interval-chain.md).
That a subset is the nearest one, or that none exists, is no part of any certificate.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

from certificate_reader import Rejected, flag, listed, number, numbers, opened, whole

SUM, BATCH, COVER = (f"strong_lth {kind} certificate" for kind in ("subset sum", "batch", "cover"))
VERSION = 1
MOST_CANDIDATES = 10**6


def check_sum(document: dict) -> tuple[str, list[str]]:
    """(claim, log) of one subset sum; Rejected if it is false."""
    names = (
        "candidates",
        "target",
        "tol",
        "perturbation",
        "signed",
        "size",
        "keep",
        "signs",
        "shift",
        "error",
        "solved",
    )
    opened(document, SUM, VERSION, *names)
    candidates = sample(document["candidates"])
    perturbation = allowances(document["perturbation"], len(candidates))
    keep = subset(document["keep"], len(candidates))
    signs = [whole(sign, -1, 1) for sign in listed(document["signs"], len(keep))]
    signed = flag(document["signed"])
    if 0 in signs or (-1 in signs and not signed):
        raise Rejected("a kept candidate enters with a sign that it may not have")
    if document["size"] is not None and whole(document["size"], 0, len(candidates)) != len(keep):
        raise Rejected(f"{len(keep)} candidates are kept, {document['size']} were asked for")
    exact = error_of(candidates, perturbation, keep, signs, document["shift"], number(document["target"]), "")
    tol = allowance(document["tol"])
    settle(exact, document["error"], document["solved"], tol, "")
    verdict = "within" if exact <= tol else "beyond"
    return (
        f"{len(keep)} of {len(candidates)} candidates come within {float(exact):.6e} of the target, {verdict} tol {float(tol):g}",
        ["shifts within the perturbation, sum exact; that no subset is nearer is not claimed"],
    )


def check_batch(document: dict) -> tuple[str, list[str]]:
    """(claim, log) of many subset sums; Rejected with the first row that is false."""
    opened(
        document, BATCH, VERSION, "candidates", "targets", "tol", "perturbation", "keep", "shift", "errors", "solved"
    )
    targets = numbers(document["targets"])
    count = len(targets)
    rows = [sample(row) for row in listed(document["candidates"])]
    n = len(rows[0]) if rows else 0
    moves = [allowances(row, n) for row in listed(document["perturbation"])]
    tols = [allowance(value) for value in listed(document["tol"], count)]
    if len(rows) not in (1, count) or len(moves) not in (1, count) or any(len(row) != n for row in rows):
        raise Rejected("not one row of candidates and of perturbations for all, or one for each target")
    columns = [listed(document[name], count) for name in ("keep", "shift", "errors", "solved")]
    solved, worst = 0, Fraction(0)
    for row, (kept, shift, error, claimed) in enumerate(zip(*columns, strict=True)):
        candidates, perturbation = rows[row % len(rows)], moves[row % len(moves)]
        keep = subset(kept, n)
        exact = error_of(candidates, perturbation, keep, [1] * len(keep), shift, targets[row], f"row {row}: ")
        settle(exact, error, claimed, tols[row], f"row {row}: ")
        solved, worst = solved + flag(claimed), max(worst, exact)
    return (
        f"{solved} of {count} targets are within their tol of a subset sum of {n} candidates; the largest error is {float(worst):.6e}",
        ["every shift within the perturbation, every sum exact; that no subset is nearer is not claimed"],
    )


def check_cover(document: dict) -> tuple[str, list[str]]:
    """(claim, log) of the coverage of a window; Rejected with the first gap."""
    opened(document, COVER, VERSION, "candidates", "tol", "perturbation", "window", "masks")
    candidates = sample(document["candidates"])
    perturbation = allowances(document["perturbation"], len(candidates))
    tol = allowance(document["tol"])
    low, high = numbers(document["window"], 2)
    if low > high:
        raise Rejected("the window ends before it begins")
    reached = low
    masks = [whole(code, 0, (1 << len(candidates)) - 1) for code in listed(document["masks"])]
    for position, code in enumerate(masks):
        kept = [i for i in range(code.bit_length()) if code >> i & 1]
        middle = sum((candidates[i] for i in kept), Fraction(0))
        reach = tol + sum((perturbation[i] for i in kept), Fraction(0))
        if middle - reach > reached:
            raise Rejected(f"mask {position}: targets above {float(reached)!r} are not served")
        reached = max(reached, middle + reach) if position else middle + reach
    if not masks or reached < high:
        raise Rejected(f"targets above {float(reached)!r} are not served")
    moved = f", each moved by at most {float(max(perturbation)):g}" if any(perturbation) else ""
    window = f"[{float(low):g}, {float(high):g}]"
    claim = f"every target of {window} is within {float(tol):g} of a subset sum of {len(candidates)} candidates{moved}"
    return claim, [f"{len(masks)} subsets form a chain without a gap"]


def sample(values: object) -> list[Fraction]:
    """At least one candidate."""
    candidates = numbers(values)
    if not 1 <= len(candidates) <= MOST_CANDIDATES:
        raise Rejected(f"{len(candidates)} candidates")
    return candidates


def allowance(value: object) -> Fraction:
    """A number >= 0."""
    if (allowed := number(value)) < 0:
        raise Rejected("an allowance is negative")
    return allowed


def allowances(values: object, length: int) -> list[Fraction]:
    """Numbers >= 0."""
    return [allowance(value) for value in listed(values, length)]


def subset(values: object, n: int) -> list[int]:
    """Increasing indices below n."""
    keep = [whole(index, 0, n - 1) for index in listed(values)]
    if any(a >= b for a, b in itertools.pairwise(keep)):
        raise Rejected("the kept candidates are no increasing list")
    return keep


def error_of(
    candidates: list[Fraction],
    perturbation: list[Fraction],
    keep: list[int],
    signs: list[int],
    shift: object,
    target: Fraction,
    where: str,
) -> Fraction:
    """|sum of sign (candidate + shift) - target|, exactly; Rejected if a shift is too large."""
    total = -target
    for index, sign, moved in zip(keep, signs, numbers(shift, len(keep)), strict=True):
        if abs(moved) > perturbation[index]:
            raise Rejected(
                f"{where}candidate {index} moved by {float(moved)!r}, more than {float(perturbation[index])!r}"
            )
        total += sign * (candidates[index] + moved)
    return abs(total)


def settle(exact: Fraction, error: object, solved: object, tol: Fraction, where: str) -> None:
    """Rejected unless the stated error is the correctly rounded one and ``solved`` says whether it is at most tol."""
    if float(exact) != number(error):
        raise Rejected(f"{where}the error is {float(exact)!r}, not {float(number(error))!r}")
    if flag(solved) != (exact <= tol):
        raise Rejected(f"{where}solved is stated as {solved}, with error {float(exact)!r} and tol {float(tol)!r}")
