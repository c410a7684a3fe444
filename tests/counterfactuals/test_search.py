from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Exhausted, Never
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.data.constraints import KINDS
from tests import builders
from tests.builders import constraints, ecco, free, generic, linear, normal, stacked
from tests.counterfactuals.searches import (
    CLASSES,
    FEATURES,
    MIXED,
    OUTCOMES,
    ROWS,
    STACK,
    Cliff,
    as_search,
    assert_same,
    factuals,
    targets,
)
from tests.oracles.search import Options, search_row

# --- closed form ---------------------------------------------------------------------


def test_one_step_on_a_linear_model_has_a_closed_form():
    weight, bias = normal(STACK, CLASSES, FEATURES, seed=3), normal(STACK, CLASSES)
    x, target = factuals(), targets()
    found = builders.search(generic(), threshold=0.999, max_steps=1)(
        linear(weight, bias), x, target, constraints=free()
    )
    shares = (x @ weight.mT + bias.unsqueeze(1)).softmax(-1)
    one_hot = torch.nn.functional.one_hot(target, CLASSES)
    expected = x - 0.1 * (shares - one_hot) @ weight
    torch.testing.assert_close(found.counterfactual, expected)
    assert (found.steps == 1).all()


def test_two_linear_classes_are_crossed_along_their_difference():
    weight = normal(1, 2, FEATURES, seed=3)
    x = normal(1, ROWS, FEATURES, seed=1)
    model = linear(weight, torch.zeros(1, 2, dtype=torch.float64))
    target = 1 - model(x).argmax(-1)
    found = builders.search(generic(), max_steps=500, threshold=0.9)(
        model, x, target, constraints=free()
    )
    assert found.mature.all()
    moves = (found.counterfactual - x)[0]
    across = weight[0, 1] - weight[0, 0]
    signs = (2 * target[0] - 1).unsqueeze(1)
    along = torch.nn.functional.cosine_similarity(moves * signs, across.unsqueeze(0))
    torch.testing.assert_close(along, torch.ones_like(along))


def test_the_distance_weight_alone_moves_nothing():
    """At the factual its slope is 0, and where the model is flat there is no other."""
    shape = STACK, CLASSES, FEATURES
    model = linear(torch.zeros(shape).double(), torch.zeros(shape[:2]).double())
    x = factuals()
    found = builders.search(generic(5.0))(model, x, targets(), constraints=free())
    assert torch.equal(found.counterfactual, x)
    assert (found.steps == 20).all()
    assert not found.mature.any()


# --- second implementation -----------------------------------------------------------


def assert_agrees(
    found: SearchResult, model: nn.Module, cell: int, row: int, s: Options
) -> None:
    x, target = found.factual[cell, row].tolist(), int(found.target[cell, row])
    expected = search_row(model, cell, x, target, s)
    assert bool(found.mature[cell, row]) == expected.mature
    assert bool(found.finite[cell, row]) == expected.finite
    assert int(found.steps[cell, row]) == expected.steps
    last = found.counterfactual[cell, row].tolist()
    assert last == pytest.approx(expected.path[-1], abs=1e-9)
    assert found.nascent[cell, row].tolist() == pytest.approx(
        expected.nascent, abs=1e-9
    )


@pytest.mark.parametrize("kind", MIXED)
def test_a_mixed_stack_agrees_with_a_loop_over_rows(kind):
    cells = MIXED[kind]
    model = builders.mlp(STACK, scale=1.5)
    limits = constraints(cells[0].kinds, cells[0].lower, cells[0].upper)
    found = stacked([as_search(s) for s in cells])(
        model, factuals(), targets(), constraints=limits
    )
    assert found.mature.any(), "the example has to show both outcomes"
    assert not found.mature.all()
    assert (found.nascent != found.factual).any()
    for cell, s in enumerate(cells):
        for row in range(ROWS):
            assert_agrees(found, model, cell, row, s)


numbers = st.floats(-2, 2, width=32)


@st.composite
def some_settings(draw: st.DrawFn) -> Options:
    """Any generator, any box, any mutability."""
    bounds = [
        sorted(
            draw(st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]))
        )
        for _ in range(FEATURES)
    ]
    return Options(
        distance_weight=draw(st.sampled_from([0.0, 0.001, 0.2])),
        energy_weight=draw(st.sampled_from([None, 0.0, 0.5, 10.0])),
        decays=draw(st.booleans()),
        threshold=draw(st.sampled_from([0.4, 0.5, 0.75, 0.9])),
        step_size=draw(st.sampled_from([0.05, 0.1, 0.5])),
        max_steps=draw(st.sampled_from([1, 2, 13, 30])),
        epsilon=draw(st.sampled_from([0.05, 0.3, 2.0])),
        kinds=[draw(st.sampled_from(KINDS)) for _ in range(FEATURES)],
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
    )


