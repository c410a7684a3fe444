"""Searches that tests of the search share: a mixed stack, its rows and limits."""

import torch
from torch import Tensor, nn

from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import Constraints
from tests import builders
from tests.builders import constraints, ecco, generic, normal, stacked
from tests.oracles.search import Options

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


def mixed_search() -> CounterfactualSearch:
    return stacked([as_search(s) for s in MIXED["ecco"]])


def limits() -> Constraints:
    return constraints(["free", "immutable", "increase", "decrease"], -1.5, 1.5)


class Cliff(nn.Module):
    """A classifier whose logits are NaN where the first feature exceeds an edge."""

    def __init__(self, cells: int, edge: float) -> None:
        super().__init__()
        self.inner = builders.mlp(cells, scale=2.0)
        self.edge = edge

    def forward(self, x: Tensor) -> Tensor:
        beyond = (self.edge - x[..., :1]).sqrt()
        return self.inner(x) + 0 * beyond
