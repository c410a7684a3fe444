from dataclasses import replace
from math import isnan, sqrt

import numpy as np
import pytest
import torch

from cftrain.budget.budget import Budget
from cftrain.budget.validation import (
    loss,
    single_round,
    validated,
    validation_data,
    validation_protocol,
)
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.errors import ConfigError
from cftrain.evaluation.evaluate import evaluate
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.training.stack import train
from tests.console import TINY_MOONS, read

BUDGET = Budget(
    accuracy=0.01,
    validity=None,
    reach=None,
    measure="ip",
    strengths=(0.0, 1.0),
    standard_errors=0.0,
    individuals=25,
)


def test_a_loss_is_the_mean_difference_with_its_standard_error():
    found = loss(np.array([1.0, 1, 1, 0]), np.array([1.0, 0, 0, 1]))
    assert found.value == pytest.approx(1 / 4)
    assert found.error == pytest.approx(np.std([0, 1, 1, -1], ddof=1) / sqrt(4))
    assert isnan(loss(np.array([]), np.array([])).value)
    assert isnan(loss(np.array([1.0]), np.array([0.0])).error)


@pytest.fixture(scope="module")
def stack():
    """A short training of two strengths, with the data and their protocol."""
    run, options = read(*TINY_MOONS, "objective=aligned", "seed=7")
    dataset = run.data.load()
    runs = [replace(run, objective=options.compare), run]
    found = train(runs, dataset, device=torch.device("cpu"))
    return frozen(found.classifier, slice(None)), dataset, options.evaluation, found


def test_test_rows_are_replaced_by_the_rows_that_validated_the_training(stack):
    classifier, dataset, protocol, found = stack
    held = validation_data(dataset, 7)
    rows = training_rows(dataset, [Stream(7).child("split")])
    assert torch.equal(held.test_features, dataset.features[rows.validation[0]])
    curve = validated(classifier, dataset, protocol, BUDGET, strengths=[0, 1], seed=7)
    last = found.history[-1].validation_accuracy.tolist()
    assert [each.shares["accuracy"] for each in curve] == pytest.approx(last)
    assert [each.rows for each in curve] == [len(held.test_labels)] * 2


def test_no_test_row_has_a_part_in_the_choice(stack):
    classifier, dataset, protocol, _ = stack
    other = replace(
        dataset,
        test_features=dataset.test_features + 100,
        test_labels=1 - dataset.test_labels,
    )
    curves = [
        validated(classifier, data, protocol, BUDGET, strengths=[0, 1], seed=7)
        for data in (dataset, other)
    ]
    assert curves[0] == curves[1]


def test_reach_is_the_share_that_gets_to_the_threshold(stack):
    """The same as the metric of the same evaluation, individuals counted once."""
    classifier, dataset, protocol, _ = stack
    curve = validated(classifier, dataset, protocol, BUDGET, strengths=[0, 1], seed=7)
    asked = single_round(protocol, ["ip", "mature_share"], individuals=25)
    held = validation_data(dataset, 7)
    found = evaluate(
        classifier, held, asked.fitted(dataset, cache()), streams=[Stream(7)] * 2
    )
    for cell, each in enumerate(curve):
        parts = [part for part in found.explained if part.cell == cell]
        draws = torch.cat([part.draws for part in parts])
        mature = torch.cat([part.mature for part in parts])
        values = [
            (each.value, each.rows)
            for each in found.measurements
            if (each.cell, each.metric) == (cell, "mature_share")
        ]
        assert (draws * mature).sum().item() == pytest.approx(
            sum(value * rows for value, rows in values)
        )
        assert each.shares["reach"] == pytest.approx(mature.double().mean().item())


def test_the_baseline_loses_nothing_and_less_implausibility_is_better(stack):
    classifier, dataset, protocol, _ = stack
    curve = validated(classifier, dataset, protocol, BUDGET, strengths=[0, 1], seed=7)
    base = curve[0].candidate
    assert all(loss.value == 0 for loss in base.losses.values())
    for each in curve:
        if each.shares["validity"] > 0:
            assert each.candidate.score == -each.value


def test_a_measure_that_nobody_takes_is_refused(stack):
    with pytest.raises(ConfigError, match=r"budget\.measure: expected strength or one"):
        validation_protocol(stack[2], replace(BUDGET, measure="beauty"))
