"""How steps are computed changes no result: recorded, compiled, stacked and resumed trainings against the plain loop."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import skips
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

import strong_lth.tickets as T
from strong_lth.tickets import engine, memory, optimizers, processes, states
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.capture import record_cuda_graph
from strong_lth.tickets.density import random_mask
from strong_lth.tickets.gathering import Gathering
from strong_lth.tickets.hooks import Hooks, Phase, Signal
from strong_lth.tickets.methods.aws import InterpolatedNormalisation
from strong_lth.tickets.progress import FileCheckpoint, read_progress
from strong_lth.tickets.pushing import WeightPush, removed_tensors
from strong_lth.tickets.task import build, prepared

RECIPE = T.Recipe(epochs=2, batch=256, momentum=0.9, weight_decay=1e-3)
TASK = T.Task(recipe=RECIPE)


def half(view, seed=0):
    counts = {name: size // 2 for name, size in view.layout.sizes.items()}
    return random_mask(view.layout.shapes, counts, np.random.default_rng(seed))


def phase_of(view, recipe=RECIPE, seed=0):
    """All that may change from step to step: the learning rate, alpha inside the forward pass, lambda in the gradients."""
    steps = recipe.epochs * view.steps(recipe)
    draw = np.random.default_rng(seed).random
    return Phase(
        recipe,
        Hooks(
            effective=InterpolatedNormalisation(view.layout.scales, view.layout.offsets),
            before_step=WeightPush(removed_tensors(half(view, 9), view.like)),
            scalars={"alpha": draw(steps), "lambda": draw(steps)},
        ),
    )


def run(phases, *, task=TASK, mask=True, **options):
    view, parts = T.view(task), prepared(task)
    chosen = half(view) if mask else None
    state = states.masked(view.fresh(0), chosen)
    return engine.train(build(task, 0), parts.training, parts.validation, state, chosen, phases, order=3, **options)


def equal(a, b):
    return all(torch.equal(a.state[name], b.state[name]) for name in b.state) and len(a.state) == len(b.state)


def record_like_a_graph(step):
    """A recorder with the traps of a CUDA graph: it runs the step, keeps its tensor operations, and replays those alone; python numbers are frozen, tensors live."""
    step()
    graph = make_fx(step)()
    return torch.no_grad()(lambda: graph())


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, optimizer="adam", lr=1e-2), replace(RECIPE, nesterov=True)])
def test_a_recorded_step_equals_the_plain_one_while_lr_alpha_and_lambda_change(recipe):
    phases = [phase_of(T.view(TASK), recipe)]
    plain = run(phases)
    replayed = run(phases, backend=Backend(graph=True), record=record_like_a_graph)
    assert equal(replayed, plain)
    assert replayed.rows == plain.rows
    assert replayed.rows[0].lr != replayed.rows[1].lr


def test_three_recorded_steps_equal_three_plain_ones():
    phase = phase_of(T.view(TASK))
    plain, replayed = (
        run([phase], until=3, **options)
        for options in ({}, {"backend": Backend(graph=True), "record": record_like_a_graph})
    )
    assert plain.cost.steps == replayed.cost.steps == 3
    assert equal(replayed, plain)


PLAIN = {T.Dense, T.RandomMask, T.OneShotMagnitude, T.IMP, T.LRR, T.SignTransfer, T.MaskTransfer}


@pytest.mark.parametrize("kind", [kind for kind in T.METHODS if kind not in PLAIN], ids=lambda kind: kind.__name__)
def test_every_method_with_hooks_can_be_recorded(kind, monkeypatch):
    """Its hooks touch tensors only, and what it does between its trainings leaves no mark on the next recording."""
    task = T.Task(recipe=T.Recipe(epochs=1, batch=512))
    method = kind.scaled(T.view(task))
    short = {name: 3 for name in ("ramp", "hold") if hasattr(method, name)}
    if hasattr(method, "settings"):
        short["settings"] = replace(method.settings, ramp=3, cycles=2)
    method, honest, ends = replace(method, **short), engine.train, []
    recording = partial(honest, record=record_like_a_graph)
    for train in (honest, lambda *given, **named: recording(*given, **{**named, "backend": Backend(graph=True)})):
        monkeypatch.setattr("strong_lth.tickets.task_view.train", train)
        ends.append(T.evaluate(T.find(method, task, 1.0 if method.reference else 0.8), task).state)
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_drill_momentum_that_is_made_inside_the_recording_is_caught(monkeypatch):
    monkeypatch.setattr(optimizers, "_allocate", lambda optimizer, params: None)
    phases = [phase_of(T.view(TASK))]
    assert not equal(run(phases, backend=Backend(graph=True), record=record_like_a_graph), run(phases))


def test_drill_state_that_is_not_put_back_after_recording_is_caught(monkeypatch):
    monkeypatch.setattr(engine._Step, "changing", lambda self: [])
    phases = [phase_of(T.view(TASK))]
    assert not equal(run(phases, backend=Backend(graph=True), record=record_like_a_graph), run(phases))


def test_drill_a_learning_rate_that_is_a_python_number_is_caught(monkeypatch):
    honest = engine._Step.take

    def frozen(self, pixels, labels):
        for group in self._optimizer.param_groups:
            group["lr"] = float(self._rate)
        honest(self, pixels, labels)

    phases = [phase_of(T.view(TASK))]
    plain = run(phases)
    monkeypatch.setattr(engine._Step, "take", frozen)
    assert not equal(run(phases, backend=Backend(graph=True), record=record_like_a_graph), plain)


@dataclass(frozen=True)
class FrozenAlpha:
    scales: tuple

    def __call__(self, params, scalars):
        alpha = float(scalars["alpha"])
        return {name: alpha + (1 - alpha) * p if name in self.scales else p for name, p in params.items()}


def test_drill_an_alpha_that_is_a_python_number_is_caught():
    hooks = Hooks(effective=FrozenAlpha(T.view(TASK).layout.scales), scalars={"alpha": np.linspace(0, 1, 10)})
    phases = [Phase(RECIPE, hooks)]
    assert not equal(run(phases, backend=Backend(graph=True), record=record_like_a_graph), run(phases))


def test_augmentation_differs_from_epoch_to_epoch_in_a_recorded_training():
    """Noise is drawn outside the recording, so that there is no generator to register with it."""
    task = T.Task(recipe=RECIPE, augment="crop-flip")
    plain, replayed, still = (
        run([Phase(RECIPE)], task=task, augment=augment, **options)
        for augment, options in (
            ("crop-flip", {}),
            ("crop-flip", {"backend": Backend(graph=True), "record": record_like_a_graph}),
            ("none", {}),
        )
    )
    assert equal(replayed, plain)
    assert not equal(still, plain)


@pytest.mark.parametrize("compiler", ["eager", "aot_eager"])
def test_a_compiled_step_equals_the_plain_one(compiler):
    phases = [phase_of(T.view(TASK))]
    assert equal(run(phases, backend=Backend(compiler=compiler)), run(phases))


def test_a_second_training_is_not_compiled_again():
    counter = torch._dynamo.testing.CompileCounter()
    torch._dynamo.reset()
    view = T.view(TASK)
    network = partial(engine.Alone, build(TASK, 0), prepared(TASK).training, Backend(compiler="eager"))
    batch = prepared(TASK).training.pixels[:8], prepared(TASK).training.labels[:8]
    for level in range(3):
        forward = network().forward([phase_of(view, seed=level).hooks])
        torch.compile(forward._orig_mod, backend=counter, dynamic=False)(*batch, {"alpha": torch.rand(())})
    assert counter.frame_count == 1


def test_bfloat16_keeps_float32_masters_and_learns():
    view = T.view(TASK)
    seen = {}

    def watch(params):
        seen.update({name: p.dtype for name, p in params.items()})
        return {}

    half_precise, plain = (
        run([Phase(replace(RECIPE, epochs=6), Hooks(watch=watch))], backend=Backend(precision=name))
        for name in ("bfloat16", "float32")
    )
    assert set(seen.values()) == {torch.float32}
    assert all(tensor.dtype == view.like[name].dtype for name, tensor in half_precise.state.items())
    assert not equal(half_precise, plain)
    assert abs(half_precise.rows[-1].train_accuracy - plain.rows[-1].train_accuracy) < 0.03
    assert plain.rows[-1].train_accuracy > 0.8


def test_channels_last_changes_the_format_and_not_the_network():
    task = T.Task(model="conv-bn-tiny", recipe=RECIPE)
    last, plain = (run([Phase(RECIPE)], task=task, backend=Backend(channels_last=flag)) for flag in (True, False))
    for name, tensor in plain.state.items():
        assert last.state[name].is_contiguous()
        assert torch.allclose(last.state[name].double(), tensor.double(), atol=5e-3)


def test_stacked_trainings_end_where_single_ones_do():
    view, parts = T.view(TASK), prepared(TASK)
    jobs = [
        engine.Job(states.masked(view.fresh(k), half(view, k)), half(view, k), (phase_of(view, seed=k),), order=k)
        for k in range(3)
    ]
    together = engine.train_together(build(TASK, 0), parts.training, jobs)
    for job, one in zip(jobs, together, strict=True):
        single = engine.train(
            build(TASK, 0), parts.training, parts.validation, job.state, job.mask, job.phases, order=job.order
        )
        assert all(torch.allclose(one.state[n].double(), single.state[n].double(), atol=1e-4) for n in single.state)
        assert [row.train_accuracy for row in one.rows] == pytest.approx(
            [r.train_accuracy for r in single.rows], abs=0.01
        )
        for name, keep in job.mask.tensors.items():
            assert torch.all(one.state[name][torch.from_numpy(~keep)] == 0)
        assert one.cost.steps == single.cost.steps
    recorded = engine.train_together(
        build(TASK, 0), parts.training, jobs, backend=Backend(graph=True), record=record_like_a_graph
    )
    assert all(equal(a, b) for a, b in zip(recorded, together, strict=True))


def test_trainings_of_different_form_are_not_stacked():
    view, parts = T.view(TASK), prepared(TASK)
    job = engine.Job(view.fresh(0), None, (Phase(RECIPE),), order=0)
    waits = replace(job, phases=(Phase(RECIPE, Hooks(on_epoch=lambda rows: Signal.CONTINUE)),))
    for other in (replace(job, phases=(Phase(replace(RECIPE, lr=0.2)),)), replace(job, until=3), waits):
        with pytest.raises(ValueError, match="different form"):
            engine.train_together(build(TASK, 0), parts.training, [job, other])
    assert engine.stackable(waits) is None


def test_compare_with_stacked_trainings_agrees_and_repeats():
    def rows(together, store=None):
        task = T.Task(recipe=RECIPE, backend=Backend(together=together))
        short = T.UniLTH(T.UniSettings(cycles=1, patience=1, ramp=4, recipe=RECIPE))
        found = T.compare([T.Dense(), T.IMP(), T.AWS.scaled(T.view(task)), short], task, [0.8], range(3), store=store)
        return [(row["method"], row["seed"], row["accuracy"], row["find_epochs"], row["task"]) for row in found]

    stacked, again, single = rows(2), rows(2), rows(1)
    assert stacked == again
    assert {row[4] for row in stacked}.isdisjoint({row[4] for row in single})  # the backend is part of the task's hash
    assert sorted(row[:2] for row in stacked) == sorted(row[:2] for row in single)
    assert all(
        a[3] == b[3] for a, b in zip(sorted(stacked), sorted(single), strict=True) if a[0] != "UniLTH (our reading)"
    )
    means = [np.mean([row[2] for row in found]) for found in (stacked, single)]
    assert means[0] == pytest.approx(means[1], abs=0.02)


def test_a_group_is_found_in_the_store_whole_or_not_at_all(tmp_path):
    task = T.Task(recipe=RECIPE, backend=Backend(together=3))
    first = T.compare([T.IMP()], task, [0.8], range(3), store=T.FolderStore(tmp_path))
    files = sorted(tmp_path.iterdir())
    states = {path.name: T.FolderStore(tmp_path).get(path.stem) for path in files}
    files[0].unlink()
    files[4].unlink()
    second = T.compare([T.IMP()], task, [0.8], range(3), store=T.FolderStore(tmp_path))
    assert [row["accuracy"] for row in first] == [row["accuracy"] for row in second]
    assert sorted(tmp_path.iterdir()) == files
    for path in files:
        assert equal(T.FolderStore(tmp_path).get(path.stem), states[path.name])


def test_an_error_of_one_search_reaches_the_caller_and_stops_nobody():
    done = []

    def good(member):
        done.append(member.number)

    def bad(member):
        raise ValueError("no ticket")

    with pytest.raises(ValueError, match="no ticket"):
        Gathering(lambda requests: [], T.MemoryStore()).run([good, bad, good])
    assert sorted(done) == [0, 2]


@dataclass(frozen=True)
class NextAfterOne:
    def __call__(self, rows):
        return Signal.NEXT_PHASE if rows[-1].phase == 0 and len(rows) == 2 else Signal.CONTINUE


class Killed(RuntimeError):
    pass


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_training_goes_on_from_every_epoch_to_the_identical_end(tmp_path, kind):
    recipe = replace(RECIPE, epochs=3, optimizer=kind, lr=0.01)
    first = replace(phase_of(T.view(TASK), recipe), recipe=recipe)
    phases = [replace(first, hooks=replace(first.hooks, on_epoch=NextAfterOne())), phase_of(T.view(TASK), recipe, 1)]
    whole = run(phases, until=1000)
    assert [(row.phase, row.epoch) for row in whole.rows] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]

    for stop in range(1, 5):
        path = tmp_path / f"{stop}.progress"

        class StopsAfter(FileCheckpoint):
            saved = 0
            last = stop

            def save(self, progress):
                super().save(progress)
                self.saved += 1
                if self.saved == self.last:
                    raise Killed

        with pytest.raises(Killed):
            run(phases, until=1000, checkpoint=StopsAfter(path, 0.0))
        assert len(read_progress(path).rows) == stop
        resumed = run(phases, until=1000, checkpoint=FileCheckpoint(path, 1e9))
        assert equal(resumed, whole)
        assert resumed.rows == whole.rows
        assert resumed.cost.steps == whole.cost.steps
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(ValueError, match=r"progress: damaged"):
            run(phases, until=1000, checkpoint=FileCheckpoint(path))


def test_a_finished_training_leaves_no_progress_behind(tmp_path):
    view = T.view(TASK, T.FolderStore(tmp_path, seconds=0.0))
    view.train(view.fresh(0), None, replace(RECIPE, epochs=3), order=0)
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


class Hungry(nn.Module):
    """Runs out of memory above a batch of 40."""

    def __init__(self, error):
        super().__init__()
        self.body, self.error = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Linear(12, 10)), error

    def forward(self, x):
        if len(x) > 40:
            raise self.error
        return self.body(x)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate")],
)
def test_out_of_memory_names_the_batch_that_fits(error):
    task = T.Task(model=partial(Hungry, error), name="hungry", recipe=replace(RECIPE, batch=256))
    with pytest.raises(ValueError, match=r"256, for which .*a batch of 32 fits"):
        T.view(task).train(T.view(task).fresh(0), None, task.recipe, order=0)
    assert memory.fits(build(task, 0), prepared(task).training, 40, Backend())


def test_another_error_stays_what_it_is():
    task = T.Task(model=partial(Hungry, RuntimeError("something else")), name="odd", recipe=RECIPE)
    with pytest.raises(RuntimeError, match="something else"):
        T.view(task).train(T.view(task).fresh(0), None, task.recipe, order=0)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"precision": "float16"}, "precision"),
        ({"compiler": "gcc"}, "compiler"),
        ({"together": 0}, "together"),
        ({"together": 2, "compiler": "eager"}, "without a compiler"),
    ],
)
def test_a_backend_that_cannot_be_is_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        Backend(**settings)


def test_a_graph_without_a_gpu_is_refused():
    with pytest.raises(ValueError, match="captured step needs device cuda"):
        T.Task(backend=Backend.fast())
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="needs a CUDA device"):
            record_cuda_graph(lambda: None)


def test_a_process_alone_shares_nothing():
    assert (processes.count(), processes.rank(), processes.share(7)) == (1, 0, slice(0, 7))


@pytest.mark.skipif(not torch.cuda.is_available(), reason=skips.NO_GPU)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_captured_step_on_a_gpu_equals_the_plain_one(optimizer):
    recipe = replace(RECIPE, optimizer=optimizer, lr=0.01)
    task = T.Task(recipe=recipe, device="cuda")
    plain, captured = (
        run([phase_of(T.view(task), recipe)], task=task, until=3, backend=Backend(graph=graph))
        for graph in (False, True)
    )
    for name, tensor in plain.state.items():
        assert torch.allclose(captured.state[name].double(), tensor.double(), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=skips.NO_GPU)
def test_the_fast_path_on_a_gpu_learns_what_the_plain_one_does():
    recipe = replace(RECIPE, epochs=6)
    plain, fast = (
        run([Phase(recipe)], task=T.Task(model="resnet-tiny", recipe=recipe, device="cuda"), backend=backend)
        for backend in (Backend(), Backend.fast())
    )
    assert abs(plain.rows[-1].train_accuracy - fast.rows[-1].train_accuracy) < 0.1
