"""Whether counterfactuals are as different from each other as observed rows are."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference, ReferenceClass
from cftrain.tensors import Features, PerRow


@named("diversity")
@final
@dataclass(frozen=True, kw_only=True)
class Diversity(CounterfactualMetric):
    """Mean pairwise L2 distance of valid counterfactuals of one target, relative to
    that of observed rows of this class.

    Near 0 all of them are the same row, a prototype of the class, whatever the factual:
    what IP rewards as much as a success. Every individual counts once, however often
    it was drawn, and at most `rows` of each target do, in the order of the draws. All
    rows of a target have its value; NaN where there are fewer than two.
    """

    unit: ClassVar[str] = "ratio"
    higher_is_better: ClassVar[bool] = True

    rows: Count
    """Counterfactuals of a target, and observed rows of a class, at most."""

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = individuals.found
        values = torch.full_like(found.target, torch.nan, dtype=torch.float64)
        for cell in range(len(values)):
            for label in range(reference.classes):
                own = found.target[cell] == label
                places = (own & individuals.valid[cell]).nonzero().squeeze(1)
                places = _first(individuals.factual_row[cell, places], places)
                values[cell, own] = self._ratio(
                    found.counterfactual[cell, places[: self.rows]], reference.of(label)
                )
        return values

    def _ratio(self, rows: Features, observed: ReferenceClass) -> float:
        own, natural = spread_of(rows), observed.once(_spread_of_class, self.rows)
        return own / natural if natural > 0 else torch.nan


def spread_of(rows: Features) -> float:
    """Returns the mean distance of two different rows, NaN without two."""
    return float(torch.pdist(rows.double()).mean()) if len(rows) > 1 else torch.nan


def _spread_of_class(observed: ReferenceClass, most: int) -> float:
    step = -(-len(observed.rows) // most) or 1
    return spread_of(observed.rows[::step])


def _first(keys: Tensor, places: Tensor) -> Tensor:
    """The first place of each key, in their order."""
    _, inverse = keys.unique(return_inverse=True)
    first = torch.full((int(inverse.max()) + 1 if len(keys) else 0,), len(keys))
    order = torch.arange(len(keys))
    first = first.scatter_reduce(0, inverse.cpu(), order, "amin")
    return places[first.sort().values.to(places.device)]
