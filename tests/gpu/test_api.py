"""The Python API on CUDA gives what it gives on the CPU, but for rounding."""

import numpy as np
import pytest
import torch

import cftrain
from cftrain.errors import ModelError
from tests.api.loans import estimator, loans
from tests.api.networks import sequential
from tests.builders import constraints, normal
from tests.console import TINY_MOONS

pytestmark = pytest.mark.gpu

DATA = [word for word in TINY_MOONS if word.startswith(("data.", "evaluation."))]


def test_a_search_finds_the_same():
    net, rows = sequential(), normal(40, 4)
    limits = constraints(["increase", "free", "immutable", "free"], -3, 3)
    given = {"target": 1, "constraints": limits, "max_steps": 40}
    expected = cftrain.search_counterfactuals(net, rows, **given)
    net.cuda()
    before = [module.training for module in net.modules()]
    found = cftrain.search_counterfactuals(net, rows.cuda(), **given)
    assert found.counterfactual.is_cuda
    assert [module.training for module in net.modules()] == before
    assert all(values.grad is None for values in net.parameters())
    for name in ("counterfactual", "nascent"):
        torch.testing.assert_close(
            getattr(found, name).cpu(), getattr(expected, name), rtol=1e-7, atol=1e-9
        )
    assert torch.equal(found.mature.cpu(), expected.mature)


@pytest.mark.usefixtures("unchecked")
def test_rows_elsewhere_than_the_network_are_told():
    with pytest.raises(ModelError, match="rows on cuda:0, where the network"):
        cftrain.search_counterfactuals(sequential().cuda(), normal(3, 4), 1)


def test_measures_are_the_same():
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    )
    expected = cftrain.evaluate(net, overrides=DATA)
    found = cftrain.evaluate(net.cuda(), overrides=DATA)
    assert found["metric"].equals(expected["metric"])
    smooth = expected["metric"].isin(["auc", "ip", "cost", "accuracy"])
    left, right = (each["value"][smooth].to_numpy() for each in (found, expected))
    np.testing.assert_allclose(left, right, rtol=1e-2, atol=1e-2)


def test_an_estimator_trains_there_and_answers_here():
    frame, labels = loans()
    near = estimator(epochs=5).fit(frame, labels)
    far = estimator(epochs=5, device="cuda").fit(frame, labels)
    assert not far._content.model.reference.features.is_cuda
    np.testing.assert_allclose(
        far.predict_proba(frame), near.predict_proba(frame), atol=1e-3
    )
    assert len(far.explain(frame.head(3), target="yes")) == 3
