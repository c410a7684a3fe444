"""Any network as a stack of one."""

from contextlib import suppress

import pytest
import torch
from torch import nn

from cftrain.errors import ArgumentError, ModelError
from cftrain.models.module import stack_of_one, undisturbed
from cftrain.models.stack_slicing import frozen, predict, probabilities, stack_size
from tests.api.networks import Answering, sequential
from tests.builders import normal


def test_it_answers_as_the_network_does():
    net, rows = sequential().eval(), normal(5, 4)
    model = stack_of_one(net, rows)
    assert torch.equal(model(rows.unsqueeze(0)), net(rows).unsqueeze(0))
    assert (model.classes, stack_size(model)) == (3, 1)


def test_a_slice_of_it_is_itself():
    net, rows = sequential().eval(), normal(5, 4)
    model = stack_of_one(net, rows)
    sliced = frozen(model, slice(0, 1))
    assert torch.equal(sliced(rows.unsqueeze(0)), model(rows.unsqueeze(0)))
    assert stack_size(sliced) == 1


def test_it_predicts_as_our_models_do():
    net, rows = sequential().eval(), normal(7, 4)
    model = stack_of_one(net, rows)
    assert torch.equal(predict(model, rows[None])[0], net(rows).argmax(1))
    assert torch.equal(probabilities(model, rows[None])[0], net(rows).softmax(1))


def test_rows_come_in_the_shape_that_the_network_takes():
    images = normal(3, 2, 4, 5)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, dtype=torch.float64), nn.Flatten(1))
    model = stack_of_one(net, images)
    flat = images.flatten(1).unsqueeze(0)
    assert torch.equal(model(flat)[0], net(images))


def test_modes_are_put_back_one_by_one_also_after_an_error():
    net = sequential()
    net[1].eval()
    before = [module.training for module in net.modules()]
    with suppress(KeyError), undisturbed(net):
        assert not any(module.training for module in net.modules())
        raise KeyError
    assert [module.training for module in net.modules()] == before


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (lambda rows: (rows, rows), ArgumentError, "returns a tuple"),
        (lambda rows: rows[:, 0], ModelError, r"shape \(1, class\)"),
        (lambda rows: rows[:, :1], ModelError, "at least 2 classes"),
        (lambda rows: rows[:1], ModelError, r"\(2, class\) for 2 rows"),
        (lambda rows: rows.long(), ModelError, "floats, got torch.int64"),
        (lambda rows: rows / 0, ModelError, "finite logits"),
        (lambda rows: rows @ rows, ModelError, r"rows of shape \(4,\).*RuntimeError"),
        (lambda rows: torch.zeros(len(rows), 2 + len(rows)), ModelError, "3 and 4"),
    ],
)
def test_what_is_no_classifier_is_refused(answer, kind, told):
    with pytest.raises(kind, match=told):
        stack_of_one(Answering(answer), normal(3, 4))


@pytest.mark.usefixtures("unchecked")
def test_a_network_that_changes_its_mind_later_is_refused():
    model = stack_of_one(Answering(lambda rows: rows[:2]), normal(2, 4))
    with pytest.raises(ModelError, match=r"\(5, 4\) for 5 rows"):
        model(normal(1, 5, 4))
