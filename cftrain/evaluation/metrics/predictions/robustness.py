"""Accuracy on attacked test rows."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast
from cftrain.counterfactuals.attacks import Attack
from cftrain.data.constraints import unconstrained
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject
from cftrain.models.stack_slicing import predict, stack_size

ATTACKED_ROWS = 1024
"""Test rows attacked at a time."""


@named("robust_accuracy")
@final
@dataclass(frozen=True, kw_only=True)
class RobustAccuracy(ModelMetric):
    """Test accuracy under an attack, for each epsilon (in units of the inputs).

    A `constrained` attack stays in the domain and moves a feature only where
    counterfactuals may; the published ones do neither.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    attack: Attack
    epsilons: tuple[Annotated[float, AtLeast(0)], ...]
    constrained: bool

    @property
    def levels(self) -> tuple[float | None, ...]:
        return self.epsilons

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        classifier, dataset = subject.classifier, subject.dataset
        stack, rows = stack_size(classifier), dataset.test_features
        constraints = dataset.constraints
        if not self.constrained:
            constraints = unconstrained(dataset.feature_count).to(
                dtype=rows.dtype, device=rows.device
            )
        correct = torch.zeros(len(self.epsilons), stack, dtype=torch.float64)
        for x, label, start in zip(
            rows.split(ATTACKED_ROWS),
            dataset.test_labels.split(ATTACKED_ROWS),
            self.attack.starts(rows).split(ATTACKED_ROWS),
            strict=True,
        ):
            for level, epsilon in enumerate(self.epsilons):
                attacked = self.attack(
                    classifier,
                    x.expand(stack, -1, -1),
                    label.expand(stack, -1),
                    start,
                    epsilon=epsilon,
                    constraints=constraints,
                )
                hits = predict(classifier, attacked) == label
                correct[level] += hits.sum(1).cpu()
        return correct / len(rows)
