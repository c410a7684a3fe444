"""Which cells train together, and in which order stacks are started.

A pure function of the cells, the limits and the number of workers. The plan shapes the
time that a grid takes, not its numbers: a cell's numbers are the same in any stack.
"""

import heapq
import json
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from cftrain.config.identity import configured, describe
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, stack_id
from cftrain.training.run import Run

EPOCH_NUMBERS = 2**22
"""Most numbers of an epoch's counterfactuals in an automatic stack: 64 MiB in all."""

MOST_CELLS = 128
"""Wider stacks of the smallest models gain nothing."""

AIMED_SHARES = tuple(0.96**power for power in range(110))
"""Aims for the seconds of a stack, as shares of the longest possible one."""

STACKED_PARTS = ("generator", "maturity", "search", "categories", "objective")
OF_EACH = ("seed", "init_from")
SIGNED = [name for name in configured(Run) if name not in OF_EACH]
"""Parts of a run of which the floats may differ in a stack, those which may differ
altogether, and all others.
"""

# Seconds on one thread of a server of the 2020s: for a training step whatever its
# size, for a thousand numbers of rows and hidden units in it, for a step of a search
# and for a thousand numbers in that. They order stacks and give a first estimate.
STEP_SECONDS = 9e-4
TRAIN_SECONDS = 2.2e-5
WALK_SECONDS = 4.5e-4
SEARCH_SECONDS = 1.1e-5
HIDDEN_UNITS = 32
EXPECTED_SHARE_OF_STEPS = 0.35


