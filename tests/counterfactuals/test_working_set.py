import torch

from cftrain.counterfactuals.working_set import WorkingSet
from tests.builders import FEATURES, normal

ROWS = 4


def flags(*places: int) -> torch.Tensor:
    found = torch.zeros(1, ROWS, dtype=torch.bool)
    found[0, list(places)] = True
    return found


def working_set() -> WorkingSet:
    target = torch.zeros(1, ROWS, dtype=torch.int64)
    return WorkingSet(normal(1, ROWS, FEATURES), target)


def test_what_becomes_of_a_row_after_its_stop_changes_nothing():
    """A space that draws may show a broken state of a row that has matured."""
    rows = working_set()
    assert rows.stop(mature=flags(0), broken=flags(1)) == 2
    assert rows.stop(mature=flags(1, 2), broken=flags(0)) == 1
    result = rows.result()
    assert torch.equal(result.mature, flags(0, 2))
    assert torch.equal(result.finite, ~flags(1))


def test_a_broken_row_is_not_mature():
    rows = working_set()
    rows.stop(mature=flags(0), broken=flags(0))
    assert not rows.result().mature.any()
    assert torch.equal(rows.result().finite, ~flags(0))


def test_rows_that_are_left_out_are_where_they_stopped():
    rows, x = working_set(), normal(1, ROWS, FEATURES, seed=5)
    rows.stop(mature=flags(0, 2), broken=flags())
    (others,) = rows.compact(x)
    assert torch.equal(others, x[:, [1, 3]])
    rows.move(others, near=torch.tensor([[True, False]]))
    result = rows.result()
    assert torch.equal(result.counterfactual[:, [1, 3]], others)
    assert torch.equal(result.counterfactual[:, [0, 2]], result.factual[:, [0, 2]])
    assert torch.equal(result.nascent[:, 1], x[:, 1])
    assert torch.equal(result.nascent[:, 3], result.factual[:, 3])
    assert result.steps.tolist() == [[0, 1, 0, 1]]
