import math

import torch

from cftrain.models.layers import StackedLinear
from tests.builders import normal, streams


def test_every_cell_is_a_dense_layer():
    layer = StackedLinear(4, 3, streams(2)).double()
    with torch.no_grad():
        layer.bias.copy_(normal(2, 3, seed=1))
    x = normal(2, 5, 4, seed=2)
    found = layer(x)
    assert found.shape == (2, 5, 3)
    for cell in range(2):
        alone = torch.nn.functional.linear(
            x[cell], layer.weight[cell], layer.bias[cell]
        )
        torch.testing.assert_close(found[cell], alone)


def test_a_cell_depends_on_its_own_stream_only():
    both = StackedLinear(4, 3, streams(2, seed=7))
    for cell in range(2):
        alone = StackedLinear(4, 3, streams(1, seed=7 + cell))
        assert torch.equal(both.weight[cell], alone.weight[0])
    assert not torch.equal(both.weight[0], both.weight[1])


def test_weights_are_uniform_with_glorots_limit_and_biases_zero():
    layer = StackedLinear(200, 100, streams(2))
    limit = math.sqrt(6 / 300)
    assert layer.weight.abs().max() <= limit
    assert layer.weight.abs().max() > 0.999 * limit
    uniform = (layer.weight[0].flatten().sort().values / limit + 1) / 2
    even = (torch.arange(20_000) + 0.5) / 20_000
    assert (uniform - even).abs().max() < 1.95 / math.sqrt(20_000)
    assert (layer.bias == 0).all()
