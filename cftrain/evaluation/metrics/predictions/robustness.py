"""Accuracy on attacked test rows."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast
from cftrain.cores import side_by_side
from cftrain.counterfactuals.attacks import Attack
from cftrain.data.constraints import unconstrained
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject
from cftrain.models.module import is_shareable
from cftrain.models.stack_slicing import predict, stack_size
from cftrain.tensors import Features

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

        def hits(part: tuple[Features, Tensor, Features]) -> Tensor:
            x, label, start = part
            attacked = partial(
                self.attack,
                classifier,
                x.expand(stack, -1, -1),
                label.expand(stack, -1),
                start,
                constraints=constraints,
            )
            levels = [
                predict(classifier, attacked(epsilon=epsilon)) == label
                for epsilon in self.epsilons
            ]
            return torch.stack(levels).sum(2).double().cpu()

        whole = rows, dataset.test_labels, self.attack.starts(rows)
        parts = zip(*(each.split(ATTACKED_ROWS) for each in whole), strict=True)
        found = side_by_side(hits, [*parts], shared=is_shareable(classifier))
        return torch.stack(found).sum(0) / len(rows)
