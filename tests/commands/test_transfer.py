"""Real models of three seeds, restored and held against each other."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch

from cftrain.errors import ResultError
from cftrain.evaluation.transfer import transferred
from cftrain.grid.stored import stored_protocol
from cftrain.models.stack_slicing import predict
from cftrain.results.leaves import hyperparameters
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.restore import restore
from tests.commands.grids import SMALL
from tests.console import call

GRID = ("grid=tune_lr", *SMALL[1:], "+grid.axes.seed=[1,2,3]")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transfer") / "grid"
    outcome = call("grid", *GRID, "workers=1", f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome.err
    assert call("transfer", str(folder), "rounds=1").code == 0
    return Store(folder)


def table(store: Store, name: str, cells: list[str] | None = None) -> pd.DataFrame:
    """A table of what was measured, of some cells or of all."""
    chosen = store.evaluations()
    if cells is not None:
        chosen = chosen[chosen["cell"].isin(cells)]
    return store.rows(name, chosen)


def settings(store: Store) -> pd.DataFrame:
    """Cells in their order with their hyperparameters."""
    cells = store.cells()
    return hyperparameters(cells).assign(cell=cells["cell"])


def test_every_model_meets_those_of_the_other_seeds(finished):
    cells = settings(finished).set_index("cell")
    found = table(finished, "transfer")
    assert set(found["cell"]) == set(cells.index)
    for (cell, weight), group in found.groupby(["cell", "energy_weight"]):
        assert group["other"].nunique() == 2, weight
        assert cell not in set(group["other"])
        for name in (
            "search.step_size",
            "objective.adversarial_weight",
            "objective.ridge_weight",
        ):
            assert set(cells.loc[group["other"], name]) == {cells.loc[cell, name]}
    assert found["value"].dropna().between(0, 1).all()
    assert (found["value"].isna() == (found["rows"] == 0)).all()


def test_the_shares_are_those_of_the_stored_models(finished):
    cells = settings(finished)
    cells = cells[cells["search.step_size"] == 0.1]
    cells = cells[cells["objective.ridge_weight"] == 0.1]
    names = list(cells["cell"])
    models = restore(finished, names)
    assert [run.seed for run in models.runs] == list(cells["seed"])
    (name,) = finished.protocols()
    protocol = stored_protocol(finished, name)
    expected = {
        (names[t.cell], names[t.other], t.energy_weight): t.value
        for t in transferred(
            models.classifier,
            models.dataset,
            replace(protocol, rounds=1),
            streams=[Stream(run.seed) for run in models.runs],
        )
    }
    found = table(finished, "transfer", names)
    keys = zip(found["cell"], found["other"], found["energy_weight"], strict=True)
    stored = dict(zip(keys, found["value"], strict=True))
    assert stored == pytest.approx(expected, nan_ok=True)


def test_restored_models_have_the_accuracy_that_was_measured(finished):
    cells = settings(finished)
    names = list(cells["cell"][cells["search.step_size"] == 0.5])
    models = restore(finished, names)
    metrics = table(finished, "metrics", names).query("metric == 'accuracy'")
    measured = metrics.set_index("cell")["value"]
    predicted = predict(models.classifier, models.dataset.test_features.unsqueeze(0))
    for place, cell in enumerate(names):
        right = (predicted[place] == models.dataset.test_labels).double().mean()
        assert measured[cell] == pytest.approx(right.item())


def test_again_it_replaces_its_own_table_only(finished):
    before = table(finished, "transfer")
    others = table(finished, "metrics")
    assert call("transfer", str(finished.folder), "rounds=1").code == 0
    pd.testing.assert_frame_equal(table(finished, "transfer"), before)
    pd.testing.assert_frame_equal(table(finished, "metrics"), others)


def test_one_seed_has_nobody_to_meet(tmp_path):
    folder = tmp_path / "one"
    small = [word for word in SMALL if not word.startswith("grid=")]
    assert call("train", *small, f"hydra.run.dir={folder}").code == 0
    message = call("transfer", str(folder)).message
    assert (
        "expected evaluated cells that differ in their seed only, got none" in message
    )


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_lost_weights_are_an_error_with_their_path(finished, tmp_path, damage):
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)
    path = next((folder / "weights").iterdir())
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"no weights")
    assert f"{path}: expected the weights of a cell, got" in (
        call("transfer", str(folder)).message
    )


def test_cells_that_are_not_there_are_an_error(finished):
    with pytest.raises(ResultError, match=r"expected finished cells, got none called"):
        restore(finished, ["nobody"])


def test_restored_models_need_no_gradients(finished):
    (first, *_) = finished.cells()["cell"]
    models = restore(finished, [first])
    assert not any(p.requires_grad for p in models.classifier.parameters())
    x = models.dataset.test_features[:3].unsqueeze(0)
    assert torch.isfinite(models.classifier(x)).all()
