"""Stacks on the workers of a grid, or in this process itself."""

from collections.abc import Iterator, Sequence
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    as_completed,
)
from concurrent.futures.process import BrokenProcessPool

from cftrain.errors import ResultError
from cftrain.grid.tasks import Task
from cftrain.grid.worker import Outcome, Workplace, perform


def launch(
    tasks: Sequence[Task], place: Workplace, executor: Executor | None
) -> Iterator[Outcome]:
    """Outcomes as they come; without an executor one after the other, here.

    Raises ResultError if a worker died; what it had finished is on disk.
    """
    if executor is None:
        for task in tasks:
            yield perform(task, place)
        return
    futures: list[Future[Outcome]] = [
        executor.submit(perform, task, place) for task in tasks
    ]
    try:
        for future in as_completed(futures):
            yield future.result()
    except (BrokenProcessPool, CancelledError) as error:
        raise ResultError(
            "a worker process died (out of memory, or killed); finished stacks are "
            "kept, run the same command again to go on"
        ) from error
    finally:
        for future in futures:
            future.cancel()
