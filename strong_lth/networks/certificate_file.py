"""``certificate.json``: everything a sceptic needs to re-prove a ticket with the standard library alone.

Only what can be derived again is stored: the target, the domain, seed, laws, widths, scales, kept indices, shifts and the claimed numbers. Floats
are hexadecimal. ``hash`` is the SHA-256 of the canonical form (JSON, sorted keys, no spaces, hash left out). ``proofs/check_certificate.py`` reads it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from strong_lth.core import InputError, canonical_hash
from strong_lth.distributions import is_portable, law_record
from strong_lth.networks.certify import ErrorBound
from strong_lth.networks.difference import difference_bounds
from strong_lth.networks.files import write_text
from strong_lth.networks.network import Network
from strong_lth.networks.storage import domain_record, kept_digest
from strong_lth.networks.subnetwork import Subnetwork

FORMAT = "strong_lth certificate"
VERSION = 1
RECHECKABLE = ("difference-interval", "joint-zonotope")


def certificate_document(target: Network, strong: Subnetwork, error: ErrorBound) -> dict[str, Any]:
    """The certificate as plain data, hash included; it claims the least bound that exact arithmetic can repeat.

    Raises InputError for a ticket cut from a moved source: its weights cannot be derived from the seed.
    """
    source = strong.source
    if error.domain != strong.domain:
        raise InputError(
            "error", f"a certificate on {error.domain}", f"certify on the domain of the ticket, {strong.domain}"
        )
    if any(part.moved is not None for part in source.layers):
        raise InputError(
            "strong", "a ticket of a moved source", "certificates are written for sources that a seed derives"
        )
    pairs = strong.layer_pairs(target, error.domain)
    bounds = {
        name: math.ldexp(float(values.max()), strong.scaling.gain)
        for name, values in difference_bounds(pairs, error.domain).items()
    }
    if bounds != dict(error.bounds):
        raise InputError(
            "error", "the certificate of another pair", "pass what certify returned for this target and ticket"
        )
    method = min(RECHECKABLE, key=lambda name: error.bounds[name])
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "claim": {
            "bounds": {name: value.hex() for name, value in error.bounds.items()},
            "certified": error.bounds[method].hex(),
            "method": method,
            "found": error.found.hex(),
            "found_at": [float(v).hex() for v in error.found_at],
        },
        "domain": domain_record(strong.domain),
        "target": [
            {"weight": _rows(dense.weight), "bias": None if dense.bias is None else _numbers(dense.bias)}
            for dense in target.dense
        ],
        "source": {
            "seed": source.seed,
            "law": law_record(source.law),
            "first": law_record(source.first),
            "widths": list(source.widths),
            "kept_sha256": kept_digest(source, strong.layers),
        },
        "scaling": {"rows": [[int(a) for a in rows] for rows in strong.scaling.rows], "gain": strong.scaling.gain},
        "tol": strong.tol.hex(),
        "weight_tol": [value.hex() for value in strong.weight_tol],
        "perturbation": strong.perturbation.hex(),
        "layers": [_layer(strong, index) for index in range(len(strong.layers))],
        "unserved": [[u.layer, u.output, u.input, u.half] for u in strong.unserved],
    }
    document["hash"] = canonical_hash(document)
    return document


def write_certificate(target: Network, strong: Subnetwork, error: ErrorBound, path: str | Path) -> None:
    """Write ``certificate_document``; an existing file is replaced only when the new one is complete."""
    write_text(
        Path(path), json.dumps(certificate_document(target, strong, error), sort_keys=True, separators=(",", ":"))
    )


def _layer(strong: Subnetwork, index: int) -> dict[str, Any]:
    """Kept units of every output, their shifts, and, for laws that no integer recipe derives, their grid values."""
    part, ticket = strong.source.layers[index], strong.layers[index]
    kept = [np.flatnonzero(row) for row in ticket.keep]
    entry: dict[str, Any] = {"keep": [[int(unit) for unit in units] for units in kept]}
    if ticket.shift is not None:
        entry["shift"] = [_numbers(row[units]) for row, units in zip(ticket.shift, kept, strict=True)]
    if not is_portable(strong.source.law):
        entry["grid"] = [[int(m) for m in row[units]] for row, units in zip(part.even, kept, strict=True)]
        entry["grid_exponent"] = part.even_exponent
    return entry


def _numbers(values: np.ndarray[Any, Any]) -> list[str]:
    return [float(v).hex() for v in values]


def _rows(values: np.ndarray[Any, Any]) -> list[list[str]]:
    return [_numbers(row) for row in values]
