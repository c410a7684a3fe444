"""How far a counterfactual is from its factual."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.counterfactuals.penalties import distance
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("cost")
@final
@dataclass(frozen=True, kw_only=True)
class Cost(CounterfactualMetric):
    """L1 distance to the factual, summed over features."""

    unit: ClassVar[str] = "L1"
    higher_is_better: ClassVar[bool] = False
    individual: ClassVar[bool] = True

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        return distance(individuals.found.counterfactual, individuals.found.factual)
