"""Share of counterfactuals that break a constraint."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("violations")
@final
@dataclass(frozen=True, kw_only=True)
class Violations(CounterfactualMetric):
    """1 where the domain is left, a feature moved that must not or a relation between
    features is broken, else 0.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = False
    of_valid: ClassVar[bool] = False

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found, limits = individuals.found, individuals.constraints
        return limits.violations(found.counterfactual, found.factual).double()
