"""Share of counterfactuals that were stopped by the domain."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.config.ranges import PositiveFloat
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("at_bound")
@final
@dataclass(frozen=True, kw_only=True)
class AtBound(CounterfactualMetric):
    """1 where some feature has moved to a bound of its domain, else 0.

    Categories do not count: an input that is 0 or 1 is what they are.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = False
    of_valid: ClassVar[bool] = False

    tolerance: PositiveFloat

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found, limits = individuals.found, individuals.constraints
        return limits.stopped(
            found.counterfactual, found.factual, tolerance=self.tolerance
        ).double()
