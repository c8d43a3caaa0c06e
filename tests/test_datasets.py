"""Readers, hashes and statuses; every damage is refused by file name, expected and found."""

import gzip
import hashlib
import os
import struct
import warnings

import numpy as np
import pytest
import skips

from strong_lth import datasets
from strong_lth.core import FormatError, InputError

RECORD = 3073


def idx(array: np.ndarray) -> bytes:
    return (
        bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


@pytest.fixture
def mnist(tmp_path):
    """A small data folder in the format of MNIST: 20 and 10 images."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, count in (("train", 20), ("t10k", 10)):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (count, 28, 28))))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(rng.integers(0, 10, count))))
    return tmp_path


def cifar_file(path, records, labels=1):
    rng = np.random.default_rng(4)
    table = rng.integers(0, 256, (records, labels + 3072), dtype=np.uint8)
    table[:, :labels] = rng.integers(0, 10, (records, labels))
    path.write_bytes(table.tobytes())
    return table


def test_digits_are_the_published_ones():
    digits = datasets.load("digits")
    assert digits.status == "bundled"
    assert digits.peak == 16
    assert len(digits.train_labels) + len(digits.test_labels) == 1797
    counts = np.bincount(digits.train_labels) + np.bincount(digits.test_labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(digits.test_labels).tolist() == [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]
    assert digits.train_images[0, 0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    for part in ("train", "test"):
        rows = datasets.inputs(digits, part)
        assert rows.shape[1] == 64
        assert rows.min() == 0
        assert rows.max() == 1


def test_the_arrays_are_read_only():
    digits = datasets.load("digits")
    with pytest.raises(ValueError, match="read-only"):
        digits.train_images[0] = 1


def test_inputs_refuses_another_part():
    with pytest.raises(InputError, match="part"):
        datasets.inputs(datasets.load("digits"), "validation")


def test_damaged_bundled_digits_are_refused(monkeypatch):
    monkeypatch.setattr(datasets, "_DIGITS_SHA256", "0" * 64)
    with pytest.raises(FormatError, match=r"digits\.csv\.gz: expected SHA-256 0000.*found 6ebb"):
        datasets.load("digits")


def test_idx_round_trip(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for name, content in (("plain", idx(array)), ("packed.gz", gzip.compress(idx(array)))):
        (tmp_path / name).write_bytes(content)
        read, digest = datasets.read_idx(tmp_path / name)
        np.testing.assert_array_equal(read, array)
        assert digest == hashlib.sha256(idx(array)).hexdigest()


GOOD = idx(np.arange(24).reshape(2, 3, 4))
BAD_IDX = {
    "short": (GOOD[:-1], "expected 24 bytes.*found only 23"),
    "long": (GOOD + b"\0", "expected 24 bytes.*found more"),
    "empty": (b"", "expected an IDX header.*found nothing"),
    "another type": (b"\0\0\x0d" + GOOD[3:], "expected an IDX header.*found 00 00 0d 03"),
    "no dimensions": (b"\0\0\x08\0", "expected an IDX header"),
    "cut header": (GOOD[:10], "expected 12 bytes of sizes.*found only 6"),
    "no images": (idx(np.zeros((0, 28, 28))), "expected 1 to .*announces 0"),
    "a header that claims 2^96 bytes": (GOOD[:4] + b"\xff" * 12, "expected 1 to .*found a header that announces"),
    "a pickle": (b"\x80\x04\x95" + GOOD, "expected the binary version.*never opened"),
    "cut gzip": (gzip.compress(GOOD)[:-9], "expected a whole gzip file"),
    "damaged gzip": (gzip.compress(GOOD)[:10] + b"\xff" * 20, "expected a whole gzip file"),
}


@pytest.mark.parametrize("damage", BAD_IDX)
def test_a_damaged_idx_file_is_refused(tmp_path, damage):
    content, message = BAD_IDX[damage]
    path = tmp_path / "some-file"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=f"some-file: {message}"):
        datasets.read_idx(path)


def test_cifar_round_trip(tmp_path):
    table = cifar_file(tmp_path / "a.bin", 5)
    images, labels, digest = datasets.read_cifar(tmp_path / "a.bin", 5)
    np.testing.assert_array_equal(labels, table[:, 0])
    np.testing.assert_array_equal(images.reshape(5, -1), table[:, 1:])
    assert images.shape == (5, 3, 32, 32)
    assert digest == hashlib.sha256(table.tobytes()).hexdigest()


def test_cifar100_gives_the_fine_label(tmp_path):
    table = cifar_file(tmp_path / "a.bin", 5, labels=2)
    _, labels, _ = datasets.read_cifar(tmp_path / "a.bin", 5, (20, 100))
    np.testing.assert_array_equal(labels, table[:, 1])


BAD_CIFAR = {
    "short": (lambda good: good[:-RECORD], "expected 12292 bytes .4 records of 3073.; found only 9219"),
    "long": (lambda good: good + b"\0", "expected 12292 bytes .*found more"),
    "a label too large": (lambda good: b"\x0a" + good[1:], "expected labels from 0 to 9; found 10"),
    "a pickle": (lambda good: b"\x80\x02}q\x01" + good, "expected the binary version"),
}


@pytest.mark.parametrize("damage", BAD_CIFAR)
def test_a_damaged_cifar_file_is_refused(tmp_path, damage):
    change, message = BAD_CIFAR[damage]
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(change(cifar_file(path, 4).tobytes()))
    with pytest.raises(FormatError, match=f"data_batch_1.bin: {message}"):
        datasets.read_cifar(path, 4)


def test_an_unknown_but_sound_file_warns_with_its_hash(mnist):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = datasets.load("mnist", mnist)
    assert len(caught) == 4
    assert all(issubclass(warning.category, datasets.UnknownDataWarning) for warning in caught)
    assert all(any(digest in str(warning.message) for warning in caught) for digest in loaded.hashes.values())
    assert loaded.status == "unknown"
    assert loaded.train_images.shape == (20, 1, 28, 28)
    assert loaded.test_labels.shape == (10,)


def test_labels_must_fit_the_images(mnist):
    (mnist / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(9))))
    with pytest.raises(FormatError, match=r"t10k-labels.*expected 10 labels.*found shape \(9,\)"):
        datasets.load("mnist", mnist)


def test_labels_and_images_must_have_their_shapes(mnist):
    (mnist / "mnist" / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((20, 8, 8))))
    with pytest.raises(FormatError, match=r"train-images.*expected images of shape \(N, 28, 28\)"):
        datasets.load("mnist", mnist)


def test_a_label_out_of_range_is_refused(mnist):
    (mnist / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(idx(np.full(20, 10)))
    with pytest.raises(FormatError, match="expected labels from 0 to 9; found 10"):
        datasets.load("mnist", mnist)


def test_an_absent_file_is_named(mnist):
    (mnist / "mnist" / "train-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte \(or \.gz\) is absent"):
        datasets.load("mnist", mnist)


@pytest.mark.parametrize(
    ("name", "pickled"),
    [
        ("cifar10", "cifar-10-batches-py/data_batch_1"),
        ("cifar10", "cifar-10-batches-bin/data_batch_1"),
        ("cifar100", "cifar-100-python/train"),
    ],
)
def test_the_python_version_is_refused_and_never_opened(tmp_path, name, pickled):
    path = tmp_path / pickled
    path.parent.mkdir()
    path.write_bytes(b"\x80\x02}q\x01.")
    with pytest.raises(FormatError, match="expected the binary version, cifar-10-batches-bin"):
        datasets.load(name, tmp_path)


def test_the_folder_is_an_argument_or_a_variable(mnist, monkeypatch):
    monkeypatch.delenv(datasets.ENVIRONMENT, raising=False)
    with pytest.raises(InputError, match="data_dir: got nothing"):
        datasets.load("mnist")
    with pytest.raises(InputError, match="no-such-folder"):
        datasets.load("mnist", mnist / "no-such-folder")
    monkeypatch.setenv(datasets.ENVIRONMENT, str(mnist))
    with pytest.warns(datasets.UnknownDataWarning):
        assert datasets.load("mnist").name == "mnist"


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="use one of digits, mnist, fashion-mnist, cifar10, cifar100"):
        datasets.load("imagenet")


def test_survey_reports_every_file(mnist, monkeypatch):
    monkeypatch.delenv(datasets.ENVIRONMENT, raising=False)
    (mnist / "mnist" / "train-images-idx3-ubyte").write_bytes(GOOD[:-1])
    reports = datasets.survey(mnist)
    assert [report.dataset for report in reports] == ["digits"] + ["mnist"] * 4 + ["fashion-mnist"] * 4 + (
        ["cifar10"] * 6 + ["cifar100"] * 2
    )
    statuses = [report.status for report in reports]
    assert statuses == ["bundled", "refused", "unknown", "unknown", "unknown"] + ["absent"] * 12
    assert "found only 23" in reports[1].note
    assert {report.status for report in datasets.survey()} == {"bundled", "absent"}


def test_the_recorded_facts_are_whole():
    files = [(name, entry) for name, known in datasets._catalogue().items() for entry in known.train + known.test]
    assert len({entry.sha256 for _, entry in files}) == len(files) == 16
    assert {name: len(datasets._catalogue()[name].classes) for name in datasets.names()[1:]} == {
        "mnist": 10,
        "fashion-mnist": 10,
        "cifar10": 10,
        "cifar100": 100,
    }
    assert {(name, entry.status) for name, entry in files} == {
        ("mnist", "official"),
        ("fashion-mnist", "official"),
        ("cifar10", "near"),
        ("cifar100", "identical"),
    }
    assert "172 of the 60,000 images" in datasets._catalogue()["cifar10"].note


REAL = {
    "mnist": (skips.NO_MNIST, "official", (60_000, 1, 28, 28)),
    "fashion-mnist": (skips.NO_FASHION, "official", (60_000, 1, 28, 28)),
    "cifar10": (skips.NO_CIFAR10, "near", (50_000, 3, 32, 32)),
    "cifar100": (skips.NO_CIFAR100, "identical", (50_000, 3, 32, 32)),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_files(name):
    reason, status, shape = REAL[name]
    root = os.environ.get(datasets.ENVIRONMENT)
    if root is None or all(report.status == "absent" for report in datasets.survey() if report.dataset == name):
        pytest.skip(reason)
    with warnings.catch_warnings():
        if name.startswith("cifar"):  # the genuine CIFAR-10 binary files are well formed and not on the list
            warnings.simplefilter("ignore", datasets.UnknownDataWarning)
        loaded = datasets.load(name)
    assert loaded.train_images.shape == shape
    assert len(loaded.test_labels) == 10_000
    assert loaded.status == status or (name.startswith("cifar") and loaded.status == "unknown")
    assert set(np.unique(loaded.train_labels)) == set(range(len(loaded.classes)))
