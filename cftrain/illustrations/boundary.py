"""How counterfactuals are found: their paths across the decision boundary."""

from dataclasses import replace

import torch

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.data.sources import cache
from cftrain.grid.worker import train
from cftrain.illustrations.plane import landscape, shared_factuals
from cftrain.illustrations.recording import record
from cftrain.models.classifier import Classifier
from cftrain.models.members import frozen
from cftrain.objectives.objective import Objective
from cftrain.run import Run
from cftrain.summary.paths import Paths
from cftrain.tensors import Table, TableClasses


def trained_paths(run: Run, baseline: Objective, count: int) -> list[Paths]:
    """Train a baseline and the run, and follow both from the same factuals, half of
    each class. The data must have two features and two classes. Raises ConfigError.
    """
    dataset = run.data.load()
    runs = [replace(run, objective=baseline), run]
    trained = train(runs, dataset, device=torch.device("cpu"))
    classifiers = [frozen(trained.classifier, slice(cell, cell + 1)) for cell in (0, 1)]
    counts = (count - count // 2, count // 2)
    factual = torch.cat(
        [shared_factuals(classifiers, dataset, *each) for each in enumerate(counts)]
    )
    target = torch.tensor([1, 0]).repeat_interleave(torch.tensor(counts))
    generator = run.generator.fitted(dataset.features, cache())
    search = replace(run, generator=generator).counterfactual_search()
    return [
        paths(described.objective.name, dataset, classifier, search, factual, target)
        for described, classifier in zip(runs, classifiers, strict=True)
    ]


def paths(
    objective: str,
    dataset: Dataset,
    classifier: Classifier,
    search: CounterfactualSearch,
    factual: Table,
    target: TableClasses,
) -> Paths:
    """A stack of one model, and the ways from some factuals to their targets; the
    search's generator must be fitted.
    """
    found, ways = record(
        search,
        classifier,
        factual.unsqueeze(0),
        target.unsqueeze(0),
        constraints=dataset.constraints,
    )
    return Paths(
        objective=objective,
        landscape=landscape(dataset, classifier),
        ways=tuple(way.numpy() for way in ways),
        nascent=found.nascent[0].numpy(),
        mature=found.mature[0].numpy(),
    )
