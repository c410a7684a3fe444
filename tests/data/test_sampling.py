import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cftrain.data.sampling import (
    balanced_draw,
    class_index,
    stratified_split,
    training_rows,
)
from cftrain.errors import DataError
from cftrain.seeding import Stream
from tests.builders import blobs, integers, streams

label_lists = st.lists(st.integers(0, 3), min_size=1, max_size=120)


@given(label_lists, st.data(), st.integers(0, 10**6))
def test_a_split_takes_the_same_share_of_every_class(labels, data, seed):
    validation_rows = data.draw(st.integers(0, len(labels)))
    training, held = stratified_split(
        torch.tensor(labels), validation_rows, Stream(seed)
    )
    assert sorted(training.tolist() + held.tolist()) == list(range(len(labels)))
    assert training.tolist() == sorted(training.tolist())
    assert held.tolist() == sorted(held.tolist())
    for label in set(labels):
        expected = validation_rows * labels.count(label) // len(labels)
        assert sum(labels[row] == label for row in held.tolist()) == expected
    assert 0 <= validation_rows - len(held) < len(set(labels))


def test_a_split_is_a_function_of_its_stream():
    labels = integers(3, 300)
    one, same, other = (stratified_split(labels, 60, Stream(s))[1] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_every_row_may_validate():
    """Over many streams all rows are held out about equally often."""
    labels = torch.arange(30) % 2
    counts = torch.zeros(30)
    for seed in range(400):
        counts[stratified_split(labels, 10, Stream(seed))[1]] += 1
    # 10 of 30 in 400 draws: mean 133, standard deviation 9.4.
    assert counts.min() > 133 - 45
    assert counts.max() < 133 + 45


def test_a_balanced_draw_has_as_many_rows_of_every_class():
    labels = torch.tensor([0] * 50 + [1] * 7 + [2] * 200)
    drawn = balanced_draw(labels, 90, seed=3)
    assert labels[drawn].bincount().tolist() == [30, 30, 30]
    assert torch.equal(drawn, drawn.sort().values)
    assert len(set(drawn[labels[drawn] == 1].tolist())) <= 7, "with replacement"
    assert torch.equal(drawn, balanced_draw(labels, 90, seed=3))
    assert not torch.equal(drawn, balanced_draw(labels, 90, seed=4))


def test_a_balanced_draw_reaches_every_row():
    labels = torch.arange(40) % 4
    assert set(balanced_draw(labels, 800, seed=1).tolist()) == set(range(40))


def test_classes_have_to_share_the_rows_evenly():
    with pytest.raises(DataError, match="expected rows divisible by 3 classes, got 10"):
        balanced_draw(torch.tensor([0, 1, 2]), 10, seed=1)


def test_a_class_index_lists_the_rows_of_every_class():
    labels = integers(4, 3, 50, seed=1)
    found = class_index(labels, 4)
    for cell in range(3):
        for label in range(4):
            start, count = (
                int(found.starts[cell, label]),
                int(found.counts[cell, label]),
            )
            places = found.order[cell, start : start + count].tolist()
            assert places == (labels[cell] == label).nonzero().flatten().tolist()


def test_draws_by_class_are_uniform_over_its_rows():
    labels = torch.tensor([[0, 1, 1, 2, 1, 0, 1, 1]])
    wanted = torch.tensor([[1] * 10_000 + [0] * 4_000])
    found = class_index(labels, 3).draw(wanted, streams(1))
    assert torch.equal(labels.gather(1, found), wanted)
    counts = found[0].bincount(minlength=8)
    assert counts[3] == 0
    # Binomial: standard deviations 40 (ones) and 32 (zeros).
    assert (counts[[1, 2, 4, 6, 7]] - 2000).abs().max() < 160
    assert (counts[[0, 5]] - 2000).abs().max() < 130


def test_rows_of_a_stack_are_those_of_its_cells():
    dataset = blobs()
    whole = training_rows(dataset, streams(3))
    assert len(whole) == 72
    assert whole.validation.shape == (3, 24)
    for cell in range(3):
        alone = training_rows(dataset, streams(3)[cell : cell + 1])
        assert torch.equal(whole.training[cell], alone.training[0])
        assert torch.equal(whole.validation[cell], alone.validation[0])
        split = stratified_split(dataset.labels, 24, streams(3)[cell])
        assert torch.equal(whole.training[cell], split[0])
        assert torch.equal(whole.validation[cell], split[1])
    assert not torch.equal(whole.training[0], whole.training[1])


def test_rows_are_looked_up_in_the_pool():
    dataset = blobs()
    rows = training_rows(dataset, streams(2))
    index = torch.tensor([[5, 0, 5], [7, 95, 1]])
    assert torch.equal(rows.features(index)[1, 1], dataset.features[95])
    assert torch.equal(rows.labels(index), dataset.labels[index])


def test_drawn_rows_are_different_training_rows():
    rows = training_rows(blobs(), streams(2))
    drawn = rows.draw(50, streams(2, seed=9))
    for cell in range(2):
        found = drawn[cell].tolist()
        assert len(set(found)) == 50
        assert set(found) <= set(rows.training[cell].tolist())
    every = rows.draw(72, streams(2))
    assert torch.equal(every.sort(1).values, rows.training)
    assert not torch.equal(every, rows.training)


def test_drawn_rows_come_from_all_over():
    rows = training_rows(blobs(), streams(1))
    seen = [
        row
        for seed in range(300)
        for row in rows.draw(24, streams(1, seed))[0].tolist()
    ]
    counts = torch.tensor(seen).bincount(minlength=96)
    assert (counts[rows.validation[0]] == 0).all()
    # A third of 300 draws: mean 100, standard deviation 8.2.
    assert (counts[rows.training[0]] - 100).abs().max() < 40


def test_labelled_draws_are_training_rows_of_the_label():
    rows = training_rows(blobs(), streams(2))
    wanted = integers(3, 2, 500, seed=1)
    drawn = rows.draw_labelled(wanted, streams(2, seed=5))
    assert torch.equal(rows.labels(drawn), wanted)
    for cell in range(2):
        assert set(drawn[cell].tolist()) == set(rows.training[cell].tolist())
    alone = training_rows(blobs(), streams(2)[1:])
    again = alone.draw_labelled(wanted[1:], streams(2, seed=5)[1:])
    assert torch.equal(drawn[1:], again)
