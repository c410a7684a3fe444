"""How counterfactuals are found: their paths across the decision boundary."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.data.sources import cache
from cftrain.illustrations.path_figure import Paths
from cftrain.illustrations.plane import decision_map, shared_factuals
from cftrain.illustrations.recording import record
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen
from cftrain.objectives.objective import Objective
from cftrain.tensors import Features, Labels
from cftrain.training.run import Run
from cftrain.training.stack import train

AT_BOUND = 1e-5
"""Nearer to a bound than this a search has been stopped by it."""


def trained_paths(
    run: Run,
    baseline: Objective,
    dataset: Dataset,
    count: int,
    *,
    generator: Generator,
    descent: GradientDescent,
) -> list[Paths]:
    """Train a baseline and the run on the run's data, and follow both from the same
    factuals by another search, whose steps can be seen. Raises ConfigError.
    """
    runs = [replace(run, objective=baseline), run]
    trained = train(runs, dataset, device=torch.device("cpu"))
    fitted = generator.fitted(dataset.features, cache())
    shown = [replace(each, generator=fitted, search=descent) for each in runs]
    return compared_paths(shown, dataset, trained.classifier, count)


def compared_paths(
    runs: Sequence[Run], dataset: Dataset, classifier: Classifier, count: int
) -> list[Paths]:
    """Returns the ways of each run's search through its model, a place in the stack,
    from the same factuals, half of each class.

    The data must have two features and two classes, the runs' generators be fitted.
    Raises ConfigError if there are too few factuals that all models predict rightly.
    """
    models = [frozen(classifier, slice(cell, cell + 1)) for cell in range(len(runs))]
    counts = (count - count // 2, count // 2)
    factual = torch.cat(
        [
            shared_factuals(models, dataset, label=label, count=half)
            for label, half in enumerate(counts)
        ]
    )
    target = torch.tensor([1, 0]).repeat_interleave(torch.tensor(counts))
    return [
        paths(
            dataset,
            model,
            objective=run.objective.name,
            search=run.counterfactual_search(),
            factual=factual,
            target=target,
        )
        for run, model in zip(runs, models, strict=True)
    ]


def paths(
    dataset: Dataset,
    classifier: Classifier,
    *,
    objective: str,
    search: CounterfactualSearch,
    factual: Features,
    target: Labels,
) -> Paths:
    """Returns the ways through a stack of one model from some factuals to their
    targets; the search's generator must be fitted.
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
        map=decision_map(dataset, classifier),
        ways=tuple(way.numpy() for way in ways),
        nascent=found.nascent[0].numpy(),
        mature=found.mature[0].numpy(),
        stopped=dataset.constraints.stopped(
            found.counterfactual, found.factual, tolerance=AT_BOUND
        )[0].numpy(),
    )
