import math

import pytest
import torch
from torch.nn import functional

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.errors import ConfigError
from cftrain.models.layers import StackedConv2d
from cftrain.models.lenet import ACTIVATIONS, Lenet
from cftrain.models.stack_slicing import frozen
from cftrain.training.optimiser import Adam, FlatAdam
from tests.builders import normal, streams

PLAIN = {"relu": functional.relu, "tanh": torch.tanh}


def lenet(**changes) -> Lenet:
    small = {
        "name": "lenet",
        "image": (9, 8),
        "input_channels": 1,
        "channels": (2, 3),
        "kernel": 3,
        "pooling": 2,
        "hidden": (7, 5),
        "activation": "relu",
    }
    return Lenet(**{**small, **changes})


def build(spec: Lenet, cells: int = 2, seed: int = 0):
    """A float64 model whose biases are not zero."""
    features = math.prod(spec.image) * spec.input_channels
    model = spec.build(features=features, classes=4, streams=streams(cells, seed))
    model = model.double()
    with torch.no_grad():
        for depth, parameter in enumerate(model.parameters()):
            if depth % 2:
                for cell in range(cells):
                    noise = normal(parameter.shape[1], seed=100 * depth + seed + cell)
                    parameter[cell] = 0.3 * noise
    return model


def reference(spec: Lenet, weights: list, x: torch.Tensor) -> torch.Tensor:
    """One network on rows (row, feature), written down layer by layer."""
    activation = PLAIN[spec.activation]
    shape = (len(x), *spec.image, spec.input_channels)
    state = x.reshape(shape).permute(0, 3, 1, 2)
    convolutions = 2 * len(spec.channels)
    for weight, bias in zip(
        weights[:convolutions:2], weights[1:convolutions:2], strict=True
    ):
        state = functional.conv2d(state, weight, bias, padding="same")
        state = functional.max_pool2d(activation(state), spec.pooling)
    state = state.permute(0, 2, 3, 1).flatten(1)
    dense = weights[convolutions:]
    for weight, bias in zip(dense[:-2:2], dense[1:-2:2], strict=True):
        state = activation(functional.linear(state, weight, bias))
    return functional.linear(state, *dense[-2:])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"kernel": 5},
        {"pooling": 3, "image": (11, 9)},
        {"channels": (3,)},
        {"channels": (), "hidden": ()},
        {"image": (4, 11), "hidden": (6,)},
        {"input_channels": 3},
        {"input_channels": 3, "channels": (), "hidden": ()},
    ],
)
def test_every_cell_is_a_convolutional_network(shape, activation):
    spec = lenet(**shape, activation=activation)
    features = math.prod(spec.image) * spec.input_channels
    model, x = build(spec), normal(2, 5, features, seed=1)
    found = model(x)
    assert found.shape == (2, 5, 4)
    for cell in range(2):
        weights = [parameter[cell] for parameter in model.parameters()]
        torch.testing.assert_close(found[cell], reference(spec, weights, x[cell]))


def test_gradients_are_those_of_the_reference():
    spec = lenet()
    model, x = build(spec, cells=1), normal(1, 5, 72, seed=1).requires_grad_()
    inputs = [x, *model.parameters()]
    weights = [parameter[0] for parameter in model.parameters()]
    expected = reference(spec, weights, x[0])
    towards = normal(5, 4, seed=2)
    for found, wanted in zip(
        torch.autograd.grad((model(x)[0] * towards).sum(), inputs),
        torch.autograd.grad((expected * towards).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)


def test_gradients_are_slopes():
    model, x = build(lenet(activation="tanh")), normal(2, 2, 72, seed=1)
    torch.autograd.gradcheck(model, x.requires_grad_())


@pytest.mark.parametrize("cells", [slice(1, 2), slice(1, 3), [2], [2, 0]])
def test_a_slice_of_a_stack_is_a_model_of_its_own(cells):
    model, x = build(lenet(), cells=3), normal(3, 5, 72, seed=1)
    found = frozen(model, cells)(x[cells])
    torch.testing.assert_close(found, model(x)[cells], rtol=0, atol=1e-14)
    assert not found.requires_grad


def test_a_cell_depends_on_its_own_stream_only():
    both = build(lenet(), seed=7)
    for cell in range(2):
        alone = build(lenet(), cells=1, seed=7 + cell)
        for ours, theirs in zip(both.parameters(), alone.parameters(), strict=True):
            assert torch.equal(ours[cell], theirs[0])
            assert not torch.equal(ours[0], ours[1])


def test_layers_of_equal_size_start_with_different_weights():
    model = lenet(channels=(3, 3, 3), hidden=(5, 5, 5)).build(
        features=72, classes=5, streams=streams(1)
    )
    weights = [w for name, w in model.named_parameters() if "weight" in name]
    for one, other in ((1, 2), (4, 5), (5, 6)):
        assert weights[one].shape == weights[other].shape
        assert not torch.equal(weights[one], weights[other])


def test_convolutions_are_uniform_with_glorots_limit_and_biases_zero():
    layer = StackedConv2d(6, 16, kernel=5, pooling=2, streams=streams(2))
    limit = math.sqrt(6 / ((6 + 16) * 25))
    count = layer.weight[0].numel()
    uniform = (layer.weight[0].flatten().sort().values / limit + 1) / 2
    even = (torch.arange(count) + 0.5) / count
    assert layer.weight.abs().max() <= limit
    assert (uniform - even).abs().max() < 1.95 / math.sqrt(count)
    assert (layer.bias == 0).all()


def test_one_flat_buffer_may_hold_all_weights():
    model, x = build(lenet()), normal(2, 5, 72, seed=1)
    expected, gradients = (
        model(x),
        torch.autograd.grad(model(x).square().sum(), list(model.parameters())),
    )
    settings = Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
    weights = FlatAdam(settings, model).weights
    assert torch.equal(model(x), expected)
    weights -= 1e-3 * torch.cat([slope.flatten(1) for slope in gradients], 1)
    assert (model(x).square().sum((1, 2)) < expected.square().sum((1, 2))).all()


def test_rows_that_are_no_image_of_the_size_are_refused():
    with pytest.raises(ConfigError, match=r"to be 784.*got 9 x 8 x 1 = 72"):
        lenet().build(features=784, classes=4, streams=streams(1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": 4}, r"model\.kernel: expected an odd number.*got 4"),
        ({"image": (9, 3)}, r"model\.image: expected at least 4 pixels.*got 9 x 3"),
    ],
)
def test_shapes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        lenet(**changes)


def test_grey_images_are_what_they_were_before_there_were_others():
    """Ids of older models stand, and their stored runs can be built."""
    grey, coloured = (describe(lenet(input_channels=count)) for count in (1, 3))
    assert "input_channels" not in grey
    assert coloured["input_channels"] == 3
    assert build_object(grey, Lenet, "model") == lenet()
