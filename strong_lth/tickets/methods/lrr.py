"""Learning-rate rewinding: Renda, Frankle and Carbin 2020."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from strong_lth.core import InputError
from strong_lth.tickets.continued import continued_track
from strong_lth.tickets.hooks import Phase
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class LRR:
    """Like IMP, but the surviving weights (and the normalisation) go on from where they are; only the learning-rate schedule restarts.

    ``recipe``: of every round; ``dense_recipe``: of the first one. None is the task's. ``normalisation`` "rewound": gamma, beta and statistics start every round, and the ticket, as initialised.

    Refuses to rewind the normalisation of a model without one with InputError.
    """

    per_round: float = 0.2
    recipe: Recipe | None = None
    dense_recipe: Recipe | None = None
    normalisation: Literal["kept", "rewound"] = "kept"
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.normalisation not in ("kept", "rewound"):
            raise InputError("LRR.normalisation", repr(self.normalisation), "use kept or rewound")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "LRR" if self.normalisation == "kept" else "LRR (normalisation rewound)"

    @classmethod
    def authors(cls) -> LRR:
        """OpenLTH's ResNet-20 recipe in every round: 160 epochs, lr .1 / 10 at one half and three quarters, batch 128, weight decay 1e-4."""
        return cls(recipe=Recipe(epochs=160, lr=0.1, batch=128, weight_decay=1e-4, schedule="steps"))

    @classmethod
    def scaled(cls, task: TaskView) -> LRR:
        """The task's recipe in every round."""
        return cls(recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """Levels 1, .8, .64, ... and the requested densities."""
        recipe = self.recipe or task.recipe
        dense = self.dense_recipe or recipe
        rewound = task.layout.normalisation if self.normalisation == "rewound" else ()
        if self.normalisation == "rewound" and not rewound:
            raise InputError("LRR.normalisation", f"rewound for {task.name}, which has none", "use kept")
        return continued_track(
            task, densities, seeds, self.per_round, lambda number: Phase(dense if number == 0 else recipe), rewound
        )

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The weights as pruned, to be trained by the task's recipe: the last round of the search, or one of another length."""
        return task.ticket(level.mask, level.start)
