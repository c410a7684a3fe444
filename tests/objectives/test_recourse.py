"""Recourse training: rows are moved towards another class as far as they may."""

import torch

from cftrain.counterfactuals.attacks import ScaledPgd
from cftrain.objectives.joint import LARGEST_GAP, energy_gap, guarded
from tests.builders import constraints, integers, linear, mlp, normal


def test_rows_move_towards_the_class_as_far_as_they_may():
    """A linear model: all of epsilon, in the direction of the weights' difference."""
    weight = torch.tensor([[[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]]], dtype=torch.float64)
    model = linear(weight, torch.zeros(1, 2, dtype=torch.float64))
    limits = constraints(["free", "immutable", "decrease"], -0.5, 0.5)
    x = torch.zeros(1, 1, 3, dtype=torch.float64)
    target = torch.zeros(1, 1, dtype=torch.long)
    attack = ScaledPgd(steps=7)
    found = attack(
        model,
        x,
        target,
        attack.starts(x[0]),
        epsilon=0.75,
        constraints=limits,
        towards=True,
    )
    assert found.tolist() == [[[0.5, 0.0, -0.5]]]


def test_towards_a_class_is_away_from_the_other_of_two():
    model, x = mlp(2, features=4, classes=2), normal(2, 6, 4)
    labels = integers(2, 2, 6)
    limits = constraints(["free"] * 4, -9, 9)
    attack = ScaledPgd(steps=3)
    given = {"epsilon": 0.3, "constraints": limits}
    start = attack.starts(x[0])
    away = attack(model, x, labels, start, **given)
    towards = attack(model, x, 1 - labels, start, towards=True, **given)
    torch.testing.assert_close(away, towards)


def test_the_energy_gap_is_that_of_log_densities():
    observed, drawn = normal(2, 5, 3), normal(2, 4, 3, seed=1)
    expected = drawn.logsumexp(-1).mean(1) - observed.logsumexp(-1).mean(1)
    torch.testing.assert_close(energy_gap(observed, drawn), expected)
    assert energy_gap(observed, observed[:, :0]).tolist() == [0, 0]


def test_a_cell_that_diverges_is_guarded_and_only_it():
    gap = torch.tensor([2.0, -2 * LARGEST_GAP, 2 * LARGEST_GAP], dtype=torch.float64)
    found = guarded(gap, torch.tensor([1.0, 0.5, 0.0]))
    assert found[0] == 2
    assert found[1].isnan()
    assert found[2] == gap[2]  # it has no such term
