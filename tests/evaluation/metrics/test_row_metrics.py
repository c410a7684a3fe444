"""Metrics that look at one counterfactual and its factual."""

import pytest
import torch

from cftrain.evaluation.metric import CounterfactualMetric
from cftrain.evaluation.metrics.cost import Cost
from cftrain.evaluation.metrics.mature_share import MatureShare
from cftrain.evaluation.metrics.redundancy import Redundancy
from cftrain.evaluation.metrics.validity import Validity
from cftrain.evaluation.metrics.violations import Violations
from tests.builders import constraints, normal
from tests.evaluation.individuals import individuals, reference

NOTHING = reference(normal(2, 3), normal(2, 3))
TARGETS = torch.tensor([0, 1, 0, 1])
MASK = torch.tensor([[True, False, True, True], [False] * 4])


def test_cost_is_the_sum_of_all_moves():
    factual = normal(2, 4, 3, seed=1)
    move = torch.tensor([1.0, -2.0, 0.25], dtype=torch.float64)
    made = individuals(factual + move, TARGETS, factual=factual)
    torch.testing.assert_close(
        Cost()(made, NOTHING), torch.full((2, 4), 3.25, dtype=torch.float64)
    )
    assert Cost.of_valid
    assert Cost.individual


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


def test_redundancy_is_the_share_of_features_that_stayed():
    factual = normal(1, 4, 4, seed=1)
    moves = [[0, 0, 0, 0], [1, 0, -1, 0], [1e-6, 1, 1, 1], [2e-5, -2e-5, 1, 1]]
    move = torch.tensor([moves], dtype=torch.float64)
    made = individuals(factual + move, TARGETS, factual=factual)
    found = Redundancy(tolerance=1e-5)(made, NOTHING)
    assert found.tolist() == [[1.0, 0.5, 0.25, 0.0]]
    wide = Redundancy(tolerance=0.1)(made, NOTHING)
    assert wide.tolist() == [[1.0, 0.5, 0.25, 0.5]]


def test_the_mature_share_is_what_the_search_says():
    made = individuals(normal(2, 4, 3), TARGETS, mature=MASK)
    assert MatureShare()(made, NOTHING).tolist() == MASK.double().tolist()
    assert not MatureShare.of_valid


def test_violations_are_moves_that_must_not_be_and_rows_outside():
    limits = constraints(["free", "immutable", "increase"], -1.0, 1.0)
    factual = torch.zeros(1, 6, 3, dtype=torch.float64)
    moves = [[0.5, 0, 0.5], [1.5, 0, 0], [0, 0.1, 0], [0, 0, -0.1], [0, 0, 2], [0] * 3]
    move = torch.tensor([moves], dtype=torch.float64)
    made = individuals(
        factual + move,
        torch.tensor([0, 1, 0, 1, 0, 1]),
        factual=factual,
        constraints=limits,
    )
    assert Violations()(made, NOTHING).tolist() == [[0, 1, 1, 1, 1, 0]]
    assert not Violations.of_valid


@pytest.mark.parametrize(
    "metric",
    [Cost(), MatureShare(), Redundancy(tolerance=0.1), Validity(), Violations()],
    ids=lambda metric: type(metric).__name__,
)
def test_cells_are_measured_as_if_alone(metric: CounterfactualMetric):
    limits = constraints(["free", "immutable", "increase"], -1.0, 1.0)
    factual, move = normal(2, 4, 3, seed=1), 0.2 * normal(2, 4, 3, seed=2)
    predicted = torch.tensor([[0, 1, 1, 1], [0, 0, 0, 1]])
    made = individuals(
        factual + move,
        TARGETS,
        factual=factual,
        mature=MASK,
        predicted=predicted,
        constraints=limits,
    )
    together = metric(made, NOTHING)
    for cell in range(2):
        alone = individuals(
            (factual + move)[[cell]],
            TARGETS,
            factual=factual[[cell]],
            mature=MASK[[cell]],
            predicted=predicted[[cell]],
            constraints=limits,
        )
        assert torch.equal(metric(alone, NOTHING), together[[cell]])
