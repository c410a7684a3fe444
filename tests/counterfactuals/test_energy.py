import math

import torch
from torch.autograd import gradcheck

from cftrain.counterfactuals.energy import (
    cross_entropy,
    energy,
    guidance,
    log_odds_energy,
    target_logit,
    target_probability,
)
from tests.builders import integers, normal

LOGITS = normal(2, 5, 3, seed=1)
TARGET = integers(3, 2, 5, seed=2)


def test_energy_is_minus_the_target_logit():
    logits = torch.tensor([[[1.0, -2.0, 4.0]]])
    for label, logit in enumerate([1.0, -2.0, 4.0]):
        target = torch.tensor([[label]])
        assert target_logit(logits, target).item() == logit
        assert energy(logits, target).item() == -logit


def test_two_classes_have_a_closed_form():
    logits = torch.tensor([[[0.3, 1.5]]], dtype=torch.float64)
    target = torch.tensor([[1]])
    sigmoid = 1 / (1 + math.exp(-1.2))
    assert math.isclose(target_probability(logits, target).item(), sigmoid)
    assert math.isclose(cross_entropy(logits, target).item(), -math.log(sigmoid))


def test_every_row_is_by_itself():
    for cell in range(2):
        for row in range(5):
            logits, label = LOGITS[cell, row].tolist(), int(TARGET[cell, row])
            shares = [math.exp(logit) for logit in logits]
            probability = shares[label] / sum(shares)
            assert math.isclose(energy(LOGITS, TARGET)[cell, row], -logits[label])
            assert math.isclose(
                target_probability(LOGITS, TARGET)[cell, row], probability
            )
            assert math.isclose(
                cross_entropy(LOGITS, TARGET)[cell, row], -math.log(probability)
            )


def test_a_constant_moves_energies_but_no_probabilities():
    shifted = LOGITS + 7
    for same in (target_probability, cross_entropy):
        torch.testing.assert_close(same(shifted, TARGET), same(LOGITS, TARGET))
    torch.testing.assert_close(energy(shifted, TARGET), energy(LOGITS, TARGET) - 7)


def test_large_logits_do_not_overflow():
    logits = torch.tensor([[[1000.0, -1000.0]]])
    assert cross_entropy(logits, torch.tensor([[0]])).item() == 0
    assert cross_entropy(logits, torch.tensor([[1]])).item() == 2000


def test_gradients_agree_with_finite_differences():
    logits = LOGITS.clone().requires_grad_()
    for quantity in (energy, cross_entropy, target_probability):
        assert gradcheck(lambda x, quantity=quantity: quantity(x, TARGET), (logits,))


def test_the_slope_of_cross_entropy_is_probability_minus_one_hot():
    logits = LOGITS.clone().requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(logits, TARGET).sum(), logits)
    expected = LOGITS.softmax(-1) - torch.nn.functional.one_hot(TARGET, 3)
    torch.testing.assert_close(slope, expected)


def test_log_odds_are_those_of_the_softmax():
    logits, target = normal(2, 6, 4, seed=3), integers(4, 2, 6, seed=4)
    p = target_probability(logits, target)
    found = log_odds_energy(logits, target)
    torch.testing.assert_close(found, torch.log((1 - p) / p))
    torch.testing.assert_close(found, log_odds_energy(logits + 7, target))


def test_guidance_climbs_log_odds_and_a_share_of_the_logit():
    logits, target = normal(2, 6, 4, seed=3), integers(4, 2, 6, seed=4)
    expected = -log_odds_energy(logits, target) + target_logit(logits, target) / 4
    torch.testing.assert_close(guidance(logits, target), expected)
