"""Both roads back from logits: closed form against automatic differentiation."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.nn.utils import parametrizations

from cftrain.models.dense_stacks.dense import dense, in_columns
from cftrain.models.mlp import ACTIVATIONS, Mlp
from cftrain.models.module import StackOfOne
from cftrain.models.pullback import differentiated, has_closed_form, owed
from cftrain.models.stack_slicing import frozen
from tests.builders import mlp, normal, streams

STACK, ROWS, FEATURES, CLASSES = 3, 7, 4, 3
SHAPES = [(), (6,), (5, 8), (9, 4, 6)]


def network(
    hidden: tuple[int, ...],
    activation: str = "tanh",
    *,
    stack: int = STACK,
    classes: int = CLASSES,
) -> nn.Module:
    spec = Mlp(name="mlp", hidden=hidden, activation=activation)
    built = spec.build(features=FEATURES, classes=classes, streams=streams(stack))
    with torch.no_grad():
        for number, parameter in enumerate(built.parameters()):
            parameter.add_(0.1 * normal(*parameter.shape, seed=number).float())
    return built.double()


class Wrapped(nn.Module):
    """The same network, which nobody knows anything about."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", SHAPES)
def test_the_closed_form_is_that_of_autograd(hidden, activation, columns):
    model, x = network(hidden, activation), normal(STACK, ROWS, FEATURES, seed=1)
    if columns:
        x = x.mT.contiguous().mT
    by_logits = normal(STACK, ROWS, CLASSES, seed=2)
    assert has_closed_form(model)
    assert not has_closed_form(Wrapped(model))
    (logits, back), (expected, expected_back) = (
        differentiated(each)(x) for each in (model, Wrapped(model))
    )
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-14)
    found = back(by_logits)
    torch.testing.assert_close(found, expected_back(by_logits), rtol=0, atol=1e-14)
    assert in_columns(found) == columns
    assert not logits.requires_grad
    assert not found.requires_grad


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", SHAPES)
def test_gradients_by_weights_are_those_of_autograd(hidden, activation):
    model, x = network(hidden, activation), normal(STACK, ROWS, FEATURES, seed=1)
    by_logits = normal(STACK, ROWS, CLASSES, seed=2)
    layers = dense(model)
    assert layers is not None
    found = layers(x).by_weights(by_logits)
    expected = torch.autograd.grad(model(x), list(model.parameters()), by_logits)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


def test_the_closed_form_agrees_with_finite_differences():
    model = network((5, 8), "swish")
    forward = differentiated(model)

    class Logits(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            logits, ctx.back = forward(x)
            return logits

        @staticmethod
        def backward(ctx, by_logits):
            return ctx.back(by_logits)

    x = normal(STACK, 2, FEATURES, seed=1).requires_grad_()
    assert gradcheck(Logits.apply, (x,))


def test_a_slice_answers_as_the_stack():
    model, x = mlp(STACK), normal(STACK, ROWS, FEATURES, seed=1)
    by_logits = normal(STACK, ROWS, CLASSES, seed=2)
    whole = differentiated(model)(x)[1](by_logits)
    for cell in range(STACK):
        own = slice(cell, cell + 1)
        _, back = differentiated(frozen(model, own))(x[own])
        torch.testing.assert_close(back(by_logits[own]), whole[own], rtol=0, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(5,), (32,), (17, 3)])
@pytest.mark.parametrize("rows", [1, 13, 393])
def test_a_cell_is_itself_alone_to_the_last_bit(hidden, activation, rows):
    """Wherever its weights and rows lie in memory, on both roads and back: without
    MKL_CBWR some of these differ.
    """
    stack, classes = 5, 2
    model = network(hidden, activation, stack=stack, classes=classes).float()
    x = normal(stack, rows, FEATURES, seed=1).float()
    by_logits = normal(stack, rows, classes, seed=2).float()
    whole = _everything(model, x, by_logits)
    for cell in range(stack):
        own = slice(cell, cell + 1)
        alone = copy.deepcopy(frozen(model, own))
        found = _everything(alone, x[own].clone(), by_logits[own].clone())
        for one, many in zip(found, whole, strict=True):
            assert torch.equal(one[0], many[cell])


def _everything(model: nn.Module, x: Tensor, by_logits: Tensor) -> list[Tensor]:
    layers = dense(model)
    assert layers is not None
    tape = layers(x)
    back = [tape.by_inputs(by_logits), *tape.by_weights(by_logits)]
    return [model(x), tape.logits, *back]


def plain(*layers: nn.Module, shape: tuple[int, ...] = (FEATURES,)) -> StackOfOne:
    """A network of torch that stands alone, float64."""
    net = nn.Sequential(*layers).double()
    like = torch.empty(1, dtype=torch.float64)
    return StackOfOne(net, shape=shape, classes=CLASSES, like=like)


