"""Strict reading of certificates, shared by the checkers of this folder. Standard library only.

A certificate is JSON whose numbers are whole numbers or hexadecimal floats, whose fields are exactly those of its kind, each once, and whose ``hash`` is the SHA-256
of its canonical form (sorted keys, no spaces, without ``hash``). Everything else is refused, so that no two readers can read it differently.
"""

from __future__ import annotations

import hashlib
import json
import re
from fractions import Fraction
from pathlib import Path

HEX_FLOAT = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}|-?0x0\.0p\+0")
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, ZeroDivisionError)


class Rejected(Exception):
    """A statement of the certificate is false."""


class NotACertificate(Exception):
    """The file is not a certificate of this version."""


def read(path: Path) -> dict:
    """The document of a file; NotACertificate for anything but strict JSON of an object."""
    try:
        document = json.loads(
            path.read_text(encoding="utf-8"),
            parse_constant=_no_constant,
            object_pairs_hook=_no_repetition,
        )
    except RecursionError:
        raise NotACertificate("nested too deeply") from None
    if not isinstance(document, dict):
        raise NotACertificate("not an object")
    return document


def opened(document: dict, kind: str, version: int, *names: str) -> None:
    """Whether the document is of this kind and version, has these fields besides format, version and hash, and matches its hash."""
    if document.get("format") != kind or type(document.get("version")) is not int or document["version"] != version:
        raise NotACertificate(
            f"format {document.get('format')!r} version {document.get('version')!r}, expected {kind!r} version {version}"
        )
    check_hash(document)
    fields(document, "format", "version", "hash", *names)


def check_hash(document: dict) -> None:
    """Rejected unless ``hash`` is that of the rest."""
    body = {key: value for key, value in document.items() if key != "hash"}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    if digest != document["hash"]:
        raise Rejected("the content does not match its hash")


def number(text: object) -> Fraction:
    """A hexadecimal float, as Python writes it, as the rational it is."""
    if not isinstance(text, str) or not HEX_FLOAT.fullmatch(text) or float.fromhex(text).hex() != text:
        raise NotACertificate(f"{text!r} is not a hexadecimal float")
    return Fraction(float.fromhex(text))


def numbers(values: object, length: int | None = None) -> list[Fraction]:
    """A list of hexadecimal floats, of this length."""
    return [number(value) for value in listed(values, length)]


def listed(values: object, length: int | None = None) -> list:
    """A list, of this length."""
    if not isinstance(values, list) or length not in (None, len(values)):
        raise NotACertificate(f"expected a list{'' if length is None else f' of {length}'}")
    return values


def whole(value: object, low: int, high: int) -> int:
    """A whole number in [low, high]; True and 1.0 are none."""
    if type(value) is not int or not low <= value <= high:
        raise NotACertificate(f"{value!r} is not a whole number from {low} to {high}")
    return value


def flag(value: object) -> bool:
    """True or False; 1 and 0 are neither."""
    if type(value) is not bool:
        raise NotACertificate(f"{value!r} is neither true nor false")
    return value


def fields(record: object, *names: str, optional: tuple[str, ...] = ()) -> dict:
    """The record, if it has these fields and no others."""
    if not isinstance(record, dict) or not set(names) <= set(record) <= set(names) | set(optional):
        raise NotACertificate(f"expected the fields {', '.join(names)}")
    return record


def _no_constant(name: str) -> None:
    raise NotACertificate(f"{name} is not a number")


def _no_repetition(pairs: list[tuple[str, object]]) -> dict:
    if len(dict(pairs)) < len(pairs):
        raise NotACertificate("a field appears twice")
    return dict(pairs)
