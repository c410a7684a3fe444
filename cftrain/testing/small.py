"""Rows, models and counterfactuals from fixed seeds, to check contracts with."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.constraints import unconstrained
from cftrain.data.dataset import Dataset
from cftrain.evaluation.metric import Individuals
from cftrain.models.classifier import Headed
from cftrain.models.layers import StackedLinear
from cftrain.models.stack_slicing import frozen, predict
from cftrain.seeding import Stream
from cftrain.tensors import Classes, Rows

STACK, ROWS, FEATURES, CLASSES = 3, 12, 4, 3
DOUBLE, CPU = torch.float64, torch.device("cpu")


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draws standard normal numbers, float64."""
    return torch.randn(shape, generator=Stream(seed).generator(), dtype=DOUBLE)


def classes(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(CLASSES, shape, generator=Stream(seed).generator())


def model(*, head: bool = False) -> nn.Module:
    """Returns a stack of small networks, float64; with a head, if that is asked for."""
    streams = [Stream(cell) for cell in range(STACK)]
    hidden, last, own = ([s.child(depth) for s in streams] for depth in (1, 2, 3))
    predictor = nn.Sequential(
        StackedLinear(FEATURES, 6, hidden), nn.Tanh(), StackedLinear(6, CLASSES, last)
    )
    if not head:
        return predictor.to(DOUBLE)
    return Answering(predictor, StackedLinear(FEATURES + CLASSES, FEATURES, own))


class Answering(Headed):
    """A network whose head answers to a row and a target by one layer."""

    def __init__(self, predictor: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.predictor, self.head = predictor, head
        self.to(DOUBLE)

    def answers(self, rows: Rows, target: Classes) -> Rows:
        wanted = functional.one_hot(target, CLASSES).to(rows)
        found: Rows = self.head(torch.cat([rows, wanted], -1))
        return found


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
