"""A predictor with a head beside it."""

import pytest
import torch

from cftrain.errors import ConfigError
from cftrain.models.dense_stacks.dense import dense
from cftrain.models.stack_slicing import frozen
from tests.builders import CLASSES, FEATURES, headed, integers, normal, streams
from tests.console import run_of

STACK, ROWS = 3, 7
X = normal(STACK, ROWS, FEATURES, seed=1)
TARGET = integers(CLASSES, STACK, ROWS, seed=2)


def built(model: str, *words: str, classes: int = CLASSES):
    spec = run_of(f"model={model}", *words).model
    return spec.build(features=FEATURES, classes=classes, streams=streams(STACK))


def test_its_predictor_starts_as_the_network_without_a_head():
    """So models with and without differ by what the head does to the training."""
    whole, plain = built("counternet"), built("mlp")
    names = dict(plain.named_parameters())
    for name, value in whole.predictor.named_parameters():
        assert torch.equal(value, names[name])
    assert torch.equal(whole(X.float()), plain(X.float()))
    order = [name.partition(".")[0] for name, _ in whole.named_parameters()]
    assert order == sorted(order, key=["predictor", "head"].index)


def test_answers_are_those_of_the_head_to_hidden_units_and_target():
    model = headed(STACK)
    first, _ = (layer for layer in model.predictor if hasattr(layer, "weight"))
    hidden = torch.tanh(
        torch.einsum("sof,srf->sro", first.weight, X) + first.bias.unsqueeze(1)
    )
    wanted = torch.eye(CLASSES, dtype=torch.float64)[TARGET]
    expected = model.head(torch.cat([hidden, wanted], -1))
    torch.testing.assert_close(model.answers(X, TARGET), expected)
    other = model.answers(X, (TARGET + 1) % CLASSES)
    assert (other != model.answers(X, TARGET)).any(-1).all()


def test_answers_have_a_graph_of_the_head_alone():
    model = headed(STACK)
    total = model.answers(X, TARGET).sum()
    slopes = torch.autograd.grad(total, list(model.parameters()), allow_unused=True)
    known = {
        name
        for name, s in zip(dict(model.named_parameters()), slopes, strict=True)
        if s is not None
    }
    assert {name.partition(".")[0] for name in known} == {"head"}


def test_a_cell_answers_as_it_does_alone():
    model = headed(STACK)
    for cell in range(STACK):
        here = slice(cell, cell + 1)
        alone = frozen(model, here)
        torch.testing.assert_close(alone(X[here]), model(X)[here])
        torch.testing.assert_close(
            alone.answers(X[here], TARGET[here]), model.answers(X, TARGET)[here]
        )


def test_searches_know_its_layers():
    """The closed form of its predictor: as fast as without a head."""
    model = headed(STACK)
    layers = dense(model)
    torch.testing.assert_close(layers(X).logits, model(X))


def test_a_predictor_may_have_no_hidden_layer():
    model = built("counternet", "model.predictor.hidden=[]")
    assert model.answers(X.float(), TARGET).shape == X.shape


def test_a_predictor_without_layers_one_after_the_other_is_refused():
    words = ("counternet", "model@model.predictor=ensemble")
    with pytest.raises(ConfigError, match=r"model\.predictor: expected layers"):
        built(*words)
