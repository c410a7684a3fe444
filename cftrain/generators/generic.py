"""The generic generator: reach the target, stay close."""

from dataclasses import dataclass
from typing import final

from cftrain.config.names import named
from cftrain.counterfactuals.energy import cross_entropy, cross_entropy_slope
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.hyperparameters import Weight
from cftrain.counterfactuals.penalties import distance, distance_slope
from cftrain.tensors import Classes, Logits, PerRow, Rows, over_features


@named("generic")
@final
@dataclass(frozen=True, kw_only=True)
class Generic(Generator):
    """Cross-entropy to the target plus L1 distance (Wachter et al., 2018).

    In the latent space of a VAE this is REVISE (Joshi et al., 2019).
    """

    distance_weight: Weight

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
        return cross_entropy(logits, target) + pull

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
        return cross_entropy_slope(logits, target), pull

    def ineffective(self, max_steps: int) -> frozenset[str]:
        return frozenset()
