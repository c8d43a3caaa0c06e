"""Methods that cheat: each must be refused by the harness, or its claim overwritten."""

import concurrent.futures
import threading
from dataclasses import dataclass, replace
from typing import ClassVar

import floors
import numpy as np
import pytest
import torch

import strong_lth.tickets as T
from strong_lth.networks import Mask

TASK = T.Task(recipe=T.Recipe(epochs=1, batch=256))


@dataclass(frozen=True)
class Cheat:
    """An honest random mask, until ``trick`` changes its level or ticket."""

    trick: object
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True
    name: ClassVar[str] = "cheat"

    def track(self, task, densities, seeds):
        for level in T.RandomMask().track(task, densities, seeds):
            yield self.trick(level, task) or level

    def ticket(self, level, task, seeds):
        return task.ticket(level.mask, level.start)


def shifted(level, task):
    keep = {name: array.copy() for name, array in level.mask.tensors.items()}
    name = next(iter(keep))
    keep[name].flat[np.flatnonzero(~keep[name])[0]] = True
    return replace(level, mask=Mask(keep))


def too_dense_but_consistent(level, task):
    wrong = shifted(level, task)
    return replace(wrong, density=wrong.mask.density)


def float_mask(level, task):
    return replace(level, mask=Mask({name: array.astype(float) for name, array in level.mask.tensors.items()}))


def classifier_too(level, task):
    name = task.layout.classifier[0]
    return replace(level, mask=Mask({**level.mask.tensors, name: np.ones(task.like[name].shape, bool)}))


def layer_forgotten(level, task):
    first = next(iter(level.mask.tensors))
    return replace(level, mask=Mask({n: a for n, a in level.mask.tensors.items() if n != first}))


def wrong_shape(level, task):
    return replace(level, mask=Mask({name: array.reshape(-1) for name, array in level.mask.tensors.items()}))


def not_a_mask(level, task):
    return replace(level, mask=dict(level.mask.tensors.items()))


def nan_state(level, task):
    name = task.layout.classifier[0]
    return replace(level, start={**level.start, name: torch.full_like(level.start[name], float("nan"))})


def half_state(level, task):
    return replace(level, start={name: level.start[name] for name in list(level.start)[1:]})


def double_state(level, task):
    return replace(level, start={name: tensor.double() for name, tensor in level.start.items()})


def peeks(level, task):
    T.evaluate(task.ticket(level.mask, level.start), TASK)


def peeks_at_images(level, task):
    from strong_lth.tickets import task as module

    module.scoring_images(TASK)


def in_a_thread(call):
    """Runs in a new thread, whose context knows nothing; its error comes back."""
    errors = []

    def body():
        try:
            call()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def peeks_in_a_thread(level, task):
    in_a_thread(lambda: T.evaluate(task.ticket(level.mask, level.start), TASK))


@pytest.mark.parametrize(
    ("trick", "complaint"),
    [
        (shifted, "level of density 0.5 keeps 4097"),
        (too_dense_but_consistent, "no level with exactly 4096 kept"),
        (float_mask, "give a boolean numpy array"),
        (classifier_too, "mask exactly the prunable set"),
        (layer_forgotten, "mask exactly the prunable set"),
        (wrong_shape, "give booleans of shape"),
        (not_a_mask, "the mask is a dict"),
        (nan_state, "is not finite"),
        (half_state, "too many or too few"),
        (double_state, "expected torch.float32"),
        (peeks, "asked for an evaluation"),
        (peeks_at_images, "asked for the test images"),
        (peeks_in_a_thread, "a new thread asked for an evaluation"),
    ],
)
def test_a_cheat_is_refused(trick, complaint):
    with pytest.raises(ValueError, match=complaint):
        T.find(Cheat(trick), TASK, 0.5)


def test_the_honest_form_of_the_cheat_passes():
    assert T.find(Cheat(lambda level, task: None), TASK, 0.5).mask.kept == 4096


