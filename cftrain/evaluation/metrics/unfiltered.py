"""A metric of all counterfactuals, valid or not."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@final
@dataclass(frozen=True, kw_only=True)
class Unfiltered(CounterfactualMetric):
    """Another metric without its restriction to valid rows, as in the first draft."""

    of_valid: ClassVar[bool] = False

    metric: CounterfactualMetric

    @property
    def unit(self) -> str:
        return self.metric.unit

    @property
    def higher_is_better(self) -> bool:
        return self.metric.higher_is_better

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        return self.metric(individuals, reference)
