"""Image folders, generated here: both layouts, resizing, and what is refused."""

import sys

import numpy as np
import pytest
from PIL import Image

from strong_lth.core import FormatError, InputError
from strong_lth.image_folders import load_image_folder

CLASSES = ("n01", "n02", "n03")


def picture(label, number, size=16):
    rng = np.random.default_rng(100 * label + number)
    values = rng.integers(0, 60, (size, size, 3))
    values[..., label] += 180
    return values.astype(np.uint8)


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def folder(tmp_path):
    for label, name in enumerate(CLASSES):
        for number in range(12):
            write(tmp_path / "train" / name / "images" / f"{name}_{number:02}.png", picture(label, number))
        for number in range(4):
            write(tmp_path / "val" / name / f"{number}.png", picture(label, 50 + number))
    return tmp_path


def test_pixels_and_labels_are_those_of_the_files(folder):
    data = load_image_folder(folder, size=16, name="tiny")
    assert (data.name, data.classes, data.status) == ("tiny", CLASSES, "unknown")
    assert data.train_images.shape == (36, 3, 16, 16)
    assert data.test_images.shape == (12, 3, 16, 16)
    assert np.array_equal(data.train_labels, np.repeat([0, 1, 2], 12))
    assert np.array_equal(data.train_images[13].transpose(1, 2, 0), picture(1, 1))
    assert load_image_folder(folder, size=16).hashes == load_image_folder(folder, size=16).hashes
    before = dict(data.hashes)
    write(folder / "val" / "n01" / "0.png", picture(2, 0))
    assert load_image_folder(folder, size=16, name="tiny").hashes != before


def test_another_size_is_resized_and_grey_becomes_rgb(folder):
    write(folder / "train" / "n01" / "grey.png", np.full((9, 30), 77, dtype=np.uint8))
    data = load_image_folder(folder, size=8)
    assert data.train_images.shape == (37, 3, 8, 8)
    assert np.any(np.all(data.train_images == 77, axis=(1, 2, 3)))


def test_the_published_validation_part_of_tiny_imagenet(folder, tmp_path):
    lines = []
    for label, name in enumerate(CLASSES):
        write(tmp_path / "val" / "images" / f"val_{label}.png", picture(label, 0))
        lines.append(f"val_{label}.png\t{name}\t0\t0\t62\t62")
    (tmp_path / "val" / "val_annotations.txt").write_text("\n".join(lines))
    data = load_image_folder(tmp_path, size=16)
    assert data.test_labels.tolist() == [0, 1, 2]
    for bad, complaint in (("val_9.png\tn01", "line 1"), ("../val_0.png\tn01", "line 1"), ("val_0.png\tn99", "n99")):
        (tmp_path / "val" / "val_annotations.txt").write_text(bad)
        with pytest.raises(FormatError, match=complaint):
            load_image_folder(tmp_path, size=16)


def test_a_ticket_is_found_on_it(folder):
    import strong_lth.tickets as T

    data = load_image_folder(folder, size=16)
    task = T.Task(data=data, model="conv-bn-tiny", recipe=T.Recipe(epochs=8, batch=8), augment="crop-flip")
    (row,) = T.compare([T.RandomMask()], task, [0.8], [0])
    assert row["accuracy"] > 0.9
    assert row["data_status"] == "unknown"
    named = T.Task(data=f"folder:{folder}", model="conv-bn-tiny", recipe=T.Recipe(epochs=1, batch=8))
    assert T.view(named).training_images == 33


def test_what_is_refused(folder, monkeypatch):
    path = folder / "train" / "n01" / "images" / "n01_03.png"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"not an image", b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"n01_03\.png: expected a whole PNG or JPEG"):
            load_image_folder(folder, size=16)
    path.write_bytes(whole)
    with pytest.raises(InputError, match="from 8 to 512"):
        load_image_folder(folder, size=4)
    with pytest.raises(FileNotFoundError, match="one folder of images per class"):
        load_image_folder(folder / "train")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match=r"strong_lth\[vision\]"):
        load_image_folder(folder, size=16)


def test_one_class_is_no_task(tmp_path):
    write(tmp_path / "train" / "only" / "a.png", picture(0, 0))
    with pytest.raises(FormatError, match="2 to 256 folders"):
        load_image_folder(tmp_path)
