"""Generators that answer with observed rows, against ways found by other means."""

from itertools import pairwise
from pathlib import Path

import networkx
import pytest
import torch
from torch import Tensor

from cftrain.counterfactuals.energy import target_probability
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.data.constraints import Constraints
from cftrain.errors import ConfigError, StackError
from cftrain.generators.observed import FeasiblePath, Nearest
from cftrain.illustrations.recording import record
from tests import builders
from tests.builders import constraints, free, linear, normal
from tests.console import run_of

THRESHOLD, NEIGHBOURS = 0.75, 4
POOL = 2 * normal(60, 2, seed=5)
FACTUAL = normal(1, 12, 2, seed=6) - 1
TARGET = torch.ones(1, 12, dtype=torch.long)


@pytest.fixture
def classifier():
    """Class 1 is where the sum of both features is large."""
    weight = torch.tensor([[[0.0, 0.0], [1.0, 1.0]]], dtype=torch.float64)
    return linear(weight, torch.zeros(1, 2, dtype=torch.float64))


def nearest(pool: Tensor = POOL, **changed) -> Generator:
    values = {"name": "nearest", "space": FeatureSpace(), "rows": 1000} | changed
    return Nearest(**values).fitted(pool, Path())


def path(pool: Tensor = POOL, **changed) -> Generator:
    values = {"name": "path", "space": FeatureSpace(), "rows": 1000}
    values |= {"neighbours": NEIGHBOURS, "power": 2.0} | changed
    return FeasiblePath(**values).fitted(pool, Path())


def searched(
    generator: Generator, classifier, limits: Constraints | None = None, steps: int = 30
) -> tuple[SearchResult, list[Tensor]]:
    """What is found, and the way of each row."""
    search = builders.search(generator, threshold=THRESHOLD, max_steps=steps)
    limits = free(2) if limits is None else limits
    return record(search, classifier, FACTUAL, TARGET, constraints=limits)


def accepted(classifier, rows: Tensor) -> Tensor:
    rows = rows.unsqueeze(0)
    target = torch.ones(1, rows.shape[1], dtype=torch.long)
    return target_probability(classifier(rows), target)[0] >= THRESHOLD


def test_the_nearest_accepted_row_is_the_answer(classifier):
    found, _ = searched(nearest(), classifier)
    goals = POOL[accepted(classifier, POOL)]
    for row, answer in zip(FACTUAL[0], found.counterfactual[0], strict=True):
        best = min(goals, key=lambda goal: float((goal - row).abs().sum()))
        torch.testing.assert_close(answer, best)
    assert found.mature.all()
    assert (found.steps == 1).all()


def test_the_next_nearest_follows_where_constraints_spoil_a_row(classifier):
    """What may not move keeps its value; no row binds the next one."""
    limits = constraints(["increase", "immutable"], -9, 9)
    found, ways = searched(nearest(), classifier, limits)
    goals = POOL[accepted(classifier, POOL)]
    for place, row in enumerate(FACTUAL[0]):
        ordered = goals[(goals - row).abs().sum(1).argsort(stable=True)]
        first = torch.maximum(ordered[:, 0], row[0])
        offered = torch.stack([first, row[1].expand(len(first))], 1)
        good = accepted(classifier, offered)
        stops = int(good.nonzero()[0]) if good.any() else len(offered) - 1
        torch.testing.assert_close(found.counterfactual[0, place], offered[stops])
        assert bool(found.mature[0, place]) == bool(good.any())
        if good.any():
            assert len(ways[place]) == stops + 2
    assert (found.steps[found.mature] > 1).any()


def test_without_accepted_rows_the_most_probable_one_is_shown_as_immature(classifier):
    pool = POOL[POOL.sum(1) < 0.5]
    found, _ = searched(nearest(pool), classifier)
    best = pool[pool.sum(1).argmax()]
    torch.testing.assert_close(found.counterfactual, best.expand(1, 12, 2))
    assert not found.mature.any()


def cost(first: Tensor, second: Tensor) -> float:
    return float((first - second).abs().sum()) ** 2


def neighbours(row: Tensor, *, but: int | None = None) -> list[int]:
    order = (POOL - row).abs().sum(1).argsort().tolist()
    return [place for place in order if place != but][:NEIGHBOURS]


def test_paths_cost_what_networkx_says(classifier):
    _, ways = searched(path(), classifier)
    graph = networkx.Graph()
    for place, row in enumerate(POOL):
        for other in neighbours(row, but=place):
            graph.add_edge(place, other, weight=cost(row, POOL[other]))
    goals = set(accepted(classifier, POOL).nonzero().flatten().tolist())
    for place, row in enumerate(POOL):
        goal = min(goals, key=lambda goal: cost(row, POOL[goal]))
        graph.add_edge(place, goal, weight=cost(row, POOL[goal]))
    left = networkx.multi_source_dijkstra_path_length(graph, goals)
    for row, way in zip(FACTUAL[0], ways, strict=True):
        best = min(cost(row, POOL[n]) + left[n] for n in neighbours(row))
        paid = sum(cost(a, b) for a, b in pairwise(way))
        assert paid == pytest.approx(best)
        assert accepted(classifier, way[-1:]).all()
        assert not accepted(classifier, way[:-1]).any()


