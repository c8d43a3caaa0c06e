"""The models of the zoo, each a function (image shape, classes) -> nn.Module; normalisations start at gamma 1, beta 0."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from strong_lth.core import InputError
from strong_lth.tickets.blocks import BasicBlock, Bottleneck, InvertedResidual

Shape = tuple[int, int, int]
Build = Callable[[Shape, int], nn.Module]


def initialise(module: nn.Module) -> nn.Module:
    """Kaiming normal weights (fan in), zero biases, gamma 1 and beta 0, drawn in model order from torch's generator."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return module


def mlp_bn(shape: Shape, classes: int, hidden: tuple[int, ...] = (64, 64)) -> nn.Module:
    """Linear, BatchNorm1d, ReLU per hidden layer; then the classifier."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = shape[0] * shape[1] * shape[2]
    for size in hidden:
        layers += [nn.Linear(width, size, bias=False), nn.BatchNorm1d(size), nn.ReLU()]
        width = size
    return initialise(nn.Sequential(*layers, nn.Linear(width, classes)))


def mlp(shape: Shape, classes: int, hidden: tuple[int, ...] = (300, 100)) -> nn.Module:
    """Linear and ReLU per hidden layer, no normalisation; (300, 100) is LeNet-300-100."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = shape[0] * shape[1] * shape[2]
    for size in hidden:
        layers += [nn.Linear(width, size), nn.ReLU()]
        width = size
    return initialise(nn.Sequential(*layers, nn.Linear(width, classes)))


def lenet5(shape: Shape, classes: int) -> nn.Module:
    """LeNet-5 with ReLU and max pooling, (6, 16, 120, 84)."""
    if shape[1] < 28 or shape[2] < 28:
        raise InputError("model", f"lenet-5 on {shape[1]}x{shape[2]} images", "use images of at least 28x28")
    pad = 2 if shape[1] == 28 else 0
    side = [((size + 2 * pad - 4) // 2 - 4) // 2 for size in shape[1:]]
    return initialise(
        nn.Sequential(
            nn.Conv2d(shape[0], 6, 5, padding=pad),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * side[0] * side[1], 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )
    )


def conv_n(shape: Shape, classes: int, depth: int) -> nn.Module:
    """Conv-2/4/6 of Frankle and Carbin 2019: 3x3 pairs of 64, 128, 256 channels, each followed by pooling, then 256-256."""
    layers: list[nn.Module] = []
    width, height, breadth = shape
    for pair in range(depth // 2):
        channels = 64 * 2**pair
        layers += [
            nn.Conv2d(width, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        width, height, breadth = channels, height // 2, breadth // 2
    layers += [
        nn.Flatten(),
        nn.Linear(width * height * breadth, 256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, classes),
    ]
    return initialise(nn.Sequential(*layers))


def conv_bn(shape: Shape, classes: int, channels: tuple[int, ...] = (8, 16)) -> nn.Module:
    """A tiny network of 3x3 convolutions with BatchNorm2d and pooling, for tests and simulations on a CPU."""
    layers: list[nn.Module] = []
    width = shape[0]
    for size in channels:
        layers += [nn.Conv2d(width, size, 3, padding=1, bias=False), nn.BatchNorm2d(size), nn.ReLU(), nn.MaxPool2d(2)]
        width = size
    return initialise(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)))


def vgg(shape: Shape, classes: int, plan: tuple[int | str, ...]) -> nn.Module:
    """VGG with BatchNorm2d for small images: 3x3 convolutions, "M" a pooling, global average, one classifier."""
    layers: list[nn.Module] = []
    width = shape[0]
    for item in plan:
        if isinstance(item, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(width, item, 3, padding=1, bias=False), nn.BatchNorm2d(item), nn.ReLU()]
            width = item
    return initialise(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)))


def resnet(
    shape: Shape,
    classes: int,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    block: type[BasicBlock] | type[Bottleneck] = BasicBlock,
) -> nn.Module:
    """A residual network for small images: 3x3 stem without pooling, ``depths`` blocks per width (stride 2 from the second width on), global average, classifier."""
    stem = widths[0]
    layers: list[nn.Module] = [nn.Conv2d(shape[0], stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU()]
    width = stem
    for stage, (size, depth) in enumerate(zip(widths, depths, strict=True)):
        for number in range(depth):
            layers.append(block(width, size, 2 if stage > 0 and number == 0 else 1))
            width = size * block.expansion
    return initialise(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)))


def mobilenet_v2(shape: Shape, classes: int) -> nn.Module:
    """MobileNetV2 for small images: stem and the first two stages at stride 1, expansion 6, last width 1280."""
    layers: list[nn.Module] = [nn.Conv2d(shape[0], 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    width = 32
    for expansion, size, depth, stride in _MOBILE:
        for number in range(depth):
            layers.append(InvertedResidual(width, size, expansion, stride if number == 0 else 1))
            width = size
    layers += [nn.Conv2d(width, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU()]
    return initialise(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes)))


_MOBILE = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_VGG11 = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512)
_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512)

MODELS: dict[str, Build] = {
    "mlp-bn": mlp_bn,
    "lenet-300-100": mlp,
    "lenet-5": lenet5,
    "conv-2": partial(conv_n, depth=2),
    "conv-4": partial(conv_n, depth=4),
    "conv-6": partial(conv_n, depth=6),
    "conv-bn-tiny": conv_bn,
    "resnet-tiny": partial(resnet, widths=(8, 16), depths=(1, 1)),
    "resnet20": partial(resnet, widths=(16, 32, 64), depths=(3, 3, 3)),
    "resnet32": partial(resnet, widths=(16, 32, 64), depths=(5, 5, 5)),
    "resnet56": partial(resnet, widths=(16, 32, 64), depths=(9, 9, 9)),
    "resnet18": partial(resnet, widths=(64, 128, 256, 512), depths=(2, 2, 2, 2)),
    "resnet50": partial(resnet, widths=(64, 128, 256, 512), depths=(3, 4, 6, 3), block=Bottleneck),
    "mobilenet-v2": mobilenet_v2,
    "vgg11": partial(vgg, plan=_VGG11),
    "vgg16": partial(vgg, plan=_VGG16),
}
