"""Proposition 3.1: protection makes a linear model less sensitive to a feature."""

from dataclasses import replace
from typing import Any

import torch

from cftrain.errors import ConfigError
from cftrain.illustrations.sensitivity_figure import Sensitivity
from cftrain.training.run import Run
from cftrain.training.stack import train


def sensitivity(run: Run, feature: str, seeds: int) -> Sensitivity:
    """Train both ways from `seeds` seeds. Raises ConfigError for other models."""
    shares = {}
    for protected in (False, True):
        data: Any = run.data
        mutability = {feature: "immutable"} if protected else {}
        described = replace(run, data=replace(data, mutability=mutability))
        dataset = described.data.load()
        place = dataset.feature_names.index(feature)
        replicas = [replace(described, seed=seed) for seed in range(seeds)]
        classifier = train(replicas, dataset, device=torch.device("cpu")).classifier
        weights = dict(classifier.named_parameters()).get("0.weight")
        if weights is None or weights.shape[1:] != (2, dataset.feature_count):
            raise ConfigError(
                "model: expected a linear model of two classes (model=linear), got "
                f"{run.model.name} with {dataset.classes} classes"
            )
        slope = (weights[:, 1] - weights[:, 0]).detach().abs()
        shares[protected] = (slope[:, place] / slope.sum(1)).numpy()
    return Sensitivity(feature=feature, free=shares[False], protected=shares[True])
