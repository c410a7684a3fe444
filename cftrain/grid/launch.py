"""Tasks on the workers of a grid, or in this process itself, and what becomes of those
whose worker dies.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    as_completed,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cftrain.errors import ResultError, warn
from cftrain.grid.faults.attempts import forget, limits, marks
from cftrain.grid.processes import living_workers, local_workers
from cftrain.grid.task import Task, narrowed, remaining, without
from cftrain.grid.worker import Outcome, Workplace, perform
from cftrain.results.parts.merging import merge_parts

OnOutcome = Callable[[Outcome], None]

BETWEEN_MERGES = 128
"""Tasks after which it is looked whether there are many parts."""

AT_END = 32
"""Parts that are merged once all is done: nobody adds to them soon."""

MOST_DEATHS = 30
"""Of workers in one command; each one narrows what was tried, so that these suffice."""

LONE_DEATHS = 2
"""Of workers with the same single cell, which then is left for another time."""

DIED = (
    "a worker process died (out of memory, or killed); finished stacks are kept, run "
    "the same command again to go on"
)


class WorkerDied(Exception):
    """With the tasks of which no outcome is known."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(DIED)
        self.tasks = tuple(tasks)


def work_off(
    made: Sequence[Task],
    place: Workplace,
    executor: Executor | None,
    *,
    workers: int,
    on_outcome: OnOutcome,
) -> dict[str, str]:
    """Do some tasks; cells that failed, and why. Raises ResultError.

    Without an executor, so many local processes do them, but no more than there are. If
    one of them dies, its cells are given out again, fewer at once.
    """
    deaths = _Deaths(place)
    failures: dict[str, str] = {}

    def done(outcomes: Iterator[Outcome]) -> dict[str, str]:
        return _done(outcomes, on_outcome, failures, place.folder)

    try:
        if executor:
            return done(launch(made, place, executor))
        while made:
            try:
                with local_workers(min(workers, len(made))) as pool:
                    return done(launch(made, place, pool))
            except WorkerDied as death:
                made = deaths.again(death.tasks, failures)
        return failures
    finally:  # whoever ends in good order has not died
        forget(place.folder)


def launch(
    tasks: Sequence[Task], place: Workplace, executor: Executor | None
) -> Iterator[Outcome]:
    """Outcomes as they come; without an executor one after the other, here.

    Raises WorkerDied if a worker of this machine did, ResultError for one elsewhere.
    """
    if executor is None:
        for task in tasks:
            yield perform(task, place)
        return
    futures: dict[Future[Outcome], Task] = {
        executor.submit(perform, task, place): task for task in tasks
    }
    left = dict(futures)
    try:
        for future in as_completed(futures):
            outcome = future.result()
            del left[future]
            yield outcome
    except BrokenProcessPool as error:
        # The others end with it, by no fault of theirs.
        forget(place.folder, processes=living_workers())
        raise WorkerDied(list(left.values())) from error
    except CancelledError as error:
        raise ResultError(DIED) from error
    finally:
        for future in futures:
            future.cancel()


@dataclass(frozen=True)
class _Deaths:
    """What has been learned from the workers that died in one command."""

    place: Workplace
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    limits: dict[str, int] = field(default_factory=dict)
    alone: Counter[str] = field(default_factory=Counter)
    count: Counter[str] = field(default_factory=Counter)

    def again(self, tasks: Sequence[Task], failures: dict[str, str]) -> list[Task]:
        """What is left to do; cells that cannot be done here go to the failures.

        Raises ResultError if there is nothing to learn: no worker was at a task.
        """
        found = marks(self.place.folder)
        forget(self.place.folder)
        self.count["all"] += 1
        if not found or self.count["all"] > MOST_DEATHS:
            raise ResultError(DIED)
        for name, limit in limits(found).items():
            self.limits[name] = min(limit, self.limits.get(name, limit))
        for mark in found:
            if len(mark.cells) == 1 and mark.vain:
                self.alone.update(mark.cells)
        lost = {cell for cell, times in self.alone.items() if times >= LONE_DEATHS}
        failures |= dict.fromkeys(
            lost,
            f"{LONE_DEATHS} worker processes died with this cell alone (out of "
            "memory, or killed)",
        )
        widest = max(len(mark.cells) for mark in found)
        warn(
            f"a worker process died (out of memory, or killed) with {widest} cells at "
            "once; what it was at is given out again"
        )
        left = remaining(tasks, self.place.store, self.begun)
        return [
            part
            for task in left
            for kept in without(task, lost)
            for part in narrowed(kept, self.limits)
        ]


def _done(
    outcomes: Iterator[Outcome],
    on_outcome: OnOutcome,
    failures: dict[str, str],
    folder: Path,
) -> dict[str, str]:
    """The failures and those of the outcomes, which are told; parts are merged."""
    for number, outcome in enumerate(outcomes, start=1):
        if number % BETWEEN_MERGES == 0:
            merge_parts(folder)
        failures |= outcome.failed
        on_outcome(outcome)
    merge_parts(folder, many=AT_END)
    return failures
