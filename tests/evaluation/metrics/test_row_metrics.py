"""Validity and cost."""

import torch

from cftrain.evaluation.metrics.cost import Cost
from cftrain.evaluation.metrics.validity import Validity
from tests.builders import normal
from tests.evaluation.individuals import individuals, reference

NOTHING = reference(normal(2, 3), normal(2, 3))


def test_cost_is_the_sum_of_all_moves():
    factual = normal(2, 4, 3, seed=1)
    move = torch.tensor([1.0, -2.0, 0.25], dtype=torch.float64)
    made = individuals(factual + move, torch.tensor([0, 1, 0, 1]), factual=factual)
    torch.testing.assert_close(
        Cost()(made, NOTHING), torch.full((2, 4), 3.25, dtype=torch.float64)
    )
    assert Cost.of_valid


def test_valid_is_what_is_predicted_as_its_target_and_there():
    made = individuals(
        normal(2, 4, 3),
        torch.tensor([0, 1, 1, 0]),
        predicted=torch.tensor([[0, 1, 0, 1], [1, 1, 1, 1]]),
        present=torch.tensor([[True, False, True, True], [True] * 4]),
    )
    expected = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    assert Validity()(made, NOTHING).tolist() == expected
    assert made.valid.double().tolist() == expected
    assert not Validity.of_valid
