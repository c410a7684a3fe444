"""ECCo: counterfactuals with low energy under the model itself."""

from dataclasses import dataclass
from typing import Literal, final

from cftrain.config.names import named
from cftrain.counterfactuals.energy import (
    add_energy_slope,
    cross_entropy,
    cross_entropy_slope,
    energy,
)
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.hyperparameters import Weight
from cftrain.counterfactuals.penalties import (
    distance,
    distance_slope,
    energy_constraint,
    energy_constraint_slope,
    polynomial_decay,
)
from cftrain.tensors import Classes, Logits, PerRow, Rows, over_features


@named("ecco")
@final
@dataclass(frozen=True, kw_only=True)
class Ecco(Generator):
    """The generic loss plus an energy constraint (Altmeyer et al., 2024).

    Without the conformal set size penalty, as in the paper. The published schedule
    weakens the constraint with every step and switches it off for `max_steps` <= 12;
    `constant` keeps the weight, for clean studies of it.
    """

    distance_weight: Weight
    energy_weight: Weight
    schedule: Literal["decay", "constant"]

    def ineffective(self, max_steps: int) -> frozenset[str]:
        if self.schedule == "decay" and polynomial_decay(0, max_steps) == 0:
            return frozenset({"energy_weight"})
        return frozenset()

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        pull = self.distance_weight * distance(counterfactual, factual)
        weight = self.energy_weight * self._schedule(progress)
        constraint = weight * energy_constraint(energy(logits, target))
        return cross_entropy(logits, target) + pull + constraint

    def slopes(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> tuple[Logits, Rows]:
        pull = distance_slope(counterfactual, factual)
        pull.mul_(over_features(self.distance_weight))
        weight = self.energy_weight * self._schedule(progress)
        constraint = weight * energy_constraint_slope(energy(logits, target))
        slope = cross_entropy_slope(logits, target)
        return add_energy_slope(slope, target, constraint), pull

    def _schedule(self, progress: Progress) -> float:
        if self.schedule == "constant":
            return 1.0
        return polynomial_decay(progress.step, progress.max_steps)
