"""The zoo: every architecture once forward and backward, its parameters and its prunable set; and models of a user."""

import numpy as np
import pytest
import torch
from torch import nn

import strong_lth.tickets as T
from strong_lth.datasets import Dataset
from strong_lth.tickets.layout import layout_of
from strong_lth.tickets.models import MODELS
from strong_lth.tickets.task import identity, layout

DIGITS, MNIST, CIFAR = ((1, 8, 8), 10), ((1, 28, 28), 10), ((3, 32, 32), 10)
CIFAR100 = ((3, 32, 32), 100)

# model: (input, all parameters, prunable weights, prunable tensors), counted by hand from the layer sizes
ZOO = {
    "mlp-bn": (DIGITS, 9_098, 8_192, 2),
    "lenet-300-100": (MNIST, 266_610, 265_200, 2),
    "lenet-5": (MNIST, 61_706, 60_630, 4),
    "conv-2": (CIFAR, 4_301_642, 4_298_432, 4),
    "conv-4": (CIFAR, 2_425_930, 2_422_464, 6),
    "conv-6": (CIFAR, 2_262_602, 2_258_624, 8),
    "conv-bn-tiny": (DIGITS, 1_442, 1_224, 2),
    "resnet-tiny": (DIGITS, 5_122, 4_808, 6),
    "resnet20": (CIFAR, 272_474, 270_256, 21),
    "resnet32": (CIFAR, 466_906, 463_792, 33),
    "resnet56": (CIFAR, 855_770, 850_864, 57),
    "resnet18": (CIFAR100, 11_220_132, 11_159_232, 20),
    "resnet50": (CIFAR100, 23_705_252, 23_447_232, 53),
    "mobilenet-v2": (CIFAR100, 2_412_212, 2_249_024, 57),
    "vgg11": (CIFAR, 9_228_362, 9_217_728, 8),
    "vgg16": (CIFAR, 14_724_042, 14_710_464, 13),
}


def test_the_whole_zoo_is_counted():
    assert set(ZOO) == set(MODELS)


@pytest.mark.parametrize("name", ZOO)
def test_one_step_and_the_counts(name):
    (shape, classes), parameters, prunable, tensors = ZOO[name]
    module = MODELS[name](shape, classes)
    output = module(torch.randn(2, *shape))
    nn.functional.cross_entropy(output, torch.tensor([0, 1])).backward()
    assert output.shape == (2, classes)
    assert all(parameter.grad is not None for parameter in module.parameters())
    plan = layout_of(module)
    assert (plan.parameters, plan.prunable, len(plan.shapes)) == (parameters, prunable, tensors)
    assert not set(plan.classifier) & set(plan.shapes)


@pytest.mark.parametrize("name", [name for name in ZOO if "bn" in name or "res" in name or "vgg" in name])
def test_normalisations_start_at_gamma_one_beta_zero(name):
    (shape, classes), *_ = ZOO[name]
    module = MODELS[name](shape, classes)
    plan, state = layout_of(module), module.state_dict()
    assert plan.scales
    assert all(torch.all(state[n] == 1) for n in plan.scales)
    assert all(torch.all(state[n] == 0) for n in plan.offsets)
    roles = [*plan.shapes, *plan.classifier, *plan.scales, *plan.offsets, *plan.statistics, *plan.biases]
    assert sorted(roles) == sorted(state)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    T.view(T.Task()).fresh(4)
    assert torch.equal(torch.rand(3), expected)


def own() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.LayerNorm(20), nn.ReLU(), nn.Linear(20, 10))


def test_a_model_of_the_user():
    task = T.Task(model=own, name="mine", recipe=T.Recipe(epochs=1, batch=128))
    assert layout(task).scales == ("2.weight",)
    assert T.evaluate(T.find(T.IMP(), task, 0.5), task).kept == 640
    assert identity(task) == identity(T.Task(model=own, name="mine"))
    wider = T.Task(model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Linear(10, 10)), name="mine")
    assert identity(task) != identity(wider)


def test_data_of_the_user():
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(3, dtype=np.uint8), 40)
    pixels = (rng.integers(0, 60, (120, 2, 4, 4)) + 60 * labels[:, None, None, None]).astype(np.uint8)
    data = Dataset(
        "stripes", pixels[:90], labels[:90], pixels[90:], labels[90:], ("a", "b", "c"), "unknown", {}, "drawn"
    )
    task = T.Task(data=data, recipe=T.Recipe(epochs=5, batch=16))
    rows = T.compare([T.Dense(), T.RandomMask()], task, [0.5], [0])
    assert {row["data"] for row in rows} == {"stripes"}
    assert rows[0]["accuracy"] > 0.9
    other = Dataset(
        "stripes", pixels[30:], labels[30:], pixels[:30], labels[:30], ("a", "b", "c"), "unknown", {}, "drawn"
    )
    assert identity(task) != identity(T.Task(data=other))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"model": "no-such"}, "use one of mlp-bn"),
        ({"model": own}, "give a model of your own a name"),
        ({"device": "cuda"}, "torch sees no GPU"),
        ({"augment": "magic"}, "crop-flip"),
    ],
)
def test_a_task_that_cannot_be_is_refused(settings, complaint):
    if settings.get("device") == "cuda" and torch.cuda.is_available():
        settings, complaint = {"model": "no-such"}, "use one of"
    with pytest.raises(ValueError, match=complaint):
        T.Task(**settings)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "no prunable layer"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 10)), "images of shape"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Linear(8, 9)), "10 outputs"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(model, complaint):
    with pytest.raises(ValueError, match=complaint):
        T.view(T.Task(model=model, name="mine"))


def test_a_prunable_set_of_the_user():
    assert layout(T.Task(prunable=("4.weight", "7.weight"))).prunable == 64 * 64 + 640
    assert layout(T.Task(prunable=("7.weight",))).classifier == ("7.bias",)
    with pytest.raises(ValueError, match="name weights of linear or convolution layers"):
        layout(T.Task(prunable=("2.weight",)))


@pytest.mark.parametrize("validation", [0, 1, 0.0001, 0.9999])
def test_a_split_without_images_is_refused(validation):
    with pytest.raises(ValueError, match="validation"):
        T.view(T.Task(validation=validation))
