"""Processes that work for a grid: local ones, or the ranks of an MPI program.

The coordinator alone answers Ctrl-C, SIGTERM and SIGHUP, which may reach every process
of a terminal or of a job; it ends its workers, and workers that lose it end themselves.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, cast

from cftrain.errors import ConfigError
from cftrain.grid.launcher import launched

ORPHAN_SECONDS = 1.0
"""How soon a worker sees that its coordinator is gone."""

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Worker(SpawnProcess):
    """A process that never sees what ends us, not even while it starts."""

    def start(self) -> None:
        with _blocked():
            super().start()


@contextmanager
def _blocked() -> Iterator[None]:
    """What ends us does not reach this thread, nor processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Workers(SpawnContext):
    Process = _Worker


@contextmanager
def local_workers(count: int) -> Iterator[Executor | None]:
    """Yields so many processes; None for a single worker, which is this process."""
    if count == 1:
        yield None
        return
    others = set(active_children())
    with _blocked():  # a process of Python's that would miss its semaphores
        resource_tracker.ensure_running()
    executor = ProcessPoolExecutor(
        count,
        mp_context=_Workers(),
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    try:
        yield executor
        executor.shutdown()
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        # Files are written whole or not at all, so nothing gentler is needed.
        workers = set(active_children()) - others
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        raise


def living_workers() -> set[int]:
    """Process ids of the local workers that have not died.

    The system closes what a process has open before it tells that it ended, and by
    the first of these a pool knows of a death: hence so do we.
    """
    children = [child for child in active_children() if child.pid is not None]
    ended = wait([child.sentinel for child in children], timeout=0)
    return {cast(int, c.pid) for c in children if c.sentinel not in ended}


def _end_with(coordinator: int) -> None:
    """A coordinator that was killed cannot end its workers: they see it and go."""
    threading.Thread(target=_watch, args=(coordinator,), daemon=True).start()


def _watch(coordinator: int) -> None:
    while os.getppid() == coordinator:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def with_mpi_workers(command: Callable[[Executor], int]) -> int:
    """Run the command on rank 0 with an executor of the other ranks.

    Returns its exit code; one above 128, of a command that a signal has ended, ends
    the other ranks at once. Raises ConfigError if MPI is not there, or if it does not
    know of the processes that were started.
    """
    mpi = _started_mpi()
    from mpi4py.futures import MPICommExecutor

    if mpi.COMM_WORLD.Get_rank() > 0:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)
    with MPICommExecutor(mpi.COMM_WORLD, root=0) as executor:
        if executor is None:  # on the ranks that serve
            return 0
        # The class is an Executor in all but its type.
        code = command(cast(Executor, executor))
        if code > 128:
            mpi.COMM_WORLD.Abort(code)
    return code


def _started_mpi() -> Any:
    """Returns mpi4py's MPI. Raises ConfigError if it has other processes than told."""
    size = launched().size
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ConfigError(
            f"expected mpi4py for {size} processes, got {error}; install the extra "
            "with pip install 'cftrain[mpi]', or start without mpirun or srun: local "
            "processes do the work then"
        ) from error
    found = MPI.COMM_WORLD.Get_size()
    if found != size:
        raise ConfigError(
            f"expected the {size} processes that the launcher started, got an MPI of "
            f"{found}; use the mpirun of the MPI that mpi4py is built for, or under "
            "SLURM srun --mpi=pmi2 or --mpi=pmix"
        )
    return MPI