def test_other_threads_may_score_when_no_search_runs():
    """A thread that has searched may score while another one searches: it is not that one's method."""
    ticket = T.find(T.RandomMask(), TASK, 0.5)
    in_a_thread(lambda: T.evaluate(ticket, TASK))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda seed: T.compare([T.RandomMask()], TASK, [0.5], [seed]), range(4)))
    assert [part[0]["seed"] for part in parts] == [0, 1, 2, 3]


@dataclass(frozen=True)
class ChangesLater(Cheat):
    """Hands over an honest ticket and fills mask and weights afterwards, through the arrays it still holds."""

    name: ClassVar[str] = "changes later"

    def track(self, task, densities, seeds):
        mine = [
            replace(
                level,
                mask=Mask({n: k.copy() for n, k in level.mask.tensors.items()}),
                start={n: t.clone() for n, t in level.start.items()},
            )
            for level in T.RandomMask().track(task, densities, seeds)
        ]
        for level in mine:
            yield level
            for keep in level.mask.tensors.values():
                keep[...] = True
            for tensor in level.start.values():
                tensor.fill_(0)


def test_a_ticket_that_its_method_changes_after_the_check_is_scored_as_it_was():
    changed, honest = T.find(ChangesLater(None), TASK, 0.5), T.find(T.RandomMask(), TASK, 0.5)
    assert changed.mask.kept == honest.mask.kept == 4096
    assert all(torch.equal(changed.state[name], honest.state[name]) for name in honest.state)
    levels = [level for level, _ in T.levels(ChangesLater(None), TASK, (0.5, 0.2))]
    assert [level.mask.kept for level in levels] == [4096, 1638]


@pytest.mark.parametrize("step", [-5, -1, 5, 10**9, 1.0, True])
def test_a_ticket_that_would_be_trained_longer_or_not_at_all_is_refused(step):
    @dataclass(frozen=True)
    class Longer(Cheat):
        def ticket(self, level, task, seeds):
            return task.ticket(level.mask, level.start, step=step)

    with pytest.raises(T.ContractError, match=r"training from step .*; the task's recipe has the steps 0 to 4"):
        T.find(Longer(lambda level, task: None), TASK, 0.5)
    honest = T.find(T.RandomMask(), TASK, 0.5)
    with pytest.raises(T.ContractError, match="training from step"):
        T.evaluate(replace(honest, step=step), TASK)


def test_a_track_that_leaves_out_a_density_is_refused():
    @dataclass(frozen=True)
    class Short(Cheat):
        def track(self, task, densities, seeds):
            return super().track(task, densities[:1], seeds)

    with pytest.raises(T.ContractError, match="no level with exactly 819 kept"):
        list(T.levels(Short(lambda level, task: None), TASK, (0.5, 0.1)))


def test_a_cost_claimed_by_a_method_is_overwritten():
    @dataclass(frozen=True)
    class Modest(Cheat):
        def ticket(self, level, task, seeds):
            state = task.train(level.start, None, task.recipe, order=0).state
            return replace(task.ticket(level.mask, state), cost=T.Cost())

    ticket = T.find(Modest(lambda level, task: None), TASK, 0.5)
    assert ticket.cost.epochs == 1
    assert ticket.cost.steps == 5
    assert ticket.cost.seconds > 0


def test_the_meter_cannot_be_reset():
    def resets(level, task):
        task.train(level.start, None, task.recipe, order=0)
        task.spent = T.Cost()

    with pytest.raises(AttributeError, match="spent"):
        T.find(Cheat(resets), TASK, 0.5)


def test_training_under_another_mask_first_is_charged_even_if_the_state_is_then_thrown_away():
    @dataclass(frozen=True)
    class Wasteful(Cheat):
        def ticket(self, level, task, seeds):
            task.train(level.start, None, task.recipe, order=0)
            return task.ticket(level.mask, level.start)

    assert T.find(Wasteful(lambda level, task: None), TASK, 0.5).cost.epochs == 1


