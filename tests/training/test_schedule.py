import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.training.schedule import batches, groups
from tests.builders import schedule, streams
from tests.oracles.training import deal


@given(st.integers(1, 500), st.integers(1, 120))
def test_batches_hold_every_row_once_and_in_order(rows, batch_rows):
    found = batches(rows, batch_rows)
    every = list(range(rows))
    assert [row for part in found for row in every[part]] == every
    sizes = [part.stop - part.start for part in found]
    assert set(sizes[:-1]) <= {batch_rows}
    assert 1 <= sizes[-1] <= batch_rows


def test_the_last_batch_may_have_one_row():
    """3,001 rows, 30 each: see the note on sizes in the reference on datasets."""
    found = batches(3001, 30)
    assert len(found) == 101
    assert found[-1] == slice(3000, 3001)


@given(st.integers(0, 500), st.integers(1, 60))
def test_groups_are_dealt_as_equally_as_possible(tuples, count):
    every = list(range(tuples))
    found = [every[group] for group in groups(tuples, count)]
    assert found == deal(tuples, count)
    assert [number for group in found for number in group] == every
    sizes = [len(group) for group in found]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("share", "epochs", "expected"),
    [(0.0, 100, 0), (0.5, 100, 50), (0.25, 10, 2), (0.33, 10, 3), (1.0, 7, 7)],
)
def test_burn_in_is_a_share_of_the_epochs(share, epochs, expected):
    assert schedule(burn_in=share, epochs=epochs).burn_in_epochs == expected


# --- order of rows -------------------------------------------------------------------


ROWS = torch.tensor([[3, 4, 5, 6, 7, 8, 9, 12], [3, 4, 5, 6, 7, 8, 9, 15]])


def orders(shuffle: str, epochs: int = 4) -> list[torch.Tensor]:
    plan = schedule(shuffle=shuffle)
    return [plan.ordered(ROWS, streams(2), epoch) for epoch in range(1, epochs + 1)]


def test_unshuffled_rows_keep_their_order():
    assert all(torch.equal(order, ROWS) for order in orders("none"))


@pytest.mark.parametrize("shuffle", ["once", "epoch"])
def test_shuffled_rows_are_the_same_rows(shuffle):
    for order in orders(shuffle):
        assert torch.equal(order.sort(1).values, ROWS)
        assert not torch.equal(order, ROWS)
        assert not torch.equal(order[0].argsort(), order[1].argsort())


def test_rows_that_are_shuffled_once_stay():
    first, *later = orders("once")
    assert all(torch.equal(order, first) for order in later)


def test_every_epoch_has_an_order_of_its_own():
    found = orders("epoch")
    assert len({tuple(order[0].tolist()) for order in found}) == 4


@pytest.mark.parametrize("shuffle", ["none", "once", "epoch"])
def test_a_cells_order_is_that_of_the_cell_alone(shuffle):
    plan = schedule(shuffle=shuffle)
    for cell in range(2):
        alone = plan.ordered(ROWS[cell : cell + 1], streams(2)[cell : cell + 1], 3)
        assert torch.equal(alone[0], orders(shuffle)[2][cell])


@given(st.integers(0, 1000))
def test_every_place_is_taken_by_any_row(seed):
    """Eight rows, 200 epochs: each row is first in 25 of them, deviation 4.7."""
    plan = schedule(shuffle="epoch")
    first = [
        int(plan.ordered(ROWS[:1], streams(1, seed), epoch)[0, 0])
        for epoch in range(200)
    ]
    counts = torch.tensor(first).bincount()[ROWS[0]]
    assert (counts - 25).abs().max() < 25
