"""The networks in examples/networks, which know nothing of us."""

import functools
import importlib
import json
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

import cftrain
from tests.console import TINY, TINY_MOONS, call

PACKAGE = "example_networks"
FOLDER = Path(__file__).parents[1] / "examples" / "networks"
NAMED = ("--plugins", PACKAGE)
QUICK = ("schedule.epochs=1", "compare=none", "hydra.run.dir=out")
DIGITS = (
    *TINY,
    *("data=mnist", "data.training_rows=1000", "data.validation_rows=200"),
    *("schedule=large", "schedule.batch_rows=20", "schedule.epochs=8"),
    *("schedule.burn_in=0.7", "schedule.optimiser.learning_rate=0.003"),
    *("schedule.counterfactuals=50", "compare=none"),
    *("evaluation=quick", "evaluation.rounds=1", "evaluation.energy_weights=[0.5]"),
    # All 10,000 test digits are attacked.
    "evaluation.metrics.fgsm_accuracy.epsilons=[0.1]",
    "~evaluation.metrics.pgd_accuracy",
)
"""Little, but enough to learn digits from."""


@pytest.fixture
def networks(monkeypatch):
    """The package, as if it were installed."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module(PACKAGE)
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        monkeypatch.delitem(sys.modules, name)


def test_a_residual_mlp_trains_by_its_name_and_is_evaluated_by_it(networks, tmp_path):
    words = ("model=residual_mlp", "model.dropout=0.1", *TINY_MOONS, *QUICK)
    done = call("train", *NAMED, *words, cwd=tmp_path)
    assert done.code == 0, done.err
    cells = cftrain.read_results(tmp_path / "out")._collection.cells
    model = json.loads(cells["config"].item())["model"]
    assert model["_target_"] == f"{PACKAGE}:ResidualMlp"
    (path,) = (tmp_path / "out" / "weights").iterdir()
    net = networks.ResidualMlp(2, 2, dropout=0.1)
    net.load_state_dict(safetensors.torch.load_file(path))
    refused = call("evaluate", "out", "evaluation.rounds=2", cwd=tmp_path)
    assert refused.code == 2
    assert f"say --plugins {PACKAGE}" in refused.err
    again = call("evaluate", "out", *NAMED, "evaluation.rounds=2", cwd=tmp_path)
    assert again.code == 0, again.err


def test_a_path_is_no_name_of_a_network_that_is_not_there(networks, tmp_path):
    words = ("model=residual_mlp", *TINY_MOONS, *QUICK)
    for target in ("example_networks.residual_mlp.Block2", "example_networks.torch"):
        done = call("train", *NAMED, *words, f"model._target_={target}", cwd=tmp_path)
        assert done.code == 2
        assert "expected a node whose _target_ is a ModelSpec" in done.err
    done = call("train", *NAMED, *words, "model._target_=torch.nn.Linear", cwd=tmp_path)
    assert (done.code, "torch is no plug-in in use" in done.err) == (2, True)


@pytest.mark.slow
@pytest.mark.data
def test_a_resnet_trains_on_mnist_by_command_and_by_import(
    networks, tmp_path, data_root
):
    words = ("model=resnet", *DIGITS, "hydra.run.dir=out")
    done = call("train", *NAMED, *words, cwd=tmp_path)
    assert done.code == 0, done.err
    run = cftrain.train(
        list(DIGITS),
        model=functools.partial(networks.ResNet, row_shape=(1, 28, 28)),
        folder=tmp_path / "imported",
    )
    (path,) = (tmp_path / "out" / "weights").iterdir()
    stored = safetensors.torch.load_file(path)
    assert set(stored) == set(networks.ResNet((1, 28, 28), 10).state_dict())
    for name, value in stored.items():
        assert torch.equal(run.weights[name], value)
    for folder in ("out", "imported"):
        found = cftrain.read_results(tmp_path / folder)
        accuracy = found.metrics.query("metric == 'accuracy'").value.item()
        assert accuracy > 0.4, folder  # of ten classes
        assert (found.history.search_steps > 0).tolist() == [*[False] * 6, True, True]
