"""Image data: the bundled digits, and the standard files of MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100.

Files are read in their standard binary formats only, and nothing is ever unpickled. The SHA-256 of every file is compared with the known one
(``data/standard_files.toml``); the outcome, ``status``, belongs beside every number made from the data:

========= ===============================================================================
official  the published file
identical pixels and labels equal those of the published python version
near      almost the published file; ``note`` says what differs
bundled   the digits inside this package, checked against their hash
unknown   well formed, with a hash that is not the known one: a warning prints it
========= ===============================================================================
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import math
import os
import struct
import tomllib
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, FormatError, InputError

Bytes = NDArray[np.uint8]

ENVIRONMENT = "STRONG_LTH_DATA"
STATUSES = ("official", "identical", "near", "bundled", "unknown")  # from best to worst
_DIGITS = "digits.csv.gz"
_DIGITS_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
_DIGITS_SOURCE = "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI; CC BY 4.0; as redistributed by scikit-learn"
_PIECE = 1 << 20
_LARGEST = 1 << 32  # bytes; no header may announce more


class UnknownDataWarning(UserWarning):
    """A well-formed data file whose SHA-256 is not the known one."""


@dataclass(frozen=True)
class Dataset:
    """Labelled images in two parts; the arrays are read-only.

    ``images`` are whole numbers from 0 to ``peak``, shape (N, channels, height, width); ``labels`` have shape (N,) and
    index ``classes``. ``hashes`` maps each file to the SHA-256 of its decompressed content.
    """

    name: str
    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    classes: tuple[str, ...]
    status: str
    hashes: Mapping[str, str]
    source: str
    note: str = ""
    peak: int = 255

    def __post_init__(self) -> None:
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            array.setflags(write=False)


@dataclass(frozen=True)
class FileReport:
    """What lies where one standard file belongs; besides ``STATUSES``, status is "absent" or "refused" (see ``note``)."""

    dataset: str
    path: str
    status: str
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class _File:
    file: str
    sha256: str
    status: str
    records: int = 0  # of a CIFAR file, which has no header; 0 for IDX


@dataclass(frozen=True)
class _Source:
    folder: str
    source: str
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    train: tuple[_File, ...]
    test: tuple[_File, ...]
    note: str = ""


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """Load a data set by name: "digits" (bundled), "mnist", "fashion-mnist", "cifar10" or "cifar100".

    ``data_dir`` (default: the environment variable STRONG_LTH_DATA) is the folder that holds mnist/, fashion-mnist/,
    cifar-10-batches-bin/ and cifar-100-binary/ with their standard files, gzipped or not.

    Raises InputError for an unknown name or no folder, FileNotFoundError for an absent file, FormatError for a damaged
    one; warns with UnknownDataWarning about a well-formed file that is not the known one.

    >>> digits = load("digits")
    >>> digits.train_images.shape, digits.test_images.shape, digits.status
    ((1442, 1, 8, 8), (355, 1, 8, 8), 'bundled')
    """
    if name == "digits":
        return _digits()
    if name not in _catalogue():
        raise InputError("name", repr(name), f"use one of {', '.join(names())}")
    known, root = _catalogue()[name], data_folder(data_dir)
    places = {entry: _find(name, root, entry) for entry in known.train + known.test}
    train_images, train_labels, train_hashes = _read_part(known.labels, {e: places[e] for e in known.train})
    test_images, test_labels, test_hashes = _read_part(known.labels, {e: places[e] for e in known.test})
    hashes = dict(zip(places, train_hashes + test_hashes, strict=True))
    for entry, digest in hashes.items():
        if _status(entry, digest) == "unknown":
            found = f"{places[entry]}: well formed, but its SHA-256 {digest} is not the known one; status unknown"
            warnings.warn(found, UnknownDataWarning, stacklevel=2)
    status = max((_status(entry, digest) for entry, digest in hashes.items()), key=STATUSES.index)
    return Dataset(
        name=name,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        classes=known.classes,
        status=status,
        hashes={entry.file: digest for entry, digest in hashes.items()},
        source=known.source,
        note="" if status == "unknown" else known.note,
    )


def names() -> tuple[str, ...]:
    """The names ``load`` knows.

    >>> names()
    ('digits', 'mnist', 'fashion-mnist', 'cifar10', 'cifar100')
    """
    return ("digits", *_catalogue())


def inputs(dataset: Dataset, part: Literal["train", "test"]) -> Floats:
    """The images of one part as rows in [0, 1]: pixels / peak, shape (N, channels * height * width).

    >>> inputs(load("digits"), "test").shape
    (355, 64)
    """
    if part not in ("train", "test"):
        raise InputError("part", repr(part), 'use "train" or "test"')
    images = dataset.train_images if part == "train" else dataset.test_images
    return images.reshape(len(images), -1) / np.float64(dataset.peak)


def data_folder(data_dir: str | Path | None = None) -> Path:
    """The folder of the data sets: the argument, else STRONG_LTH_DATA; InputError if there is no such folder."""
    given = data_dir or os.environ.get(ENVIRONMENT)
    if not given:
        raise InputError("data_dir", "nothing", f"give a folder, or set {ENVIRONMENT} to it")
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise InputError(
            "data_dir", str(given), "give an existing folder that holds mnist/, cifar-10-batches-bin/, ..."
        )
    return folder


def survey(data_dir: str | Path | None = None) -> tuple[FileReport, ...]:
    """One report per file of every data set, each read and checked; without a folder only the digits are present."""
    digits = _digits()
    reports = [FileReport("digits", f"strong_lth/data/{_DIGITS}", digits.status, _DIGITS_SHA256, digits.source)]
    root = data_folder(data_dir) if data_dir or os.environ.get(ENVIRONMENT) else None
    for name, known in _catalogue().items():
        for entry in known.train + known.test:
            if root is None:
                place, why = f"{known.folder}/{entry.file}", f"no data folder; set {ENVIRONMENT} or give one"
                reports.append(FileReport(name, place, "absent", note=why))
            else:
                reports.append(_inspect(name, root, entry))
    return tuple(reports)


def read_idx(path: str | Path) -> tuple[Bytes, str]:
    """An IDX file of unsigned bytes, gzipped or not: (array, SHA-256 of the decompressed content).

    The header is 00 00 08 d, then d sizes as big-endian 32-bit numbers; the data follow. Raises FormatError, naming the
    file, what was expected and what was found.
    """
    path = Path(path)
    with _open(path) as stream:
        head = _take(path, stream, 4)
        _refuse_pickle(path, head)
        if len(head) < 4 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 4:
            found = head.hex(" ") or "nothing"
            raise FormatError(f"{path}: expected an IDX header, 00 00 08 and 1 to 4 dimensions; found {found}")
        sizes = _take(path, stream, 4 * head[3])
        _check_length(path, 4 * head[3], len(sizes), "of sizes in the header")
        shape = struct.unpack(f">{head[3]}I", sizes)
        expected = math.prod(shape)
        if not 0 < expected <= _LARGEST:
            raise FormatError(
                f"{path}: expected 1 to {_LARGEST} bytes of data; found a header that announces {expected}"
            )
        body = _take(path, stream, expected + 1)
    _check_length(path, expected, len(body), f"of data, the product of the sizes {shape}")
    return np.frombuffer(body, np.uint8).reshape(shape), hashlib.sha256(head + sizes + body).hexdigest()


def read_cifar(path: str | Path, records: int, labels: tuple[int, ...] = (10,)) -> tuple[Bytes, Bytes, str]:
    """A CIFAR binary file, gzipped or not: (images (records, 3, 32, 32), labels (records,), SHA-256).

    A record is one byte per label, then 3,072 pixels. ``labels`` gives the number of values of each label byte,
    CIFAR-10: (10,), CIFAR-100: (20, 100); the last label is returned. Raises FormatError, naming the file, what was
    expected and what was found.
    """
    path = Path(path)
    width = len(labels) + 3072
    with _open(path) as stream:
        body = _take(path, stream, records * width + 1)
    _refuse_pickle(path, body)
    _check_length(path, records * width, len(body), f"({records} records of {width})")
    table = np.frombuffer(body, np.uint8).reshape(records, width)
    for column, count in enumerate(labels):
        _check_labels(path, table[:, column], count)
    images = np.ascontiguousarray(table[:, len(labels) :]).reshape(-1, 3, 32, 32)
    return images, table[:, len(labels) - 1].copy(), hashlib.sha256(body).hexdigest()


@functools.cache
def _catalogue() -> dict[str, _Source]:
    text = resources.files("strong_lth").joinpath("data", "standard_files.toml").read_text()
    catalogue = {}
    for name, entry in tomllib.loads(text).items():
        train, test = (tuple(_File(**file) for file in entry.pop(part)) for part in ("train", "test"))
        labels, classes = tuple(entry.pop("labels")), tuple(entry.pop("classes"))
        catalogue[name] = _Source(**entry, labels=labels, classes=classes, train=train, test=test)
    return catalogue


def _digits() -> Dataset:
    """The bundled digits; of each class, in file order, every fifth image is a test image."""
    packed = resources.files("strong_lth").joinpath("data", _DIGITS).read_bytes()
    try:
        text = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        text = b""
    digest = hashlib.sha256(text).hexdigest()
    if digest != _DIGITS_SHA256:
        raise FormatError(
            f"strong_lth/data/{_DIGITS}: expected SHA-256 {_DIGITS_SHA256}, found {digest}; install again"
        )
    table = np.loadtxt(io.BytesIO(text), dtype=np.uint8, delimiter=",")
    images, labels = table[:, :64].reshape(-1, 1, 8, 8), table[:, 64]
    test = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        test[np.flatnonzero(labels == digit)[4::5]] = True
    parts = (images[~test], labels[~test], images[test], labels[test])
    return Dataset("digits", *parts, tuple("0123456789"), "bundled", {_DIGITS: digest}, _DIGITS_SOURCE, peak=16)


def _read_part(ranges: tuple[int, ...], places: Mapping[_File, Path]) -> tuple[Bytes, Bytes, list[str]]:
    """Images, labels and SHA-256 of each file of one part."""
    if all(entry.records for entry in places):
        blocks = [read_cifar(path, entry.records, ranges) for entry, path in places.items()]
        images, labels = (np.concatenate([block[i] for block in blocks]) for i in (0, 1))
        return images, labels, [block[2] for block in blocks]
    images_path, labels_path = places.values()
    images, images_hash = read_idx(images_path)
    labels, labels_hash = read_idx(labels_path)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise FormatError(f"{images_path}: expected images of shape (N, 28, 28); found {images.shape}")
    if labels.shape != images.shape[:1]:
        raise FormatError(f"{labels_path}: expected {len(images)} labels, one per image; found shape {labels.shape}")
    _check_labels(labels_path, labels, ranges[-1])
    return images[:, None], labels, [images_hash, labels_hash]


def _inspect(name: str, root: Path, entry: _File) -> FileReport:
    known = _catalogue()[name]
    place = str(root / known.folder / entry.file)
    try:
        path = _find(name, root, entry)
        place = str(path)
        if entry.records:
            digest = read_cifar(path, entry.records, known.labels)[2]
        else:
            content, digest = read_idx(path)
            if content.ndim == 1:
                _check_labels(path, content, known.labels[-1])
    except FileNotFoundError as error:
        return FileReport(name, place, "absent", note=str(error))
    except (FormatError, OSError) as error:
        return FileReport(name, place, "refused", note=str(error))
    status = _status(entry, digest)
    return FileReport(name, place, status, digest, "" if status == "unknown" else known.note)


def _status(entry: _File, digest: str) -> str:
    return entry.status if digest == entry.sha256 else "unknown"


def _find(name: str, root: Path, entry: _File) -> Path:
    """The file, plain or gzipped; FormatError where the python version lies instead, FileNotFoundError where nothing does."""
    place = root / _catalogue()[name].folder / entry.file
    for candidate in (place, place.with_name(f"{entry.file}.gz")):
        if candidate.is_file():
            return candidate
    python = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}.get(name)
    if python and (root / python).exists():
        raise FormatError(_pickle_message(root / python))
    if place.suffix == ".bin" and place.with_suffix("").is_file():
        raise FormatError(_pickle_message(place.with_suffix("")))
    raise FileNotFoundError(f"{place} (or .gz) is absent; put the standard file of {name} there")


def _refuse_pickle(path: Path, head: bytes) -> None:
    if head[:1] == b"\x80":  # how a pickle begins; never a label, never an IDX header
        raise FormatError(_pickle_message(path))


def _pickle_message(path: Path) -> str:
    binary = "cifar-10-batches-bin/*.bin or cifar-100-binary/*.bin"
    return f"{path}: expected the binary version, {binary}; found the python version (pickles), which is never opened"


def _open(path: Path) -> IO[bytes]:
    """The content as a stream, decompressed if the file begins like gzip."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _take(path: Path, stream: IO[bytes], count: int) -> bytes:
    """At most ``count`` bytes, read in pieces so that a false header cannot claim memory."""
    try:
        return b"".join(_pieces(stream, count))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            f"{path}: expected a whole gzip file; found a damaged one ({error}); fetch it again"
        ) from None


def _pieces(stream: IO[bytes], count: int) -> Iterator[bytes]:
    while count > 0 and (piece := stream.read(min(count, _PIECE))):
        count -= len(piece)
        yield piece


def _check_length(path: Path, expected: int, found: int, what: str) -> None:
    if found != expected:
        amount = f"only {found}" if found < expected else "more"
        raise FormatError(f"{path}: expected {expected} bytes {what}; found {amount}; fetch the file again")


def _check_labels(path: Path, labels: Bytes, count: int) -> None:
    worst = int(labels.max())
    if worst >= count:
        raise FormatError(f"{path}: expected labels from 0 to {count - 1}; found {worst}")
