"""Which cells train together, and in which order stacks are started.

A pure function of the cells, the width and the number of workers. The plan shapes the
time that a grid takes, not its numbers: a cell's numbers are the same in any stack.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cftrain.grid.cells import Cell
from cftrain.run import Run, describe, stack_id

POOL_NUMBERS = 2**22
"""Most numbers of one epoch's pool in an automatic stack: 64 MiB in its four tables."""

MOST_CELLS = 128
"""Wider stacks of the smallest models gain nothing."""

STACKS_PER_WORKER = 2
"""At least, where there are cells enough, so that no worker waits long for the last."""

STACKED_PARTS = ("generator", "maturity", "search", "categories", "objective")

# Seconds on one thread of a server of the 2020s: for a training step whatever its
# width, for a thousand numbers of rows and hidden units in it, for a step of a search
# and for a thousand numbers in that. They order stacks and give a first estimate.
STEP_SECONDS = 5e-4
TRAIN_SECONDS = 1.2e-5
WALK_SECONDS = 2.5e-4
SEARCH_SECONDS = 6e-6
HIDDEN_UNITS = 32
EXPECTED_SHARE_OF_STEPS = 0.35


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Cells that train together; `seconds` is a rough estimate for one thread."""

    cells: tuple[Cell, ...]
    seconds: float

    @property
    def id(self) -> str:
        return stack_id([cell.id for cell in self.cells])


def plan(
    cells: Sequence[Cell],
    *,
    features: Mapping[str, int],
    width: int | None,
    workers: int,
) -> list[Stack]:
    """Stacks of at most `width` cells (None: automatic), the longest first.

    `features` has the width of each dataset by its name.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(signature(cell.run), []).append(cell)
    wanted = max(1, -(-len(cells) // (workers * STACKS_PER_WORKER)))
    stacks = []
    for group in groups.values():
        run = group[0].run
        inputs = features[run.data.name]
        most = width or min(wanted, automatic_width(run, inputs))
        parts = -(-len(group) // most)
        for part in range(parts):
            # Dealt out in turn, so that hard and easy cells of a grid are mixed.
            members = tuple(group[part::parts])
            stacks.append(Stack(cells=members, seconds=_seconds(members, inputs)))
    return sorted(stacks, key=lambda stack: (-stack.seconds, stack.id))


def automatic_width(run: Run, features: int) -> int:
    """How many such cells a stack may hold."""
    numbers = max(run.schedule.counterfactuals, run.schedule.batch_rows) * features
    return max(1, min(MOST_CELLS, POOL_NUMBERS // numbers))


def signature(run: Run) -> str:
    """Equal for runs that may train together: all but the seed and stackable floats."""
    described = describe(run)
    del described["seed"]
    for part in STACKED_PARTS:
        described[part] = {
            name: "float" if isinstance(value, float) else value
            for name, value in described[part].items()
        }
    described["searched"] = run.objective.needs_counterfactuals
    return json.dumps(described)


def loads(stacks: Sequence[Stack], workers: int) -> list[float]:
    """Seconds of each worker if every free one takes the next stack of the list."""
    busy = [0.0] * workers
    for stack in stacks:
        next_free = min(range(workers), key=lambda worker: busy[worker])
        busy[next_free] += stack.seconds
    return busy


def _seconds(cells: Sequence[Cell], features: int) -> float:
    steps = max(
        run.schedule.epochs * -(-run.data.training_rows // run.schedule.batch_rows)
        for run in (cell.run for cell in cells)
    )
    return steps * STEP_SECONDS + sum(_of_cell(cell.run, features) for cell in cells)


def _of_cell(run: Run, features: int) -> float:
    """What one cell adds to its stack: training, search and evaluation."""
    schedule, protocol = run.schedule, run.evaluation
    numbers = (features + HIDDEN_UNITS) / 1000
    seconds = schedule.epochs * run.data.training_rows * numbers * TRAIN_SECONDS
    if run.objective.needs_counterfactuals:
        steps = EXPECTED_SHARE_OF_STEPS * run.search.max_steps
        walked = schedule.epochs * (1 - schedule.burn_in) * steps
        rows = schedule.counterfactuals
        seconds += walked * (WALK_SECONDS + rows * numbers * SEARCH_SECONDS)
    rows = protocol.rounds * protocol.individuals * len(protocol.energy_weights)
    steps = EXPECTED_SHARE_OF_STEPS * protocol.search.max_steps
    return seconds + steps * rows * numbers * SEARCH_SECONDS
