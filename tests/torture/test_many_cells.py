"""A thousand tiny cells, one to a stack, over several workers: all done, every time.

So many short stacks make what happens between processes happen often: folders made and
removed, checkpoints coming and going, parts merged while others are written.
"""

import sys
from pathlib import Path

import pytest

from cftrain.results.store import Store, done, failed
from tests.console import TINY_MOONS, call, spawn
from tests.torture.undisturbed import assert_undisturbed

MPIRUN = Path(sys.executable).with_name("mpirun")
LAUNCHERS = {
    "workers": ((), ("workers=3",)),
    "mpirun": ((str(MPIRUN), "-n", "4"), ()),  # the first rank hands out
}
SEEDS = 500
REPETITIONS = 5


def grid(folder: Path, seeds: int, *more: str) -> tuple[str, ...]:
    """Two cells for each seed: counterfactual training and its baseline."""
    return (
        "grid",
        *TINY_MOONS,
        "schedule.epochs=1",
        "evaluation.rounds=1",
        f"grid.axes={{seed: {list(range(1, seeds + 1))}}}",
        "grid.only_with={}",
        "grid.fixed={}",
        f"hydra.run.dir={folder}",
        *more,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The grid in this process, in a few wide stacks."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = call(*grid(folder, SEEDS, "workers=1", "stack_width=50"))
    assert outcome.code == 0, outcome.err
    return folder


@pytest.mark.torture
@pytest.mark.mpi
@pytest.mark.parametrize("repetition", range(REPETITIONS))
@pytest.mark.parametrize("way", LAUNCHERS)
def test_all_of_a_thousand_cells_are_done(way, repetition, whole, tmp_path):
    launcher, more = LAUNCHERS[way]
    if launcher and not MPIRUN.exists():
        pytest.skip("no mpirun beside this Python")
    folder = tmp_path / f"grid-{repetition}"
    words = grid(folder, SEEDS, "stack_width=1", *more)
    outcome = spawn(*words, launcher=launcher, cwd=tmp_path, seconds=1500)
    assert outcome.code == 0, outcome.err
    assert "warning" not in outcome.err
    cells = Store(folder).cells()
    assert (len(done(cells)), failed(cells)) == (2 * SEEDS, {})
    assert_undisturbed(folder, whole)
