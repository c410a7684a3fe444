"""What a launcher (mpirun, srun) told this process of itself, before MPI has started.

Nothing heavy is imported: the command line asks before it does anything else.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cftrain.cores import available
from cftrain.errors import ConfigError

RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
SIZES = ("PMI_SIZE", "PMIX_SIZE", "OMPI_COMM_WORLD_SIZE")
"""Variables of MPICH and Intel MPI, of PMIx and of Open MPI; they win over SLURM's."""

SLURM_STEP = ("SLURM_STEP_ID", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID")
"""Only a step (srun) has all three. The script of a batch job has SLURM_PROCID=0 and
SLURM_NTASKS=n as well, but is a single process.
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The rank of a process among `size` processes that were started together."""

    rank: int
    size: int


def launched(environment: Mapping[str, str] = os.environ) -> Place:
    """Returns the place of this process; rank 0 of 1 if no launcher started it.

    Raises ConfigError if a launcher told the rank but not the number of processes:
    each process would take itself for the only one and train everything. So it does
    if there are fewer processes than its rank: nobody would be the first and work.
    """
    told = _first(environment, RANKS)
    size = _first(environment, SIZES)
    if size is None and all(name in environment for name in SLURM_STEP):
        size = _number(environment, "SLURM_STEP_NUM_TASKS")
    if told is not None and size is None:
        raise ConfigError(
            f"expected a launcher that tells how many processes it started, in one of "
            f"{', '.join(SIZES)}, got {told[0]}={told[1]} alone; start with the mpirun "
            "of the installed MPI, or set PMI_SIZE to the number of processes"
        )
    place = Place(rank=rank(environment), size=1 if size is None else size[1])
    if place.rank >= place.size:
        raise ConfigError(
            f"expected a launcher that tells a rank below the {place.size} processes "
            f"that it started, got rank {place.rank}; unset what was set by hand of "
            f"{', '.join((*RANKS, *SIZES))}"
        )
    return place


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """Returns the rank of this process, 0 if no launcher started it."""
    told = _first(environment, RANKS)
    if told is None and all(name in environment for name in SLURM_STEP):
        told = _number(environment, "SLURM_PROCID")
    return 0 if told is None else told[1]


def workers_for(device: str, wanted: int | None, size: int) -> int:
    """Returns how many workers a grid has: the other ranks, or else local processes.

    Without a wish that is one per core, or one for a GPU. Raises ConfigError if
    several workers would share a GPU.
    """
    if size > 1:
        workers = size - 1
    elif wanted is None:
        workers = 1 if device == "cuda" else available()
    else:
        workers = wanted
    if device == "cuda" and workers > 1:
        advice = "start without mpirun" if size > 1 else "use workers=1"
        raise ConfigError(
            f"workers: expected one with device=cuda, because one GPU serves one "
            f"worker, got {workers}; {advice}, or use device=cpu"
        )
    return workers


def threads_each(workers: int) -> int:
    """Returns how many threads each of some local workers may have: a core for each of
    them, and one where a launcher has placed the processes.
    """
    if launched().size > 1:
        return 1
    return max(1, available() // max(1, workers))


def _first(
    environment: Mapping[str, str], names: tuple[str, ...]
) -> tuple[str, int] | None:
    found = (_number(environment, name) for name in names)
    return next((number for number in found if number is not None), None)


def _number(environment: Mapping[str, str], name: str) -> tuple[str, int] | None:
    value = environment.get(name, "")
    return (name, int(value)) if value.isdecimal() else None