def test_a_ticket_with_another_mask_than_its_level_is_refused():
    @dataclass(frozen=True)
    class Swaps(Cheat):
        def ticket(self, level, task, seeds):
            return task.ticket(Mask({name: ~keep for name, keep in level.mask.tensors.items()}), level.start)

    with pytest.raises(T.ContractError, match="not that of its level"):
        T.find(Swaps(lambda level, task: None), TASK, 0.5)


def test_a_ticket_of_another_model_is_refused():
    ticket = T.find(T.RandomMask(), TASK, 0.5)
    with pytest.raises(T.ContractError, match="lenet-300-100"):
        T.evaluate(ticket, T.Task(model="lenet-300-100", recipe=TASK.recipe))


def test_the_view_holds_no_test_image():
    """Walks everything that hangs on a view; no tensor in it has as many images as the test part, and no data set is reachable."""
    from strong_lth.datasets import Dataset

    seen, stack, images = set(), [vars(T.view(TASK))], set()
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        assert not isinstance(item, Dataset)
        if isinstance(item, torch.Tensor | np.ndarray):
            images.add(len(item) if item.ndim == 4 and len(item) > 1 else 0)
        elif isinstance(item, dict):
            stack += item.values()
        elif isinstance(item, list | tuple):
            stack += item
        elif hasattr(item, "__dict__") and not isinstance(item, type) and not callable(item):
            stack += vars(item).values()
    assert len(images - {0}) == 2
    assert sum(images) == 1442
    assert 355 not in images


def test_a_method_that_imports_the_data_is_seen_by_the_fence(tmp_path):
    package = tmp_path / "strong_lth"
    (package / "tickets" / "methods").mkdir(parents=True)
    (package / "datasets.py").write_text("")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = []\n')
    (package / "tickets" / "methods" / "peek.py").write_text("from strong_lth import datasets\n")
    found = floors.violations(tmp_path)
    assert len(found) == 1
    assert "a ticket method imports strong_lth.datasets" in found[0]


# --- strong tickets ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Touches:
    """Edge-popup, until ``trick`` changes the ticket that it claims to be untrained."""

    trick: object
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False
    name: ClassVar[str] = "touches"

    def track(self, task, densities, seeds):
        return T.EdgePopup().track(task, densities, seeds)

    def ticket(self, level, task, seeds):
        return self.trick(T.EdgePopup().ticket(level, task, seeds), task)


def one_bit(ticket, task):
    name = next(iter(ticket.mask.tensors))
    at = tuple(axis[0] for axis in np.nonzero(ticket.mask.tensors[name]))
    changed = ticket.state[name].clone()
    changed[at] = torch.nextafter(changed[at], torch.tensor(9.0))
    return replace(ticket, state={**ticket.state, name: changed})


def trained_classifier(ticket, task):
    name = task.layout.classifier[0]
    return replace(ticket, state={**ticket.state, name: ticket.state[name] * 1.001})


def trained_gamma(ticket, task):
    name = task.layout.scales[0]
    return replace(ticket, state={**ticket.state, name: ticket.state[name] + 0.5})


def finetuned(ticket, task):
    state = task.train(ticket.state, ticket.mask, task.recipe, order=0).state
    return replace(ticket, state=state)


def finetuned_later(ticket, task):
    return replace(ticket, use="train")


def another_seed(ticket, task):
    return replace(ticket, source=T.Untrained(1))


def another_law(ticket, task):
    return replace(ticket, source=T.Untrained(0, "uniform"))


def too_few_redraws(ticket, task):
    fresh = task.fresh(0, "model", 2)
    moved = {name: fresh[name] for name in ticket.mask.tensors}
    return replace(ticket, state={**ticket.state, **moved}, source=T.Untrained(0, redraws=1))


def not_binary(ticket, task):
    return replace(ticket, source=T.Untrained(0, binary=True))


