"""Accuracy, F1 and accuracy under attack, on the test rows."""

from dataclasses import replace

import foolbox
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from cftrain.evaluation.metrics import robustness
from cftrain.evaluation.metrics.accuracy import Accuracy
from cftrain.evaluation.metrics.f1 import MacroF1
from cftrain.evaluation.metrics.robustness import FgsmAccuracy
from cftrain.models.members import frozen, predict
from tests.builders import blobs, linear, mlp, normal


@pytest.fixture
def data():
    return blobs(rows=60)


@pytest.fixture
def classifier():
    return mlp(4, scale=2.0)


def with_test_labels(data, labels: torch.Tensor):
    return replace(data, test_labels=labels, test_features=normal(len(labels), 4))


def constant(label: int) -> torch.nn.Module:
    bias = torch.zeros(1, 3, dtype=torch.float64)
    bias[0, label] = 9
    return linear(torch.zeros(1, 3, 4, dtype=torch.float64), bias)


def test_accuracy_and_f1_are_those_of_another_implementation(classifier, data):
    predicted = predict(classifier, data.test_features.unsqueeze(0))
    accuracy, f1 = Accuracy()(classifier, data), MacroF1()(classifier, data)
    assert accuracy.shape == f1.shape == (1, 4)
    for cell in range(4):
        theirs = (data.test_labels, predicted[cell])
        assert accuracy[0, cell].item() == pytest.approx(accuracy_score(*theirs))
        expected = f1_score(*theirs, average="macro", zero_division=0)
        assert f1[0, cell].item() == pytest.approx(expected)
    assert len(accuracy.unique()) > 1


def test_one_class_for_everything_has_a_closed_form(data):
    """Precision 1/3, recall 1 for one class; 0 for the others."""
    data = with_test_labels(data, torch.arange(30) % 3)
    for label in range(3):
        assert Accuracy()(constant(label), data).item() == pytest.approx(1 / 3)
        assert MacroF1()(constant(label), data).item() == pytest.approx(0.5 / 3)


def test_a_class_that_neither_is_nor_is_predicted_counts_as_zero(data):
    data = with_test_labels(data, torch.zeros(8, dtype=torch.long))
    assert Accuracy()(constant(0), data).item() == 1
    assert MacroF1()(constant(0), data).item() == pytest.approx(1 / 3)


def test_accuracy_under_attack_is_that_of_foolbox(classifier, data):
    epsilons = (0.0, 0.1, 0.4, 1.0)
    found = FgsmAccuracy(epsilons=epsilons)(classifier, data)
    assert found.shape == (4, 4)
    for cell in range(4):
        one = frozen(classifier, slice(cell, cell + 1))

        class Plain(torch.nn.Module):
            def forward(self, x, model=one):
                return model(x.unsqueeze(0)).squeeze(0)

        model = foolbox.PyTorchModel(
            Plain().eval(), bounds=(-1e3, 1e3), device=torch.device("cpu")
        )
        attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
        _, _, success = attack(
            model, data.test_features, data.test_labels, epsilons=epsilons
        )
        expected = 1 - success.double().mean(1)
        torch.testing.assert_close(found[:, cell], expected)
    assert (found[0] > found[-1]).any()


def test_no_attack_is_plain_accuracy(classifier, data):
    found = FgsmAccuracy(epsilons=(0.0,))
    assert found.levels == (0.0,)
    torch.testing.assert_close(
        found(classifier, data), Accuracy()(classifier, data), rtol=0, atol=1e-15
    )


def test_the_portions_of_an_attack_change_nothing(classifier, data, monkeypatch):
    metric = FgsmAccuracy(epsilons=(0.1, 0.3))
    whole = metric(classifier, data)
    monkeypatch.setattr(robustness, "ATTACKED_ROWS", 7)
    torch.testing.assert_close(metric(classifier, data), whole)


@pytest.mark.parametrize(
    "metric", [Accuracy(), MacroF1(), FgsmAccuracy(epsilons=(0.1,))]
)
def test_cells_are_measured_as_if_alone(metric, classifier, data):
    together = metric(classifier, data)
    for cell in range(4):
        alone = metric(frozen(classifier, [cell]), data)
        torch.testing.assert_close(together[:, [cell]], alone)


@pytest.mark.parametrize(
    "metric", [Accuracy(), MacroF1(), FgsmAccuracy(epsilons=(0.1,))]
)
def test_training_rows_are_not_looked_at(metric, classifier, data):
    other = replace(
        data, features=torch.zeros_like(data.features), labels=data.labels.flip(0)
    )
    assert torch.equal(metric(classifier, other), metric(classifier, data))
