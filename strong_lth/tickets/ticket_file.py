"""Tickets as safetensors files: kept weights only, masks as packed bits, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from strong_lth.core import FormatError
from strong_lth.networks.files import replacing
from strong_lth.tickets.safetensor import read_file
from strong_lth.tickets.states import masked
from strong_lth.tickets.store import read_state, write_state
from strong_lth.tickets.types import Cost, Ticket, Untrained

FORMAT = "strong_lth.ticket"
VERSION = 1


def save_ticket(ticket: Ticket, path: str | Path) -> None:
    """Write a ticket; an existing file is replaced only when the new one is complete. Notes must be plain data."""
    from safetensors.numpy import save

    header = {
        "version": VERSION,
        "model": ticket.model,
        "use": ticket.use,
        "step": ticket.step,
        "cost": asdict(ticket.cost),
        "notes": dict(ticket.notes),
        "kept": ticket.mask.kept,
        "source": None if ticket.source is None else asdict(ticket.source),
    }
    arrays = write_state(masked(ticket.state, ticket.mask), ticket.mask)
    with replacing(Path(path)) as handle:
        handle.write(save(arrays, metadata={FORMAT: json.dumps(header, sort_keys=True)}))


def load_ticket(path: str | Path) -> Ticket:
    """Read what ``save_ticket`` wrote.

    Raises FileNotFoundError, and FormatError (naming the file) for another or a damaged file, and for one without a mask.
    """
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"{place}: no such ticket file")
    header, arrays = read_file(place, FORMAT, VERSION)
    try:
        state, mask = read_state(arrays)
        if mask is None:
            raise FormatError("a ticket without a mask")
        if mask.kept != header["kept"]:
            raise FormatError(f"the masks keep {mask.kept} weights, the header says {header['kept']}")
        if header["use"] not in ("as-is", "train"):
            raise FormatError(f"use {header['use']!r}")
        return Ticket(
            str(header["model"]),
            mask,
            state,
            header["use"],
            Cost(**header["cost"]),
            header["notes"],
            int(header["step"]),
            None if header.get("source") is None else Untrained(**header["source"]),
        )
    except (FormatError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{place}: damaged ticket file ({error}); save the ticket again") from None
