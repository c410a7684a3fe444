"""Gradients by weights of gradients by rows: closed form against autograd's twice."""

from functools import partial

import pytest
import torch
from torch import nn

from cftrain.models.dense_stacks.ascent import ascent
from cftrain.models.dense_stacks.dense import dense
from cftrain.models.mlp import ACTIVATIONS, Mlp
from cftrain.training.steps.sloped import GUIDANCE, LOSS
from tests.builders import normal, streams

STACK, ROWS, FEATURES = 2, 5, 4
QUANTITIES = {"loss": LOSS, "guidance": GUIDANCE}


def network(hidden: tuple[int, ...], activation: str, classes: int) -> nn.Module:
    spec = Mlp(name="mlp", hidden=hidden, activation=activation)
    built = spec.build(features=FEATURES, classes=classes, streams=streams(STACK))
    with torch.no_grad():
        for number, parameter in enumerate(built.parameters()):
            parameter.add_(0.3 * normal(*parameter.shape, seed=number).float())
    return built.double()


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (6,), (5, 8), (4, 3, 6)])
def test_second_derivatives_are_those_of_autograd(
    hidden, activation, quantity, classes
):
    model = network(hidden, activation, classes)
    asked = QUANTITIES[quantity]
    x, direction = (normal(STACK, ROWS, FEATURES, seed=seed) for seed in (1, 2))
    label = torch.tensor([[0, 1, 1, 0, 1], [1, 1, 0, 0, classes - 1]])
    layers = dense(model)
    assert layers is not None
    tape = layers(x)
    found = ascent(tape, asked.slope(tape.logits, label))
    ours = found.by_weights(direction, partial(asked.curvature, tape.logits, label))
    x.requires_grad_()
    total = asked.function(model(x), label).sum()
    (gradient,) = torch.autograd.grad(total, x, create_graph=True)
    torch.testing.assert_close(found.by_rows, gradient.detach(), rtol=0, atol=1e-13)
    expected = torch.autograd.grad(
        (direction * gradient).sum(), list(model.parameters()), allow_unused=True
    )
    for one, other in zip(ours, expected, strict=True):
        wanted = torch.zeros_like(one) if other is None else other
        torch.testing.assert_close(one, wanted, rtol=0, atol=1e-12)
