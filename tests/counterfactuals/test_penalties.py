import math

import pytest
import torch
from torch.autograd import gradcheck

from cftrain.counterfactuals.penalties import (
    distance,
    energy_constraint,
    polynomial_decay,
)
from tests.builders import normal

DECAY = [  # method, section 5.3: max_steps, first and last weight
    (5, 0, 0),
    (25, 0.05359, 0.00533),
    (30, 0.05359, 0.00455),
    (50, 0.07441, 0.00571),
    (100, 0.09397, 0.00612),
]


@pytest.mark.parametrize(("max_steps", "first", "last"), DECAY)
def test_the_decay_is_the_published_one(max_steps, first, last):
    assert polynomial_decay(0, max_steps) == pytest.approx(first, abs=5e-6)
    assert polynomial_decay(max_steps - 1, max_steps) == pytest.approx(last, abs=5e-6)


def test_the_decay_falls_from_step_to_step_and_is_zero_for_short_searches():
    for max_steps in range(1, 13):
        assert {polynomial_decay(step, max_steps) for step in range(max_steps)} == {0}
    for max_steps in (13, 30, 100):
        weights = [polynomial_decay(step, max_steps) for step in range(max_steps)]
        assert weights == sorted(weights, reverse=True)
        assert weights[-1] > 0


def test_distance_is_the_sum_of_absolute_moves():
    factual = torch.tensor([[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]])
    x = torch.tensor([[[1.5, 0.0, 3.0], [-1.0, 1.0, 0.25]]])
    assert distance(x, factual).tolist() == [[2.5, 2.25]]


def test_distance_pulls_nothing_where_nothing_moved():
    factual = normal(1, 2, 3)
    x = factual.clone()
    x[0, 1, 2] += 1
    x.requires_grad_()
    (slope,) = torch.autograd.grad(distance(x, factual).sum(), x)
    assert slope.tolist() == [[[0, 0, 0], [0, 0, 1]]]


def test_the_energy_constraint_and_its_slope_have_closed_forms():
    energy = torch.tensor([[-3.0, 0.0, 10.0]], dtype=torch.float64).requires_grad_()
    found = energy_constraint(energy)
    assert found.tolist() == [[-3 + 0.009, 0, 10.1]]
    (slope,) = torch.autograd.grad(found.sum(), energy)
    torch.testing.assert_close(slope, 1 + 0.002 * energy)


def test_the_energy_constraint_has_a_lower_bound():
    energies = torch.linspace(-5000, 5000, 1001, dtype=torch.float64).unsqueeze(0)
    assert math.isclose(energy_constraint(energies).min(), -250)


def test_gradients_agree_with_finite_differences():
    factual, x = normal(2, 3, 4), normal(2, 3, 4, seed=1).requires_grad_()
    assert gradcheck(lambda moved: distance(moved, factual), (x,))
    assert gradcheck(energy_constraint, (normal(2, 3, seed=2).requires_grad_(),))
