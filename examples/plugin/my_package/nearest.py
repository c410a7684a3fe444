"""Nearest: distance of counterfactuals to the nearest observed row."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("my_package:nearest")
@final
@dataclass(frozen=True, kw_only=True)
class Nearest(CounterfactualMetric):
    """Mean L1 distance to the nearest observed rows of the target class."""

    unit: ClassVar[str] = "L1"
    higher_is_better: ClassVar[bool] = False

    neighbours: Count

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        rows, target = individuals.found.counterfactual, individuals.found.target
        values = torch.full_like(target, torch.nan, dtype=torch.float64)
        for label in range(reference.classes):
            chosen, observed = target == label, reference.of(label).rows
            if chosen.any() and len(observed) >= self.neighbours:
                apart = torch.cdist(rows[chosen].double(), observed.double(), p=1)
                near = apart.topk(self.neighbours, dim=1, largest=False).values
                values[chosen] = near.mean(1)
        return values
