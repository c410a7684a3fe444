"""Share of counterfactuals that are predicted as their target."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("validity")
@final
@dataclass(frozen=True, kw_only=True)
class Validity(CounterfactualMetric):
    """1 where the predicted class is the target, else 0; no threshold is involved."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True
    of_valid: ClassVar[bool] = False

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        return individuals.valid.double()
