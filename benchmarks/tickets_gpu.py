"""Trained tickets on a GPU, in three stages, each with a record of its own: speed of the training step, a dense network to its accuracy, one stacked comparison.

    python benchmarks/tickets_gpu.py speed        # ResNet-18 and ResNet-20 on CIFAR-10: images/s, TFLOP/s, share of the card's matrix rate, ratio to a plain loop
    python benchmarks/tickets_gpu.py dense        # ResNet-18, 30 epochs on all 50,000 images, plain and fast: test accuracy
    python benchmarks/tickets_gpu.py comparison   # ResNet-20, five methods, two densities, five seeds in one stack

Needs a CUDA device and the CIFAR-10 files (STRONG_LTH_DATA); a stage refuses by name without one. ``--smoke`` runs every line of a stage at a tiny size on a CPU, with the digits, and writes
no record. Records: benchmarks/records/tickets_gpu_STAGE.json. FLOP are 6 per multiply-add of the forward pass; the matrix rate is that of a bfloat16 product measured in the same run.

The files of CIFAR-10 at hand are not quite the published ones: 172 of the 60,000 images are close JPEG copies (data status "near" in the record).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

import strong_lth.tickets as T
from strong_lth.core import InputError, run_record
from strong_lth.networks.files import write_text
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.images import batches
from strong_lth.tickets.summary import summarise
from strong_lth.tickets.task import build, dataset, prepared

RECORDS = Path(__file__).resolve().parent / "records"
RECIPE = T.Recipe(
    epochs=30, lr=0.4, batch=512, momentum=0.9, weight_decay=5e-4, schedule="triangle", warmup=6.0, nesterov=True
)


def task_of(model: str, recipe: T.Recipe, backend: Backend, smoke: bool) -> T.Task:
    """CIFAR-10 with crop and flip on the GPU, or the digits on the CPU."""
    if smoke:
        small = {"precision": backend.precision, "together": backend.together}
        plain = Backend(**small)
        return T.Task(model="resnet-tiny", recipe=replace(recipe, epochs=1, batch=256, warmup=0.0), backend=plain)
    return T.Task(
        data="cifar10", model=model, recipe=recipe, augment="crop-flip", device="cuda", backend=backend, validation=0.02
    )


def synchronize(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def multiply_adds(module: nn.Module, pixels: torch.Tensor) -> int:
    """Multiply-adds of one image in convolutions and linear layers, counted from the shapes of a forward pass."""
    total = 0

    def count(layer: Any, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        per_output = layer.weight[0].numel()
        total += per_output * output[0].numel()

    handles = [
        part.register_forward_hook(count) for part in module.modules() if isinstance(part, nn.Conv2d | nn.Linear)
    ]
    module.eval()
    with torch.no_grad():
        module(pixels[:1])
    for handle in handles:
        handle.remove()
    return total


def matrix_rate(device: str, size: int, seconds: float) -> float:
    """TFLOP/s of a square bfloat16 product of this size, over at least so many seconds."""
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        a @ b
    synchronize(device)
    began, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(10):
            a @ b
        synchronize(device)
        count += 10
    return count * 2 * size**3 / spent / 1e12


def plain_loop(task: T.Task, epochs: int) -> float:
    """Seconds per epoch of what people write first: eager float32, the loss read with .item() after every step, the mask multiplied in after it."""
    module, parts = build(task, 0).train(), prepared(task)
    masks = [torch.ones_like(parameter) for parameter in module.parameters()]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    times = []
    for epoch in range(epochs + 1):  # the first one is not counted
        synchronize(task.device)
        began = time.perf_counter()
        for pixels, labels in batches(parts.training, task.recipe.batch, 0, epoch, task.augment):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(module(parts.training.inputs(pixels)), labels)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for parameter, mask in zip(module.parameters(), masks, strict=True):
                    parameter.mul_(mask)
            loss.item()
        synchronize(task.device)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def our_loop(task: T.Task, epochs: int) -> float:
    """Seconds per epoch of the training loop of the library; the first epoch, with compiling and capture, is not counted."""
    stamps: list[float] = []

    def stamp(row: Any) -> None:
        stamps.append(time.perf_counter())

    view = T.view(task, report=stamp)
    view.train(view.fresh(0), view.dense(), replace(task.recipe, epochs=epochs + 1, lr=0.01), order=0)
    return min(after - before for before, after in itertools.pairwise(stamps))


def speed(smoke: bool) -> dict[str, Any]:
    """Stage 1."""
    device, epochs = ("cpu", 1) if smoke else ("cuda", 3)
    rate = matrix_rate(device, 64 if smoke else 8192, 0.01 if smoke else 2.0)
    lines = []
    for model in ("resnet18", "resnet20"):
        task = task_of(model, RECIPE, Backend.fast(), smoke)
        images = len(prepared(task).training) // task.recipe.batch * task.recipe.batch
        operations = 6 * multiply_adds(
            build(task, 0), prepared(task).training.inputs(prepared(task).training.pixels[:1])
        )
        fast, plain = our_loop(task, epochs), plain_loop(replace(task, backend=Backend()), epochs)
        done = operations * images / fast / 1e12
        lines.append(
            {
                "model": model,
                "images_per_second": images / fast,
                "tflops": done,
                "share_of_matrix_rate": done / rate,
                "plain_images_per_second": images / plain,
                "ratio_to_plain": plain / fast,
            }
        )
    return {"matrix_rate_tflops": rate, "models": lines}


def dense(smoke: bool) -> dict[str, Any]:
    """Stage 2."""
    lines = []
    for name, backend in (("plain", Backend()), ("fast", Backend.fast())):
        task = task_of("resnet18", RECIPE, backend, smoke)
        began = time.perf_counter()
        outcome = T.evaluate(T.find(T.Dense(), task, 1.0), task)
        lines.append({"path": name, "accuracy": outcome.accuracy, "seconds": time.perf_counter() - began})
    return {"target": 0.945, "paths": lines}


def comparison(smoke: bool) -> dict[str, Any]:
    """Stage 3."""
    seeds, densities = (2, (0.8,)) if smoke else (5, (0.2, 0.05))
    backend = Backend(precision="bfloat16", graph=not smoke, together=seeds)
    task = task_of("resnet20", replace(RECIPE, epochs=20, lr=0.1, batch=128, warmup=4.0), backend, smoke)
    aws = T.AWS.scaled(T.view(task))
    ramp = {"ramp": 4, "hold": 2} if smoke else {}
    methods = [T.RandomMask(), T.IMP(), T.LRR(), T.SignTransfer(aws), replace(T.RST.scaled(T.view(task)), **ramp)]
    rows = T.compare(methods, task, densities, range(seeds))
    return {"summary": summarise(rows), "rows": rows}


STAGES: dict[str, Callable[[bool], dict[str, Any]]] = {"speed": speed, "dense": dense, "comparison": comparison}


def main(argv: Sequence[str] | None = None) -> int:
    """One stage, its figures printed and recorded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--smoke", action="store_true", help="a tiny size on a CPU; writes no record")
    options = parser.parse_args(argv)
    if not options.smoke and not torch.cuda.is_available():
        print(f"tickets_gpu.py {options.stage}: torch sees no CUDA device here; --smoke runs on a CPU", file=sys.stderr)
        return 2
    if not options.smoke:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # the plain loop is float32
        torch.backends.cudnn.benchmark = True
    began = time.perf_counter()
    try:
        found = STAGES[options.stage](options.smoke)
    except (InputError, FileNotFoundError) as error:
        print(f"tickets_gpu.py {options.stage}: {error}", file=sys.stderr)
        return 2
    shown = {key: value for key, value in found.items() if key != "rows"}
    print(json.dumps(shown, indent=1))
    if not options.smoke:
        data = dataset(task_of("resnet20", RECIPE, Backend(), False))
        extra = {"data": data.name, "data_status": data.status, "note": data.note, "card": torch.cuda.get_device_name()}
        record = run_record(f"python benchmarks/tickets_gpu.py {options.stage}", time.perf_counter() - began, **extra)
        text = json.dumps({**found, "record": asdict(record)}, indent=1)
        write_text(RECORDS / f"tickets_gpu_{options.stage}.json", text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