@pytest.mark.parametrize(
    ("trick", "complaint"),
    [
        (one_bit, "1 kept weights of 1.weight are not those of seed 0, law model"),
        (trained_classifier, "kept weights of 7.weight are not"),
        (trained_gamma, "64 kept weights of 2.weight are not"),
        (finetuned, "kept weights of 1.weight are not"),
        (finetuned_later, "scored as it is"),
        (another_seed, "are not those of seed 1"),
        (another_law, "are not those of seed 0, law uniform"),
        (too_few_redraws, "kept weights of 1.weight are not"),
        (not_binary, "kept weights of 1.weight are not"),
    ],
)
def test_a_strong_ticket_with_touched_weights_is_refused(trick, complaint):
    with pytest.raises(T.ContractError, match=complaint):
        T.find(Touches(trick), TASK, 0.5)


def test_the_honest_form_passes_and_a_removed_weight_may_be_anything():
    def removed(ticket, task):
        return replace(
            ticket,
            state={
                name: torch.where(torch.from_numpy(ticket.mask.tensors[name]), tensor, 3.0)
                if name in ticket.mask.tensors
                else tensor
                for name, tensor in ticket.state.items()
            },
        )

    honest, other = (T.find(Touches(trick), TASK, 0.5) for trick in (lambda ticket, task: ticket, removed))
    assert T.evaluate(honest, TASK).loss == T.evaluate(other, TASK).loss


def test_a_strong_ticket_of_another_run_is_refused():
    @dataclass(frozen=True)
    class Borrows(Touches):
        def track(self, task, densities, seeds):
            return super().track(task, densities, T.Seeds.of(1))

        def ticket(self, level, task, seeds):
            return T.EdgePopup().ticket(level, task, T.Seeds.of(1))

    with pytest.raises(T.ContractError, match="untrained weights of seed 3; this run's network has seed 0"):
        T.find(Borrows(None), TASK, 0.5)


def test_a_ticket_file_whose_weights_were_changed_is_refused_when_it_is_scored(tmp_path):
    ticket = T.find(T.EdgePopup(), TASK, 0.5)
    T.save_ticket(one_bit(ticket, T.view(TASK)), tmp_path / "ticket.safetensors")
    with pytest.raises(T.ContractError, match=r"1 kept weights of 1\.weight"):
        T.evaluate(T.load_ticket(tmp_path / "ticket.safetensors"), TASK)


def test_bad_input_to_a_search():
    tiny = T.Task(
        model=lambda: torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 1), torch.nn.Linear(1, 2, bias=False), torch.nn.Linear(2, 10)
        ),
        name="tiny",
        recipe=TASK.recipe,
    )
    with pytest.raises(ValueError, match=r"give at least 0\.5: 2\.weight, of 2 weights, would keep none"):
        T.find(T.EdgePopup(), tiny, 0.1)
    with pytest.raises(ValueError, match=r"scores: got 4096 equal ones in 1\.weight"):
        T.find(T.EdgePopup(init="signed-constant", scores="magnitude"), TASK, 0.5)
    with pytest.raises(ValueError, match=r"scores: got 8192 equal ones in all layers"):
        T.find(T.EdgePopup(init="signed-constant", scores="magnitude", scope="global"), TASK, 0.5)
    with pytest.raises(ValueError, match=r"density: got 12 weights of all layers together; .* nothing of 4\.weight"):
        T.find(T.EdgePopup(scope="global"), T.Task(model="conv-bn-tiny", recipe=TASK.recipe), 0.01)
    wild = T.Recipe(epochs=1, batch=256, lr=1e38)
    with pytest.raises(T.DivergedError, match="loss was nan in epoch 1"):
        T.find(T.EdgePopup(recipe=wild), TASK, 0.5)
    for wrong in (
        lambda: T.find(T.EdgePopup(init="uniformly"), TASK, 0.5),
        lambda: T.find(T.EdgePopup(scope="row"), TASK, 0.5),
        lambda: T.find(T.EdgePopup(scores="zero"), TASK, 0.5),
        lambda: T.IteRand(probability=1.5),
        lambda: T.IteRand(every=-1),
        lambda: T.GemMiner(penalty="l3"),
        lambda: T.GemMiner(periods=0),
        lambda: T.GemMiner(strength=float("nan")),
    ):
        with pytest.raises(ValueError, match=r"(use|give) "):
            wrong()
