"""Elastic: reach the target, stay close in L1 and in L2."""

from dataclasses import dataclass
from typing import final

from cftrain.config.names import named
from cftrain.counterfactuals.energy import cross_entropy
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.hyperparameters import Weight
from cftrain.counterfactuals.penalties import distance
from cftrain.tensors import Classes, Logits, PerRow, Rows


@named("my_package:elastic")
@final
@dataclass(frozen=True, kw_only=True)
class Elastic(Generator):
    """Cross-entropy plus an elastic net of the move (Dhurandhar et al., 2018)."""

    distance_weight: Weight
    square_weight: Weight

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        square = (counterfactual - factual).square().sum(-1)
        pull = self.distance_weight * distance(counterfactual, factual)
        return cross_entropy(logits, target) + pull + self.square_weight * square

    def ineffective(self, max_steps: int) -> frozenset[str]:
        return frozenset()
