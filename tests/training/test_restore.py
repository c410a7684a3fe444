"""Models come back from disk as they were, or not at all."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from cftrain.errors import DataError, ResultError, WeightsError
from cftrain.grid.cells import Cell, cell
from cftrain.grid.task import Task
from cftrain.grid.worker import Workplace, perform
from cftrain.results.store import Store
from cftrain.results.weights import read_weights, weights_path
from cftrain.training.restore import feature_names, restore, restored
from tests.console import TINY_MOONS, run_of

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    run = run_of(*TINY_MOONS, "schedule.epochs=1", "objective=vanilla")
    runs = [replace(run, seed=seed) for seed in (1, 2)]
    return [cell(each, each.data.identity()) for each in runs]


@pytest.fixture(scope="module")
def finished(cells, tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("trained")
    place = Workplace(folder=folder, name="test", device="cpu")
    outcome = perform(Task(train=tuple(cells), evaluate=(), seconds=0.0), place)
    assert outcome.failed == {}
    return Store(folder)


@pytest.fixture
def store(finished, tmp_path) -> Store:
    """A copy that a test may damage."""
    return Store(Path(shutil.copytree(finished.folder, tmp_path / "run")))


@pytest.mark.parametrize("order", [[0], [1], [0, 1], [1, 0]])
def test_models_are_those_on_disk_in_the_order_that_is_asked_for(
    finished, cells, order
):
    names = [cells[place].id for place in order]
    models = restore(finished, names)
    assert models.runs == tuple(cells[place].run for place in order)
    held = models.classifier.state_dict()
    for place, name in enumerate(names):
        weights, _ = read_weights(finished.folder, name)
        assert held.keys() == weights.keys()
        for key, value in weights.items():
            assert torch.equal(held[key][place], value)


def test_a_model_says_the_same_alone_and_in_a_stack(finished, cells):
    together = restore(finished, [made.id for made in cells])
    rows = together.dataset.test_features.unsqueeze(0)
    for place, made in enumerate(cells):
        alone = restore(finished, [made.id])
        logits = together.classifier(rows.expand(2, -1, -1))[place]
        assert torch.equal(alone.classifier(rows)[0], logits)


def test_inputs_have_their_names(finished, cells):
    assert feature_names(finished, cells[0].id) == ["x1", "x2"]


def test_cells_that_are_not_there_are_an_error(finished):
    with pytest.raises(ResultError, match=r"expected finished cells, got none called"):
        restore(finished, ["nobody"])


def test_other_data_than_those_of_the_training_are_an_error(store, cells):
    rows = store.cells().assign(data_identity="generated:other")
    rows = rows.astype(object).where(lambda frame: frame.notna(), None)
    store.write("cells", rows["stack"][0], rows.to_dict("records"))
    with pytest.raises(DataError, match="moons: expected the data generated:other, go"):
        restore(store, [cells[0].id])


DAMAGE: dict[str, tuple[Callable[[Weights], Weights], str]] = {
    "nan": (lambda held: {**held, "0.bias": held["0.bias"] * torch.nan}, "finite"),
    "infinite": (lambda held: {**held, "2.bias": held["2.bias"] / 0}, "finite"),
    "precision": (
        lambda held: {**held, "0.bias": held["0.bias"].double()},
        "torch.float64",
    ),
    "shape": (lambda held: {**held, "0.bias": held["0.bias"][1:]}, "0.bias (31,)"),
    "missing": (lambda held: {"0.bias": held["0.bias"]}, "with the tensors"),
    "more": (lambda held: {**held, "4.bias": held["2.bias"].clone()}, "4.bias"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_weights_that_do_not_fit_are_an_error_with_their_file(store, cells, damage):
    name = cells[0].id
    path = weights_path(store.folder, name)
    change, said = DAMAGE[damage]
    names = [made.id for made in cells]
    whole = restore(store, names)
    weights = change(safetensors.torch.load_file(path))
    safetensors.torch.save_file(weights, path, metadata={"cell": name, "codec": "{}"})
    with pytest.raises(ResultError) as caught:
        restored(store, names, whole.runs, whole.dataset)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert said in str(caught.value)


def test_a_far_larger_model_than_the_weights_is_not_built(store, cells):
    name = cells[0].id
    whole = restore(store, [name])
    wide = replace(cells[0].run.model, hidden=(14_000, 14_000))
    runs = [replace(cells[0].run, model=wide)]
    expected = "the model that is described, which has far more numbers, got 162;"
    with pytest.raises(WeightsError, match=expected):
        restored(store, [name], runs, whole.dataset)


def test_weights_that_fit_but_were_written_by_others_are_refused(store, cells):
    name = cells[0].id
    path = weights_path(store.folder, name)
    weights, codec = read_weights(store.folder, name)
    weights["0.bias"] = weights["0.bias"] + 0.1
    metadata = {"cell": name, "codec": codec}
    safetensors.torch.save_file(weights, path, metadata=metadata)
    with pytest.raises(WeightsError, match="its checksum differs"):
        restore(store, [name])


@pytest.mark.parametrize("damage", ["missing", "truncated", "another"])
def test_weights_that_are_none_are_an_error_with_their_file(store, cells, damage):
    path, other = (weights_path(store.folder, made.id) for made in cells)
    whole = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(whole[:-3])
    elif damage == "another":
        shutil.copy(other, path)
    with pytest.raises(ResultError) as caught:
        restore(store, [cells[0].id])
    assert str(caught.value).startswith(f"{path}: expected the weights of ")
