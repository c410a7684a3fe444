"""What counterfactual training and a protected feature do to recourse, in four panels.

The paper's Figure 1 and its Example 3.1: conventional and counterfactual training, each
without and with an immutable feature.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cftrain.counterfactuals.penalties import distance
from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.evaluation.reference import Reference
from cftrain.grid.worker import train
from cftrain.models.classifier import Classifier
from cftrain.models.members import frozen, predict
from cftrain.objectives.objective import Objective
from cftrain.run import Run
from cftrain.seeding import Stream
from cftrain.summary.panels import Panel

DENIED, GRANTED = 0, 1
GRID_POINTS = 200
MARGIN = 0.5


def panels(run: Run, baseline: Objective, feature: str, count: int) -> list[Panel]:
    """Conventional and counterfactual training, without and with the feature fixed.

    All four explain the same factuals. The data must have two features and two classes,
    and a `mutability`.
    """
    models = []
    for protected in (None, feature):
        data: Any = run.data
        mutability = {} if protected is None else {protected: "immutable"}
        described = replace(run, data=replace(data, mutability=mutability))
        runs = [replace(described, objective=baseline), described]
        dataset = described.data.load()
        trained = train(runs, dataset, device=torch.device("cpu"))
        for cell, name in enumerate(("conventional", "counterfactual")):
            classifier = frozen(trained.classifier, slice(cell, cell + 1))
            models.append(_Model(name, protected, dataset, classifier))
    factual = _factuals(models, count)
    return [_panel(run, model, factual) for model in models]


@dataclass(frozen=True)
class _Model:
    name: str
    protected: str | None
    dataset: Dataset
    classifier: Classifier


def _factuals(models: list[_Model], count: int) -> Tensor:
    """Denied test rows that all models deny, spread over the first feature."""
    dataset = models[0].dataset
    denied = dataset.test_labels == DENIED
    for model in models:
        rows = dataset.test_features.unsqueeze(0)
        denied &= predict(model.classifier, rows)[0] == DENIED
    rows = dataset.test_features[denied]
    if len(rows) < count:
        raise ConfigError(
            f"factuals: expected at most {len(rows)}, the test rows that all models "
            f"deny rightly, got {count}"
        )
    order = rows[:, 0].argsort()
    return rows[order[torch.linspace(0, len(order) - 1, count).round().long()]]


def _panel(run: Run, model: _Model, rows: Tensor) -> Panel:
    dataset, classifier = model.dataset, model.classifier
    found = run.counterfactual_search()(
        classifier,
        rows.unsqueeze(0),
        torch.full((1, len(rows)), GRANTED),
        constraints=dataset.constraints,
        streams=[Stream(run.seed).child("illustration")],
    )
    valid = predict(classifier, found.counterfactual)[0] == GRANTED
    axes, score = _scores(dataset, classifier)
    reference = Reference(dataset.features, dataset.labels, dataset.classes)
    kept = found.counterfactual[0][valid]
    moved = distance(found.counterfactual, found.factual)[0][valid]
    return Panel(
        model=model.name,
        protected=model.protected,
        features=dataset.features.numpy(),
        labels=dataset.labels.numpy(),
        factual=rows.numpy(),
        counterfactual=found.counterfactual[0].numpy(),
        valid=valid.numpy(),
        axes=axes,
        score=score,
        cost=float(moved.mean()),
        implausibility=float(reference.of(GRANTED).mean_distance(kept).mean()),
    )


def _scores(
    dataset: Dataset, classifier: Classifier
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    low = dataset.features.amin(0) - MARGIN
    high = dataset.features.amax(0) + MARGIN
    x = torch.linspace(float(low[0]), float(high[0]), GRID_POINTS)
    y = torch.linspace(float(low[1]), float(high[1]), GRID_POINTS)
    grid = torch.cartesian_prod(x, y).unsqueeze(0)
    score = torch.softmax(classifier(grid), -1)[0, :, GRANTED]
    shape = (GRID_POINTS, GRID_POINTS)
    return (x.numpy(), y.numpy()), score.view(shape).T.numpy()
