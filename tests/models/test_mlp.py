import pytest
import torch
from torch.nn import functional

from cftrain.models.mlp import ACTIVATIONS, Mlp
from tests.builders import normal, streams

PLAIN = {"relu": functional.relu, "swish": functional.silu, "tanh": torch.tanh}


def build(hidden: tuple[int, ...], activation: str = "relu", cells: int = 2):
    spec = Mlp(name="mlp", hidden=hidden, activation=activation)
    return spec.build(features=4, classes=3, streams=streams(cells)).double()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (5,), (5, 7), (5, 5, 5)])
def test_every_cell_is_a_perceptron(hidden, activation):
    model, x = build(hidden, activation), normal(2, 6, 4, seed=1)
    parameters = dict(model.named_parameters())
    weights = [value for name, value in parameters.items() if "weight" in name]
    biases = [value for name, value in parameters.items() if "bias" in name]
    assert len(weights) == len(biases) == len(hidden) + 1
    for cell in range(2):
        state = x[cell]
        for depth, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if depth:
                state = PLAIN[activation](state)
            state = state @ weight[cell].T + bias[cell]
        torch.testing.assert_close(model(x)[cell], state)


def test_layers_of_equal_size_start_with_different_weights():
    parameters = dict(build((4, 4)).named_parameters())
    first, second = (v for n, v in parameters.items() if v.shape == (2, 4, 4))
    assert not torch.equal(first, second)
