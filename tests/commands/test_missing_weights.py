"""Models whose weights were deleted: train and grid make them again, others say so."""

from pathlib import Path

import pandas as pd
import pytest

from cftrain.results.store import Store
from cftrain.results.weights_file import weights_path
from tests.console import TINY_MOONS, call, files

ANOTHER = ("evaluation.rounds=1", "workers=1")


def words(command: str, folder: Path) -> tuple[str, ...]:
    own = {"train": (), "grid": ("grid=single", "+grid.axes.seed=[1]", "workers=1")}
    return (command, *TINY_MOONS, *own[command], f"hydra.run.dir={folder}")


def numbers(folder: Path) -> pd.DataFrame:
    store = Store(folder)
    keys = ["cell", "protocol", "metric", "energy_weight", "round", "epsilon"]
    found = store.rows("metrics", store.evaluations()).sort_values(keys)
    return found[[*keys, "value", "rows"]].reset_index(drop=True)


@pytest.mark.parametrize("command", ["train", "grid"])
def test_a_model_without_weights_is_trained_again_and_no_other(command, tmp_path):
    assert call(*words(command, tmp_path)).code == 0
    cells = Store(tmp_path).cells().set_index("cell")
    before, weights = numbers(tmp_path), files(tmp_path / "weights")
    lost, kept = cells.index[:2]
    weights_path(tmp_path, lost).unlink()
    said = call("status", str(tmp_path)).out
    assert f"{len(cells) - 1} trained, 0 failed, 1 missing of {len(cells)}" in said
    assert "1 of the missing were trained, but their weights are gone" in said
    evaluated = call("evaluate", str(tmp_path), *ANOTHER)
    assert evaluated.code == 1
    assert f"failed: cell {lost}: " in evaluated.err
    assert (
        "expected the weights of a cell, got none; the next cftrain train or grid"
        in (evaluated.err)
    )
    assert files(tmp_path / "weights") == {
        name: content for name, content in weights.items() if lost not in name
    }
    again = call(*words(command, tmp_path))
    assert again.code == 0, again
    assert "the weights of 1 cells are missing; they are trained again" in again.err
    assert files(tmp_path / "weights") == weights
    found = Store(tmp_path).cells().set_index("cell")
    assert found["created"][kept] == cells["created"][kept]
    assert found["created"][lost] > cells["created"][lost]
    first = Store(tmp_path).evaluations().query("cell == @lost")
    assert set(first["status"]) == {"done"}
    assert numbers(tmp_path).merge(before).equals(before)
    done = call(*words(command, tmp_path))
    assert (done.code, "trained again" in done.err) == (0, False)
    assert f"{len(cells)} trained, 0 failed, 0 mi" in call("status", str(tmp_path)).out
    measured = call("evaluate", str(tmp_path), *ANOTHER)
    assert measured.code == 0, measured
