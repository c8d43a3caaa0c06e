"""Tracks whose weights are never put back: train, prune by magnitude, go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from strong_lth.tickets.density import keep_largest, track_counts
from strong_lth.tickets.hooks import Phase
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds


def continued_track(
    task: TaskView,
    densities: Sequence[float],
    seeds: Seeds,
    per_round: float,
    phase: Callable[[int], Phase],
    rewound: Sequence[str] = (),
) -> Iterator[Level]:
    """Levels 1, (1 - per_round), ... and the requested densities; round r trains by ``phase(r)`` with an empty optimiser and batches of its own.

    The tensors named in ``rewound`` start every round as they were initialised.
    """
    first = task.fresh(seeds.init)
    state, mask, epochs = first, task.dense(), 0
    for number, kept in enumerate(track_counts(task.layout.prunable, densities, per_round)):
        if kept < mask.kept:
            mask = keep_largest(task.magnitudes(state), kept, mask)
        chosen, start = phase(number), {**state, **{name: first[name] for name in rewound}}
        trained = task.train(start, mask, chosen, order=seeds.track, first_epoch=epochs)
        state, epochs = trained.state, epochs + chosen.recipe.epochs
        yield Level(mask.density, mask, start, state, notes={"rows": trained.rows})