@typing.runtime_checkable
class Timed(typing.Protocol):
    """Something that takes a while."""

    @property
    def seconds(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Cells that train together; `seconds` is a rough estimate for one thread."""

    cells: tuple[Cell, ...]
    seconds: float

    @property
    def id(self) -> str:
        return stack_id(cell.id for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What an estimate needs besides the runs: the number of features of each dataset
    by its name, and the protocols that each cell is evaluated by.
    """

    features: Mapping[str, int]
    protocols: Mapping[str, Sequence[Protocol]]

    def of_stack(self, cells: Sequence[Cell]) -> float:
        """Seconds to train a stack and to evaluate its cells."""
        return _steps(cells) * STEP_SECONDS + sum(map(self.of_cell, cells))

    def of_cell(self, cell: Cell) -> float:
        """What one cell adds to its stack."""
        return self._training(cell) + self.of_evaluation(cell)

    def of_evaluation(self, cell: Cell) -> float:
        """Seconds to evaluate a cell by all its protocols."""
        seconds = 0.0
        for protocol in self.protocols.get(cell.id, ()):
            rows = protocol.rounds * protocol.individuals * len(protocol.energy_weights)
            steps = EXPECTED_SHARE_OF_STEPS * protocol.search.max_steps
            seconds += steps * rows * self._numbers(cell) * SEARCH_SECONDS
        return seconds

    def most_cells(self, cell: Cell) -> int:
        """How many cells like this one a stack may hold."""
        schedule = cell.run.schedule
        rows = max(schedule.counterfactuals, schedule.batch_rows)
        numbers = rows * self.features[cell.run.data.name]
        return max(1, min(MOST_CELLS, EPOCH_NUMBERS // numbers))

    def _training(self, cell: Cell) -> float:
        run, schedule, numbers = cell.run, cell.run.schedule, self._numbers(cell)
        rows = schedule.epochs * run.data.training_rows
        seconds = rows * numbers * TRAIN_SECONDS
        if run.objective.needs_counterfactuals:
            steps = EXPECTED_SHARE_OF_STEPS * run.search.max_steps
            walked = schedule.epochs * (1 - schedule.burn_in) * steps
            searched = schedule.counterfactuals * numbers * SEARCH_SECONDS
            seconds += walked * (WALK_SECONDS + searched)
        return seconds

    def _numbers(self, cell: Cell) -> float:
        """Thousands of numbers that a row is for the model."""
        return (self.features[cell.run.data.name] + HIDDEN_UNITS) / 1000


def plan(
    cells: Sequence[Cell], costs: Costs, *, most: int | None, workers: int
) -> list[Stack]:
    """Stacks of at most `most` cells (None: automatic), the longest first.

    The automatic size balances the fixed cost of a stack against idle workers: of
    several aims for the seconds of a stack, the one with which the last worker ends
    first.
    """
    groups: dict[str, list[Cell]] = {}
    known: dict[tuple[int, ...], str] = {}  # runs of a grid share most of their parts
    for cell in cells:
        parts = tuple(id(getattr(cell.run, name)) for name in SIGNED)
        if parts not in known:
            known[parts] = signature(cell.run)
        groups.setdefault(known[parts], []).append(cell)
    if most is not None:
        return _ordered(
            stack
            for group in groups.values()
            for stack in _dealt(group, -(-len(group) // most), costs)
        )
    sizes = [_Size.of(group, costs) for group in groups.values()]
    longest = max((s for size in sizes for s in size.seconds(size.least)), default=0.0)
    divisions = [
        tuple(size.parts(longest * share) for size in sizes) for share in AIMED_SHARES
    ]
    best = min(
        dict.fromkeys(divisions), key=lambda division: _last(sizes, division, workers)
    )
    return _ordered(
        stack
        for group, parts in zip(groups.values(), best, strict=True)
        for stack in _dealt(group, parts, costs)
    )


@dataclass(frozen=True)
class _Size:
    """The seconds of a group of cells: fixed for each stack, and of every cell."""

    fixed: float
    cells: tuple[float, ...]
    least: int
    """Parts of which no stack is wider than it may be."""

    @classmethod
    def of(cls, group: Sequence[Cell], costs: Costs) -> "_Size":
        return cls(
            fixed=_steps(group) * STEP_SECONDS,
            cells=tuple(map(costs.of_cell, group)),
            least=-(-len(group) // costs.most_cells(group[0])),
        )

    def parts(self, seconds: float) -> int:
        """As many stacks as bring them below the seconds, if that can be."""
        wanted = ceil(sum(self.cells) / max(seconds - self.fixed, 1e-9))
        return min(max(self.least, wanted), len(self.cells))

    def seconds(self, parts: int) -> list[float]:
        return [self.fixed + sum(self.cells[part::parts]) for part in range(parts)]


def _last(sizes: Sequence[_Size], division: Sequence[int], workers: int) -> float:
    """When the last worker ends if the groups are divided into so many stacks."""
    pairs = zip(sizes, division, strict=True)
    stacks = [_Seconds(s) for size, parts in pairs for s in size.seconds(parts)]
    ordered = sorted(stacks, key=lambda stack: -stack.seconds)
    return max(loads(ordered, workers))


@dataclass(frozen=True)
class _Seconds:
    seconds: float


def _dealt(group: list[Cell], parts: int, costs: Costs) -> Iterator[Stack]:
    for members in dealt(group, parts):
        yield Stack(cells=members, seconds=costs.of_stack(members))


def dealt(group: Sequence[Cell], parts: int) -> list[tuple[Cell, ...]]:
    """The cells dealt out in turn, so that hard and easy ones of a grid are mixed."""
    return [tuple(group[part::parts]) for part in range(parts)]


def _ordered(stacks: Iterable[Stack]) -> list[Stack]:
    return sorted(stacks, key=lambda stack: (-stack.seconds, stack.id))


def signature(run: Run) -> str:
    """Equal for runs that may train together: all but the seed and stackable floats."""
    described = describe(run)
    for part in OF_EACH:
        described.pop(part, None)
    for part in STACKED_PARTS:
        described[part] = {
            name: "float" if isinstance(value, float) else value
            for name, value in described[part].items()
        }
    described["searched"] = run.objective.needs_counterfactuals
    return json.dumps(described)


def loads(stacks: Sequence[Timed], workers: int) -> list[float]:
    """Seconds of each worker if every free one takes the next stack of the list."""
    busy = [0.0] * workers
    for stack in stacks:
        heapq.heapreplace(busy, busy[0] + stack.seconds)
    return busy


def _steps(cells: Sequence[Cell]) -> int:
    """Training steps of a stack: they cost much the same whatever its size."""
    run = cells[0].run
    return run.schedule.epochs * -(-run.data.training_rows // run.schedule.batch_rows)
