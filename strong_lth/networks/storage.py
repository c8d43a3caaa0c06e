"""Ticket files: a safetensors file without weights. They are drawn again from the seed, and checked by hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strong_lth.core import Ball, Box, BudgetError, Domain, FormatError, InputError
from strong_lth.distributions import is_portable, law_from_record, law_record
from strong_lth.networks.files import replacing
from strong_lth.networks.layer_ticket import LayerTicket, Unserved
from strong_lth.networks.mask import pack, unpack
from strong_lth.networks.network import Network
from strong_lth.networks.scaling import Scaling
from strong_lth.networks.source import DEFAULT_MEMORY, RandomSource, SourceLayer, random_source

if TYPE_CHECKING:
    from strong_lth.networks.subnetwork import Subnetwork

FORMAT = "strong_lth ticket"
VERSION = 1
_REMEDY = "use a file written by Subnetwork.save of this version"


def save_ticket(strong: Subnetwork, path: Path) -> None:
    """Write the ticket; an existing file is replaced only when the new one is complete."""
    from safetensors.numpy import save

    tensors: dict[str, Any] = {}
    for part, ticket in zip(strong.source.layers, strong.layers, strict=True):
        name = str(2 * part.index)
        tensors[f"{name}.mask"] = pack(ticket.keep)
        if ticket.shift is not None:
            tensors[f"{name}.shift"] = ticket.shift[ticket.keep]
        if not is_portable(strong.source.law):
            tensors[f"{name}.grid"] = part.even[ticket.keep]
        if part.moved is not None:
            tensors[f"{name}.moved"] = part.moved[ticket.keep]
    header = _header(strong)
    header["sha256"] = content_digest(header, tensors)
    with replacing(path) as handle:
        handle.write(save(tensors, metadata={FORMAT: json.dumps(header, sort_keys=True)}))


def read_ticket(path: Path, memory: int = DEFAULT_MEMORY) -> dict[str, Any]:
    """The fields of the ``Subnetwork`` in a file; FormatError, naming the file, for anything that ``save_ticket`` did not write."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such ticket file")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(FORMAT)
            if text is None:
                raise FormatError(f"{path}: got a safetensors file of another kind; {_REMEDY}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(text)
        if header.get("version") != VERSION:
            raise FormatError(f"{path}: got format version {header.get('version')!r}, expected {VERSION}; {_REMEDY}")
        if header.pop("sha256", None) != content_digest(header, tensors):
            raise FormatError(f"{path}: the content does not match its hash; {_REMEDY}")
        return _assemble(header, tensors, memory)
    except BudgetError:
        raise
    except FormatError as error:
        raise FormatError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    except (
        SafetensorError,
        InputError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise FormatError(f"{path}: damaged ticket file ({error}); {_REMEDY}") from None


def content_digest(header: dict[str, Any], tensors: dict[str, Any]) -> str:
    """SHA-256 of the header (canonical JSON, without this hash) and of every tensor by name."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype.str} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def kept_digest(source: RandomSource, layers: tuple[LayerTicket, ...]) -> str:
    """SHA-256 over name, shape and little-endian bytes of the kept entries of every matrix, in order."""
    digest = hashlib.sha256()
    for part, ticket in zip(source.layers, layers, strict=True):
        used = ticket.keep.any(axis=0)
        rows = ((2 * part.index - 1, part.odd_kept[used]), (2 * part.index, part.even_weights[ticket.keep]))
        for number, values in rows:
            shape = (part.units, part.inputs) if number % 2 else (part.outputs, part.units)
            digest.update(f"{number}.weight {shape}".encode())
            digest.update(values.astype("<f8").tobytes())
    return digest.hexdigest()


def domain_record(domain: Domain) -> dict[str, Any]:
    """The domain as plain data with hexadecimal floats."""

    def written(value: float | tuple[float, ...]) -> Any:
        return [v.hex() for v in value] if isinstance(value, tuple) else float(value).hex()

    if isinstance(domain, Box):
        return {"kind": "box", "low": written(domain.low), "high": written(domain.high)}
    return {"kind": "ball", "radius": written(domain.radius), "center": written(domain.center)}


def domain_from_record(record: dict[str, Any]) -> Domain:
    """Inverse of ``domain_record``."""

    def read(value: Any) -> Any:
        return tuple(float.fromhex(v) for v in value) if isinstance(value, list) else float.fromhex(value)

    if record["kind"] == "box":
        return Box(read(record["low"]), read(record["high"]))
    if record["kind"] == "ball":
        return Ball(read(record["radius"]), read(record["center"]))
    raise FormatError(f"domain: got kind {record['kind']!r}; expected box or ball")


def _header(strong: Subnetwork) -> dict[str, Any]:
    source = strong.source
    return {
        "version": VERSION,
        "seed": source.seed,
        "law": law_record(source.law),
        "first": law_record(source.first),
        "widths": list(source.widths),
        "layers": [[part.outputs, part.inputs, part.bias] for part in source.layers],
        "moved_by": source.perturbation_used.hex(),
        "domain": domain_record(strong.domain),
        "rows": [[int(a) for a in rows] for rows in strong.scaling.rows],
        "gain": strong.scaling.gain,
        "tol": strong.tol.hex(),
        "weight_tol": [value.hex() for value in strong.weight_tol],
        "chain": strong.chain,
        "a_priori": strong.a_priori.hex(),
        "perturbation": strong.perturbation.hex(),
        "objective": strong.objective,
        "undecided": [ticket.undecided for ticket in strong.layers],
        "unserved": [[u.layer, u.output, u.input, u.half, u.cause, u.error.hex()] for u in strong.unserved],
        "kept_sha256": kept_digest(source, strong.layers),
    }


def _assemble(header: dict[str, Any], tensors: dict[str, Any], memory: int) -> dict[str, Any]:
    shapes = [(int(outputs), int(inputs), bool(bias)) for outputs, inputs, bias in header["layers"]]
    if sum(outputs * inputs for outputs, inputs, _ in shapes) * 8 > memory:
        raise BudgetError(f"layers: got {shapes}, more than the {memory} bytes allowed")
    shaped = Network.from_arrays(
        [np.zeros((outputs, inputs)) for outputs, inputs, _ in shapes],
        [np.zeros(outputs) if bias else None for outputs, _, bias in shapes],
    )
    domain = domain_from_record(header["domain"])
    source = random_source(
        shaped,
        domain=domain,
        width=header["widths"],
        law=law_from_record(header["law"]),
        first=law_from_record(header["first"]),
        seed=header["seed"],
        memory=memory,
    )
    layers: list[LayerTicket] = []
    parts: list[SourceLayer] = []
    for part, undecided in zip(source.layers, header["undecided"], strict=True):
        name = str(2 * part.index)
        keep = unpack(tensors[f"{name}.mask"], part.even.shape)
        shift = None
        if f"{name}.shift" in tensors:
            shift = np.zeros(part.even.shape)
            shift[keep] = _finite(tensors[f"{name}.shift"])
        layers.append(LayerTicket(keep, shift, int(undecided)))
        parts.append(_restored(part, keep, tensors.get(f"{name}.grid"), tensors.get(f"{name}.moved")))
    source = RandomSource(source.seed, source.law, source.first, tuple(parts), float.fromhex(header["moved_by"]))
    if kept_digest(source, tuple(layers)) != header["kept_sha256"]:
        raise FormatError(f"the kept weights drawn again from the seed do not match the file's hash; {_REMEDY}")
    return {
        "source": source,
        "layers": tuple(layers),
        "scaling": Scaling(tuple(np.array(rows, dtype=np.int64) for rows in header["rows"]), int(header["gain"])),
        "domain": domain,
        "tol": float.fromhex(header["tol"]),
        "weight_tol": tuple(float.fromhex(value) for value in header["weight_tol"]),
        "chain": str(header["chain"]),
        "a_priori": float.fromhex(header["a_priori"]),
        "perturbation": float.fromhex(header["perturbation"]),
        "objective": str(header["objective"]),
        "unserved": tuple(
            Unserved(int(a), int(b), int(c), str(d), str(e), float.fromhex(f))
            for a, b, c, d, e, f in header["unserved"]
        ),
    }


def _restored(part: SourceLayer, keep: np.ndarray[Any, Any], grid: Any, moved: Any) -> SourceLayer:
    """Put stored kept values in place: grid values of laws whose last bit depends on the library, and weights of a moved source."""
    if grid is not None:
        drawn = part.even[keep]
        if grid.dtype != np.int64 or not np.all((grid >= drawn - 1) & (grid <= drawn + 1)):
            raise FormatError("a stored kept weight is not the one its seed gives")
        even = part.even.copy()
        even[keep] = grid
        part = replace(part, even=even)
    if moved is not None:
        weights = part.even_weights.copy()
        weights[keep] = _finite(moved)
        part = replace(part, moved=weights)
    return part


def _finite(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if values.dtype != np.float64 or not np.all(np.isfinite(values)):
        raise FormatError("a stored number is not a finite double")
    return values