def test_a_plain_network_is_a_stack_of_one():
    first, last = nn.Linear(FEATURES, 6), nn.Linear(6, CLASSES, bias=False)
    model, x = plain(first, nn.ReLU(inplace=True), last), normal(1, ROWS, FEATURES)
    by_logits = normal(1, ROWS, CLASSES, seed=2)
    assert has_closed_form(model)
    (logits, back), (expected, expected_back) = (
        differentiated(each)(x) for each in (model, Wrapped(model))
    )
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        back(by_logits), expected_back(by_logits), rtol=0, atol=1e-14
    )


def test_plain_networks_that_do_more_are_left_to_autograd():
    def layers() -> tuple[nn.Module, ...]:
        return nn.Linear(FEATURES, 6), nn.Tanh(), nn.Linear(6, CLASSES)

    hooked, listening, replaced, normed = (plain(*layers()) for _ in range(4))
    hooked.network[0].register_full_backward_hook(lambda *given: None)
    listening.network.register_forward_hook(lambda *given: None)
    replaced.network[2].forward = lambda x: x
    parametrizations.weight_norm(normed.network[0])
    others = (
        plain(*layers(), shape=(1, 2, 2)),
        plain(nn.Linear(FEATURES, 6), nn.Dropout(), nn.Linear(6, CLASSES)),
        plain(nn.LazyLinear(CLASSES)),
    )
    assert has_closed_form(plain(*layers()))
    for model in (hooked, listening, replaced, normed, *others):
        assert not has_closed_form(model)


def test_numbers_that_are_none_stay_none():
    """A row that breaks is seen to break, and the others do not notice."""
    model, x = network((6,), "relu"), normal(STACK, ROWS, FEATURES, seed=1)
    by_logits = normal(STACK, ROWS, CLASSES, seed=2)
    by_logits[1, 2] = torch.nan
    x[0, 3, 1] = torch.inf
    found = [
        differentiated(each)(x)[1](by_logits).isfinite()
        for each in (model, Wrapped(model))
    ]
    assert torch.equal(*found)
    assert not found[0][1, 2].all()
    assert found[0][1, [0, 1, 3, 4, 5, 6]].all()


def test_who_listens_to_a_layer_is_heard():
    """By hooks on a layer or on the whole, or by another class: then autograd asks."""
    model, x = network((6,)), normal(STACK, ROWS, FEATURES, seed=1)
    handle = model[0].register_forward_hook(lambda layer, inputs, output: 2 * output)
    assert not has_closed_form(model)
    expected = model(x)
    logits, _ = differentiated(model)(x)
    torch.testing.assert_close(logits, expected, rtol=0, atol=0)
    handle.remove()
    assert has_closed_form(model)
    model.register_forward_pre_hook(lambda layer, inputs: None)
    assert not has_closed_form(model)


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(),
        nn.Sequential(nn.Tanh()),
        nn.Sequential(*mlp(2), nn.Tanh()),
        nn.Sequential(mlp(2)[0], nn.ELU(), mlp(2)[2]),
        nn.Sequential(mlp(2)[0], mlp(2)[2]),
    ],
)
def test_other_layers_are_left_to_autograd(model):
    assert not has_closed_form(model)


def test_weights_are_those_of_now():
    model, x = mlp(STACK), normal(STACK, ROWS, FEATURES, seed=1)
    forward = differentiated(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    torch.testing.assert_close(forward(x)[0], model(x), rtol=0, atol=1e-14)


def test_what_is_owed_is_what_autograd_says_to_the_last_bit():
    """Numbers that are none included, and where nothing else is differentiated."""
    weight = normal(5, 3, seed=1)
    by_seen = normal(4, 3, seed=2)
    by_seen[0, 0], by_seen[1, 1] = torch.nan, torch.inf
    found = []
    for way in (owed, lambda x, seen, g: torch.autograd.grad(seen, x, g)[0]):
        x = normal(4, 5, seed=3).requires_grad_()
        seen = torch.tanh(x) @ weight
        with torch.no_grad():
            found.append(way(x, seen, by_seen))
    assert torch.equal(found[0].nan_to_num(7.0), found[1].nan_to_num(7.0))
    assert not found[0].requires_grad


def test_searches_with_categories_do_without_sympy():
    """Which torch loads where autograd is given a gradient; commands wait for it."""
    code = """if True:
        import sys, torch
        from cftrain.advice.advice import advise
        from cftrain.data.told import as_given
        from tests.advice import lending
        advisor = lending.advisor({"debt": -2.0, "job=nurse": 2.0})
        rows = as_given(lending.frame(4, 3), advisor.codec)
        list(advise(advisor, rows, target=1, count=1))
        assert "sympy" not in sys.modules"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
