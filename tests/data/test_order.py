from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.data.order import (
    absence_warning,
    imbalance,
    order_warning,
    random_order,
    sortedness,
)
from tests.builders import blobs


def test_random_orders_are_permutations_of_their_seed():
    order = random_order(50, 3)
    assert sorted(order.tolist()) == list(range(50))
    assert torch.equal(order, random_order(50, 3))
    assert not torch.equal(order, random_order(50, 4))


def test_the_imbalance_of_single_classes_is_one_less_the_sum_of_squared_shares():
    labels = torch.tensor([0] * 30 + [1] * 10)
    assert imbalance(labels, 10) == pytest.approx(1 - 0.75**2 - 0.25**2)


def test_the_imbalance_of_equal_batches_is_zero():
    assert imbalance(torch.tensor([0, 1, 2] * 8), 6) == pytest.approx(0, abs=1e-12)


def test_the_imbalance_by_hand():
    """Shares of class 1: 3/4 of all, 1/2 and 1 of the batches."""
    assert imbalance(torch.tensor([0, 1, 1, 1]), 2) == pytest.approx(0.25)


@given(st.integers(2, 6), st.integers(20, 40), st.integers(0, 100))
def test_a_random_order_is_mixed_and_a_sorted_one_is_not(classes, batches, seed):
    labels = torch.arange(batches * 30) % classes
    shuffled = labels[random_order(len(labels), seed)]
    assert abs(sortedness(shuffled, 30)) < 0.2
    assert sortedness(labels.sort().values, 30) == pytest.approx(1)
    assert sortedness(labels.sort(descending=True).values, 30) == pytest.approx(
        1, abs=0.15
    )


@pytest.mark.parametrize("batch_rows", [1, 60])
def test_batches_of_one_row_or_of_all_rows_cannot_be_mixed_better(batch_rows):
    assert sortedness(torch.arange(60) // 20, batch_rows) == 0


def test_a_warning_names_the_set_and_what_to_do():
    dataset = blobs()
    assert order_warning(dataset, 12) is None
    order = dataset.labels.sort(stable=True).indices
    by_class = replace(
        dataset, features=dataset.features[order], labels=dataset.labels[order]
    )
    warning = order_warning(by_class, 16)
    assert warning is not None
    for part in (
        "blobs",
        "16 rows",
        "by 0.67",
        "shuffle_seed",
        "schedule.shuffle=once",
    ):
        assert part in warning
    assert "\n" not in warning


def test_a_class_without_test_rows_is_told():
    whole = blobs()
    assert absence_warning(whole) is None
    without = replace(whole, test_labels=torch.zeros_like(whole.test_labels))
    told = absence_warning(without)
    assert told is not None
    assert "no row of class 1, 2," in told
