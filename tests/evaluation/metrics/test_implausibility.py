import pytest
import torch
from scipy.spatial.distance import cdist

from cftrain.evaluation.metrics.implausibility import Implausibility
from cftrain.evaluation.reference import ReferenceClass
from tests.builders import integers, normal
from tests.evaluation.individuals import individuals, reference


def metric(norm: str = "l1", reference_rows: int | None = None) -> Implausibility:
    return Implausibility(norm=norm, reference_rows=reference_rows, seed=4)


@pytest.mark.parametrize(("norm", "name"), [("l1", "cityblock"), ("l2", "euclidean")])
def test_each_row_is_held_against_its_target_class(norm, name):
    classes = [normal(rows, 4, seed=rows) for rows in (7, 30, 1)]
    pair_target = integers(3, 10, seed=1)
    x = 2 * normal(2, 30, 4, seed=2)
    found = metric(norm)(individuals(x, pair_target, rounds=3), reference(*classes))
    assert found.shape == (2, 30)
    for cell in range(2):
        for row in range(30):
            observed = classes[int(pair_target[row % 10])]
            expected = cdist(x[cell, row : row + 1], observed, name).mean()
            torch.testing.assert_close(found[cell, row].item(), float(expected))


def test_the_distance_is_a_sum_over_features():
    x = torch.zeros(1, 1, 5, dtype=torch.float64)
    observed = torch.tensor([[1.0] * 5, [-3.0] * 5], dtype=torch.float64)
    empty = observed[:0]
    made = individuals(x, torch.tensor([1]))
    assert metric()(made, reference(empty, observed)).item() == 10


def test_a_target_without_observed_rows_has_no_value():
    x = normal(1, 4, 2)
    made = individuals(x, torch.tensor([0, 1, 0, 1]))
    found = metric()(made, reference(normal(3, 2), normal(0, 2)))
    assert found.isnan().tolist() == [[False, True, False, True]]


def test_the_norm_is_the_unit():
    assert (metric("l1").unit, metric("l2").unit) == ("L1", "L2")


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_drawn_reference_rows_are_the_same_for_all_rounds_and_cells(norm):
    observed, x = normal(30, 2, seed=1), normal(1, 4, 2, seed=2).repeat(2, 3, 1)
    made = individuals(x, torch.ones(4, dtype=torch.long), rounds=3)
    found = metric(norm, 12)(made, reference(observed[:0], observed))
    drawn = ReferenceClass(observed).drawn(12, 4).rows
    expected = cdist(x[0, :4], drawn, {"l1": "cityblock", "l2": "euclidean"}[norm])
    torch.testing.assert_close(
        found, torch.from_numpy(expected.mean(1)).repeat(3).expand(2, -1)
    )


def test_many_drawn_rows_estimate_the_whole_class():
    observed, x = normal(5000, 2, seed=1), normal(1, 9, 2, seed=2)
    made = individuals(x, torch.ones(9, dtype=torch.long))
    exact = metric()(made, reference(observed[:0], observed))
    drawn = metric("l1", 5000)(made, reference(observed[:0], observed))
    assert not torch.equal(drawn, exact)
    torch.testing.assert_close(drawn, exact, rtol=0.03, atol=0)
