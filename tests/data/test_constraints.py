import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cftrain.data.constraints import (
    KINDS,
    Constraints,
    inferred_domain,
    mutability_flags,
    unconstrained,
)
from cftrain.errors import DataError
from tests.builders import constraints, normal

numbers = st.floats(-5, 5, allow_nan=False, width=32)


@dataclass(frozen=True)
class Case:
    """One row each of what the methods of `Constraints` take."""

    kinds: list[str]
    lower: list[float]
    upper: list[float]
    factual: list[float]
    x: list[float]

    def __post_init__(self) -> None:
        assert len(self.kinds) == len(self.x)

    @property
    def limits(self) -> Constraints:
        return constraints(self.kinds, self.lower, self.upper)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Boxes with and without bounds, factuals inside and outside of them."""
    features = draw(st.integers(1, 4))

    def each(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=features, max_size=features))

    bounds = [
        sorted(pair) if bounded else (-math.inf, math.inf)
        for pair, bounded in each(st.tuples(st.tuples(numbers, numbers), st.booleans()))
    ]
    return Case(
        kinds=each(st.sampled_from(KINDS)),
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
        factual=each(numbers),
        x=each(numbers),
    )


def rows(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).expand(1, 1, -1)


def plain(tensor: Tensor) -> list[float]:
    return tensor[0, 0].tolist()


@given(cases())
def test_restrict_keeps_the_allowed_part_of_a_move(case):
    allowed = {
        "free": lambda step: step,
        "immutable": lambda step: 0,
        "increase": lambda step: max(step, 0),
        "decrease": lambda step: min(step, 0),
    }
    expected = [allowed[k](step) for k, step in zip(case.kinds, case.x, strict=True)]
    once = case.limits.restrict(rows(case.x))
    assert plain(once) == expected
    assert torch.equal(case.limits.restrict(once), once)


@given(cases())
def test_clamp_finds_the_nearest_point_of_a_box_that_holds_what_must_stay(case):
    expected = []
    for number, kind in enumerate(case.kinds):
        lower, upper = case.lower[number], case.upper[number]
        if kind != "free":
            lower = min(lower, case.factual[number])
            upper = max(upper, case.factual[number])
        expected.append(min(max(case.x[number], lower), upper))
    once = case.limits.clamp(rows(case.x), rows(case.factual))
    assert plain(once) == expected
    assert torch.equal(case.limits.clamp(once, rows(case.factual)), once)


@given(cases())
def test_clamping_a_factual_moves_free_features_only(case):
    factual = rows(case.factual)
    moved = plain(case.limits.clamp(factual, factual) != factual)
    for number, kind in enumerate(case.kinds):
        inside = case.lower[number] <= case.factual[number] <= case.upper[number]
        assert moved[number] == (kind == "free" and not inside)


@given(cases())
def test_protect_follows_the_table_of_the_method(case):
    expected = []
    for kind, x, positive in zip(case.kinds, case.x, case.factual, strict=True):
        table = {
            "free": positive,
            "immutable": x,
            "increase": max(positive, x),
            "decrease": min(positive, x),
        }
        expected.append(table[kind])
    once = case.limits.protect(rows(case.factual), rows(case.x))
    assert plain(once) == expected
    assert torch.equal(case.limits.protect(once, rows(case.x)), once)


@given(cases())
def test_protect_leaves_a_counterfactual_as_its_own_positive(case):
    x = rows(case.x)
    assert torch.equal(case.limits.protect(x, x), x)


@pytest.mark.parametrize(
    ("kind", "above", "below"),
    [
        ("free", 3.0, -3.0),
        ("immutable", 1.0, 1.0),
        ("increase", 3.0, 1.0),
        ("decrease", 1.0, -3.0),
    ],
)
def test_protect_in_every_case(kind, above, below):
    """The positive is at 3 or at -3, the counterfactual at 1."""
    limits = constraints([kind], -5, 5)
    assert limits.protect(rows([3.0]), rows([1.0])).item() == above
    assert limits.protect(rows([-3.0]), rows([1.0])).item() == below


@given(cases())
def test_what_restrict_and_clamp_allow_is_no_violation(case):
    factual = rows(case.factual)
    moved = factual + case.limits.restrict(rows(case.x))
    allowed = case.limits.clamp(moved, factual)
    # A free factual outside of the box comes back to it: that is a move, not a breach.
    assert not case.limits.violations(allowed, factual).any()


@given(cases())
def test_violations_are_breaches_of_box_or_mutability(case):
    breach = False
    for number, kind in enumerate(case.kinds):
        move = case.x[number] - case.factual[number]
        breach |= move > 1e-6 and kind in ("immutable", "decrease")
        breach |= move < -1e-6 and kind in ("immutable", "increase")
        lower, upper = case.lower[number], case.upper[number]
        if kind != "free":
            lower = min(lower, case.factual[number])
            upper = max(upper, case.factual[number])
        breach |= not lower - 1e-6 <= case.x[number] <= upper + 1e-6
    found = case.limits.violations(rows(case.x), rows(case.factual))
    assert found.tolist() == [[breach]]


def test_rows_and_cells_are_independent():
    limits = constraints(["free", "immutable", "increase", "decrease"], -1, 1)
    x, factual = 2 * normal(3, 5, 4, seed=1), 2 * normal(3, 5, 4, seed=2)
    for method in (limits.clamp, limits.protect, limits.violations):
        whole = method(x, factual)
        for cell in range(3):
            for row in range(5):
                here = slice(cell, cell + 1), slice(row, row + 1)
                assert torch.equal(method(x[here], factual[here]), whole[here])


def test_a_broken_move_stays_broken():
    """Non-finite moves are the search's to mask; nothing hides them before."""
    step = torch.full((1, 1, 4), torch.nan)
    for kind in KINDS:
        limits = constraints([kind, "free", "free", "free"], -1, 1)
        assert torch.isnan(limits.restrict(step)[0, 0, 1:]).all()


