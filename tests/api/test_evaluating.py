"""The paper's measures of plain torch networks."""

import pytest
import torch
from torch import nn

import cftrain
from cftrain.errors import ArgumentError, DataError, ModelError
from tests.api.networks import Answering, unstacked
from tests.console import TINY_MOONS

DATA = [word for word in TINY_MOONS if word.startswith(("data.", "evaluation."))]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("moons")
    return cftrain.train([*TINY_MOONS, "seed=7", "compare=none"], folder=folder)


def test_a_network_measures_as_the_model_with_its_weights(trained):
    net = unstacked(trained.weights).train()
    found = cftrain.evaluate(net, "moons", overrides=[*DATA, "seed=7"])
    keys = ["metric", "energy_weight", "round", "epsilon"]
    assert list(found) == [name for name in trained.metrics if name in set(found)]
    assert found[keys].equals(trained.metrics[keys])
    torch.testing.assert_close(
        torch.tensor(found["value"].to_numpy()),
        torch.tensor(trained.metrics["value"].to_numpy()),
        rtol=1e-4,
        atol=1e-5,
        equal_nan=True,
    )
    assert net.training
    assert all(values.grad is None for values in net.parameters())


def test_all_measures_can_be_asked_for():
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9))
    words = [*DATA, "evaluation.metrics.unfaithfulness.steps=3"]
    found = cftrain.evaluate(net, data="moons", evaluation="full", overrides=words)
    assert {"ip", "ip_star", "unfaithfulness", "pgd_accuracy", "validity"} <= set(
        found["metric"]
    )


def test_images_come_as_networks_for_images_take_them():
    shapes = []

    def answer(rows):
        shapes.append(tuple(rows.shape[1:]))
        return rows.flatten(1)[:, 300:310]

    words = [
        "experiment=mnist",
        "evaluation.rounds=1",
        "evaluation.individuals=4",
        "evaluation.search.max_steps=2",
        "evaluation.metrics={accuracy:{_target_:"
        "cftrain.evaluation.metrics.predictions.accuracy.Accuracy}}",
    ]
    found = cftrain.evaluate(Answering(answer), data="mnist", overrides=words)
    assert set(shapes) == {(1, 28, 28)}
    assert set(found["metric"]) == {"accuracy"}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("net", "given", "kind", "told"),
    [
        ("net", {}, ArgumentError, "expected a torch.nn.Module"),
        (nn.Linear(2, 3), {}, ModelError, "2 classes, as moons has, got 3"),
        (nn.Linear(3, 2), {}, ModelError, r"takes rows of shape \(2,\)"),
        (nn.Linear(2, 2).double(), {}, ModelError, "rows of torch.float64"),
        (Answering(lambda rows: (rows,)), {}, ArgumentError, "a tuple"),
        (Answering(lambda rows: rows[:1]), {}, ModelError, "for 2 rows"),
        (Answering(lambda rows: rows / 0), {}, ModelError, "finite logits"),
        (nn.Linear(2, 2), {"row_shape": (3,)}, DataError, "shape of 2 values"),
    ],
)
def test_bad_input_is_told(net, given, kind, told):
    with pytest.raises(kind, match=told):
        cftrain.evaluate(net, "moons", overrides=DATA, **given)
