"""Proposition 3.1: protection makes a linear model less sensitive to a feature."""

from dataclasses import replace

import torch

from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.illustrations.plane import protecting
from cftrain.illustrations.sensitivity_figure import Sensitivity
from cftrain.training.run import Run
from cftrain.training.stack import train


def sensitivity(run: Run, dataset: Dataset, *, feature: str, seeds: int) -> Sensitivity:
    """Train both ways from `seeds` seeds on the run's data. Raises ConfigError for
    models that are not linear and for features that are not there.
    """
    protecting(dataset, feature)  # before anything is trained
    shares = {}
    for protected in (False, True):
        shown = protecting(dataset, feature if protected else None)
        replicas = [replace(run, seed=seed) for seed in range(seeds)]
        classifier = train(replicas, shown, device=torch.device("cpu")).classifier
        weights = dict(classifier.named_parameters()).get("0.weight")
        if weights is None or weights.shape[1:] != (2, dataset.feature_count):
            raise ConfigError(
                "model: expected a linear model of two classes (model=linear), got "
                f"{run.model.name} with {dataset.classes} classes"
            )
        place = dataset.feature_names.index(feature)
        slope = (weights[:, 1] - weights[:, 0]).detach().abs()
        shares[protected] = (slope[:, place] / slope.sum(1)).numpy()
    return Sensitivity(feature=feature, free=shares[False], protected=shares[True])
