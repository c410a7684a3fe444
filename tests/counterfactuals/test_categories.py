import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from cftrain.counterfactuals.categories import (
    Free,
    Relaxed,
    Snap,
    snapped,
    valid_categories,
)
from tests import builders
from tests.builders import constraints, generic, integers, normal, stacked

# Two numbers, a free group of three, one of two, and an immutable one of two.
GROUPS = ((2, 3, 5), (4, 6), (7, 8))
KINDS = ["free"] * 7 + ["immutable"] * 2
LIMITS = constraints(KINDS, -2, 2, GROUPS)
WIDTH, STACK, ROWS = 9, 2, 12
X = normal(STACK, ROWS, WIDTH, seed=1)
WAYS = [Free(), Snap(), Relaxed(temperature=0.5)]


def corners(values: list[float]) -> list[float]:
    """The nearest valid row, in plain numbers."""
    found = list(values)
    for group in GROUPS:
        best = max(group, key=lambda member: values[member])
        for member in group:
            found[member] = float(member == best)
    return found


def one_hot(seed: int = 5) -> Tensor:
    """Valid rows."""
    return snapped(normal(STACK, ROWS, WIDTH, seed=seed), LIMITS)


def test_rows_are_snapped_to_the_largest_member_of_every_group():
    found = snapped(X, LIMITS)
    for cell in range(STACK):
        for row in range(ROWS):
            assert found[cell, row].tolist() == corners(X[cell, row].tolist())
    assert torch.equal(snapped(found, LIMITS), found)


def test_of_equal_members_the_first_of_the_group_wins():
    equal = torch.full((1, 1, WIDTH), 0.5)
    found = snapped(equal, LIMITS)[0, 0]
    assert found.tolist() == [0.5, 0.5, 1, 0, 1, 0, 0, 1, 0]


def test_valid_rows_have_a_single_one_in_every_group():
    assert valid_categories(one_hot(), LIMITS).all()
    assert not valid_categories(X, LIMITS).any()
    broken = one_hot()
    broken[0, 3, [4, 6]] = 1.0
    broken[1, 2, [2, 3, 5]] = 0.0
    expected = torch.ones(STACK, ROWS, dtype=torch.bool)
    expected[0, 3] = expected[1, 2] = False
    assert torch.equal(valid_categories(broken, LIMITS), expected)


def test_free_rows_are_seen_and_reported_as_they_are():
    assert Free().view(X, LIMITS) is X
    assert Free().hard(X, LIMITS) is X


def test_snapped_rows_are_seen_at_their_corners_with_the_slope_of_the_state():
    x = X.clone().requires_grad_()
    seen = Snap().view(x, LIMITS)
    torch.testing.assert_close(seen, snapped(X, LIMITS), rtol=0, atol=1e-14)
    weight = normal(*X.shape, seed=2)
    (slope,) = torch.autograd.grad((weight * seen).sum(), x)
    assert torch.equal(slope, weight)


def test_relaxed_groups_are_seen_as_a_softmax_if_they_may_move():
    seen = Relaxed(temperature=0.5).view(X, LIMITS)
    for group in GROUPS[:2]:
        expected = (X[..., list(group)] / 0.5).softmax(-1)
        torch.testing.assert_close(seen[..., list(group)], expected)
    kept = [0, 1, 7, 8]
    assert torch.equal(seen[..., kept], X[..., kept])


def test_relaxation_is_differentiable_and_each_cell_has_its_temperature():
    ways = [Relaxed(temperature=0.3), Relaxed(temperature=2.0)]
    x = X[:, :2].clone().requires_grad_()
    assert gradcheck(lambda x: stacked(ways).view(x, LIMITS), (x,))
    found = stacked(ways).view(X, LIMITS)
    for cell, way in enumerate(ways):
        assert torch.equal(found[cell], way.view(X, LIMITS)[cell])


@pytest.mark.parametrize("way", WAYS)
def test_without_groups_there_is_nothing_to_do(way):
    plain = constraints(["free"] * WIDTH, -2, 2)
    assert torch.equal(way.view(X, plain), X)
    assert torch.equal(way.hard(X, plain), X)


def search(way, limits=LIMITS, **changed):
    arguments = {"threshold": 0.6, "step_size": 0.5, "max_steps": 30} | changed
    return builders.search(generic(), categories=way, **arguments)(
        builders.mlp(STACK, features=WIDTH, scale=2.0),
        one_hot(),
        integers(3, STACK, ROWS, seed=3),
        constraints=limits,
    )


@pytest.mark.parametrize("way", [Snap(), Relaxed(temperature=0.5)])
def test_reported_rows_are_valid_and_judged_as_they_are_reported(way):
    found = search(way)
    for state in (found.counterfactual, found.nascent):
        assert valid_categories(state, LIMITS).all()
        assert torch.equal(state[..., 7:], found.factual[..., 7:])
    changed = (found.counterfactual != found.factual)[..., 2:7].any(-1)
    assert changed.any(), "small steps add up to a change of category"
    model = builders.mlp(STACK, features=WIDTH, scale=2.0)
    shares = model(found.counterfactual).softmax(-1)
    reached = shares.gather(-1, found.target.unsqueeze(-1)).squeeze(-1) >= 0.6
    assert found.mature.any()
    assert reached[found.mature].all()


def test_free_searches_leave_the_corners():
    found = search(Free())
    moved = found.steps > 0
    assert moved.any()
    assert not valid_categories(found.counterfactual, LIMITS)[moved].any()


@pytest.mark.parametrize("way", WAYS[1:])
def test_searches_without_groups_are_the_free_ones(way):
    plain = constraints(KINDS, -2, 2)
    found, expected = search(way, plain), search(Free(), plain)
    for name in ("counterfactual", "nascent", "mature", "steps"):
        assert torch.equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("way", [Snap(), Relaxed(temperature=0.5)])
def test_nascent_rows_keep_their_categories_within_a_small_epsilon(way):
    """A corner is left by half a unit: no smaller epsilon changes a category."""
    found = search(way, epsilon=0.45)
    assert torch.equal(found.nascent[..., 2:], found.factual[..., 2:])
    assert ((found.nascent - found.factual).abs() <= 0.45).all()
