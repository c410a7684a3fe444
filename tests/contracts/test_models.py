import pytest
import torch

from cftrain.models.classifier import Headed
from cftrain.models.stack_slicing import frozen, stack_size
from tests.builders import normal, streams
from tests.contracts.configured import names, run_with

FEATURES, CLASSES, STACK, ROWS = 784, 3, 3, 4
MODELS = names("model")
X = normal(STACK, ROWS, FEATURES, seed=1).clamp(-1, 1)


def build(name: str, cells: slice = slice(0, STACK)):
    spec = run_with("model", name).model
    return spec.build(
        features=FEATURES, classes=CLASSES, streams=streams(STACK)[cells]
    ).double()


def test_there_are_models():
    assert {"mlp", "linear"} <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_logits_have_all_axes_and_every_parameter_leads_with_the_stack(name):
    model = build(name)
    assert model(X).shape == (STACK, ROWS, CLASSES)
    assert stack_size(model) == STACK
    for value in (*model.parameters(), *model.buffers()):
        assert value.shape[0] == STACK


@pytest.mark.parametrize("name", MODELS)
def test_cells_are_built_by_their_own_stream_and_differ(name):
    model = build(name)
    for cell in range(STACK):
        alone = build(name, slice(cell, cell + 1))
        for whole, part in zip(model.parameters(), alone.parameters(), strict=True):
            assert torch.equal(whole[cell], part[0])
    first = next(model.parameters())
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("name", MODELS)
def test_stacked_is_alone(name):
    model = build(name)
    for cell in range(STACK):
        here = slice(cell, cell + 1)
        torch.testing.assert_close(frozen(model, here)(X[here]), model(X)[here])


@pytest.mark.parametrize("name", MODELS)
def test_rows_and_cells_do_not_know_each_other(name):
    model, x = build(name), X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x)[1, 2].sum(), x)
    assert slope[1, 2].abs().sum() > 0
    slope[1, 2] = 0
    assert slope.abs().sum() == 0


@pytest.mark.parametrize("name", MODELS)
def test_all_parameters_are_in_use(name):
    model = build(name)
    logits = model(X)
    loss = (logits * normal(*logits.shape, seed=3)).sum()
    if isinstance(model, Headed):
        answers = model.answers(X, logits.argmax(-1))
        loss = loss + (answers * normal(*answers.shape, seed=4)).sum()
    for slope in torch.autograd.grad(loss, list(model.parameters())):
        assert torch.isfinite(slope).all()
        assert (slope.flatten(1).abs().sum(1) > 0).all()
