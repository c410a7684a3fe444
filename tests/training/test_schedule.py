import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.training.schedule import batches, groups
from tests.builders import schedule
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
