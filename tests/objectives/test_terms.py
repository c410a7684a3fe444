import torch
from torch.autograd import gradcheck

from cftrain.objectives.terms import divergence, ridge
from tests.builders import normal

POSITIVE, COUNTERFACTUAL = normal(2, 4, seed=1), normal(2, 4, seed=2)


def test_closed_forms():
    positive = torch.tensor([[-3.0, 2.0]])
    counterfactual = torch.tensor([[1.0, 0.5]])
    assert divergence(positive, counterfactual).tolist() == [[-4.0, 1.5]]
    assert ridge(positive, counterfactual).tolist() == [[10.0, 4.25]]


def test_divergence_is_antisymmetric_and_blind_to_a_constant():
    gap = divergence(POSITIVE, COUNTERFACTUAL)
    torch.testing.assert_close(gap, -divergence(COUNTERFACTUAL, POSITIVE))
    torch.testing.assert_close(gap, divergence(POSITIVE + 5, COUNTERFACTUAL + 5))
    assert torch.equal(divergence(POSITIVE, POSITIVE), torch.zeros_like(POSITIVE))


def test_ridge_is_symmetric_and_bounds_the_divergence():
    squares = ridge(POSITIVE, COUNTERFACTUAL)
    assert torch.equal(squares, ridge(COUNTERFACTUAL, POSITIVE))
    for weight in (0.1, 1.0, 10.0):
        # a - b + w (a^2 + b^2) has its minimum -1 / (2 w) at a = -b = -1 / (2 w).
        total = divergence(POSITIVE, COUNTERFACTUAL) + weight * squares
        assert (total >= -1 / (2 * weight)).all()


def test_gradients_agree_with_finite_differences():
    energies = (
        POSITIVE.clone().requires_grad_(),
        COUNTERFACTUAL.clone().requires_grad_(),
    )
    for term in (divergence, ridge):
        assert gradcheck(term, energies)
