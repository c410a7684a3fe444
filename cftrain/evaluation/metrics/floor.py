"""How plausible observed rows are themselves: the floor of a metric."""

from dataclasses import dataclass, replace
from typing import final

from cftrain.config.names import named
from cftrain.evaluation.metric import DerivedMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.tensors import PerRow


@named("floor")
@final
@dataclass(frozen=True, kw_only=True)
class Floor(DerivedMetric):
    """The metric of held-out rows of the target class, in place of counterfactuals.

    A held-out row counts where the counterfactual that it replaces does, so that metric
    and floor have the same share of each class. Below its floor a metric is no success:
    the counterfactuals have collapsed onto the centre of the class.
    """

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = replace(individuals.found, counterfactual=individuals.held_out)
        return self.metric(replace(individuals, found=found), reference)
