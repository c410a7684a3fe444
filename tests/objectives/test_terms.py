import math

import pytest
import torch
from torch.autograd import gradcheck

from cftrain.objectives.terms import (
    divergence,
    logistic_divergence,
    mean_square,
    misalignment,
    misalignment_slope,
    missed_target,
    ridge,
    smoothed_cross_entropy,
    squared_slope,
)
from tests.builders import integers, normal

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


def test_logistic_divergence_is_bounded_and_its_slope_is_a_probability():
    positive, counterfactual = torch.tensor([[1.0, -900.0]]), torch.tensor([[2.0, 1.0]])
    found = logistic_divergence(positive, counterfactual, torch.tensor([[0.5, 2.0]]))
    expected = [math.log1p(math.exp(-0.5)), 0]
    assert found[0].tolist() == pytest.approx(expected, rel=1e-6)
    energies = POSITIVE.clone().requires_grad_()
    total = logistic_divergence(energies, COUNTERFACTUAL, 0 * POSITIVE).sum()
    (slope,) = torch.autograd.grad(total, energies)
    torch.testing.assert_close(slope, torch.sigmoid(POSITIVE - COUNTERFACTUAL))


def test_smoothed_cross_entropy_agrees_with_the_library():
    logits, label = normal(3, 5, 4, seed=1), integers(4, 3, 5, seed=2)
    smoothing = torch.tensor([[0.0], [0.3], [1.0]], dtype=torch.float64)
    found = smoothed_cross_entropy(logits, label, smoothing)
    for cell in range(3):
        expected = torch.nn.functional.cross_entropy(
            logits[cell],
            label[cell],
            reduction="none",
            label_smoothing=float(smoothing[cell]),
        )
        torch.testing.assert_close(found[cell], expected)


def test_misalignment_is_one_minus_the_cosine_of_what_may_move():
    ascent = torch.tensor([[[1.0, 0.0, 7.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    wanted = torch.tensor([[[2.0, 0.0, -7.0], [0.0, -3.0, 1.0], [1.0, 0.0, 1.0]]])
    movable = torch.tensor([True, True, False])
    found = misalignment(ascent, wanted, movable)[0].tolist()
    assert found == pytest.approx([0, 1 + math.sqrt(0.5), 1], abs=1e-6)


def test_a_squared_slope_is_a_sum_of_squares():
    assert squared_slope(torch.tensor([[[3.0, -4.0]]])).tolist() == [[25.0]]


def test_the_slope_of_the_misalignment_is_that_of_autograd():
    """A direction of zero length is among them, and one that may not move."""
    generator = torch.Generator().manual_seed(0)
    ascent, wanted = torch.randn((2, 2, 6, 3), generator=generator).double()
    ascent[0, 1] = 0
    ascent[1, 2, :2] = 0
    movable = torch.tensor([True, True, False])
    ascent.requires_grad_()
    total = misalignment(ascent, wanted, movable).sum()
    (expected,) = torch.autograd.grad(total, ascent)
    found = misalignment_slope(ascent.detach(), wanted, movable)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert (found[..., 2] == 0).all()


def test_an_answer_misses_by_the_squared_rest_of_the_probability():
    """Logits of 0 and log 3: probabilities of 1/4 and 3/4."""
    logits = torch.tensor([[[0.0, math.log(3)]] * 2], dtype=torch.float64)
    found = missed_target(logits, torch.tensor([[0, 1]]))
    assert found[0].tolist() == pytest.approx([9 / 16, 1 / 16], rel=1e-12)
    answer, factual = torch.tensor([[[3.0, 0.0]]]), torch.tensor([[[1.0, 4.0]]])
    assert mean_square(answer, factual).tolist() == [[(4 + 16) / 2]]


def test_gradients_of_what_is_told_of_answers_agree_with_finite_differences():
    logits, target = normal(2, 4, 3, seed=3).requires_grad_(), integers(3, 2, 4, seed=4)
    assert gradcheck(lambda x: missed_target(x, target), (logits,))
    answer, factual = normal(2, 4, 3, seed=5).requires_grad_(), normal(2, 4, 3, seed=6)
    assert gradcheck(lambda x: mean_square(x, factual), (answer,))
