"""What counterfactual training and a protected feature do to recourse, in four panels.

The paper's Figure 1 and its Example 3.1: conventional and counterfactual training, each
without and with an immutable feature.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cftrain.counterfactuals.penalties import distance
from cftrain.data.dataset import Dataset
from cftrain.evaluation.reference import Reference
from cftrain.illustrations.plane import decision_map, protecting, shared_factuals
from cftrain.illustrations.recourse_panels import Panel
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen, predict
from cftrain.objectives.objective import Objective
from cftrain.seeding import Stream
from cftrain.training.run import Run
from cftrain.training.stack import train

DENIED, GRANTED = 0, 1


def panels(
    run: Run, baseline: Objective, dataset: Dataset, *, feature: str, count: int
) -> list[Panel]:
    """Returns conventional and counterfactual training, without and with the feature
    fixed, all four explaining the same factuals.

    The dataset is that of the run, with two features and two classes. Raises
    ConfigError.
    """
    models = []
    for protected in (None, feature):
        shown = protecting(dataset, protected)
        runs = [replace(run, objective=baseline), run]
        trained = train(runs, shown, device=torch.device("cpu"))
        for cell, name in enumerate(("conventional", "counterfactual")):
            classifier = frozen(trained.classifier, slice(cell, cell + 1))
            models.append(_Model(name, protected, shown, classifier))
    factual = shared_factuals(
        [model.classifier for model in models],
        models[0].dataset,
        label=DENIED,
        count=count,
    )
    return [_panel(run, model, factual) for model in models]


@dataclass(frozen=True)
class _Model:
    name: str
    protected: str | None
    dataset: Dataset
    classifier: Classifier


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
    reference = Reference(dataset.features, dataset.labels, dataset.classes)
    kept = found.counterfactual[0][valid]
    moved = distance(found.counterfactual, found.factual)[0][valid]
    return Panel(
        model=model.name,
        protected=model.protected,
        map=decision_map(dataset, classifier),
        factual=rows.numpy(),
        counterfactual=found.counterfactual[0].numpy(),
        valid=valid.numpy(),
        cost=float(moved.mean()),
        implausibility=float(reference.of(GRANTED).mean_distance(kept).mean()),
    )
