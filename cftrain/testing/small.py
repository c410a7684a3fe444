"""Rows, models and counterfactuals from fixed seeds, to check contracts with."""

from typing import Any

import torch
from torch import Tensor, nn

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.constraints import unconstrained
from cftrain.data.dataset import Dataset
from cftrain.evaluation.metric import Individuals
from cftrain.models.layers import StackedLinear
from cftrain.models.stack_slicing import frozen, predict
from cftrain.seeding import Stream

STACK, ROWS, FEATURES, CLASSES = 3, 12, 4, 3
DOUBLE, CPU = torch.float64, torch.device("cpu")


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draws standard normal numbers, float64."""
    return torch.randn(shape, generator=Stream(seed).generator(), dtype=DOUBLE)


def classes(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(CLASSES, shape, generator=Stream(seed).generator())


def model() -> nn.Module:
    """Returns a stack of small networks, float64."""
    streams = [Stream(cell) for cell in range(STACK)]
    hidden, last = ([each.child(depth) for each in streams] for depth in (1, 2))
    return nn.Sequential(
        StackedLinear(FEATURES, 6, hidden), nn.Tanh(), StackedLinear(6, CLASSES, last)
    ).to(DOUBLE)


def dataset() -> Dataset:
    """Returns a cloud of rows for each class, float64."""
    labels = torch.arange(60) % CLASSES
    features = 2 * normal(CLASSES, FEATURES, seed=5)[labels]
    features = features + normal(60, FEATURES, seed=6)
    pool, test = slice(0, 40), slice(40, 60)
    return Dataset(
        name="clouds",
        source="generated",
        identity="generated",
        features=features[pool],
        labels=labels[pool],
        test_features=features[test],
        test_labels=labels[test],
        validation_rows=10,
        classes=CLASSES,
        feature_names=tuple(f"x{number}" for number in range(FEATURES)),
        constraints=unconstrained(FEATURES).to(dtype=DOUBLE, device=CPU),
        image_shape=None,
    )


def individuals(
    networks: nn.Module, data: Dataset, cells: slice, rows: slice
) -> Individuals:
    """Returns counterfactuals that moved at random, of some cells and rows."""
    factual_row = torch.arange(ROWS).expand(STACK, -1)
    factual = data.test_features[factual_row]
    pair_factual = data.test_labels[:ROWS]
    pair_target = (pair_factual + 1) % CLASSES
    reached = factual + normal(STACK, ROWS, FEATURES, seed=7)
    flags = classes(STACK, ROWS, seed=8) > 0
    held_out = data.features[(pair_target.unsqueeze(1) == data.labels).int().argmax(1)]
    values: dict[str, Any] = {
        "factual": factual,
        "target": pair_target.expand(STACK, -1),
        "counterfactual": reached,
        "nascent": factual,
        "mature": flags,
        "finite": torch.ones_like(flags),
        "steps": classes(STACK, ROWS, seed=9),
    }
    return Individuals(
        found=SearchResult(**{name: v[cells, rows] for name, v in values.items()}),
        predicted=predict(networks, reached)[cells, rows],
        present=torch.ones_like(flags)[cells, rows],
        factual_row=factual_row[cells, rows],
        held_out=held_out.expand(STACK, -1, -1)[cells, rows],
        rounds=1,
        pair_factual=pair_factual[rows],
        pair_target=pair_target[rows],
        classifier=frozen(networks, cells),
        constraints=data.constraints,
        codec=data.units,
    )
