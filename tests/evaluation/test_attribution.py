from dataclasses import replace

import pytest
import torch
from captum.attr import IntegratedGradients

from cftrain.counterfactuals.energy import target_logit
from cftrain.evaluation import attribution
from cftrain.evaluation.attribution import (
    attributions,
    class_means,
    integrated_gradients,
)
from cftrain.models.stack_slicing import frozen
from tests.builders import CLASSES, FEATURES, blobs, integers, linear, mlp, normal

ROWS = 9


@pytest.fixture
def classifier():
    return mlp(3, scale=2.0)


@pytest.fixture
def parts():
    """Rows, labels and baselines."""
    label = integers(CLASSES, 3, ROWS, seed=2)
    return normal(3, ROWS, FEATURES, seed=1), label, normal(ROWS, FEATURES, seed=3)


@pytest.mark.parametrize("steps", [2, 20])
def test_attributions_are_those_of_captum(classifier, parts, steps):
    x, label, baseline = parts
    found = integrated_gradients(classifier, x, label, baseline, steps=steps)
    for cell in range(3):
        one = frozen(classifier, [cell])
        expected = IntegratedGradients(
            lambda rows, one=one: one(rows.unsqueeze(0)).squeeze(0)
        ).attribute(
            x[cell], baseline, label[cell], n_steps=steps, method="riemann_middle"
        )
        torch.testing.assert_close(found[cell], expected)


def test_attributions_add_up_to_what_the_logit_gained(classifier, parts):
    x, label, baseline = parts
    found = integrated_gradients(classifier, x, label, baseline, steps=1000)
    after, before = (
        target_logit(classifier(rows), label).detach()
        for rows in (x, baseline.expand(3, -1, -1))
    )
    torch.testing.assert_close(found.sum(-1), after - before, rtol=0, atol=1e-5)


def test_a_linear_model_needs_one_step(parts):
    x, label, baseline = parts
    weight = normal(3, CLASSES, FEATURES, seed=4)
    model = linear(weight, normal(3, CLASSES, seed=5))
    found = integrated_gradients(model, x, label, baseline, steps=1)
    own = torch.stack([weight[cell][label[cell]] for cell in range(3)])
    torch.testing.assert_close(found, (x - baseline) * own)


def test_a_row_at_its_baseline_owes_nothing(classifier, parts):
    _, label, baseline = parts
    x = baseline.expand(3, -1, -1)
    found = integrated_gradients(classifier, x, label, baseline, steps=5)
    assert (found == 0).all()


def test_portions_and_other_cells_change_nothing(classifier, parts, monkeypatch):
    x, label, baseline = parts
    whole = integrated_gradients(classifier, x, label, baseline, steps=5)
    monkeypatch.setattr(attribution, "ATTRIBUTED_ROWS", 4)
    alone = integrated_gradients(
        frozen(classifier, [1]), x[1:2], label[1:2], baseline, steps=5
    )
    torch.testing.assert_close(alone, whole[1:2])


def test_test_rows_have_baselines_of_their_own(classifier):
    """A linear model shows them: they are x minus the attributions over the weights."""
    data = blobs()
    weight = 1 + normal(2, CLASSES, FEATURES, seed=4).abs()
    model = linear(weight, torch.zeros(2, CLASSES, dtype=torch.float64))
    found = attributions(model, data, steps=1, seed=7)
    own = torch.stack([weight[cell][data.test_labels] for cell in range(2)])
    baseline = data.test_features - found / own
    torch.testing.assert_close(baseline[0], baseline[1])
    assert len(baseline[0].unique()) > 100
    assert baseline.abs().max() <= 1 + 1e-12
    again = attributions(model, data, steps=1, seed=7)
    assert torch.equal(found, again)
    assert not torch.equal(found, attributions(model, data, steps=1, seed=8))


def test_classes_have_the_means_of_their_own_rows(classifier):
    data = blobs()
    data = replace(data, test_labels=data.test_labels.clamp(max=1))
    each = attributions(classifier, data, steps=4, seed=1)
    found = class_means(each, data)
    assert found.shape == (3, CLASSES, FEATURES)
    for label in range(2):
        expected = each[:, data.test_labels == label].mean(1)
        torch.testing.assert_close(found[:, label], expected)
    assert found[:, 2].isnan().all()
