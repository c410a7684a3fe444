import pytest
import torch

from cftrain.counterfactuals.result import SearchResult, concatenate
from cftrain.errors import StackError
from tests.builders import integers, normal


def result(stack: int, rows: int, seed: int = 0, **changed) -> SearchResult:
    given = {
        "factual": normal(stack, rows, 4, seed=seed),
        "target": integers(3, stack, rows, seed=seed),
        "counterfactual": normal(stack, rows, 4, seed=seed + 1),
        "nascent": normal(stack, rows, 4, seed=seed + 2),
        "mature": integers(2, stack, rows, seed=seed + 3).bool(),
        "finite": integers(2, stack, rows, seed=seed + 4).bool(),
        "steps": integers(9, stack, rows, seed=seed + 5),
    }
    return SearchResult(**given | changed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("counterfactual", normal(2, 4, 4)),
        ("nascent", normal(1, 5, 4)),
        ("counterfactual", normal(2, 5, 3)),
        ("target", integers(3, 2, 4)),
        ("steps", integers(3, 1, 5)),
        ("mature", torch.zeros(2, 4, dtype=torch.bool)),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_shapes_have_to_agree(name, value):
    with pytest.raises(StackError, match=rf"SearchResult.{name}: expected shape.*got"):
        result(2, 5, **{name: value})


def test_results_are_joined_along_stack_or_rows():
    left, right = result(2, 5), result(2, 5, seed=9)
    by_cell, by_row = concatenate([left, right], 0), concatenate([left, right], 1)
    assert by_cell.nascent.shape == (4, 5, 4)
    assert by_row.nascent.shape == (2, 10, 4)
    assert torch.equal(by_cell.steps[2:], right.steps)
    assert torch.equal(by_row.mature[:, :5], left.mature)
    assert concatenate([left], 0) is left
