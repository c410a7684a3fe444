"""Whether counterfactuals collapse onto one row."""

import torch

from cftrain.evaluation.metrics.diversity import Diversity, spread_of
from tests.builders import normal
from tests.evaluation.individuals import individuals, reference

METRIC = Diversity(rows=50)
TARGET = torch.tensor([0, 1, 0, 1, 0, 1])


def test_rows_that_are_all_the_same_have_none():
    found = individuals(torch.ones(1, 6, 4, dtype=torch.float64), TARGET)
    values = METRIC(found, reference(normal(9, 4), normal(9, 4, seed=1)))
    assert values.tolist() == [[0.0] * 6]


def test_observed_rows_have_as_much_as_themselves():
    rows = normal(3, 4), normal(3, 4, seed=1)
    made = torch.stack([rows[label][place // 2] for place, label in enumerate(TARGET)])
    values = METRIC(individuals(made.unsqueeze(0), TARGET), reference(*rows))
    torch.testing.assert_close(values, torch.ones_like(values))


def test_it_scales_with_the_distance():
    made = normal(1, 6, 4)
    observed = reference(normal(9, 4), normal(9, 4, seed=1))
    one, three = (
        METRIC(individuals(scale * made, TARGET), observed) for scale in (1, 3)
    )
    torch.testing.assert_close(three, 3 * one)
    mean = (spread_of(observed.of(0).rows), spread_of(made[0, ::2]))
    torch.testing.assert_close(one[0, 0], torch.tensor(mean[1] / mean[0]).double())


def test_an_individual_counts_once_however_often_it_was_drawn():
    made = normal(1, 6, 4)
    observed = reference(normal(9, 4), normal(9, 4, seed=1))
    once = METRIC(individuals(made, TARGET), observed)
    twice = individuals(torch.cat([made, made], 1), TARGET, rounds=2)
    places = torch.arange(6).repeat(2).expand(1, -1)
    object.__setattr__(twice, "factual_row", places)
    torch.testing.assert_close(METRIC(twice, observed)[:, :6], once)


def test_what_is_not_valid_does_not_count():
    made = normal(1, 6, 4)
    predicted = torch.tensor([[0, 1, 0, 1, 1, 0]])
    found = individuals(made, TARGET, predicted=predicted)
    observed = reference(normal(9, 4), normal(9, 4, seed=1))
    expected = spread_of(made[0, [0, 2]]) / spread_of(observed.of(0).rows)
    assert METRIC(found, observed)[0, 0].item() == expected
