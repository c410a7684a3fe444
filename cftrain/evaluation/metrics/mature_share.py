"""Share of counterfactuals that are mature."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("mature_share")
@final
@dataclass(frozen=True, kw_only=True)
class MatureShare(CounterfactualMetric):
    """1 where the target probability reached the threshold in time, else 0."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True
    of_valid: ClassVar[bool] = False

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        return individuals.found.mature.double()
