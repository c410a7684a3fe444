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
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import cast

import torch

from cftrain.errors import CftrainError, ResultError
from cftrain.grid.plan import Stack
from cftrain.grid.record import write_failure
from cftrain.grid.worker import run_stack
from cftrain.results.store import Store

ORPHAN_SECONDS = 1.0
"""How soon a worker sees that its coordinator is gone."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A stack to train, and where its results go; sent to a worker as it is."""

    stack: Stack
    folder: Path
    name: str
    device: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a task: how many cells are done, and why the others are not."""

    done: int
    failed: dict[str, str]


def launch(tasks: Sequence[Task], executor: Executor | None) -> Iterator[Outcome]:
    """Outcomes as they come; without an executor one after the other, here.

    Raises ResultError if a worker died; what it had finished is on disk.
    """
    if executor is None:
        for task in tasks:
            yield perform(task)
        return
    futures: list[Future[Outcome]] = [executor.submit(perform, task) for task in tasks]
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


def perform(task: Task) -> Outcome:
    """Train a stack; if that fails, each of its cells alone, to find the culprit.

    Raises ResultError if results cannot be written: then no failure can be noted.
    """
    torch.set_num_threads(1)
    store = Store(task.folder)
    cells = task.stack.cells
    try:
        run_stack(
            cells,
            task.stack.id,
            store,
            name=task.name,
            device=torch.device(task.device),
            on_epoch=lambda epoch, record: None,
        )
    except ResultError:
        raise
    except Exception as error:  # whatever it is belongs to this stack, not to the grid
        if len(cells) == 1:
            reason = _reason(error)
            write_failure(cells[0], task.stack.id, reason, store, task.name)
        else:
            return _one_by_one(task)
    return _outcome(task, store)


def _one_by_one(task: Task) -> Outcome:
    outcomes = [
        perform(
            Task(
                stack=Stack(cells=(cell,), seconds=0.0),
                folder=task.folder,
                name=task.name,
                device=task.device,
            )
        )
        for cell in task.stack.cells
    ]
    failed = {cell: why for outcome in outcomes for cell, why in outcome.failed.items()}
    return Outcome(done=sum(outcome.done for outcome in outcomes), failed=failed)


def _outcome(task: Task, store: Store) -> Outcome:
    statuses = store.statuses(task.stack.id)
    failed = {cell: why for cell, why in statuses.items() if why is not None}
    return Outcome(done=len(statuses) - len(failed), failed=failed)


def _reason(error: Exception) -> str:
    if isinstance(error, CftrainError):
        return str(error)
    return f"{type(error).__name__}: {error}"


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
