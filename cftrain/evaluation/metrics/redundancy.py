"""How much of a factual its counterfactual keeps."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.config.ranges import PositiveFloat
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("redundancy")
@final
@dataclass(frozen=True, kw_only=True)
class Redundancy(CounterfactualMetric):
    """Share of features that moved by less than the tolerance."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    tolerance: PositiveFloat

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = individuals.found
        move = (found.counterfactual - found.factual).abs()
        return (move < self.tolerance).double().mean(-1)
