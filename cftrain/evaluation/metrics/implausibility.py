"""IP: distance of counterfactuals to observed rows of their target class."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch

from cftrain.config.names import named
from cftrain.config.ranges import Count, Seed
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference, ReferenceClass
from cftrain.tensors import PerRow


@named("implausibility")
@final
@dataclass(frozen=True, kw_only=True)
class Implausibility(CounterfactualMetric):
    """Mean distance to the reference rows of the target class (paper Eq. 6).

    The authors draw 1,000 `reference_rows` with replacement, or as many as there are;
    the whole class (null) is what those draws estimate. Drawn rows are the same for
    all rounds and cells.
    """

    higher_is_better: ClassVar[bool] = False
    individual: ClassVar[bool] = True

    norm: Literal["l1", "l2"]
    reference_rows: Count | None
    seed: Seed

    @property
    def unit(self) -> str:
        return self.norm.upper()

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        rows, target = individuals.found.counterfactual, individuals.found.target
        values = torch.full_like(target, torch.nan, dtype=torch.float64)
        for label in range(reference.classes):
            chosen = target == label
            if not chosen.any():
                continue
            observed = reference.of(label)
            if self.reference_rows is not None:
                observed = observed.once(
                    ReferenceClass.drawn, self.reference_rows, self.seed
                )
            distance = (
                observed.mean_distance
                if self.norm == "l1"
                else observed.mean_euclidean_distance
            )
            values[chosen] = distance(rows[chosen])
        return values
