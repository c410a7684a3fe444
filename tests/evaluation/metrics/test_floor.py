import math

import torch

from cftrain.evaluation.metrics.floor import Floor
from cftrain.evaluation.metrics.implausibility import Implausibility
from cftrain.evaluation.metrics.mmd import MmdImplausibility
from cftrain.evaluation.metrics.unfiltered import Unfiltered
from cftrain.evaluation.metrics.validity import Validity
from tests.builders import normal
from tests.evaluation.individuals import individuals, reference

IP = Implausibility(norm="l1", reference_rows=None, seed=0)
IP_STAR = MmdImplausibility(
    length_scale=1.0, sample="target", least_rows=1, rows=50, clamp=False
)


def test_the_floor_is_the_metric_of_the_held_out_rows():
    target = torch.tensor([0, 1, 0, 1, 1])
    both = reference(normal(9, 3, seed=1), normal(7, 3, seed=2))
    x, held_out = normal(2, 10, 3, seed=3), normal(2, 10, 3, seed=4)
    made = individuals(x, target, rounds=2, held_out=held_out)
    instead = individuals(held_out, target, rounds=2)
    for metric in (IP, IP_STAR):
        found = Floor(metric=metric)(made, both)
        assert torch.equal(found, metric(instead, both))
        assert not torch.equal(found, metric(made, both))


def test_the_floor_has_unit_and_direction_of_its_metric():
    for metric in (IP, IP_STAR):
        floor = Floor(metric=metric)
        assert floor.unit == metric.unit
        assert floor.higher_is_better == metric.higher_is_better
        assert floor.of_valid
        assert not floor.individual


def test_the_floor_counts_the_rows_that_its_metric_counts():
    for metric, of_valid in ((Unfiltered(metric=IP), False), (Validity(), False)):
        assert metric.of_valid == of_valid
        assert Floor(metric=metric).of_valid == of_valid
    assert Unfiltered(metric=Floor(metric=IP)).of_valid is False


def test_the_floor_of_the_divergence_is_zero():
    """Held-out rows and references are of one distribution, counterfactuals are not."""
    x = 3 + normal(1, 4000, 2, seed=1)
    means = []
    for seed in range(30):
        made = individuals(
            x,
            torch.ones(40, dtype=torch.long),
            rounds=100,
            held_out=normal(1, 4000, 2, seed=100 + seed),
        )
        both = reference(normal(0, 2), normal(50, 2, seed=seed))
        means.append(Floor(metric=IP_STAR)(made, both).mean())
    values = torch.stack(means)
    error = values.std() / math.sqrt(len(values))
    assert error < 0.005
    assert values.mean().abs() < 3.5 * error
    assert IP_STAR(made, both).mean() > 0.5
