"""IP: distance of counterfactuals to observed rows of their target class."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@final
@dataclass(frozen=True, kw_only=True)
class Implausibility(CounterfactualMetric):
    """Mean L1 distance to all reference rows of the target class (paper Eq. 6).

    The authors draw 1,000 reference rows with replacement in every round; the whole
    class is what those draws estimate.
    """

    name: ClassVar[str] = "ip"
    unit: ClassVar[str] = "L1"
    higher_is_better: ClassVar[bool] = False

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        rows = individuals.found.counterfactual
        target = individuals.found.target
        values = torch.full(target.shape, torch.nan, dtype=torch.float64)
        for label in range(reference.classes):
            chosen = target == label
            if chosen.any():
                distances = reference.of(label).mean_distance(rows[chosen])
                values[chosen.cpu()] = distances.cpu()
        return values.to(rows.device)
