import subprocess
import sys

import pytest

from cftrain.errors import ConfigError
from cftrain.grid.launcher import Place, launched, rank, threads_each, workers_for
from tests.console import call

STEP = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "3"}
BATCH_SCRIPT = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1)),
        ({"PMI_RANK": "2", "PMI_SIZE": "3"}, (2, 3)),
        ({"PMIX_RANK": "1", "OMPI_COMM_WORLD_SIZE": "5"}, (1, 5)),
        ({"OMPI_COMM_WORLD_RANK": "4", "OMPI_COMM_WORLD_SIZE": "5"}, (4, 5)),
        (STEP, (3, 4)),
        ({**STEP, "PMIX_RANK": "3"}, (3, 4)),
        # mpirun inside a step, whose one task on each node starts several ranks
        ({**STEP, "PMI_RANK": "6", "PMI_SIZE": "8"}, (6, 8)),
        (BATCH_SCRIPT, (0, 1)),
        ({**BATCH_SCRIPT, "PMI_RANK": "1", "PMI_SIZE": "4"}, (1, 4)),
        ({"PMI_RANK": "x", "PMI_SIZE": ""}, (0, 1)),
    ],
)
def test_the_place_is_what_the_launcher_says(environment, expected):
    place = launched(environment)
    assert place == Place(rank=expected[0], size=expected[1])
    assert rank(environment) == expected[0]


@pytest.mark.parametrize("name", ["PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"])
@pytest.mark.parametrize("told", ["0", "1"])
def test_a_rank_of_nobody_knows_how_many_is_an_error(name, told):
    with pytest.raises(ConfigError, match=f"got {name}={told} alone"):
        launched({name: told, **BATCH_SCRIPT})
    assert rank({name: told}) == int(told)


@pytest.mark.parametrize("size", ["1", "2"])
def test_a_rank_beyond_the_processes_is_an_error(size):
    with pytest.raises(ConfigError, match=f"below the {size} processes .* got rank 2"):
        launched({"PMI_RANK": "2", "PMI_SIZE": size})


@pytest.mark.parametrize("command", ["train", "grid", "status"])
def test_a_rank_set_by_hand_is_told_and_not_taken_for_work_of_others(command, tmp_path):
    message = call(command, cwd=tmp_path, PMI_RANK="1", PMI_SIZE=None).message
    assert "got PMI_RANK=1 alone" in message
    assert call("--version", PMI_RANK="1", PMI_SIZE=None).code == 0


def test_the_environment_is_that_of_the_process(monkeypatch):
    monkeypatch.setenv("PMI_RANK", "2")
    monkeypatch.setenv("PMI_SIZE", "9")
    assert launched() == Place(rank=2, size=9)


@pytest.mark.parametrize(
    ("device", "wanted", "size", "workers"),
    [
        ("cpu", 3, 1, 3),
        ("cpu", None, 5, 4),
        ("cpu", 3, 5, 4),
        ("cuda", None, 1, 1),
        ("cuda", 1, 1, 1),
        ("cuda", None, 2, 1),
    ],
)
def test_who_works(device, wanted, size, workers):
    assert workers_for(device, wanted, size) == workers


def test_without_a_wish_every_core_that_is_ours_works(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {1, 4, 5})
    assert workers_for("cpu", None, 1) == 3


@pytest.mark.parametrize(
    ("workers", "threads"), [(0, 4), (1, 4), (2, 2), (3, 1), (4, 1), (9, 1)]
)
def test_cores_that_no_worker_has_are_shared_evenly(monkeypatch, workers, threads):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {1, 2, 4, 5})
    assert threads_each(workers) == threads
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")
    assert threads_each(workers) == 1


@pytest.mark.parametrize(("wanted", "size"), [(2, 1), (None, 3), (1, 3)])
def test_a_gpu_is_not_shared(wanted, size):
    with pytest.raises(ConfigError, match="one GPU serves one worker, got 2"):
        workers_for("cuda", wanted, size)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, cftrain.grid.launcher, cftrain.grid.processes;"
        "print(sorted({'torch', 'mpi4py', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