def test_a_path_goes_round_an_empty_region(classifier):
    """Rows on three sides of a square: the straight way is shorter, and empty."""
    side = torch.linspace(0, 3, 31, dtype=torch.float64)
    low, high = torch.full_like(side, -1.5), torch.full_like(side, 1.5)
    pool = torch.cat(
        [
            torch.stack([low, -1.5 - side], 1),
            torch.stack([side - 1.5, -4.5 + 0 * side], 1),
            torch.stack([high, side - 4.5], 1),
        ]
    )
    weight = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]], dtype=torch.float64)
    model = linear(weight, torch.tensor([[0.0, 2.5 - 3]], dtype=torch.float64))
    search = builders.search(path(pool), threshold=THRESHOLD, max_steps=99)
    start = torch.tensor([[[-1.5, -1.5]]], dtype=torch.float64)
    found, ways = record(search, model, start, TARGET[:, :1], constraints=free(2))
    assert found.mature.all()
    assert (ways[0][:-1] - ways[0][1:]).abs().sum(1).amax() < 0.5
    assert float(ways[0][:, 1].amin()) == pytest.approx(-4.5)


def test_an_empty_region_without_a_way_round_is_crossed_once(classifier):
    """Two crowds, each with its neighbours in itself."""
    crowd = 0.1 * normal(20, 2, seed=7)
    pool = torch.cat([crowd - 2, crowd + 4])
    found, ways = searched(path(pool), classifier)
    assert found.mature.all()
    for way in ways:
        lengths = (way[1:-1] - way[2:]).abs().sum(1)
        assert (lengths > 5).sum() <= 1


def test_every_cell_has_its_own_power(classifier):
    """With a power of 1 nothing is gained by a stop on the way."""
    both = [path(power=1.0), path(power=4.0)]
    both[1] = both[1].sharing(both[0])
    whole = builders.stacked(
        [builders.search(each, threshold=THRESHOLD, max_steps=30) for each in both]
    )
    twice = linear(*(each.repeat_interleave(2, 0) for each in classifier.parameters()))
    found = whole(
        twice, FACTUAL.repeat(2, 1, 1), TARGET.repeat(2, 1), constraints=free(2)
    )
    for cell, generator in enumerate(both):
        alone, _ = searched(generator, classifier)
        assert torch.equal(found.counterfactual[cell], alone.counterfactual[0])
    assert found.steps[0].sum() < found.steps[1].sum()


def test_a_long_way_is_walked_in_longer_steps(classifier):
    """With fewer steps than stops, some are left out, but never the goal."""
    found, ways = searched(path(), classifier)
    stops = max(map(len, ways)) - 1
    assert stops > 3
    for steps in (1, 2, 3, stops - 1):
        hurried, shorter = searched(path(), classifier, steps=steps)
        assert hurried.mature.all()
        torch.testing.assert_close(hurried.counterfactual, found.counterfactual)
        for way, short in zip(ways, shorter, strict=True):
            assert len(short) - 1 == min(steps, len(way) - 1)
            assert (torch.cdist(short, way) < 1e-9).any(1).all()


@pytest.mark.parametrize("make", [nearest, path])
def test_at_most_so_many_rows_take_part(make, classifier):
    found, _ = searched(make(rows=20), classifier)
    again, _ = searched(make(rows=20), classifier)
    assert torch.equal(found.counterfactual, again.counterfactual)
    rows = make(rows=20).observed.rows
    assert len(rows) == 20
    assert {tuple(row) for row in rows.tolist()} < {tuple(row) for row in POOL.tolist()}
    assert torch.cdist(found.counterfactual[0], rows, p=1).amin(1).amax() < 1e-12


@pytest.mark.parametrize("make", [nearest, path])
def test_a_model_that_has_diverged_moves_nothing(make, classifier):
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.fill_(torch.nan)
    found, _ = searched(make(), classifier)
    assert not found.finite.any()
    assert not found.mature.any()
    assert torch.equal(found.counterfactual, found.factual)


@pytest.mark.parametrize("make", [nearest, path])
def test_one_observed_row_is_enough(make, classifier):
    found, _ = searched(make(POOL[:1]), classifier)
    torch.testing.assert_close(found.counterfactual, POOL[:1].expand(1, 12, 2))


def test_nothing_is_visited_before_rows_are_known(classifier):
    unfitted = Nearest(name="nearest", space=FeatureSpace(), rows=5)
    with pytest.raises(StackError, match="fitted"):
        searched(unfitted, classifier)


def test_other_states_than_rows_are_refused():
    with pytest.raises(ConfigError, match=r"generator\.space: expected features"):
        run_of("generator=nearest", "generator/space=latent")
