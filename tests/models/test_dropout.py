"""Dropout from streams against what dropout is."""

import pytest
import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional

from cftrain.models.dropout import Masks, StreamedDropout
from tests.builders import streams

X = torch.ones(4, 50, 6, 8, dtype=torch.float64)


def dropped(call, cell: int | None = None):
    masks = Masks(streams(len(X)))
    with StreamedDropout(masks):
        if cell is None:
            return vmap(call)(X)
        masks.cell = cell
        return call(X[cell])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_share_of_p_is_zero_and_the_mean_stays(p):
    found = dropped(lambda x: functional.dropout(x, p))
    kept = found != 0
    assert (kept.double().mean((1, 2, 3)) - (1 - p)).abs().max() < 0.03
    torch.testing.assert_close(found[kept], torch.full_like(found[kept], 1 / (1 - p)))


def test_channels_are_dropped_as_wholes():
    found = dropped(nn.Dropout1d(0.5))
    assert ((found == 0).all(-1) | (found == 2).all(-1)).all()
    assert (found == 0).any()


@pytest.mark.parametrize("layer", [nn.Dropout(0.3, inplace=True), nn.Dropout2d(0.3)])
def test_one_after_the_other_is_all_at_once(layer):
    whole = dropped(layer)
    for cell in range(len(X)):
        assert torch.equal(dropped(layer, cell), whole[cell])
    assert torch.equal(X, torch.ones_like(X))


@pytest.mark.parametrize("layer", [nn.Dropout(0.0), nn.Dropout(0.7).eval()])
def test_nothing_is_dropped_where_nothing_should_be(layer):
    assert torch.equal(dropped(layer), X)


def test_all_can_be_dropped():
    assert torch.equal(dropped(nn.Dropout(1.0)), torch.zeros_like(X))


def test_two_layers_drop_differently():
    pair = dropped(lambda x: torch.stack([functional.dropout(x) for _ in range(2)]))
    assert not torch.equal(pair[:, 0], pair[:, 1])
