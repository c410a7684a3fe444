"""Counterfactuals that the domain has stopped."""

import torch

from cftrain.evaluation.metrics.at_bound import AtBound
from tests.builders import constraints
from tests.evaluation.individuals import individuals, reference

LIMITS = constraints(
    ["free", "free", "free", "free"],
    [-2.0, -torch.inf, 0.0, 0.0],
    [2.0, torch.inf, 1.0, 1.0],
    groups=((2, 3),),
)


def test_a_feature_that_moved_to_a_bound_counts():
    factual = torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    rows = {
        (2.0, 0.0, 1.0, 0.0): 1.0,
        (-2.0, 0.0, 1.0, 0.0): 1.0,
        (1.9, 0.0, 1.0, 0.0): 0.0,
        (0.0, 99.0, 1.0, 0.0): 0.0,  # no bound
        (0.0, 0.0, 0.0, 1.0): 0.0,  # another category
    }
    x = torch.tensor([list(rows)], dtype=torch.float64)
    made = individuals(
        x,
        torch.zeros(len(rows), dtype=torch.long),
        factual=factual.expand_as(x).clone(),
        constraints=LIMITS,
    )
    found = AtBound(tolerance=1e-5)(made, reference(x[0]))
    assert found[0].tolist() == list(rows.values())


def test_a_feature_that_was_there_before_does_not():
    x = torch.tensor([[[2.0, 1.0, 1.0, 0.0]]], dtype=torch.float64)
    factual = torch.tensor([[[2.0, 0.0, 1.0, 0.0]]], dtype=torch.float64)
    made = individuals(x, torch.zeros(1).long(), factual=factual, constraints=LIMITS)
    assert AtBound(tolerance=1e-5)(made, reference(x[0])).tolist() == [[0.0]]
