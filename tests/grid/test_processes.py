import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import wait

import pytest

from cftrain.errors import ConfigError
from cftrain.grid.processes import (
    living_workers,
    local_workers,
    with_mpi_workers,
)
from tests.console import call, spawn

STEP = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"}


@pytest.fixture(autouse=True)
def without_type_checks(monkeypatch):
    """A worker imports the package anew, without the checks of the tests."""
    monkeypatch.setenv("JAXTYPING_DISABLE", "1")


def test_a_single_worker_is_this_process():
    with local_workers(1) as executor:
        assert executor is None


def test_workers_are_other_processes_and_go():
    with local_workers(2) as executor:
        process = executor.submit(os.getpid).result()
        assert process != os.getpid()
    assert not alive(process)


def closing() -> None:
    """What the system does first to a process that was killed, and then nothing."""
    os.closerange(0, 256)
    time.sleep(60)


def test_a_worker_that_is_ending_is_not_one_that_lives():
    context = multiprocessing.get_context("spawn")
    ending = context.Process(target=closing)
    busy = context.Process(target=time.sleep, args=(60,))
    try:
        for process in (ending, busy):
            process.start()
        assert wait([ending.sentinel], timeout=30)
        assert ending in multiprocessing.active_children()
        assert ending.pid not in living_workers()
        assert busy.pid in living_workers()
    finally:
        for process in (ending, busy):
            process.kill()
            process.join()


def test_an_interruption_ends_a_worker_that_is_busy():
    running = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(running)
    assert len(running) == 2
    assert not any(map(alive, running))


def interrupted(running: list[int]) -> None:
    with local_workers(2) as executor:
        busy = [executor.submit(time.sleep, 60) for _ in range(2)]
        running.extend(executor._processes)
        assert len(busy) == 2
        raise KeyboardInterrupt


def test_signals_of_a_terminal_or_a_job_do_not_reach_workers():
    with local_workers(2) as executor:
        process = executor.submit(os.getpid).result()
        os.kill(process, signal.SIGINT)
        os.kill(process, signal.SIGTERM)
        assert executor.submit(abs, -1).result() == 1
        assert alive(process)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_without_mpi4py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(ConfigError, match=r"mpi4py for 2 processes.*cftrain\[mpi\]"):
        with_mpi_workers(lambda executor: 0)


@pytest.mark.parametrize("rank", ["0", "1"])
def test_without_mpi4py_only_the_first_rank_says_so(monkeypatch, rank, tmp_path):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    outcome = call("grid", cwd=tmp_path, PMI_RANK=rank, PMI_SIZE="2")
    assert (outcome.code, outcome.out) == (2, "")
    assert ("cftrain[mpi]" in outcome.err) == (rank == "0")
    assert bool(outcome.err) == (rank == "0")


@pytest.mark.mpi
def test_processes_that_mpi_does_not_know_of_are_an_error(tmp_path):
    pytest.importorskip("mpi4py")
    outcome = spawn("grid", cwd=tmp_path, **STEP)
    assert "expected the 2 processes that the launcher started" in outcome.message
    assert "got an MPI of 1" in outcome.message
