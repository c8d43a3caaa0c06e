"""Folders of image files as a data set: one folder per class, as Tiny-ImageNet and its like are laid out. Needs pillow: ``pip install 'strong_lth[vision]'``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from strong_lth.core import FormatError, InputError
from strong_lth.datasets import Bytes, Dataset

SUFFIXES = (".png", ".jpg", ".jpeg")
_LARGEST = 1 << 14  # pixels per side that are still taken for an image


def load_image_folder(folder: str | Path, *, size: int = 64, name: str = "") -> Dataset:
    """A data set from ``train/CLASS/...`` and ``val/CLASS/...`` (or ``test/``), RGB, ``size`` x ``size`` pixels.

    Images lie anywhere below the folder of their class (Tiny-ImageNet has ``train/n01443537/images/*.JPEG``). A Tiny-ImageNet validation part, ``val/images/`` with ``val_annotations.txt``, is read as it
    is published. Images of another size are resized (bilinear, antialiased). Classes are those of ``train``, sorted; the hash covers names and file contents, the status is "unknown".

    Raises InputError without pillow and for a size outside 8 to 512, FileNotFoundError for absent folders, FormatError, naming the file, for a damaged image and for an unknown class.
    """
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 512:
        raise InputError("size", repr(size), "give a whole number of pixels from 8 to 512")
    root = Path(folder)
    train = _part(root / "train")
    scored = next((root / part for part in ("val", "test") if (root / part).is_dir()), root / "val")
    classes = tuple(sorted({label for _, label in train}))
    if len(classes) < 2 or len(classes) > 256:
        raise FormatError(f"{root / 'train'}: expected 2 to 256 folders, one per class; found {len(classes)}")
    annotated = scored / "val_annotations.txt"
    test = _annotated(annotated) if annotated.is_file() else _part(scored)
    for path, label in test:
        if label not in classes:
            raise FormatError(f"{path}: expected a class of {root / 'train'}; found {label!r}")
    digest = hashlib.sha256()
    parts = [_read(files, classes, size, digest) for files in (train, test)]
    return Dataset(
        name=name or root.name,
        train_images=parts[0][0],
        train_labels=parts[0][1],
        test_images=parts[1][0],
        test_labels=parts[1][1],
        classes=classes,
        status="unknown",
        hashes={f"{root.name} at {size} pixels": digest.hexdigest()},
        source=str(root.name),
    )


def _part(folder: Path) -> list[tuple[Path, str]]:
    """(file, class) below one folder per class, sorted."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is absent; put one folder of images per class there")
    found = [
        (path, path.relative_to(folder).parts[0])
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in SUFFIXES and path.parent != folder
    ]
    if not found:
        raise FileNotFoundError(f"{folder}: no {', '.join(SUFFIXES)} files in folders of classes")
    return found


def _annotated(table: Path) -> list[tuple[Path, str]]:
    """(file, class) of a table with file name and class in the first two columns, tab between them."""
    found = []
    for number, line in enumerate(table.read_text().splitlines(), 1):
        columns = line.split("\t")
        path = table.parent / "images" / columns[0]
        if len(columns) < 2 or Path(columns[0]).name != columns[0] or not path.is_file():
            raise FormatError(f"{table}, line {number}: expected a file of images/ and its class; found {line[:60]!r}")
        found.append((path, columns[1]))
    return found


def _read(files: list[tuple[Path, str]], classes: tuple[str, ...], size: int, digest: Any) -> tuple[Bytes, Bytes]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise InputError("folder", "images, without pillow", "install it: pip install 'strong_lth[vision]'") from None
    pixels = np.empty((len(files), 3, size, size), dtype=np.uint8)
    labels = np.array([classes.index(label) for _, label in files], dtype=np.uint8)
    for index, (path, label) in enumerate(files):
        digest.update(f"{label}/{path.name}:".encode() + hashlib.sha256(path.read_bytes()).digest())
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                if max(image.size) > _LARGEST:
                    raise FormatError(f"{path}: expected at most {_LARGEST} pixels per side; found {image.size}")
                colours = image.convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{path}: expected a whole PNG or JPEG image; found a damaged one ({error})") from None
        if colours.size != (size, size):
            colours = colours.resize((size, size), Image.Resampling.BILINEAR)
        pixels[index] = np.asarray(colours).transpose(2, 0, 1)
    return pixels, labels
