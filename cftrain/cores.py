"""Pieces of work of one process that go side by side, on as many cores as it may use.

torch lets other threads of Python go on while it computes, so pieces that are long in
its hands share the cores; short ones would wait for each other.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Piece = TypeVar("Piece")
Found = TypeVar("Found")

_IN_USE: ContextVar[int] = ContextVar("cores in use", default=1)


def available() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere; knows what a job was given
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def in_use(cores: int) -> Iterator[None]:
    """Lets pieces of work have so many cores for a while."""
    token = _IN_USE.set(cores)
    try:
        yield
    finally:
        _IN_USE.reset(token)


def side_by_side(
    work: Callable[[Piece], Found], pieces: Sequence[Piece], *, shared: bool = True
) -> list[Found]:
    """Returns what comes of pieces that know nothing of each other, in their order; one
    after the other where what they need may not be `shared`.

    What one of them raises is raised, once none is at work any more.
    """
    cores = min(_IN_USE.get(), len(pieces)) if shared else 1
    if cores <= 1:
        return [work(piece) for piece in pieces]
    with ThreadPoolExecutor(cores) as threads:
        return list(threads.map(work, pieces))