def test_without_constraints_everything_goes():
    limits = unconstrained(4)
    x, factual = 100 * normal(2, 3, 4).float(), normal(2, 3, 4, seed=1).float()
    assert limits.all_free
    assert torch.equal(limits.restrict(x), x)
    assert torch.equal(limits.clamp(x, factual), x)
    assert torch.equal(limits.protect(x, factual), x)
    assert not limits.violations(x, factual).any()


def test_the_domain_holds_deviations_and_range():
    #          mean 0, sd 2 / sqrt(3)  mean 3, sd 6
    table = torch.tensor([[1.0, 0], [-1, 0], [1, 0], [-1, 12]], dtype=torch.float64)
    lower, upper = inferred_domain(table, 2.0)
    spread = 2 / math.sqrt(3)
    assert lower.tolist() == pytest.approx([-2 * spread, -9])
    assert upper.tolist() == pytest.approx([2 * spread, 15])
    lower, upper = inferred_domain(table, 0.5)
    assert lower.tolist() == [-1, 0]
    assert upper.tolist() == [1, 12]


def test_kinds_are_pairs_of_flags():
    flags = [part.tolist() for part in mutability_flags(list(KINDS))]
    found = dict(zip(KINDS, zip(*flags, strict=True), strict=True))
    assert found == {
        "free": (True, True),
        "immutable": (False, False),
        "increase": (True, False),
        "decrease": (False, True),
    }


@pytest.mark.parametrize(
    ("kinds", "groups", "message"),
    [
        ("ffff", ((0,),), "at least 2 different features"),
        ("ffff", ((0, 0),), "at least 2 different features"),
        ("ffff", ((0, 1), (1, 2)), "none of them in two groups"),
        ("ffff", ((2, 4),), "features 0 to 3"),
        ("ffff", ((-1, 2),), "features 0 to 3"),
        ("ffii", ((1, 2),), "all free or all immutable"),
        ("ffdd", ((2, 3),), "all free or all immutable"),
        ("uuff", ((0, 1),), "all free or all immutable"),
    ],
)
def test_groups_are_disjoint_and_move_as_one(kinds, groups, message):
    names = {"f": "free", "i": "immutable", "u": "increase", "d": "decrease"}
    with pytest.raises(DataError, match=f"groups: expected .*{message}.*, got"):
        constraints([names[kind] for kind in kinds], -1, 1, groups)


def test_groups_come_along():
    limits = constraints(
        ["free", "free", "immutable", "immutable"], 0, 1, ((1, 0), (2, 3))
    )
    moved = limits.to(dtype=torch.float32, device=torch.device("cpu"))
    assert moved.groups == ((1, 0), (2, 3))


def test_constraints_take_the_type_of_the_rows():
    limits = unconstrained(2).to(dtype=torch.float64, device=torch.device("cpu"))
    assert limits.lower.dtype == limits.upper.dtype == torch.float64
    assert limits.may_increase.dtype == torch.bool


def test_a_row_that_started_outside_and_never_moved_is_counted():
    limits = constraints(["free", "immutable"], -1, 1)
    outside = torch.tensor([[[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]], dtype=torch.float64)
    # What may not move stays where it is: nothing else could be done about it.
    assert limits.violations(outside, outside).tolist() == [[True, False, False]]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_row_that_is_not_finite_breaks_the_constraints(value):
    limits = constraints(["free", "free"], -torch.inf, torch.inf)
    factual = torch.zeros(1, 1, 2, dtype=torch.float64)
    found = torch.tensor([[[value, 0.0]]], dtype=torch.float64)
    assert limits.violations(found, factual).item()
