"""Trackers get every epoch; those whose libraries are absent here are driven through stand-ins with the libraries' names."""

import json
import sys
import types
from functools import partial

import pytest

import strong_lth.tickets as T
from strong_lth.tickets import trackers
from strong_lth.tickets.hooks import EpochRow

SMALL = T.Comparison(methods=("random-mask",), densities=(0.5,), seeds=(0, 1), recipe=T.Recipe(epochs=2, batch=256))
ROW = EpochRow(0, 1, 9, 0.1, 0.5, None, None, {"size": 2.0}, 0.75)


def attribute_of(calls, name):
    if name.startswith("__"):
        raise AttributeError(name)  # a module that says where its file is, and so on, would have to mean it
    return getattr(calls, name)


class Calls:
    """Writes down every call, of whatever name; what a call returns does the same."""

    def __init__(self, made, name=""):
        self.made, self.name = made, name

    def __getattr__(self, name):
        return Calls(self.made, f"{self.name}.{name}")

    def __call__(self, *args, **kwargs):
        self.made.append((self.name, args, kwargs))
        return self


def stand_in(monkeypatch, *names):
    made = []
    for name in names:
        module = types.ModuleType(name)
        module.__getattr__ = partial(attribute_of, Calls(made, name))
        monkeypatch.setitem(sys.modules, name, module)
    return made


LIBRARIES = {"tensorboard": "torch.utils.tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


@pytest.mark.parametrize(("name", "last"), [("tensorboard", "close"), ("wandb", "finish"), ("mlflow", "end_run")])
def test_a_tracker_gets_settings_numbers_and_an_end(monkeypatch, tmp_path, name, last):
    made = stand_in(monkeypatch, LIBRARIES[name])

    def fails():
        with trackers.tracking([name], tmp_path, "abc", {"seeds": (1,)}) as log:
            log("IMP, seed 3", ROW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()  # and is closed all the same
    assert made[-1][0].endswith(last)
    text = repr(made)
    for part in ("train_loss", "0.75", "size", "IMP", "seeds"):
        assert part in text
    assert "validation_loss" not in text  # nobody asked for it
    assert not (tmp_path / "metrics.jsonl").exists()


def test_lines_are_there_while_the_run_goes_on(tmp_path):
    with trackers.tracking(["jsonl"], tmp_path, "abc", {}) as log:
        log("stable rewinding, repelled, seed 3", ROW)
        (line,) = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert (line["method"], line["seed"], line["train_accuracy"]) == ("stable rewinding, repelled", 3, 0.75)


def test_a_run_tells_its_trackers_every_epoch(monkeypatch, tmp_path):
    made = stand_in(monkeypatch, "wandb")
    T.run_comparison(SMALL, tmp_path, track=["wandb"])
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert sum(name.endswith(".log") for name, *_ in made) == 4
    assert made[0][2]["id"] == SMALL.id


@pytest.mark.parametrize("name", LIBRARIES)
def test_an_absent_library_is_named_with_the_remedy(monkeypatch, tmp_path, name):
    monkeypatch.setitem(sys.modules, LIBRARIES[name], None)  # as if it were not installed
    with (
        pytest.raises(ValueError, match=f"{name}, which is not installed; install it: pip install {name}"),
        trackers.tracking([name], tmp_path, "abc", {}),
    ):
        pass


def test_an_unknown_tracker_is_refused(tmp_path):
    with pytest.raises(ValueError, match="use jsonl, tensorboard, wandb, mlflow"):
        T.run_comparison(SMALL, tmp_path, track=["paper"])
