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


def path(uniform: list[float], stops_after: int) -> float:
    """The place on the path of the state that one row keeps; each move is by 1."""
    rows = WorkingSet(torch.zeros(1, 1, 1), torch.zeros(1, 1).long(), visits=True)
    for step, drawn in enumerate(uniform):
        if step == stops_after:
            rows.stop(mature=torch.ones(1, 1).bool(), broken=torch.zeros(1, 1).bool())
        rows.visit(torch.full((1, 1), drawn))
        rows.move(rows.x + 1, near=torch.zeros(1, 1).bool())
    return rows.result().visited.item()


def test_the_state_that_was_left_last_is_kept_with_its_share():
    assert path([0.9, 0.4, 0.9, 0.9], 4) == 1
    assert path([0.9, 0.6, 0.3, 0.24], 4) == 3
    assert path([0.9, 0.9, 0.9, 0.9], 4) == 0


def test_a_row_that_stopped_has_left_no_more_states():
    assert path([0.9, 0.9, 0.1, 0.1], 2) == 0
    assert path([0.9, 0.1, 0.1, 0.1], 2) == 1
    assert path([0.1, 0.1], 0) == 0


def test_a_row_keeps_its_state_whether_others_are_left_out_or_not():
    x, drawn = normal(1, ROWS, FEATURES, seed=5), torch.tensor([[0.1, 0.9, 0.1, 0.9]])

    def kept(compacted: bool) -> torch.Tensor:
        target = torch.zeros(1, ROWS, dtype=torch.int64)
        rows = WorkingSet(normal(1, ROWS, FEATURES), target, visits=True)
        rows.visit(drawn)
        rows.move(x, near=flags())
        rows.stop(mature=flags(0, 3), broken=flags())
        uniform = drawn
        if compacted:
            (uniform,) = rows.compact(drawn)
        rows.visit(uniform)
        rows.move(2 * rows.x, near=rows.stopped)
        return rows.result().visited

    assert torch.equal(kept(True), kept(False))
    assert torch.equal(kept(True)[0, 2], x[0, 2])
