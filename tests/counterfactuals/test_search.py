import threading
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cftrain.cores import in_use
from cftrain.counterfactuals import search as search_module
from cftrain.counterfactuals import working_set
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Exhausted, Never
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.counterfactuals.space import FeatureSpace, Space
from cftrain.data.constraints import KINDS, Constraints
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from tests import builders
from tests.builders import constraints, ecco, free, generic, linear, normal, stacked
from tests.oracles.search import Options, search_row

STACK, ROWS, FEATURES, CLASSES = 3, 12, 4, 3
OUTCOMES = ("counterfactual", "nascent", "mature", "finite", "steps")


def factuals(seed: int = 1, spread: float = 1.5) -> Tensor:
    return spread * normal(STACK, ROWS, FEATURES, seed=seed)


def targets(seed: int = 2) -> Tensor:
    return builders.integers(CLASSES, STACK, ROWS, seed=seed)


def assert_same(found: SearchResult, expected: SearchResult, atol: float = 0) -> None:
    for name in OUTCOMES:
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name), rtol=0, atol=atol, msg=name
        )


def part(result: SearchResult, cells: object, rows: object = slice(None)) -> dict:
    return {k: v[cells][:, rows] for k, v in result.tensors().items()}


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

MIXED = {
    "generic": [
        Options(
            distance_weight=weight,
            threshold=threshold,
            step_size=step,
            epsilon=epsilon,
            kinds=["free", "increase", "decrease", "immutable"],
            lower=[-1.0, -2.0, -2.0, -0.5],
            upper=[1.0, 2.0, 2.0, 0.5],
        )
        for weight, threshold, step, epsilon in [
            (0.0, 0.5, 0.1, 0.3),
            (0.1, 0.75, 0.5, 0.1),
            (0.001, 0.95, 0.25, 0.5),
        ]
    ],
    "ecco": [
        Options(
            distance_weight=0.001,
            energy_weight=energy,
            threshold=threshold,
            step_size=0.1,
            max_steps=30,
            epsilon=epsilon,
            kinds=["free", "free", "free", "increase"],
            lower=[-1.5] * 4,
            upper=[1.5] * 4,
        )
        for energy, threshold, epsilon in [
            (5.0, 0.75, 0.3),
            (0.1, 0.9, 0.1),
            (20.0, 0.5, 1.0),
        ]
    ],
    "constant": [
        Options(
            energy_weight=energy,
            decays=False,
            threshold=0.9,
            max_steps=max_steps,
            kinds=["free"] * 4,
            lower=[-3.0] * 4,
            upper=[3.0] * 4,
        )
        for energy, max_steps in [(0.5, 15), (0.1, 15), (0.0, 15)]
    ],
}


def as_search(s: Options) -> CounterfactualSearch:
    if s.energy_weight is None:
        generator: Generator = generic(s.distance_weight)
    else:
        schedule = "decay" if s.decays else "constant"
        generator = ecco(s.distance_weight, s.energy_weight, schedule)
    return builders.search(
        generator,
        threshold=s.threshold,
        step_size=s.step_size,
        max_steps=s.max_steps,
        epsilon=s.epsilon,
    )


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


class Cliff(nn.Module):
    """A classifier whose logits are NaN where the first feature exceeds an edge."""

    def __init__(self, cells: int, edge: float) -> None:
        super().__init__()
        self.inner = builders.mlp(cells, scale=2.0)
        self.edge = edge

    def forward(self, x: Tensor) -> Tensor:
        beyond = (self.edge - x[..., :1]).sqrt()
        return self.inner(x) + 0 * beyond


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


# --- invariance ----------------------------------------------------------------------


def mixed_search() -> CounterfactualSearch:
    return stacked([as_search(s) for s in MIXED["ecco"]])


def limits() -> Constraints:
    return constraints(["free", "immutable", "increase", "decrease"], -1.5, 1.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stacked_is_alone_bit_for_bit(dtype):
    """Cells are walked one by one, in chunks that do not depend on the stack."""
    model = builders.mlp(STACK, dtype=dtype)
    kept = limits().to(dtype=dtype, device=torch.device("cpu"))
    x, target = factuals().to(dtype), targets()
    members = [as_search(s) for s in MIXED["ecco"]]
    whole = stacked(members, dtype)(model, x, target, constraints=kept)
    for cell, member in enumerate(members):
        here = slice(cell, cell + 1)
        alone = stacked([member], dtype)(
            frozen(model, here), x[here], target[here], constraints=kept
        )
        assert_same(SearchResult(**part(whole, here)), alone)


def test_hyperparameters_may_be_plain_numbers():
    member = as_search(MIXED["ecco"][0])
    arguments = builders.mlp(1), factuals()[:1], targets()[:1]
    assert_same(
        member(*arguments, constraints=limits()),
        stacked([member])(*arguments, constraints=limits()),
    )


def test_permuted_rows_give_permuted_results():
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(4))
    model, x, target = builders.mlp(STACK), factuals(), targets()
    expected = mixed_search()(model, x, target, constraints=limits())
    found = mixed_search()(model, x[:, order], target[:, order], constraints=limits())
    for name in OUTCOMES:
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name)[:, order], rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("numbers_in_a_chunk", [1, FEATURES * 5, 2**30])
def test_compaction_and_chunks_change_nothing(monkeypatch, share, numbers_in_a_chunk):
    x, target = factuals()[:, :7], targets()[:, :7]
    for model in (builders.mlp(STACK, scale=2.0), Cliff(STACK, 0.5)):
        expected = mixed_search()(model, x, target, constraints=limits())
        with monkeypatch.context() as changed:
            changed.setattr(search_module, "COMPACT_SHARE", share)
            changed.setattr(search_module, "CHUNK_NUMBERS", numbers_in_a_chunk)
            found = mixed_search()(model, x, target, constraints=limits())
        assert_same(found, expected, atol=1e-12)


