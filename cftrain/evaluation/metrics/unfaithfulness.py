"""Distance of counterfactuals to what the model itself learned about their target."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import torch

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, Count, PositiveFloat, Seed
from cftrain.counterfactuals.energy import energy
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.data.constraints import Constraints
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference, ReferenceClass
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import stack_size
from cftrain.seeding import Stream
from cftrain.tensors import PerRow, Rows


@named("unfaithfulness")
@final
@dataclass(frozen=True, kw_only=True)
class Unfaithfulness(CounterfactualMetric):
    """Mean L1 distance to samples of the model's distribution given the target.

    Altmeyer et al. (2024, section 4), who sample by stochastic gradient Langevin
    dynamics on the energy of the target: x - step_size / 2 * gradient + noise * normal,
    from uniform places in the range of the reference rows. Samples stay in the domain;
    a classifier's energy has no floor outside. All cells get the same random numbers.
    """

    unit: ClassVar[str] = "L1"
    higher_is_better: ClassVar[bool] = False

    samples: Count
    steps: Count
    step_size: PositiveFloat
    noise: Annotated[float, AtLeast(0)]
    seed: Seed

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        rows, target = individuals.found.counterfactual, individuals.found.target
        values = torch.full_like(target, torch.nan, dtype=torch.float64)
        for label in range(reference.classes):
            drawn = self._sample(
                label, individuals.classifier, reference, individuals.constraints
            )
            for cell, samples in enumerate(drawn):
                chosen = target[cell] == label
                distances = ReferenceClass(samples).mean_distance(rows[cell, chosen])
                values[cell, chosen] = distances
        return values

    def _sample(
        self,
        label: int,
        classifier: Classifier,
        reference: Reference,
        limits: Constraints,
    ) -> Rows:
        like, stack = reference.features, stack_size(classifier)
        generator = Stream(self.seed).child(label).generator()
        shape = (self.samples, like.shape[1])
        low, high = like.amin(0), like.amax(0)
        uniform = torch.rand(shape, generator=generator, dtype=like.dtype)
        x = (low + (high - low) * uniform.to(like)).expand(stack, -1, -1)
        target = torch.full(x.shape[:2], label, device=like.device)
        for _ in range(self.steps):
            normal = torch.randn(shape, generator=generator, dtype=like.dtype)
            drift = self.step_size / 2 * input_gradient(energy, classifier, x, target)
            x = x - drift + self.noise * normal.to(like)
            x = torch.clamp(x, limits.lower, limits.upper)
        return x
