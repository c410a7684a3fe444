"""Reductions and their +-, against a few independent lines of pandas."""

import numpy as np
import pandas as pd
import pytest

from cftrain.results.store import Store
from cftrain.summary.statistics.comparison import Comparison, compare
from tests.summary.rows import cell_row, metric_rows, write_stack

WEIGHTS, ROUNDS = (0.1, 0.5, 1.0, 5.0, 10.0), 20


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def random_values(seed: int) -> dict[tuple[float, int], float]:
    draws = np.random.default_rng(seed).uniform(1, 3, (len(WEIGHTS), ROUNDS))
    return {
        (weight, number): float(draws[place, number])
        for place, weight in enumerate(WEIGHTS)
        for number in range(ROUNDS)
    }


def held(store: Store, metrics: list[dict]) -> None:
    cells = [cell_row("ct", "s"), cell_row("bl", "s", objective="vanilla")]
    write_stack(store, "s", cells, metrics)


def only(store: Store, model: str = "ct", baseline: str | None = "bl") -> Comparison:
    (row,) = compared(store, model, baseline)
    return row


def compared(store: Store, model: str, baseline: str | None) -> list[Comparison]:
    metrics = store.rows("metrics", store.evaluations())
    ours, theirs = (metrics[metrics["cell"] == cell] for cell in (model, baseline))
    return compare(ours, theirs)


def test_reduction_and_deviation_are_those_of_the_main_table(store):
    """Mean over weights, ratio in each round, mean and deviation over rounds."""
    rows = [
        *metric_rows("ct", "s", "ip", random_values(1)),
        *metric_rows("bl", "s", "ip", random_values(2)),
    ]
    held(store, rows[::-1])
    wide = pd.read_parquet(store.folder / "metrics").pivot_table(
        values="value", index="round", columns="cell", aggfunc="mean"
    )
    ratio = wide["ct"] / wide["bl"]
    found = only(store)
    assert found.reduction == pytest.approx(100 * (1 - ratio.mean()), rel=1e-12)
    assert found.deviation == pytest.approx(100 * ratio.std(ddof=1), rel=1e-12)
    assert found.model == pytest.approx(wide["ct"].mean(), rel=1e-12)
    assert found.baseline == pytest.approx(wide["bl"].mean(), rel=1e-12)
    assert found.difference == pytest.approx(found.model - found.baseline)


def test_two_rounds_by_hand(store):
    ours = {(0.1, 0): 1.0, (1.0, 0): 3.0, (0.1, 1): 1.0, (1.0, 1): 1.0}
    theirs = {(0.1, 0): 4.0, (1.0, 0): 4.0, (0.1, 1): 1.0, (1.0, 1): 3.0}
    held(
        store,
        [*metric_rows("ct", "s", "ip", ours), *metric_rows("bl", "s", "ip", theirs)],
    )
    found = only(store)  # ratios 2/4 and 1/2
    assert (found.model, found.baseline) == (1.5, 3.0)
    assert found.reduction == pytest.approx(50)
    assert found.deviation == pytest.approx(0, abs=1e-12)


def test_rounds_are_paired_by_their_number_and_not_by_their_place(store):
    ours = {(0.1, 1): 3.0, (0.1, 0): 2.0}
    theirs = {(0.1, 0): 4.0, (0.1, 1): 4.0}
    held(
        store,
        [*metric_rows("ct", "s", "ip", ours), *metric_rows("bl", "s", "ip", theirs)],
    )
    assert only(store).reduction == pytest.approx(100 * (1 - (0.5 + 0.75) / 2))


@pytest.mark.parametrize("odd", [0.0, -0.5])
def test_a_baseline_that_is_not_positive_in_a_round_gives_no_reduction(store, odd):
    """A ratio to zero is infinite; one to an estimate below zero means nothing."""
    ours = {(0.1, number): 1.0 for number in range(3)}
    theirs = {(0.1, number): odd if number == 1 else 2.0 for number in range(3)}
    held(
        store,
        [*metric_rows("ct", "s", "ip", ours), *metric_rows("bl", "s", "ip", theirs)],
    )
    found = only(store)
    assert (found.reduction, found.deviation) == (None, None)
    assert found.baseline == pytest.approx((4 + odd) / 3)


def test_a_baseline_that_is_zero_throughout_gives_no_reduction(store):
    ours, theirs = {(0.1, 0): 1.0, (0.1, 1): 1.0}, {(0.1, 0): 0.0, (0.1, 1): 0.0}
    held(
        store,
        [*metric_rows("ct", "s", "ip", ours), *metric_rows("bl", "s", "ip", theirs)],
    )
    found = only(store)
    assert (found.reduction, found.deviation) == (None, None)
    assert (found.model, found.baseline) == (1, 0)


