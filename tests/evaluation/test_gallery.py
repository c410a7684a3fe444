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


def test_factuals_are_the_first_rows_of_their_classes(classifier, data):
    for exhibit in exhibits(classifier, data, gallery()):
        assert data.test_labels[exhibit.factual] == exhibit.label
        assert not (data.test_labels == exhibit.label)[: exhibit.factual].any()


def test_the_choice_does_not_depend_on_the_models(classifier, data):
    """A cell shows the same alone, beside others and whatever it predicts."""
    together = exhibits(classifier, data, gallery())
    for cell in range(2):
        alone = exhibits(frozen(classifier, [cell]), data, gallery())
        own = [replace(e, cell=0) for e in together if e.cell == cell]
        assert [e.factual for e in alone] == [e.factual for e in own]
        for left, right in zip(alone, own, strict=True):
            assert left.values == pytest.approx(right.values)
    wrong = mlp(1, scale=2.0, seed=5)
    right = predict(wrong, data.test_features.unsqueeze(0))[0] == data.test_labels
    assert not right[[e.factual for e in alone]].all()
    shown = exhibits(wrong, data, gallery())
    assert [e.factual for e in shown] == [e.factual for e in alone]


def test_the_own_class_shows_the_factual_itself(classifier, data):
    own = [e for e in exhibits(classifier, data, gallery()) if e.target == e.label]
    assert len(own) == 2 * CLASSES
    predicted = predict(classifier, data.test_features.unsqueeze(0))
    for exhibit in own:
        row = data.test_features[exhibit.factual]
        assert exhibit.values == row.tolist()
        assert exhibit.predicted == predicted[exhibit.cell, exhibit.factual]


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


def test_classes_without_test_rows_are_not_shown(classifier, data):
    lacking = replace(data, test_labels=torch.full_like(data.test_labels, 2))
    shown = exhibits(classifier, lacking, gallery())
    assert {exhibit.label for exhibit in shown} == {2}


def test_a_gallery_of_networks_is_deterministic(data):
    model = mlp(2, scale=2.0)
    assert exhibits(model, data, gallery()) == exhibits(model, data, gallery())
