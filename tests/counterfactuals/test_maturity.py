import torch

from cftrain import stacking
from cftrain.counterfactuals.maturity import Exhausted, Never, Threshold
from tests.builders import stacked

PROBABILITY = torch.tensor([[0.2, 0.5, 0.75, 1.0, torch.nan]], dtype=torch.float64)


def test_a_row_on_the_threshold_is_mature():
    found = Threshold(threshold=0.75)(PROBABILITY)
    assert found.tolist() == [[False, False, True, True, False]]


def test_every_cell_has_its_own_threshold():
    rules = [Threshold(threshold=value) for value in (0.1, 0.5, 0.9)]
    found = stacked(rules)(PROBABILITY.expand(3, -1))
    for cell, rule in enumerate(rules):
        assert torch.equal(found[cell : cell + 1], rule(PROBABILITY))
    last = stacking.select(stacked(rules), [2])
    assert torch.equal(last(PROBABILITY), found[2:])


def test_never_is_never():
    assert not Never()(PROBABILITY).any()


def test_only_the_appendixs_rule_accepts_rows_that_used_all_steps():
    threshold, exhausted = Threshold(threshold=0.75), Exhausted(threshold=0.75)
    assert torch.equal(exhausted(PROBABILITY), threshold(PROBABILITY))
    assert exhausted.accepts_exhausted
    assert not threshold.accepts_exhausted
    assert not Never().accepts_exhausted
