"""Deep ensembles, and how their members are trained."""

from dataclasses import replace

import pytest
import torch

from cftrain.models.ensemble import (
    Ensemble,
    EnsembleClassifier,
    assembled,
    taken_apart,
)
from cftrain.models.mlp import Mlp
from cftrain.training.stack import train
from tests.builders import mlp, normal, streams
from tests.console import TINY_MOONS, read

MLP = Mlp(name="mlp", hidden=(5,), activation="relu")
ENSEMBLE = Ensemble(name="ensemble", members=3, member=MLP)


def test_its_probabilities_are_the_mean_of_its_members():
    members = [mlp(2, features=4, seed=seed) for seed in range(3)]
    x = normal(2, 7, 4)
    found = EnsembleClassifier(members)(x)
    expected = torch.stack([member(x).softmax(-1) for member in members]).mean(0)
    torch.testing.assert_close(found.softmax(-1), expected)
    torch.testing.assert_close(found.exp(), expected)


def test_members_start_apart():
    model = ENSEMBLE.build(features=4, classes=2, streams=streams(2))
    weights = [member[0].weight for member in model.members]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0][0], weights[0][1])


def test_a_stack_of_all_members_is_put_together_ensemble_by_ensemble():
    state = {"w": torch.arange(6)}
    found = assembled(state, 3)
    assert {name: value.tolist() for name, value in found.items()} == {
        "members.0.w": [0, 3],
        "members.1.w": [1, 4],
        "members.2.w": [2, 5],
    }
    assert torch.equal(taken_apart(found, 3)["w"], state["w"])


@pytest.fixture(scope="module")
def trained():
    run, _ = read(*TINY_MOONS, "model=ensemble", "model.members=3", "seed=5")
    data = run.data.load()
    runs = [run, replace(run, seed=6)]
    device = torch.device("cpu")
    return runs, data, device, train(runs, data, device=device)


def test_an_ensemble_is_trained_the_same_alone(trained):
    runs, data, device, together = trained
    for cell, run in enumerate(runs):
        alone = train([run], data, device=device).classifier.state_dict()
        for name, value in together.classifier.state_dict().items():
            torch.testing.assert_close(alone[name][0], value[cell], msg=name)


def test_its_history_is_the_mean_of_its_members(trained):
    runs, _, _, found = trained
    assert found.history[-1].loss.shape == (2,)
    assert len(found.history) == runs[0].schedule.epochs


def test_its_members_have_learned_from_the_start_they_had(trained):
    found = trained[3]
    state = found.classifier.state_dict()
    assert not torch.equal(state["members.0.0.weight"], state["members.1.0.weight"])
