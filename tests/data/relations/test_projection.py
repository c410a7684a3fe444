"""The projection against scipy's SLSQP, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from cftrain.data.constraints import Constraints
from cftrain.data.relations.half_space import HalfSpace
from cftrain.data.relations.projection import Projection, nearest
from cftrain.data.relations.relations import Relations
from tests.builders import constraints, normal

FEATURES = 4
CPU = torch.device("cpu")


def half_spaces(normals: Tensor, bounds: Tensor) -> tuple[HalfSpace, ...]:
    return tuple(
        HalfSpace(
            places=row.nonzero()[:, 0],
            factors=row[row != 0] / row.norm(),
            bound=bound / row.norm(),
            flags=torch.tensor([], dtype=torch.int64),
        )
        for row, bound in zip(normals, bounds, strict=True)
    )


def drawn(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Half-spaces that all hold the origin; some share features, some are sparse."""
    normals = normal(count, FEATURES, seed=seed)
    normals = torch.where(normal(count, FEATURES, seed=seed + 1) > 0.7, 0, normals)
    normals[:, seed % FEATURES] += 0.01
    return normals, normal(count, seed=seed + 2).abs() * 0.3


def distinct(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Half-spaces of which no two are nearly the same: these take more sweeps than are
    made, and end in a row that obeys and is not quite the nearest.
    """
    normals, bounds = drawn(seed, count)
    units = normals / normals.norm(dim=1, keepdim=True)
    near = ((units @ units.T).triu(1) > 0.95).any()
    return distinct(seed + 1000, count) if near else (normals, bounds)


def second_opinion(x, normals, bounds, lower, upper) -> np.ndarray:
    found = minimize(
        lambda point: ((point - x) ** 2).sum() / 2,
        np.clip(np.zeros_like(x), lower, upper),
        jac=lambda point: point - x,
        bounds=list(zip(lower, upper, strict=True)),
        constraints=[
            {
                "type": "ineq",
                "fun": lambda point: bounds - normals @ point,
                "jac": lambda point: -normals,
            }
        ],
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 300},
    )
    assert found.success
    return found.x


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_row_is_that_of_another_implementation(seed, count):
    normals, bounds = distinct(10 * seed, count)
    lower, upper = torch.full((FEATURES,), -1.0), torch.full((FEATURES,), 1.5)
    limits = constraints(["free"] * FEATURES, -1.0, 1.5)
    limits = replace(limits, relations=relations(normals, bounds))
    start = torch.zeros(1, 30, FEATURES, dtype=torch.float64)
    move = 2 * normal(1, 30, FEATURES, seed=seed)
    found = limits.moved(start, move, start)
    inside = torch.clamp(move, lower, upper)
    for row in range(30):
        expected = second_opinion(
            inside[0, row].numpy(),
            normals.numpy(),
            bounds.numpy(),
            lower.double().numpy(),
            upper.double().numpy(),
        )
        np.testing.assert_allclose(found[0, row].numpy(), expected, atol=2e-5)
    assert not limits.violations(found, start).any()


def relations(normals: Tensor, bounds: Tensor) -> Relations:
    return Relations(declared=(), spaces=half_spaces(normals, bounds))


def case(kinds: list[str], seed: int) -> tuple[Constraints, Tensor, Tensor]:
    """Factuals that obey, in a box, and moves from them."""
    normals, bounds = drawn(seed, 2)
    limits = constraints(kinds, -1.0, 1.0)
    factual = 0.02 * normal(1, 40, FEATURES, seed=seed + 5)
    limits = replace(limits, relations=relations(normals, bounds + 0.1))
    return limits, factual, 2 * normal(1, 40, FEATURES, seed=seed + 6)


@pytest.mark.parametrize("seed", range(8))
def test_only_what_may_move_moves_and_only_its_way(seed):
    kinds = ["free", "immutable", "increase", "decrease"]
    limits, factual, move = case(kinds, 20 * seed)
    first = limits.moved(factual, move, factual)
    second = limits.moved(first, -move, factual)
    for before, after in ((factual, first), (first, second)):
        step = after - before
        assert (step[..., 1] == 0).all()
        assert (step[..., 2] >= 0).all()
        assert (step[..., 3] <= 0).all()
        assert not limits.violations(after, factual).any()


def test_a_row_does_not_depend_on_others():
    """Not by rounding: rows alone, in another order, and in a stack."""
    limits, factual, move = case(["free"] * FEATURES, 3)
    whole = limits.moved(factual, move, factual)
    for row in range(40):
        alone = slice(row, row + 1)
        found = limits.moved(factual[:, alone], move[:, alone], factual[:, alone])
        assert torch.equal(found, whole[:, alone])
    back = torch.arange(39, -1, -1)
    turned = limits.moved(factual[:, back], move[:, back], factual[:, back])
    assert torch.equal(turned[:, back], whole)
    twice = torch.cat([factual, factual.flip(1)])
    moves = torch.cat([move, move.flip(1)])
    assert torch.equal(limits.moved(twice, moves, twice)[:1], whole)


def test_who_obeys_already_is_left_alone_to_the_bit():
    limits, factual, _ = case(["free"] * FEATURES, 3)
    still = torch.zeros_like(factual)
    assert torch.equal(limits.moved(factual, still, factual), factual)
    plain = replace(limits, relations=None)
    small = 0.001 * normal(1, 40, FEATURES, seed=9)
    assert torch.equal(
        limits.moved(factual, small, factual), plain.moved(factual, small, factual)
    )


def test_projecting_twice_changes_nothing():
    limits, factual, move = case(["free"] * FEATURES, 7)
    once = limits.moved(factual, move, factual)
    again = limits.moved(once, torch.zeros_like(once), factual)
    torch.testing.assert_close(again, once, atol=1e-5, rtol=0)


def test_who_breaks_a_relation_comes_to_obey_it_or_as_near_as_can_be():
    """x0 + x1 <= 0 from far outside: both move, or one that meets its bound."""
    normals = torch.tensor([[1.0, 1.0, 0.0, 0.0]], dtype=torch.float64)
    bounds = torch.zeros(1, dtype=torch.float64)
    factual = torch.full((1, 1, FEATURES), 0.8, dtype=torch.float64)
    still = torch.zeros_like(factual)
    free = constraints(["free"] * FEATURES, -1.0, 1.0)
    free = replace(free, relations=relations(normals, bounds))
    found = free.moved(factual, still, factual)[0, 0]
    assert found.tolist() == pytest.approx([0.0, 0.0, 0.8, 0.8])
    half = replace(
        free,
        may_increase=torch.tensor([False, True, True, True]),
        may_decrease=torch.tensor([False, True, True, True]),
    )
    found = half.moved(factual, still, factual)[0, 0]
    assert found.tolist() == pytest.approx([0.8, -0.8, 0.8, 0.8])
    tight = replace(half, lower=torch.full((FEATURES,), -0.3, dtype=torch.float64))
    found = tight.moved(factual, still, factual)[0, 0]
    assert found.tolist() == pytest.approx([0.8, -0.3, 0.8, 0.8])
    assert tight.violations(found.view(1, 1, -1), factual).all()


def test_relations_that_nothing_obeys_together_end():
    """x0 <= -1 and x0 >= 1: somewhere in the box, and finite."""
    factors = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    x = torch.tensor([[0.3], [5.0]], dtype=torch.float64)
    found = nearest(
        Projection(
            factors=factors,
            x=x,
            lower=torch.full_like(x, -10),
            upper=torch.full_like(x, 10),
            bounds=torch.full((2, 2), -1.0, dtype=torch.float64),
        ),
        most_sweeps=30,
    )
    assert found.isfinite().all()
    assert (found.abs() <= 10).all()


def test_a_relation_with_a_missing_value_is_not_asked():
    """Feature 3 is the flag of feature 0."""
    space = HalfSpace(
        places=torch.tensor([0]),
        factors=torch.tensor([1.0], dtype=torch.float64),
        bound=torch.tensor(0.0, dtype=torch.float64),
        flags=torch.tensor([3]),
    )
    limits = constraints(["free"] * FEATURES, -2.0, 2.0)
    limits = replace(limits, relations=Relations(declared=(), spaces=(space,)))
    x = torch.tensor([[[0.7, 0, 0, 1.0], [0.7, 0, 0, 0.4]]], dtype=torch.float64)
    found = limits.moved(x, torch.zeros_like(x), x)
    assert found[0, :, 0].tolist() == [0.7, 0.0]
    assert limits.violations(x, x).tolist() == [[False, True]]


def test_another_type_keeps_the_relations():
    limits, factual, move = case(["free"] * FEATURES, 3)
    single = limits.to(dtype=torch.float32, device=CPU)
    found = single.moved(factual.float(), move.float(), factual.float())
    assert found.dtype == torch.float32
    expected = limits.moved(factual, move, factual)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=0)
