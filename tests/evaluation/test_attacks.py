import foolbox
import pytest
import torch

from cftrain.evaluation.attacks import fgsm, loss_gradient
from cftrain.models.members import frozen
from tests.builders import blobs, linear, mlp, normal


@pytest.mark.parametrize("epsilon", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("cell", [0, 2])
def test_fgsm_is_foolbox_in_the_largest_norm(cell, epsilon):
    classifier, data = mlp(3, scale=3.0), blobs()
    x, label = data.features, data.labels
    one = frozen(classifier, slice(cell, cell + 1))
    model = foolbox.PyTorchModel(
        _Plain(one).eval(), bounds=(-1e3, 1e3), device=torch.device("cpu")
    )
    attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    _, theirs, _ = attack(model, x, label, epsilons=epsilon)
    ours = fgsm(classifier, x.expand(3, -1, -1), label.expand(3, -1), epsilon=epsilon)[
        cell
    ]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


class _Plain(torch.nn.Module):
    """A stack of one as a model of (row, feature)."""

    def __init__(self, stack_of_one: torch.nn.Module) -> None:
        super().__init__()
        self.stack_of_one = stack_of_one

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stack_of_one(x.unsqueeze(0)).squeeze(0)


def test_a_linear_model_of_two_classes_has_a_closed_form():
    """The loss of class 0 rises along the difference of the weights."""
    weight = torch.tensor([[[1.0, -2.0, 0.0], [0.5, 1.0, 0.0]]], dtype=torch.float64)
    classifier = linear(weight, torch.zeros(1, 2, dtype=torch.float64))
    x = normal(1, 6, 3, seed=1)
    label = torch.tensor([[0, 0, 0, 1, 1, 1]])
    away = torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64)
    signs = torch.tensor([1.0, 1, 1, -1, -1, -1], dtype=torch.float64)
    expected = x + 0.1 * away * signs.view(1, 6, 1)
    torch.testing.assert_close(fgsm(classifier, x, label, epsilon=0.1), expected)


def test_an_attack_raises_the_loss_and_leaves_no_trace():
    classifier, data = mlp(2), blobs()
    x, label = data.features.expand(2, -1, -1), data.labels.expand(2, -1)
    before = {name: p.clone() for name, p in classifier.named_parameters()}
    with torch.no_grad():
        attacked = fgsm(classifier, x, label, epsilon=1e-4)
        losses = [
            torch.nn.functional.cross_entropy(
                classifier(rows).mT, label, reduction="none"
            )
            for rows in (x, attacked)
        ]
    assert (losses[1] > losses[0]).all()
    assert not attacked.requires_grad
    assert not x.requires_grad
    for name, parameter in classifier.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None


def test_gradients_are_per_row_and_cell():
    classifier, data = mlp(3), blobs()
    x, label = data.features.expand(3, -1, -1), data.labels.expand(3, -1)
    together = loss_gradient(classifier, x, label)
    alone = loss_gradient(frozen(classifier, slice(1, 2)), x[1:2, 5:6], label[1:2, 5:6])
    torch.testing.assert_close(together[1:2, 5:6], alone, rtol=1e-10, atol=1e-14)
