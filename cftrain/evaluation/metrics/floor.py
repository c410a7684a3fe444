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
    """What held-out rows of the target class score where counterfactuals stand.

    Counted like the metric itself, by the valid counterfactuals that the rows replace:
    metric and floor have the same share of each class. A metric below its floor is no
    win: the counterfactuals have collapsed onto the centre of the class.
    """

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = replace(individuals.found, counterfactual=individuals.held_out)
        return self.metric(replace(individuals, found=found), reference)