@given(some_settings(), st.integers(0, 1000))
@settings(max_examples=50)
def test_any_settings_agree_with_a_loop_over_rows(s, seed):
    model = builders.mlp(1, seed=seed, scale=1.5)
    found = as_search(s)(
        model,
        2 * normal(1, 3, FEATURES, seed=seed),
        builders.integers(CLASSES, 1, 3, seed=seed),
        constraints=constraints(s.kinds, s.lower, s.upper),
    )
    for row in range(3):
        assert_agrees(found, model, 0, row, s)


# --- constraints ---------------------------------------------------------------------


@given(some_settings(), st.integers(0, 1000))
@settings(max_examples=40)
def test_no_search_breaks_the_constraints(s, seed):
    """Factuals inside and outside the box; rows that never move stay where they are."""
    limits = constraints(s.kinds, s.lower, s.upper)
    x = 2 * normal(2, 6, FEATURES, seed=seed)
    target = builders.integers(CLASSES, 2, 6, seed=seed)
    model = builders.mlp(2, seed=seed, scale=3.0)
    found = as_search(s)(model, x, target, constraints=limits)
    moved = found.steps > 0
    for state in (found.counterfactual, found.nascent):
        still = (state == x).all(-1)
        broken = limits.violations(state, x, tolerance=0)
        assert not (broken & ~still).any()
    assert torch.equal(found.counterfactual[~moved], x[~moved])
    # Said once more without the class under test:
    for state in (found.counterfactual, found.nascent):
        for d, kind in enumerate(s.kinds):
            before, after = x[..., d], state[..., d]
            if kind == "immutable":
                assert torch.equal(after, before)
            elif kind == "increase":
                assert (after >= before).all()
            elif kind == "decrease":
                assert (after <= before).all()


def test_what_must_stay_stays_outside_the_box_too():
    limits = constraints(["immutable", "increase", "decrease", "free"], -0.1, 0.1)
    x = 3 * normal(STACK, ROWS, FEATURES, seed=5)
    found = builders.search(maturity=Never())(
        builders.mlp(STACK), x, targets(), constraints=limits
    )
    last = found.counterfactual
    assert torch.equal(last[..., 0], x[..., 0])
    assert (last[..., 1] >= x[..., 1]).all()
    assert (last[..., 2] <= x[..., 2]).all()
    assert (last[..., 3].abs() <= 0.1).all()


def test_a_direction_cannot_be_taken_back():
    """An increase-only feature that went up may not come down again, and vice versa."""
    path = scripted([1.0, -0.4, 0.2, -2.0], ["increase", "decrease"])
    assert path[:, 0].tolist() == pytest.approx([1.0, 1.0, 1.2, 1.2])
    assert path[:, 1].tolist() == pytest.approx([0.0, -0.4, -0.4, -2.4])


# --- scripted paths: the nascent rule ------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Scripted(Generator):
    """Walks a given path: the step of all features is `moves[step]`."""

    moves: tuple[float, ...]

    def loss(self, logits, target, counterfactual, factual, *, progress: Progress):
        move = self.moves[min(progress.step, len(self.moves) - 1)]
        return -move * counterfactual.sum(-1) + 0 * logits.sum(-1)

    def ineffective(self, max_steps):
        return frozenset()


def walk(
    moves: list[float], kinds: list[str], epsilon: float = 0.3, steps: int | None = None
) -> SearchResult:
    """The search along a scripted path, which starts at zero."""
    search = builders.search(
        Scripted(name="scripted", space=FeatureSpace(), moves=tuple(moves)),
        Never(),
        step_size=1.0,
        max_steps=steps or len(moves),
        epsilon=epsilon,
    )
    width = len(kinds)
    start = torch.zeros(1, 1, width, dtype=torch.float64)
    model = builders.mlp(1, features=width)
    limits = constraints(kinds, -9, 9)
    target = torch.zeros(1, 1, dtype=torch.int64)
    return search(model, start, target, constraints=limits)


