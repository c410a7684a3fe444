from dataclasses import replace

import pytest
import torch

from cftrain.counterfactuals.maturity import Never
from cftrain.evaluation.gallery import exhibits
from cftrain.evaluation.protocol import Gallery
from cftrain.models.stack_slicing import frozen, predict
from tests.builders import CLASSES, blobs, ecco, linear, mlp, normal, search


def gallery(factuals: int = CLASSES) -> Gallery:
    return Gallery(
        factuals=factuals,
        generator=ecco(0.0, 25.0),
        maturity=Never(),
        search=search(max_steps=10).descent,
    )


@pytest.fixture
def data():
    return blobs(rows=60)


@pytest.fixture
def classifier(data):
    """Two models that know the blobs' centres, more or less."""
    centres = torch.stack(
        [data.features[data.labels == label].mean(0) for label in range(CLASSES)]
    )
    weight = torch.stack([centres, centres + normal(CLASSES, 4, seed=1)])
    return linear(weight, -0.5 * (weight * weight).sum(-1))


def test_all_cells_show_the_same_factuals_for_all_classes(classifier, data):
    shown = exhibits(classifier, data, gallery())
    lines = [[e for e in shown if e.cell == cell] for cell in range(2)]
    keys = [[(e.factual, e.label, e.target) for e in line] for line in lines]
    assert keys[0] == keys[1]
    assert len(keys[0]) == CLASSES**2
    assert [target for _, _, target in keys[0]] == list(range(CLASSES)) * CLASSES
    assert {label for _, label, _ in keys[0]} == set(range(CLASSES))


def test_factuals_are_the_first_that_every_cell_predicts_correctly(classifier, data):
    right = predict(classifier, data.test_features.unsqueeze(0)) == data.test_labels
    # Rows first that some cell gets right, but not all of them.
    order = right.sum(0).sub(1).abs().argsort(stable=True)
    right = right[:, order]
    assert right[:, 0].sum() == 1
    data = replace(
        data,
        test_features=data.test_features[order],
        test_labels=data.test_labels[order],
    )
    for exhibit in exhibits(classifier, data, gallery()):
        assert data.test_labels[exhibit.factual] == exhibit.label
        assert right[:, exhibit.factual].all()
        same = data.test_labels == exhibit.label
        assert not (right.all(0) & same)[: exhibit.factual].any()


def test_the_own_class_shows_the_factual_itself(classifier, data):
    own = [e for e in exhibits(classifier, data, gallery()) if e.target == e.label]
    assert len(own) == 2 * CLASSES
    for exhibit in own:
        row = data.test_features[exhibit.factual]
        assert exhibit.values == row.tolist()
        assert exhibit.predicted == exhibit.label


def test_other_classes_show_the_end_of_a_search(classifier, data):
    made = gallery()
    found = search(made.generator, made.maturity, max_steps=made.search.max_steps)
    for exhibit in exhibits(classifier, data, made):
        if exhibit.target == exhibit.label:
            continue
        one = frozen(classifier, [exhibit.cell])
        result = found(
            one,
            data.test_features[exhibit.factual].view(1, 1, -1),
            torch.tensor([[exhibit.target]]),
            constraints=data.constraints,
        )
        expected = result.counterfactual
        torch.testing.assert_close(
            torch.tensor(exhibit.values).double(), expected[0, 0]
        )
        assert exhibit.predicted == predict(one, expected).item()
        assert result.steps.item() == 10


@pytest.mark.parametrize(
    ("factuals", "labels"), [(1, {0}), (2, {0, 2}), (9, {0, 1, 2})]
)
def test_the_classes_of_factuals_are_evenly_spaced(classifier, data, factuals, labels):
    shown = exhibits(classifier, data, gallery(factuals))
    assert {exhibit.label for exhibit in shown} == labels


def test_classes_that_nobody_predicts_are_not_shown(data):
    bias = torch.zeros(1, CLASSES, dtype=torch.float64)
    bias[0, 1] = 9
    always_one = linear(torch.zeros(1, CLASSES, 4, dtype=torch.float64), bias)
    shown = exhibits(always_one, data, gallery())
    assert {exhibit.label for exhibit in shown} == {1}


def test_nothing_is_shown_if_nothing_is_predicted_correctly(data):
    wrong = replace(data, test_labels=torch.full_like(data.test_labels, 2))
    weight = torch.zeros(1, CLASSES, 4, dtype=torch.float64)
    bias = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    assert exhibits(linear(weight, bias), wrong, gallery()) == []


def test_a_gallery_of_networks_is_deterministic(data):
    model = mlp(2, scale=2.0)
    assert exhibits(model, data, gallery()) == exhibits(model, data, gallery())
