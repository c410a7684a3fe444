import torch
from scipy.spatial.distance import cdist

from cftrain.evaluation.metrics.implausibility import Implausibility
from tests.builders import integers, normal
from tests.evaluation.individuals import individuals, reference


def test_each_row_is_held_against_its_target_class():
    classes = [normal(rows, 4, seed=rows) for rows in (7, 30, 1)]
    pair_target = integers(3, 10, seed=1)
    x = 2 * normal(2, 30, 4, seed=2)
    found = Implausibility()(individuals(x, pair_target, rounds=3), reference(*classes))
    assert found.shape == (2, 30)
    for cell in range(2):
        for row in range(30):
            observed = classes[int(pair_target[row % 10])]
            expected = cdist(x[cell, row : row + 1], observed, "cityblock").mean()
            torch.testing.assert_close(found[cell, row].item(), float(expected))


def test_the_distance_is_a_sum_over_features():
    x = torch.zeros(1, 1, 5, dtype=torch.float64)
    observed = torch.tensor([[1.0] * 5, [-3.0] * 5], dtype=torch.float64)
    empty = observed[:0]
    made = individuals(x, torch.tensor([1]))
    assert Implausibility()(made, reference(empty, observed)).item() == 10


def test_a_target_without_observed_rows_has_no_value():
    x = normal(1, 4, 2)
    made = individuals(x, torch.tensor([0, 1, 0, 1]))
    found = Implausibility()(made, reference(normal(3, 2), normal(0, 2)))
    assert found.isnan().tolist() == [[False, True, False, True]]
