"""Which cells train together, and in which order stacks are started.

A pure function of the cells, the width and the number of workers. The plan shapes the
time that a grid takes, not its numbers: a cell's numbers are the same in any stack.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from cftrain.config.identity import describe
from cftrain.grid.cells import Cell
from cftrain.training.run import Run, stack_id

POOL_NUMBERS = 2**22
"""Most numbers of one epoch's pool in an automatic stack: 64 MiB in its four tables."""

MOST_CELLS = 128
"""Wider stacks of the smallest models gain nothing."""

AIMED_SHARES = tuple(0.96**power for power in range(110))
"""Aims for the seconds of a stack, as shares of the longest possible one."""

STACKED_PARTS = ("generator", "maturity", "search", "categories", "objective")

# Seconds on one thread of a server of the 2020s: for a training step whatever its
# width, for a thousand numbers of rows and hidden units in it, for a step of a search
# and for a thousand numbers in that. They order stacks and give a first estimate.
STEP_SECONDS = 9e-4
TRAIN_SECONDS = 2.2e-5
WALK_SECONDS = 4.5e-4
SEARCH_SECONDS = 1.1e-5
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

    `features` has the width of each dataset by its name. The automatic width balances
    the fixed cost of a stack against idle workers: of several aims for the seconds of
    a stack, the one with which the last worker ends first.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(signature(cell.run), []).append(cell)
    if width is not None:
        return _ordered(
            stack
            for group in groups.values()
            for stack in _dealt(group, -(-len(group) // width), features)
        )
    whole = _ordered(_aimed(groups.values(), float("inf"), features))
    longest = max((stack.seconds for stack in whole), default=0.0)
    plans = [
        _ordered(_aimed(groups.values(), longest * share, features))
        for share in AIMED_SHARES
    ]
    return min(plans, key=lambda stacks: max(loads(stacks, workers)), default=whole)


def _aimed(
    groups: Iterable[list[Cell]], seconds: float, features: Mapping[str, int]
) -> Iterator[Stack]:
    """Each group in as many stacks as bring them below the seconds, if that can be."""
    for group in groups:
        inputs = features[group[0].run.data.name]
        fixed = _steps(group) * STEP_SECONDS
        work = sum(_of_cell(cell.run, inputs) for cell in group)
        most = automatic_width(group[0].run, inputs)
        parts = max(-(-len(group) // most), ceil(work / max(seconds - fixed, 1e-9)))
        yield from _dealt(group, min(parts, len(group)), features)


def _dealt(
    group: list[Cell], parts: int, features: Mapping[str, int]
) -> Iterator[Stack]:
    """The cells dealt out in turn, so that hard and easy ones of a grid are mixed."""
    inputs = features[group[0].run.data.name]
    for part in range(parts):
        members = tuple(group[part::parts])
        yield Stack(cells=members, seconds=_seconds(members, inputs))


def _ordered(stacks: Iterable[Stack]) -> list[Stack]:
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
        heapq.heapreplace(busy, busy[0] + stack.seconds)
    return busy


def _seconds(cells: Sequence[Cell], features: int) -> float:
    work = sum(_of_cell(cell.run, features) for cell in cells)
    return _steps(cells) * STEP_SECONDS + work


def _steps(cells: Sequence[Cell]) -> int:
    """Training steps of a stack: they cost much the same whatever its width."""
    run = cells[0].run
    return run.schedule.epochs * -(-run.data.training_rows // run.schedule.batch_rows)


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