def scripted(moves: list[float], kinds: list[str]) -> Tensor:
    """The states after every step: (step, feature)."""
    return torch.stack(
        [
            walk(moves, kinds, steps=steps).counterfactual[0, 0]
            for steps in range(1, len(moves) + 1)
        ]
    )


@pytest.mark.parametrize(
    ("moves", "nascent"),
    [
        ([0.2, 0.05, 0.5], 0.25),  # leaves
        ([0.2, 0.5, -0.6, 0.9], 0.1),  # leaves, comes back and leaves again
        ([0.2, 0.5, -0.9, -0.05], -0.25),  # leaves and comes back to stay
        ([0.9, 0.1], 0.0),  # leaves at once: the factual
        ([0.3, 0.1], 0.3),  # the boundary belongs to the ball
        ([-0.3, -0.1], -0.3),
        ([0.2, -0.2], 0.0),
    ],
)
def test_nascent_is_the_last_state_in_the_ball(moves, nascent):
    found = walk(moves, ["free"])
    assert found.nascent.item() == pytest.approx(nascent, abs=1e-12)
    assert found.counterfactual.item() == pytest.approx(sum(moves), abs=1e-12)


def test_the_ball_is_a_cube():
    """All features together count: one outside of epsilon is enough."""
    found = walk([0.2, 0.2], ["free", "increase"])
    assert found.nascent[0, 0].tolist() == pytest.approx([0.2, 0.2])
    found = walk([-0.2, -0.2], ["free", "increase"])
    assert found.nascent[0, 0].tolist() == pytest.approx([-0.2, 0.0])


def test_every_cell_has_its_own_epsilon():
    moves = (0.1,) * 8
    searches = [
        builders.search(
            Scripted(name="scripted", space=FeatureSpace(), moves=moves),
            Never(),
            step_size=1.0,
            max_steps=8,
            epsilon=epsilon,
        )
        for epsilon in (0.05, 0.25, 0.55)
    ]
    start = torch.zeros(3, 1, FEATURES, dtype=torch.float64)
    found = stacked(searches)(
        builders.mlp(3),
        start,
        torch.zeros_like(start[..., 0]).long(),
        constraints=free(),
    )
    assert found.nascent[:, 0, 0].tolist() == pytest.approx([0.0, 0.2, 0.5])


# --- stopping ------------------------------------------------------------------------


def test_rows_that_are_mature_at_the_start_do_not_move():
    """Not even into the box: there is no clamp before the first step."""
    limits = constraints(["free"] * FEATURES, -0.1, 0.1)
    model, x = builders.mlp(STACK), factuals()
    found = builders.search(threshold=1e-9)(model, x, targets(), constraints=limits)
    assert found.mature.all()
    assert (found.steps == 0).all()
    assert torch.equal(found.counterfactual, x)
    assert torch.equal(found.nascent, x)


def test_mature_means_that_the_last_state_reaches_the_threshold():
    model, x = builders.mlp(STACK, scale=2.0), factuals()
    found = builders.search(threshold=0.75, max_steps=40)(
        model, x, targets(), constraints=free()
    )
    shares = model(found.counterfactual).softmax(-1)
    reached = shares.gather(-1, found.target.unsqueeze(-1)).squeeze(-1) >= 0.75
    assert torch.equal(found.mature, reached)
    assert found.mature.any()
    assert not found.mature.all()
    assert (found.steps[~found.mature] == 40).all()
    assert (found.steps[found.mature] <= 40).all()


def test_the_last_step_may_reach_the_threshold():
    """The test comes after each step: the one that uses up the budget counts."""
    model, x = builders.mlp(STACK, scale=2.0), factuals()
    long = builders.search(generic(), max_steps=40)(
        model, x, targets(), constraints=free()
    )
    chosen = long.mature & (long.steps > 1)
    for steps in long.steps[chosen].unique().tolist():
        here = builders.search(generic(), max_steps=steps)(
            model, x, targets(), constraints=free()
        )
        exact = chosen & (long.steps == steps)
        assert here.mature[exact].all()
        short = builders.search(generic(), max_steps=steps - 1)(
            model, x, targets(), constraints=free()
        )
        assert not short.mature[exact].any()


def test_a_longer_search_keeps_what_a_shorter_one_found():
    model, x = builders.mlp(STACK, scale=2.0), factuals()
    short, long = (
        builders.search(generic(), max_steps=steps)(
            model, x, targets(), constraints=free()
        )
        for steps in (10, 40)
    )
    kept = short.mature
    assert kept.any()
    assert torch.equal(short.counterfactual[kept], long.counterfactual[kept])
    assert torch.equal(short.nascent[kept], long.nascent[kept])
    assert torch.equal(short.steps[kept], long.steps[kept])


