"""Accuracy, F1 and accuracy under attack, on the test rows."""

from dataclasses import replace

import foolbox
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from cftrain.counterfactuals.attacks import Attack, Fgsm, Pgd
from cftrain.evaluation.metrics.predictions import robustness
from cftrain.evaluation.metrics.predictions.accuracy import Accuracy
from cftrain.evaluation.metrics.predictions.f1 import MacroF1
from cftrain.evaluation.metrics.predictions.robustness import RobustAccuracy
from cftrain.models.stack_slicing import frozen, predict
from tests.builders import blobs, constraints, linear, mlp, normal
from tests.evaluation.individuals import subject

PGD = Pgd(steps=5, step_size=0.05, seed=1)


def robust(
    *epsilons: float, attack: Attack | None = None, constrained: bool = False
) -> RobustAccuracy:
    return RobustAccuracy(
        attack=attack or Fgsm(), epsilons=epsilons, constrained=constrained
    )


METRICS = [
    Accuracy(),
    MacroF1(),
    robust(0.1),
    robust(0.1, attack=PGD),
    robust(0.1, attack=PGD, constrained=True),
]


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
    accuracy, f1 = (
        Accuracy()(subject(classifier, data)),
        MacroF1()(subject(classifier, data)),
    )
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
        assert Accuracy()(subject(constant(label), data)).item() == pytest.approx(1 / 3)
        assert MacroF1()(subject(constant(label), data)).item() == pytest.approx(
            0.5 / 3
        )


def test_a_class_that_neither_is_nor_is_predicted_counts_as_zero(data):
    data = with_test_labels(data, torch.zeros(8, dtype=torch.long))
    assert Accuracy()(subject(constant(0), data)).item() == 1
    assert MacroF1()(subject(constant(0), data)).item() == pytest.approx(1 / 3)


def test_accuracy_under_attack_is_that_of_foolbox(classifier, data):
    epsilons = (0.0, 0.1, 0.4, 1.0)
    found = robust(*epsilons)(subject(classifier, data))
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
    plain = Accuracy()(subject(classifier, data))
    for attack in (Fgsm(), PGD):
        for constrained in (False, True):
            metric = robust(0.0, attack=attack, constrained=constrained)
            assert metric.levels == (0.0,)
            found = metric(subject(classifier, data))
            torch.testing.assert_close(found, plain, rtol=0, atol=1e-15)


@pytest.mark.parametrize("attack", [Fgsm(), PGD])
def test_the_portions_of_an_attack_change_nothing(
    attack, classifier, data, monkeypatch
):
    metric = robust(0.1, 0.3, attack=attack)
    whole = metric(subject(classifier, data))
    monkeypatch.setattr(robustness, "ATTACKED_ROWS", 7)
    torch.testing.assert_close(metric(subject(classifier, data)), whole)


@pytest.mark.parametrize("metric", METRICS)
def test_cells_are_measured_as_if_alone(metric, classifier, data):
    together = metric(subject(classifier, data))
    for cell in range(4):
        alone = metric(subject(frozen(classifier, [cell]), data))
        torch.testing.assert_close(together[:, [cell]], alone)


@pytest.mark.parametrize("metric", METRICS)
def test_training_rows_are_not_looked_at(metric, classifier, data):
    other = replace(
        data, features=torch.zeros_like(data.features), labels=data.labels.flip(0)
    )
    assert torch.equal(
        metric(subject(classifier, other)), metric(subject(classifier, data))
    )


def test_many_steps_find_more_than_one(classifier, data):
    steps = Pgd(steps=40, step_size=0.02, seed=1)
    one, many = (
        robust(0.3, attack=attack)(subject(classifier, data))
        for attack in (Fgsm(), steps)
    )
    assert (many <= one).all()


def test_a_constrained_attack_moves_what_may_move(data):
    """A linear model that looks at one feature only, which increases the wrong way."""
    weight = torch.zeros(1, 2, 4, dtype=torch.float64)
    weight[0, 1, 0] = 1
    classifier = linear(weight, torch.zeros(1, 2, dtype=torch.float64))
    rows = torch.zeros(4, 4, dtype=torch.float64)
    rows[:, 0] = torch.tensor([-0.05, -0.05, 0.05, 0.05])
    data = replace(data, test_features=rows, test_labels=torch.tensor([0, 0, 1, 1]))
    for kind, expected in (
        ("free", 0.0),
        ("increase", 0.5),
        ("decrease", 0.5),
        ("immutable", 1.0),
    ):
        limits = constraints([kind, "free", "free", "free"], -9, 9)
        narrow = replace(data, constraints=limits)
        for attack in (Fgsm(), Pgd(steps=9, step_size=0.05, seed=1)):
            held = robust(0.1, attack=attack, constrained=True)
            assert held(subject(classifier, narrow)).item() == expected
            assert robust(0.1, attack=attack)(subject(classifier, narrow)).item() == 0


def test_a_constrained_attack_stays_in_the_domain(data):
    """The domain ends before the decision boundary does."""
    weight = torch.zeros(1, 2, 4, dtype=torch.float64)
    weight[0, 1, 0] = 1
    classifier = linear(weight, torch.tensor([[0.0, -0.05]], dtype=torch.float64))
    rows = torch.zeros(3, 4, dtype=torch.float64)
    limits = constraints(["free"] * 4, -9, [0.02, 9, 9, 9])
    data = replace(
        data,
        test_features=rows,
        test_labels=torch.zeros(3, dtype=torch.long),
        constraints=limits,
    )
    assert robust(0.1, constrained=True)(subject(classifier, data)).item() == 1
    assert robust(0.1)(subject(classifier, data)).item() == 0