@pytest.mark.parametrize("absent", ["ct", "bl"])
def test_values_that_are_null_throughout_are_none(store, absent):
    some, none = {(0.1, 0): 1.0, (0.1, 1): 2.0}, {(0.1, 0): None, (0.1, 1): None}
    rows = [
        row
        for cell in ("ct", "bl")
        for row in metric_rows(cell, "s", "ip", none if cell == absent else some)
    ]
    held(store, rows)
    found = only(store)
    assert (found.reduction, found.deviation, found.difference) == (None, None, None)
    assert (found.model is None) == (absent == "ct")
    assert (found.baseline is None) == (absent == "bl")


def test_a_round_without_value_is_left_out(store):
    ours = {(0.1, 0): None, (0.1, 1): 1.0, (0.1, 2): 2.0}
    theirs = {(0.1, 0): 5.0, (0.1, 1): 2.0, (0.1, 2): None}
    held(
        store,
        [*metric_rows("ct", "s", "ip", ours), *metric_rows("bl", "s", "ip", theirs)],
    )
    found = only(store)
    assert found.reduction == pytest.approx(50)
    assert found.deviation is None


def test_measures_without_rounds_have_no_deviation(store):
    rows = [
        *metric_rows("ct", "s", "accuracy", {(None, None): 0.9}, higher_is_better=True),
        *metric_rows("bl", "s", "accuracy", {(None, None): 0.8}, higher_is_better=True),
    ]
    held(store, rows)
    found = only(store)
    assert found.higher_is_better
    assert found.difference == pytest.approx(0.1)
    assert found.deviation is None


def test_strengths_of_attacks_are_measures_of_their_own_in_their_order(store):
    rows = [
        row
        for cell, shift in (("ct", 0.0), ("bl", 0.1))
        for epsilon in (0.3, 0.01)
        for row in metric_rows(
            cell,
            "s",
            "fgsm_accuracy",
            {(None, None): 1 - epsilon - shift},
            higher_is_better=True,
            epsilon=epsilon,
        )
    ]
    held(store, rows)
    found = compared(store, "ct", "bl")
    names = [(row.metric, row.epsilon) for row in found]
    assert names == [("fgsm_accuracy", 0.3), ("fgsm_accuracy", 0.01)]
    for row in found:
        assert row.difference == pytest.approx(0.1)


def test_without_a_baseline_there_is_the_model_alone(store):
    held(store, metric_rows("ct", "s", "ip", random_values(1)))
    found = only(store, baseline=None)
    assert found.model == pytest.approx(np.mean(list(random_values(1).values())))
    assert (found.baseline, found.reduction, found.difference) == (None, None, None)


def test_a_model_held_against_itself_is_no_better(store):
    held(store, metric_rows("ct", "s", "ip", random_values(1)))
    found = only(store, baseline="ct")
    assert found.reduction == pytest.approx(0, abs=1e-12)
    assert found.deviation == pytest.approx(0, abs=1e-12)


def test_a_model_without_metrics_leaves_its_baseline_alone(store):
    held(store, metric_rows("bl", "s", "ip", {(0.1, 0): 2.0}))
    found = only(store)
    assert (found.model, found.baseline, found.reduction) == (None, 2.0, None)


def test_without_any_metrics_there_is_nothing_to_compare(store):
    held(store, [])
    assert compared(store, "ct", "bl") == []


def test_noise_is_the_deviation_of_the_difference_over_rounds(store):
    rows = [
        *metric_rows("ct", "s", "ip", {(0.1, n): v for n, v in enumerate((3, 5, 4))}),
        *metric_rows("bl", "s", "ip", {(0.1, n): v for n, v in enumerate((1, 2, 3))}),
    ]
    held(store, rows)
    found = only(store)  # differences 2, 3, 1
    assert found.noise == pytest.approx(1)
    assert found.settled


@pytest.mark.parametrize(("last", "settled"), [(2.1, True), (1.9, False)])
def test_a_change_is_settled_if_no_round_says_otherwise(store, last, settled):
    """With so few rounds the 99 % interval is all of them, but for a hundredth."""
    ours = {(0.1, n): v for n, v in enumerate((3.0, 3.0, last))}
    rows = [
        *metric_rows("ct", "s", "ip", ours),
        *metric_rows("bl", "s", "ip", dict.fromkeys(ours, 2.0)),
    ]
    held(store, rows)
    assert only(store).settled == settled


@pytest.mark.parametrize(
    ("ours", "theirs", "steady"),
    [
        ((4.0, 5.0, 6.0), (8.0, 9.0, 10.0), True),
        ((4.0, 5.0, 6.0), (8.0, 9.0, 0.01), False),  # a baseline near nothing
        ((1.0, 1.9), (2.0, 1.1), False),  # ratios .5 and 1.73, of the means .94
        ((1.0, 1.0), (1.0, -1.0), False),
    ],
)
def test_a_ratio_that_says_nothing_is_not_steady(store, ours, theirs, steady):
    rows = [
        *metric_rows("ct", "s", "ip", {(0.1, n): v for n, v in enumerate(ours)}),
        *metric_rows("bl", "s", "ip", {(0.1, n): v for n, v in enumerate(theirs)}),
    ]
    held(store, rows)
    assert only(store).steady == steady