@pytest.mark.parametrize("steps", [2, 5, 100])
def test_rows_that_have_stopped_may_wait_until_somebody_looks(monkeypatch, steps):
    arguments = builders.mlp(STACK, scale=2.0), factuals(), targets()
    expected = mixed_search()(*arguments, constraints=limits(), visits=True)
    monkeypatch.setitem(working_set.LOOKS, "cpu", steps)
    found = mixed_search()(*arguments, constraints=limits(), visits=True)
    assert_same(found, expected, atol=1e-12)
    torch.testing.assert_close(found.visited, expected.visited, rtol=0, atol=1e-12)


def test_threads_that_share_the_chunks_change_nothing(monkeypatch):
    monkeypatch.setattr(search_module, "CHUNK_NUMBERS", FEATURES * 2)
    arguments = builders.mlp(STACK, scale=2.0), factuals(), targets()
    streams = builders.streams(STACK)
    expected = mixed_search()(*arguments, constraints=limits(), streams=streams)
    with in_use(3):
        found = mixed_search()(*arguments, constraints=limits(), streams=streams)
    assert_same(found, expected)


def test_networks_of_others_are_asked_by_one_thread_alone(monkeypatch):
    monkeypatch.setattr(search_module, "CHUNK_NUMBERS", FEATURES * 2)
    asked = set()

    class Asked(Cliff):
        def forward(self, x):
            asked.add(threading.get_ident())
            return super().forward(x)

    with in_use(3):
        mixed_search()(Asked(STACK, 0.5), factuals(), targets(), constraints=limits())
    assert asked == {threading.get_ident()}


class Lending(Space):
    """A space of the rows themselves that keeps the gradients that it has passed on."""

    draws, shows_states, has_closed_form, learns = False, True, True, False

    def __init__(self) -> None:
        self.passed: list[tuple[Tensor, Tensor]] = []

    def pull_back(self, state: Tensor, by_rows: Tensor) -> Tensor:
        self.passed.append((by_rows, by_rows.clone()))
        return by_rows

    def fitted(self, rows, cache):
        return self

    def sharing(self, fitted):
        return self

    def encode(self, x, noise):
        return x

    def view(self, state, x):
        return state

    def move(self, state, step, x):
        return step


def test_gradients_that_a_space_has_passed_on_are_not_written_into():
    search, space = builders.search(generic()), Lending()
    lent = replace(search, generator=replace(search.generator, space=space))
    arguments = builders.mlp(STACK), factuals(), targets()
    found = lent(*arguments, constraints=limits())
    assert_same(found, search(*arguments, constraints=limits()))
    assert len(space.passed) > STACK
    for gradient, before in space.passed:
        assert torch.equal(gradient, before)


def test_what_goes_in_comes_out_and_is_not_changed():
    model, x, target = builders.mlp(STACK), factuals(), targets()
    before = x.clone(), target.clone(), [p.clone() for p in model.parameters()]
    found = mixed_search()(model, x, target, constraints=limits())
    assert torch.equal(x, before[0])
    assert torch.equal(target, before[1])
    for parameter, value in zip(model.parameters(), before[2], strict=True):
        assert torch.equal(parameter, value)
        assert parameter.grad is None
    assert torch.equal(found.factual, x)
    assert torch.equal(found.target, target)
    assert not any(values.requires_grad for values in found.tensors().values())


def test_searching_works_where_gradients_are_switched_off():
    arguments = builders.mlp(STACK), factuals(), targets()
    expected = mixed_search()(*arguments, constraints=limits())
    with torch.no_grad():
        assert_same(mixed_search()(*arguments, constraints=limits()), expected)


# --- visited states ------------------------------------------------------------------


def visiting(model, x, target, **options) -> SearchResult:
    streams = [Stream(cell) for cell in range(STACK)]
    return mixed_search()(
        model, x, target, constraints=limits(), streams=streams, visits=True, **options
    )


def test_keeping_a_visited_state_changes_nothing_else():
    arguments = builders.mlp(STACK), factuals(), targets()
    found = visiting(*arguments)
    assert_same(found, mixed_search()(*arguments, constraints=limits()))


def test_the_visited_state_does_not_depend_on_compaction(monkeypatch):
    model, x, target = builders.mlp(STACK), factuals(), targets()
    visited = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(search_module, "COMPACT_SHARE", share)
        visited.append(visiting(model, x, target).visited)
    assert torch.equal(*visited)


def test_visited_states_are_those_of_the_path():
    """States of the same search with fewer steps, none of them the last one."""
    model, x, target = builders.mlp(1), factuals()[:1], targets()[:1]
    member = replace(MIXED["ecco"][0], max_steps=6, decays=False)
    states = [
        stacked([as_search(replace(member, max_steps=steps))])(
            model, x, target, constraints=limits()
        ).counterfactual
        if steps
        else x
        for steps in range(6)
    ]
    found = stacked([as_search(member)])(
        model, x, target, constraints=limits(), streams=[Stream(0)], visits=True
    )
    places = []
    for row in range(x.shape[1]):
        gaps = [(s[0, row] - found.visited[0, row]).abs().max() for s in states]
        place = int(torch.stack(gaps).argmin())
        assert gaps[place] == 0
        assert place <= max(0, int(found.steps[0, row]) - 1)
        places.append(place)
    assert len(set(places)) > 2