def test_never_mature_searches_use_all_their_steps():
    found = builders.search(maturity=Never(), max_steps=7)(
        builders.mlp(STACK), factuals(), targets(), constraints=free()
    )
    assert (found.steps == 7).all()
    assert not found.mature.any()


def test_rows_that_used_all_steps_may_count_as_mature_unless_they_are_broken():
    arguments = Cliff(STACK, 0.5), factuals(), targets()
    plain = builders.search(generic(), threshold=0.9)
    paper = builders.search(generic(), Exhausted(threshold=0.9))
    expected = plain(*arguments, constraints=free())
    found = paper(*arguments, constraints=free())
    for name in ("counterfactual", "nascent", "finite", "steps"):
        assert torch.equal(getattr(found, name), getattr(expected, name))
    used_up = expected.finite & ~expected.mature
    assert used_up.any()
    assert expected.mature.any()
    assert torch.equal(found.mature, expected.mature | used_up)
    assert (~found.finite).any()
    assert not found.mature[~found.finite].any()


@pytest.mark.parametrize("max_steps", [1, 5, 12])
def test_ecco_is_generic_for_short_searches(max_steps):
    arguments = builders.mlp(STACK), factuals(), targets()
    short = {"max_steps": max_steps, "threshold": 0.6}
    expected = builders.search(generic(0.001), **short)(*arguments, constraints=free())
    decays = builders.search(ecco(0.001, 5.0), **short)(*arguments, constraints=free())
    assert_same(decays, expected, atol=1e-14)
    stays = builders.search(ecco(0.001, 5.0, "constant"), **short)
    assert not torch.equal(
        stays(*arguments, constraints=free()).counterfactual, expected.counterfactual
    )


# --- numbers that are not finite -----------------------------------------------------


def test_broken_rows_stop_and_are_flagged_and_others_do_not_notice():
    x, target = factuals(), targets()
    cliff, edge = Cliff(STACK, 0.5), 0.5
    search = builders.search(generic(), threshold=0.95, step_size=0.5, max_steps=25)
    found = search(cliff, x, target, constraints=free())
    broken = ~found.finite
    at_once = x[..., 0] > edge
    assert at_once.any()
    assert (broken & ~at_once).any(), "some have to walk over the edge"
    assert (~broken).any()
    assert (broken | ~at_once).all()
    assert not found.mature[broken].any()
    assert (found.steps[at_once] == 0).all()
    assert torch.equal(found.counterfactual[at_once], x[at_once])
    fell = found.counterfactual[broken & ~at_once]
    assert (fell[:, 0] > edge).all(), "they stay where they broke"
    assert torch.isfinite(found.counterfactual).all()
    assert torch.isfinite(found.nascent).all()
    assert ((found.nascent - x).abs() <= 0.3).all()

    smooth = search(cliff.inner, x, target, constraints=free())
    whole = ~broken
    for name in OUTCOMES:
        torch.testing.assert_close(
            getattr(found, name)[whole], getattr(smooth, name)[whole]
        )


class Kink(nn.Module):
    """Finite logits everywhere, but no slope where the first feature is zero."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.inner = builders.mlp(cells)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + 0 * x[..., :1].abs().sqrt()


def test_a_row_without_a_finite_slope_is_not_mature_whatever_its_probability():
    x = factuals()
    x[:, ::2, 0] = 0.0
    found = builders.search(threshold=1e-9)(
        Kink(STACK), x, targets(), constraints=free()
    )
    assert not found.finite[:, ::2].any()
    assert not found.mature[:, ::2].any()
    assert found.finite[:, 1::2].all()
    assert found.mature[:, 1::2].all()


def test_broken_rows_agree_with_a_loop_over_rows():
    s = Options(
        distance_weight=0.0,
        threshold=0.95,
        step_size=0.5,
        max_steps=25,
        kinds=["free"] * FEATURES,
        lower=[-9.0] * FEATURES,
        upper=[9.0] * FEATURES,
    )
    cliff = Cliff(STACK, 0.5)
    found = as_search(s)(cliff, factuals(), targets(), constraints=free())
    for cell in range(STACK):
        for row in range(ROWS):
            assert_agrees(found, cliff, cell, row, s)
