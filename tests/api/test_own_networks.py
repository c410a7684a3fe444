"""Networks and weights that are handed over in Python."""

import functools

import pytest
import torch
from sklearn.base import clone
from torch import nn

import cftrain
from cftrain.api.given import network_node
from cftrain.errors import ArgumentError, ConfigError, ModelError
from cftrain.models import adopted
from tests.api.loans import estimator, loans
from tests.console import TINY_MOONS, call
from tests.models.networks import Faulty, Tabular

FRAME, LABELS = loans()
WORDS = [*TINY_MOONS, "schedule.epochs=2", "compare=none"]
NARROW = functools.partial(Tabular, width=6, dropout=0.2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return cftrain.train(WORDS, model=NARROW, folder=tmp_path_factory.mktemp("own"))


def test_weights_fit_the_network_that_was_given(trained):
    net = Tabular(2, 2, width=6).eval()
    net.load_state_dict(dict(trained.weights))
    found = cftrain.evaluate(net, "moons", "quick", overrides=TINY_MOONS[1:5])
    accuracy = found.query("metric == 'accuracy'")["value"].item()
    (own,) = trained.metrics.query("metric == 'accuracy'")["value"]
    assert accuracy == pytest.approx(own)


def test_results_have_its_name_and_what_it_was_made_with(trained):
    config = cftrain.read_results(trained.folder)._collection.cells["config"].item()
    assert '"_target_": "tests:models.networks.Tabular"' in config
    assert '"width": 6' in config


def test_a_command_does_not_take_its_name_from_results(trained, monkeypatch):
    monkeypatch.setattr(adopted, "_GIVEN", {})  # as in another process
    done = call("evaluate", str(trained.folder), "evaluation.rounds=3")
    assert done.code == 2
    assert "tests is no plug-in in use" in done.err


def test_fine_tuning_starts_from_a_network_and_leaves_it_alone(trained, tmp_path):
    net = Tabular(2, 2, width=6)
    net.load_state_dict(dict(trained.weights))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    still = [*WORDS, "schedule.optimiser.learning_rate=1e-30"]
    tuned = cftrain.train(still, model=NARROW, init_from=net, folder=tmp_path)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
        assert torch.equal(tuned.weights[name], value)
    done = call("verify", str(tmp_path), "sample=1")
    assert done.code == 0, done.err


def test_a_plain_network_is_fine_tuned_as_the_mlp_it_is(tmp_path):
    net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    still = [*WORDS, "schedule.optimiser.learning_rate=1e-30"]
    tuned = cftrain.train(still, init_from=net, folder=tmp_path)
    assert torch.equal(tuned.weights["2.weight"], net[2].weight.detach())


def test_the_estimator_takes_it_and_explains_and_is_cloned():
    clf = estimator(model=NARROW, immutable=["age"], epochs=1)
    assert clone(clf).get_params()["model"].func is Tabular
    clf.fit(FRAME, LABELS)
    assert clf.predict_proba(FRAME).shape == (120, 2)
    answers = clf.explain(FRAME.head(1), overrides=["search.max_steps=3"])
    assert len(answers) == 1
    with pytest.raises(ArgumentError, match="returns a tuple"):
        estimator(model=functools.partial(Faulty, fault="tuple")).fit(FRAME, LABELS)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("model", "told"),
    [
        (Tabular(2, 2), "a Tabular that is made already"),
        (lambda features: nn.Linear(features, 2), "at the top of a"),
        (3, "got a int"),
        (functools.partial(Tabular, 2), "with names of parameters"),
    ],
)
def test_what_is_no_class_of_networks_is_refused(model, told):
    with pytest.raises(ArgumentError, match=told):
        network_node(model)


def test_values_that_it_cannot_be_made_with_are_told_at_once(tmp_path):
    wrong = functools.partial(Tabular, depth=2, width="a")
    with pytest.raises(ConfigError) as caught:
        cftrain.train(WORDS, model=wrong, folder=tmp_path)
    assert [m.partition(":")[0] for m in caught.value.mistakes] == [
        "model.depth",
        "model.width",
    ]


def test_what_cannot_be_trained_is_refused_before_anything_is(tmp_path):
    wrong = functools.partial(Faulty, fault="batch_norm")
    with pytest.raises(ModelError, match="BatchNorm1d"):
        cftrain.train(WORDS, model=wrong, folder=tmp_path)
    assert not list(tmp_path.glob("cells/*"))


def test_weights_of_another_network_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="init_from: expected weights of the model"):
        cftrain.train(WORDS, init_from=nn.Linear(2, 2), folder=tmp_path)
