"""``strong-lth tickets`` and ``compare``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from strong_lth.commands.shown import plain_table, progress_bars, show_rows, tickets_table

if TYPE_CHECKING:
    from strong_lth.tickets.comparison import Comparison


def tickets(
    method: tyro.conf.Positional[str],
    *,
    data: str = "digits",
    model: str = "mlp-bn",
    density: tuple[float, ...] = (0.1,),
    seeds: tuple[int, ...] = (0,),
    epochs: int | None = None,
    lr: float | None = None,
    batch: int | None = None,
    preset: Literal["scaled", "authors"] = "scaled",
    device: str = "cpu",
    backend: Literal["plain", "fast"] = "plain",
    together: int | None = None,
    track: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = (),
    perturbation: float | None = None,
    shape: Literal["box", "relative", "ball"] = "box",
    then: str | None = None,
    order: Literal["before", "after"] = "before",
    out: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Find tickets by one method, train them (strong ones stay as they are) and score them; with --out a resumable run that also writes the ticket files.

    Args:
        method: A method: dense, random-mask, one-shot, imp, lrr, aws, sign-transfer, mask-transfer, rst, unilth, unidlth, stable-rewinding; score search:
            edge-popup, biprop, gem-miner, supermask, iterand; in a box around the initial weights: projected-sgd, random-perturbation.
        data: digits, mnist, fashion-mnist, cifar10, cifar100, or folder:PATH with train/CLASS and val/CLASS.
        model: A model of the zoo, like mlp-bn, lenet-300-100 or resnet20.
        density: Fractions of the prunable weights to keep.
        seeds: Run numbers.
        epochs: Epochs of the final training (and of each round where the method says so).
        lr: Largest learning rate.
        batch: Images per step.
        preset: Settings of the method: scaled to the task, or the authors'.
        device: cpu or cuda.
        backend: fast is bfloat16, channels_last, compiled and captured (device cuda); with --together, bfloat16 and captured.
        together: So many seeds train in one stack; equal to one by one up to rounding.
        track: Trackers that get the metrics besides metrics.jsonl.
        perturbation: Allowed change of every weight, for projected-sgd and random-perturbation.
        shape: |w - w0| <= eps (box), <= eps |w0| (relative), or the Euclidean ball of all weights.
        then: A method that searches a mask among the moved weights and leaves them alone.
        order: Move the weights before the search, or after it under the mask.
        out: Folder for the run; the same call resumes it.
        dry_run: Print what it will cost, train nothing.
        json: Print the rows as JSON.
    """
    from strong_lth.core import InputError

    if perturbation is None and (then is not None or shape != "box" or order != "before"):
        raise InputError("--perturbation", "nothing", "give the allowed change of every weight")
    box = None if perturbation is None else {"perturbation": perturbation, "shape": shape, "then": then, "order": order}
    settings = _given(
        methods=(method,),
        densities=density,
        seeds=seeds,
        data=data,
        model=model,
        preset=preset,
        device=device,
        backend=_backend(backend, together),
        box=box,
    )
    return _compare(_comparison(None, settings, epochs, lr, batch), out, dry_run, json, track, files=True)


