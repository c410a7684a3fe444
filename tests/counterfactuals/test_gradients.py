import torch

from cftrain.counterfactuals.energy import cross_entropy, target_logit
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.models.stack_slicing import frozen
from tests.builders import blobs, linear, mlp, normal


def test_the_gradient_of_a_linear_logit_is_its_weights():
    weight, x = normal(2, 3, 4, seed=1), normal(2, 5, 4, seed=2)
    label = torch.tensor([[0, 1, 2, 1, 0], [2, 2, 1, 0, 0]])
    classifier = linear(weight, normal(2, 3, seed=3))
    found = input_gradient(target_logit, classifier, x, label)
    expected = torch.stack([weight[cell][label[cell]] for cell in range(2)])
    torch.testing.assert_close(found, expected)


def test_gradients_are_per_row_and_cell():
    classifier, data = mlp(3), blobs()
    x, label = data.features.expand(3, -1, -1), data.labels.expand(3, -1)
    together = input_gradient(cross_entropy, classifier, x, label)
    alone = input_gradient(
        cross_entropy, frozen(classifier, slice(1, 2)), x[1:2, 5:6], label[1:2, 5:6]
    )
    torch.testing.assert_close(together[1:2, 5:6], alone, rtol=1e-10, atol=1e-14)


def test_gradients_are_found_without_gradients_and_leave_no_trace():
    classifier, x = mlp(2), normal(2, 6, 4)
    label = torch.zeros(2, 6, dtype=torch.long)
    with torch.no_grad():
        found = input_gradient(cross_entropy, classifier, x, label)
    assert found.abs().sum() > 0
    assert not found.requires_grad
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in classifier.parameters())
