"""Terms that are functions of gradients by rows, and their own by the parameters: in
closed form for dense stacks, by second derivatives of autograd for all others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.counterfactuals.energy import (
    cross_entropy,
    cross_entropy_curvature,
    cross_entropy_slope,
    guidance,
    guidance_curvature,
    guidance_slope,
)
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.models.classifier import Classifier
from cftrain.models.dense_stacks.ascent import ascent
from cftrain.models.dense_stacks.dense import Dense
from cftrain.tensors import Classes, Logits, PerRow, Rows

OfRows = Float[Tensor, "stack _"]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A function of logits and a class, its gradient by the logits, and how this
    changes in a direction.
    """

    function: Callable[[Logits, Classes], PerRow]
    slope: Callable[[Logits, Classes], Logits]
    curvature: Callable[[Logits, Classes, Logits], Logits]


GUIDANCE = Quantity(
    function=guidance, slope=guidance_slope, curvature=guidance_curvature
)
LOSS = Quantity(
    function=cross_entropy, slope=cross_entropy_slope, curvature=cross_entropy_curvature
)


@dataclass(frozen=True)
class Sloped:
    """A term's value for each row, and the way to its gradients by the parameters: of
    the sum of the values, each times a factor of its cell (stack, 1).
    """

    value: OfRows
    by_parameters: Callable[[Float[Tensor, "stack 1"]], Sequence[Tensor | None]]


@dataclass(frozen=True)
class Term:
    """A function of a row's gradient, and its derivative by it."""

    value: Callable[[Rows], PerRow]
    slope: Callable[[Rows], Rows]

    def of(
        self,
        quantity: Quantity,
        classifier: Classifier,
        layers: Dense | None,
        x: Rows,
        label: Classes,
    ) -> Sloped:
        """Returns the term for the gradient of a quantity at some rows; the layers are
        those of the classifier where it has a closed form.
        """
        if layers is None:
            gradient = input_gradient(
                quantity.function, classifier, x, label, differentiable=True
            )
            value = self.value(gradient)
            return Sloped(value, partial(_by_autograd, value, classifier))
        tape = layers(x)
        found = ascent(tape, quantity.slope(tape.logits, label))
        curvature = partial(quantity.curvature, tape.logits, label)

        def by_parameters(factor: Float[Tensor, "stack 1"]) -> Sequence[Tensor]:
            direction = factor.unsqueeze(-1) * self.slope(found.by_rows)
            return found.by_weights(direction, curvature)

        return Sloped(self.value(found.by_rows), by_parameters)


def none_of(like: OfRows) -> Sloped:
    """Returns a term that no model has: no columns, no gradients."""
    return Sloped(like[:, :0], lambda factor: ())


def _by_autograd(
    value: OfRows, classifier: Classifier, factor: Float[Tensor, "stack 1"]
) -> Sequence[Tensor | None]:
    parameters = list(classifier.parameters())
    total = (value * factor).sum()
    return torch.autograd.grad(total, parameters, allow_unused=True)
