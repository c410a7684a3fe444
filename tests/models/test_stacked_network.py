"""Many copies of a network of torch answer as each of them does alone."""

import pytest
import torch
from torch import Tensor

from cftrain.models.classifier import Classifier, learning
from cftrain.models.stack_slicing import frozen, stack_size
from cftrain.seeding import Stream
from tests.builders import normal, streams
from tests.models.networks import Attention, Deciding, Pictures, Tabular, spec

FEATURES, CLASSES, STACK, ROWS = 12, 3, 3, 5
X = normal(STACK, ROWS, FEATURES, seed=1)
SPECS = {
    "tabular": (spec(Tabular, width=6, dropout=0.4), False),
    "pictures": (spec(Pictures, row_shape=(3, 2, 2)), True),
    "attention": (spec(Attention, dropout=0.0), True),
    "deciding": (spec(Deciding), True),
}
"""Each with whether its copies take turns."""


def build(name: str, count: int = STACK, first: int = 0) -> Classifier:
    made = SPECS[name][0].build(
        features=FEATURES, classes=CLASSES, streams=streams(count, first)
    )
    return made.double()


def alone(name: str, cell: int) -> torch.nn.Module:
    """The network of a cell, as torch has it."""
    told = {"features": FEATURES, "classes": CLASSES}
    told["row_shape"] = SPECS[name][0].row_shape or (FEATURES,)
    return SPECS[name][0]._made(streams(STACK)[cell], told).double().eval()


def as_taken(name: str, rows: Tensor) -> Tensor:
    """Rows of our images have the channels of a pixel side by side."""
    if name != "pictures":
        return rows
    return rows.reshape(-1, 2, 2, 3).permute(0, 3, 1, 2)


@pytest.mark.parametrize("name", SPECS)
def test_copies_take_turns_where_vmap_gains_nothing(name):
    assert build(name).in_turns == SPECS[name][1]


@pytest.mark.parametrize("name", SPECS)
def test_a_cell_answers_as_its_network_does(name):
    model = build(name)
    logits = model(X)
    for cell in range(STACK):
        expected = alone(name, cell)(as_taken(name, X[cell]))
        torch.testing.assert_close(logits[cell], expected)


@pytest.mark.parametrize("name", SPECS)
def test_weights_have_the_names_of_the_network_and_lead_with_the_stack(name):
    model, net = build(name), alone(name, 1)
    own = model.state_dict()
    assert own.keys() == net.state_dict().keys()
    for key, value in net.state_dict().items():
        assert torch.equal(own[key][1], value)
    assert stack_size(model) == STACK


def test_what_needs_no_gradient_is_not_trained():
    names = [name for name, _ in build("tabular").named_parameters()]
    assert "inputs.weight" in names
    assert "scale" not in names
    assert "scale" in dict(build("tabular").named_buffers())


@pytest.mark.parametrize("name", SPECS)
def test_weights_come_from_the_stream_of_the_cell_alone(name):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    whole, part = build(name), build(name, 1, first=1)
    assert torch.equal(torch.get_rng_state(), before)
    for key, value in whole.state_dict().items():
        assert torch.equal(value[1], part.state_dict()[key][0])
    weights = next(whole.parameters())
    assert not torch.equal(weights[0], weights[1])


@pytest.mark.parametrize("name", SPECS)
def test_stacked_is_alone_in_both_modes(name):
    model, drawn = build(name), streams(STACK, 7)
    seen, learned = model(X), model.learning(X, drawn)
    for cell in range(STACK):
        here = slice(cell, cell + 1)
        part = frozen(model, here)
        torch.testing.assert_close(part(X[here]), seen[here])
        torch.testing.assert_close(part.learning(X[here], drawn[here]), learned[here])


@pytest.mark.parametrize("name", SPECS)
def test_gradients_by_weights_are_those_of_the_network(name):
    model = build(name)
    found = torch.autograd.grad(model(X).square().sum(), list(model.parameters()))
    net = alone(name, 2)
    loss = net(as_taken(name, X[2])).square().sum()
    trained = [value for value in net.parameters() if value.requires_grad]
    expected = torch.autograd.grad(loss, trained)
    for left, right in zip(found, expected, strict=True):
        torch.testing.assert_close(left[2], right)


def test_gradients_of_gradients_are_there():
    """As objectives that bound the slope need them."""
    model, x = build("tabular"), X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x).square().sum(), x, create_graph=True)
    found = torch.autograd.grad(
        slope.square().sum(), [model.get_parameter("inputs.weight")]
    )
    assert found[0].abs().sum() > 0


def test_turns_and_vmap_drop_the_same():
    model, drawn = build("tabular"), streams(STACK)
    vmapped = model.learning(X, drawn)
    model.in_turns = True
    torch.testing.assert_close(model.learning(X, drawn), vmapped)
    assert (vmapped - model(X)).abs().max() > 0.01


def test_dropout_draws_from_its_stream_and_from_nothing_else():
    model = build("tabular")
    before = torch.get_rng_state()
    first = model.learning(X, streams(STACK))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model.learning(X, streams(STACK)), first)
    assert not torch.equal(model.learning(X, streams(STACK, 1)), first)
    assert torch.equal(
        model.learning(X, [Stream(9), *streams(STACK)[1:]])[1:], first[1:]
    )


def test_a_model_without_another_mode_learns_as_it_answers(classifier):
    x = normal(3, 2, 4)
    assert torch.equal(learning(classifier, x, streams(3)), classifier(x))


def test_a_network_moves_to_another_type_as_a_whole():
    model = build("tabular")
    model(X)
    assert model.float()(X.float()).dtype == torch.float32
    assert model.double()(X).dtype == torch.float64
