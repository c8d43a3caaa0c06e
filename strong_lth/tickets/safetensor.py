"""Reading our safetensors files: a header of ours as JSON, arrays by name, nothing unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from strong_lth.core import FormatError

REMEDY = "delete the file; the training will be repeated"


def read_file(path: Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a safetensors file of ours; FormatError for another one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get(kind, "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise FormatError(f"{path}: damaged ({error}); {REMEDY}") from None
    if not isinstance(header, dict) or header.get("version") != version:
        raise FormatError(f"{path}: not a file of kind {kind}, version {version}; {REMEDY}")
    return header, arrays
