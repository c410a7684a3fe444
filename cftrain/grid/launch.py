"""Stacks on workers: MPI ranks, local processes or this process itself."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import cast

from cftrain.errors import ResultError
from cftrain.grid.tasks import Task
from cftrain.grid.worker import Outcome, Place, perform

ORPHAN_SECONDS = 1.0
"""How soon a worker sees that its coordinator is gone."""


def launch(
    tasks: Sequence[Task], place: Place, executor: Executor | None
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


@contextmanager
def local_workers(count: int) -> Iterator[Executor | None]:
    """So many processes; None for a single worker, which is this process."""
    if count == 1:
        yield None
        return
    executor = ProcessPoolExecutor(
        count,
        mp_context=get_context("spawn"),
        initializer=_quiet_worker,
        initargs=(os.getpid(),),
    )
    try:
        yield executor
        executor.shutdown()
    except BaseException:  # Ctrl-C too: workers ignore it and are ended from here
        executor.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            process.terminate()
        raise


def _quiet_worker(parent: int) -> None:
    """Ctrl-C reaches every process of a terminal; only the first one answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    """A coordinator that was killed cannot end its workers: they see it and go."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def mpi_size() -> int:
    """Processes started together by an MPI launcher; 1 without one."""
    for variable in ("PMI_SIZE", "PMIX_SIZE", "OMPI_COMM_WORLD_SIZE"):
        if os.environ.get(variable, "").isdigit():
            return int(os.environ[variable])
    return 1


def with_mpi_workers(command: Callable[[Executor], int]) -> int:
    """Run the command on rank 0, with an executor of the other ranks."""
    from mpi4py import MPI
    from mpi4py.futures import MPICommExecutor

    with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
        # None on the ranks that serve. The class is an Executor in all but its type.
        return 0 if executor is None else command(cast(Executor, executor))
