import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from cftrain.counterfactuals.categories import (
    Free,
    Relaxed,
    Snap,
    SnappedState,
    snapped,
    valid_categories,
)
from cftrain.data.columns import CategoricalColumn, NumericColumn
from cftrain.data.dataset import Dataset
from cftrain.data.encoding import Codec
from cftrain.errors import ConfigError, StackError
from tests import builders
from tests.builders import constraints, generic, integers, normal, stacked

# Two numbers, a free group of three, one of two, and an immutable one of two.
GROUPS = ((2, 3, 5), (4, 6), (7, 8))
KINDS = ["free"] * 7 + ["immutable"] * 2
LIMITS = constraints(KINDS, -2, 2, GROUPS)
WIDTH, STACK, ROWS = 9, 2, 12
X = normal(STACK, ROWS, WIDTH, seed=1)
PUBLISHED = SnappedState(extra_members={})
WAYS = [Free(), Snap(), Relaxed(temperature=0.5), PUBLISHED]


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
    assert torch.equal(way.settled(X, plain), X)
    assert torch.equal(way.hard(X, plain), X)


def search(way, limits=LIMITS, **changed):
    arguments = {"threshold": 0.6, "step_size": 0.5, "max_steps": 30} | changed
    return builders.search(generic(), categories=way, **arguments)(
        builders.mlp(STACK, features=WIDTH, scale=2.0),
        one_hot(),
        integers(3, STACK, ROWS, seed=3),
        constraints=limits,
    )


@pytest.mark.parametrize("way", [Snap(), Relaxed(temperature=0.5), PUBLISHED])
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


@pytest.mark.parametrize("way", [Snap(), Relaxed(temperature=0.5), PUBLISHED])
def test_nascent_rows_keep_their_categories_within_a_small_epsilon(way):
    """A corner is left by half a unit: no smaller epsilon changes a category."""
    found = search(way, epsilon=0.45)
    assert torch.equal(found.nascent[..., 2:], found.factual[..., 2:])
    assert ((found.nascent - found.factual).abs() <= 0.45).all()


@pytest.mark.parametrize("epsilon", [0.45, 0.7, 0.99])
@pytest.mark.parametrize("way", [Snap(), Relaxed(temperature=0.5), PUBLISHED])
def test_nascent_rows_never_leave_their_ball(way, epsilon):
    """A category may change before any of its inputs is moved by epsilon."""
    found = search(way, epsilon=epsilon)
    assert ((found.nascent - found.factual).abs() <= epsilon).all()
    assert valid_categories(found.nascent, LIMITS).all()
    assert (found.nascent != found.factual).any()


def test_nascent_rows_may_change_their_category_in_a_ball_that_holds_it():
    found = search(Snap(), epsilon=1.0)
    changed = (found.nascent != found.factual)[..., 2:7]
    assert changed.any()
    assert valid_categories(found.nascent, LIMITS).all()


def test_every_state_of_a_published_search_is_snapped():
    """Written out: a step of the number, then the nearest corner, and on from there."""
    steps = 12
    found = search(PUBLISHED, max_steps=steps, threshold=0.999999, epsilon=0.3)
    model = builders.mlp(STACK, features=WIDTH, scale=2.0)
    x = nascent = one_hot()
    for _ in range(steps):
        x = x.detach().requires_grad_()
        shares = model(x).log_softmax(-1).gather(-1, found.target.unsqueeze(-1))
        (slope,) = torch.autograd.grad(-shares.sum(), x)
        slope[..., 7:] = 0
        moved = (x - 0.5 * slope).detach().clamp(-2, 2)
        rows = [[corners(row) for row in cell] for cell in moved.tolist()]
        x = torch.tensor(rows, dtype=torch.float64)
        near = ((x - found.factual).abs() <= 0.3).all(-1, keepdim=True)
        nascent = torch.where(near, x, nascent)
    assert (found.steps == steps).all()
    torch.testing.assert_close(found.counterfactual, x)
    torch.testing.assert_close(found.nascent, nascent)
    categories = found.counterfactual[..., 2:7] != found.factual[..., 2:7]
    assert categories.any(), "a large step may reach another corner"


def test_small_steps_do_not_add_up_where_the_state_is_snapped():
    """The published step size leaves categories as they are; straight-through not."""
    frozen, through = (
        search(way, step_size=0.05, max_steps=200) for way in (PUBLISHED, Snap())
    )
    kept = [
        (found.counterfactual == found.factual)[..., 2:7].all()
        for found in (frozen, through)
    ]
    assert kept == [True, False]


def test_snapping_moves_nothing_that_must_stay():
    kept = X.clone()
    found = PUBLISHED.settled(X, LIMITS)
    assert torch.equal(found[..., 7:], kept[..., 7:]), "whatever the factual is"
    assert torch.equal(found[..., :7], snapped(X, LIMITS)[..., :7])


def table(kinds: list[str] | None = None) -> Dataset:
    """Columns a and b are categories of two, n and m are numbers."""
    columns = (
        CategoricalColumn(name="a", levels=("0", "1")),
        NumericColumn(name="n", mean=0.0, deviation=1.0),
        CategoricalColumn(name="b", levels=("0", "1")),
        NumericColumn(name="m", mean=0.0, deviation=1.0),
    )
    codec = Codec(columns=columns)
    rows = torch.tensor([[1.0, 0, 0.2, 0, 1, 3], [0, 1, 0.7, 1, 0, 4]]).double()
    limits = constraints(kinds or ["free"] * 6, -9, 9, codec.groups)
    return Dataset(
        name="table",
        source="generated",
        identity="generated",
        features=rows,
        labels=torch.tensor([0, 1]),
        test_features=rows,
        test_labels=torch.tensor([0, 1]),
        validation_rows=0,
        classes=2,
        feature_names=codec.feature_names,
        constraints=limits,
        image_shape=None,
        codec=codec,
    )


def test_a_number_may_count_as_a_member_of_a_category():
    """As in the authors' evaluation of Adult, by a slip."""
    data = table()
    slip = SnappedState(extra_members={"b": ("n",)}).fitted(data.units)
    assert slip.groups == ((0, 1), (2, 3, 4))
    x = torch.tensor([[[0.9, 0.1, 0.2, 0.8, 0.3, 7], [0, 1, 5, 0.1, 0.9, 7]]]).double()
    expected = [[1, 0, 0, 1, 0, 7], [0, 1, 1, 0, 0, 7]]
    assert slip.settled(x, data.constraints)[0].tolist() == expected
    plain = PUBLISHED.fitted(data.units)
    assert torch.equal(plain.settled(x, data.constraints), snapped(x, data.constraints))
    kept = table(["free", "free", "increase", "free", "free", "free"]).constraints
    assert torch.equal(slip.settled(x, kept)[..., 2], x[..., 2])


@pytest.mark.parametrize(
    "members",
    [
        {"c": ("n",)},
        {"b": ("x",)},
        {"b": ("a",)},
        {"n": ("m",)},
        {"b": ("n", "n")},
        {"a": ("n",), "b": ("n",)},
    ],
)
def test_only_numbers_count_as_members_of_categories(members):
    with pytest.raises(ConfigError, match="expected numeric columns for a category"):
        SnappedState(extra_members=members).fitted(table().units)


def test_extra_members_have_to_be_found_first():
    with pytest.raises(StackError, match="expected them fitted to the data"):
        SnappedState(extra_members={"b": ("n",)}).settled(X, LIMITS)
