import pytest
import torch
from torch import nn

from cftrain.cores import in_use
from cftrain.models.stack_slicing import (
    frozen,
    logits_alone,
    predict,
    predict_at,
    probabilities,
    stack_size,
)
from tests.builders import integers, mlp, normal


class Scaled(nn.Module):
    """Nested, with a buffer and an optional part that is not there."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(mlp(cells), nn.Tanh())
        self.register_buffer("scale", normal(cells, 1, 1, seed=3))
        self.register_parameter("absent", None)

    def forward(self, x):
        return self.inner(x) * self.scale


@pytest.mark.parametrize("build", [mlp, Scaled])
@pytest.mark.parametrize("cells", [slice(0, 1), slice(1, 3), [2], [2, 0], []])
def test_a_slice_of_a_stack_is_a_model_of_its_own(build, cells):
    model, x = build(3), normal(3, 5, 4, seed=1)
    chosen = frozen(model, cells)
    torch.testing.assert_close(chosen(x[cells]), model(x)[cells], rtol=0, atol=1e-15)


def test_a_slice_needs_no_gradients_and_leaves_the_whole_as_it_was(classifier):
    before = [parameter.clone() for parameter in classifier.parameters()]
    chosen = frozen(classifier, slice(1, 2))
    x = normal(1, 5, 4).requires_grad_()
    chosen(x).sum().backward()
    assert x.grad is not None
    for parameter, value in zip(classifier.parameters(), before, strict=True):
        assert parameter.requires_grad
        assert parameter.grad is None
        assert torch.equal(parameter, value)


def test_a_slice_sees_later_updates(classifier):
    x = normal(3, 5, 4, seed=1)
    chosen = frozen(classifier, slice(1, 2))
    before = chosen(x[1:2])
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.mul_(2)
    assert not torch.equal(chosen(x[1:2]), before)
    torch.testing.assert_close(chosen(x[1:2]), classifier(x)[1:2])


def test_the_width_is_the_number_of_cells():
    assert [stack_size(mlp(cells)) for cells in (1, 2, 5)] == [1, 2, 5]
    assert stack_size(frozen(mlp(3), [0])) == 1


def test_predictions_are_the_largest_logits(classifier):
    x = normal(3, 8, 4, seed=1)
    assert torch.equal(predict(classifier, x), classifier(x).argmax(-1))
    assert not predict(classifier, x).requires_grad


def test_shared_rows_are_predicted_by_every_cell(classifier):
    x = normal(1, 8, 4, seed=1)
    found = predict(classifier, x)
    for cell in range(3):
        alone = predict(frozen(classifier, [cell]), x)
        assert torch.equal(found[cell : cell + 1], alone)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("portion", [1, 7, 8, 100])
def test_portions_of_rows_change_no_prediction(monkeypatch, portion, dtype):
    model = mlp(3, scale=2.0, dtype=dtype)
    x = normal(3, 50, 4, seed=1, dtype=dtype)
    whole = model(x).argmax(-1)
    monkeypatch.setattr("cftrain.models.stack_slicing.PREDICTED_ROWS", portion)
    assert torch.equal(predict(model, x), whole)
    assert torch.equal(predict(model, x[:1])[0], whole[0])


@pytest.mark.parametrize("answer", [predict, probabilities])
def test_threads_that_share_the_portions_change_nothing(
    classifier, monkeypatch, answer
):
    monkeypatch.setattr("cftrain.models.stack_slicing.PREDICTED_ROWS", 7)
    x = normal(3, 50, 4, seed=1)
    expected = answer(classifier, x)
    with in_use(3):
        found = answer(classifier, x)
    assert torch.equal(found, expected)
    assert not found.requires_grad


def test_wide_rows_are_predicted_fewer_at_a_time(monkeypatch):
    seen = []

    class Seen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = mlp(1)

        def forward(self, x):
            seen.append(x.shape[1])
            return self.inner(x)

    monkeypatch.setattr("cftrain.models.stack_slicing.PREDICTED_NUMBERS", 4 * 20)
    predict(Seen(), normal(1, 50, 4))
    assert seen == [20, 20, 10]


def test_without_rows_there_are_no_predictions(classifier):
    assert predict(classifier, normal(1, 0, 4)).shape == (3, 0)
    nowhere = torch.zeros(3, 0, dtype=torch.int64)
    assert predict_at(classifier, normal(9, 4), nowhere).shape == (3, 0)


@pytest.mark.parametrize("portion", [2, 100])
def test_every_cell_predicts_the_rows_at_its_own_places(
    classifier, monkeypatch, portion
):
    table, places = normal(9, 4, seed=1), integers(9, 3, 5, seed=2)
    expected = predict(classifier, table[places])
    monkeypatch.setattr("cftrain.models.stack_slicing.PREDICTED_ROWS", portion)
    assert torch.equal(predict_at(classifier, table, places), expected)


@pytest.mark.parametrize("count", [1, 80, 256, 300])
def test_no_digit_of_a_logit_depends_on_the_other_rows(count):
    model = mlp(2, features=30, hidden=(50, 50), dtype=torch.float32)
    x = normal(2, count, 30, seed=1).float()
    together = logits_alone(model, x)
    alone = [logits_alone(model, row) for row in x.split(1, 1)]
    assert torch.equal(torch.cat(alone, 1), together)
    torch.testing.assert_close(together, model(x))


def test_no_rows_have_no_logits():
    assert logits_alone(mlp(2, features=4), normal(2, 0, 4)).shape[:2] == (2, 0)
