"""A metric of all counterfactuals, valid or not."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.evaluation.metric import DerivedMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("unfiltered")
@final
@dataclass(frozen=True, kw_only=True)
class Unfiltered(DerivedMetric):
    """Another metric without its restriction to valid rows, as in the first draft."""

    of_valid: ClassVar[bool] = False

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        return self.metric(individuals, reference)
