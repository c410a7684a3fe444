"""Gradients in closed form and by autograd: searches find the same by both."""

from collections.abc import Iterator

import pytest
import torch

from cftrain.counterfactuals.categories import Free, Relaxed, Snap, SnappedState
from tests.builders import constraints, ecco, generic, integers, mlp, normal, search

STACK, ROWS, CLASSES = 2, 20, 3
OUTCOMES = ("counterfactual", "nascent", "mature", "finite", "steps", "visited")
CATEGORIES = [
    Free(),
    Snap(),
    SnappedState(extra_members={}),
    Relaxed(temperature=0.5),
]


class Unknown(torch.nn.Module):
    """A network that only automatic differentiation knows."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def both(width: int, **chosen) -> Iterator:
    """What a search finds by either road; some rows leave the working set early."""
    kinds = ["free"] * (width - 2) + ["increase", "decrease"]
    limits = constraints(kinds, -2, 2, groups=((0, 1),))
    model = mlp(STACK, features=width, scale=1.5)
    made = search(threshold=0.6, step_size=0.5, **chosen)
    for each in (model, Unknown(model)):
        yield made(
            each,
            normal(STACK, ROWS, width, seed=3),
            integers(CLASSES, STACK, ROWS, seed=1),
            constraints=limits,
            visits=True,
        )


def assert_same(known, unknown) -> None:
    assert known.mature.any()
    assert not known.mature.all()
    for name in OUTCOMES:
        torch.testing.assert_close(
            getattr(known, name), getattr(unknown, name), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("categories", CATEGORIES, ids=lambda each: type(each).__name__)
def test_categories_make_no_difference(categories):
    assert_same(*both(4, generator=ecco(), categories=categories))


@pytest.mark.parametrize("width", [4, 40])
def test_narrow_rows_and_wide_ones_are_searched_alike(width):
    known, unknown = both(width, generator=generic(0.1), max_steps=6)
    assert_same(known, unknown)
    for value in known.tensors().values():
        assert value.is_contiguous()
        assert not value.is_inference()