def compare(
    methods: tyro.conf.Positional[tuple[str, ...]] = (),
    *,
    config: Path | None = None,
    data: str | None = None,
    model: str | None = None,
    density: tuple[float, ...] = (),
    seeds: tuple[int, ...] = (),
    epochs: int | None = None,
    lr: float | None = None,
    batch: int | None = None,
    preset: Literal["scaled", "authors"] | None = None,
    device: str | None = None,
    backend: Literal["plain", "fast"] | None = None,
    together: int | None = None,
    track: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = (),
    out: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Compare ways to find trained tickets: accuracy and cost per method and density over the same seeds.

    Args:
        methods: Methods, as for `tickets`.
        config: A TOML file with these settings (and a table [recipe]); options given here win.
        data: digits (default), mnist, fashion-mnist, cifar10, cifar100, or folder:PATH with train/CLASS and val/CLASS.
        model: A model of the zoo; default mlp-bn.
        density: Fractions of the prunable weights to keep; default 0.5 0.2 0.1 0.05.
        seeds: Run numbers; default 0 1 2 3 4. An interval needs five, a verdict eight.
        epochs: Epochs of the final training.
        lr: Largest learning rate.
        batch: Images per step.
        preset: Settings of the methods: scaled to the task (default), or the authors'.
        device: cpu or cuda.
        backend: fast is bfloat16, channels_last, compiled and captured (device cuda); with --together, bfloat16 and captured.
        together: So many seeds train in one stack; equal to one by one up to rounding.
        track: Trackers that get the metrics besides metrics.jsonl.
        out: Folder for the run; the same call resumes it.
        dry_run: Print what it will cost, train nothing.
        json: Print the rows as JSON.
    """
    settings = _given(
        methods=methods or None,
        densities=density or None,
        seeds=seeds or None,
        data=data,
        model=model,
        preset=preset,
        device=device,
        backend=_backend(backend, together),
    )
    return _compare(_comparison(config, settings, epochs, lr, batch), out, dry_run, json, track)


def _backend(name: str | None, together: int | None) -> dict[str, Any] | None:
    """The backend as a table of the settings, if anything was asked for."""
    if together is None and name in (None, "plain"):
        return None if name is None else {}
    if name == "fast" and together is None:
        return {"precision": "bfloat16", "channels_last": True, "compiler": "inductor", "graph": True}
    return {"together": together} | ({"precision": "bfloat16", "graph": True} if name == "fast" else {})


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _comparison(
    config: Path | None, settings: Mapping[str, Any], epochs: int | None, lr: float | None, batch: int | None
) -> Comparison:
    from strong_lth.tickets import comparison

    chosen = comparison.make_comparison(settings) if config is None else comparison.read_comparison(config, **settings)
    return comparison.with_recipe(chosen, epochs=epochs, lr=lr, batch=batch)


def _compare(
    chosen: Comparison, out: Path | None, dry_run: bool, json: bool, track: Sequence[str], files: bool = False
) -> int:
    """Show the planned cost, or run and show the rows; of the processes that torchrun started, the first one shows them."""
    from strong_lth.tickets import processes

    with processes.joined(chosen.device) as rank:
        if rank == 0:
            return _shown(chosen, out, dry_run, json, track, files)
        if not dry_run:
            _run_beside(chosen, out)
    return 0


def _run_beside(chosen: Comparison, out: Path | None) -> None:
    """The same run in another process of torchrun, without a word."""
    from strong_lth import tickets

    with tempfile.TemporaryDirectory() as scratch:
        tickets.run_comparison(chosen, out or Path(scratch))


def _shown(chosen: Comparison, out: Path | None, dry_run: bool, json: bool, track: Sequence[str], files: bool) -> int:
    from strong_lth import tickets
    from strong_lth.tickets.summary import summarise

    plan = tickets.planned(chosen)
    if dry_run:
        columns = {"method": "method", "search_epochs": "epochs to find", "final_epochs": "epochs to train"}
        show_rows(plan, None if json else plain_table(plan, columns))
        return 0
    if out is not None:
        _make_folder(out)
    totals = {row["method"]: round(row["search_epochs"] + row["final_epochs"]) for row in plan}
    done = dict.fromkeys(totals, 0)
    with progress_bars() as progress, tempfile.TemporaryDirectory() as scratch:

        def report(method: str, seed: int, row: Any) -> None:
            done[method] += 1
            accuracy = row.train_accuracy if row.validation_accuracy is None else row.validation_accuracy
            detail = f"seed {seed}, epoch {row.epoch + 1}, loss {row.train_loss:.3f}, accuracy {accuracy:.1%}, density {row.density:.2%}"
            progress(method, done[method], totals[method], detail)

        def write(method: str, density: float, seed: int, ticket: tickets.Ticket) -> None:
            if files and out is not None:
                tickets.save_ticket(ticket, out / f"{chosen.methods[0]}-{density:g}-{seed}.safetensors")

        rows = tickets.run_comparison(chosen, out or Path(scratch), report=report, scored=write, track=track)
    if files and out is not None and chosen.box is not None:
        _write_weights(chosen, out)
    show_rows(rows, None if json else tickets_table(summarise(rows)))
    return 0


def _write_weights(chosen: Comparison, out: Path) -> None:
    """The weights before they were moved, as a file for ``verify-perturbation``."""
    from strong_lth import tickets
    from strong_lth.tickets.comparison import methods_of, task_of
    from strong_lth.tickets.weights_file import LAW, Origin, save_weights

    for method in methods_of(chosen, task_of(chosen)):
        law = getattr(method, "init", "model")
        for seed in chosen.seeds:
            origin = Origin(chosen.data, chosen.model, tickets.Seeds.of(seed).init, LAW if law == "model" else law)
            save_weights(origin.drawn(), out / f"before-{seed}.safetensors", origin)


def _make_folder(path: Path) -> None:
    from strong_lth.core import InputError

    if path.exists() and not path.is_dir():
        raise InputError("--out", path, "name a folder")
    path.mkdir(parents=True, exist_ok=True)
