"""Gradients by inputs: what moves a row, or what a logit owes to it."""

from collections.abc import Callable
from math import isfinite

import torch
from torch import Tensor

from cftrain.models.classifier import Classifier
from cftrain.models.pullback import differentiated
from cftrain.tensors import (
    Classes,
    Logits,
    Mask,
    PerRow,
    Rows,
    Scalar,
    over_features,
)


def input_gradient(
    quantity: Callable[[Logits, Classes], PerRow],
    classifier: Classifier,
    x: Rows,
    label: Classes,
    *,
    differentiable: bool = False,
) -> Rows:
    """Returns the gradient of each row's quantity, such as its loss, by the row.

    A differentiable one has gradients by the model's weights in turn.
    """
    # Rows are independent: the gradient of the sum is that of each row.
    if not differentiable:
        logits, pull_back = differentiated(classifier)(x)
        with torch.enable_grad():
            logits.requires_grad_()
            (slope,) = torch.autograd.grad(quantity(logits, label).sum(), logits)
        return pull_back(slope)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        total = quantity(classifier(x), label).sum()
        (gradient,) = torch.autograd.grad(total, x, create_graph=True)
    return gradient


def downhill(gradient: Tensor, step_size: Scalar, *, ours: bool) -> Tensor:
    """Returns the step of descent that a gradient by states asks for; in its memory if
    it is `ours`, which for wide rows saves a tenth of a search.
    """
    factor = -over_features(step_size)
    return gradient.mul_(factor) if ours else gradient * factor


def broken_rows(gradient: Rows) -> Mask | None:
    """Returns which rows have a gradient that is not finite, None if none has."""
    # A sum is finite only if all of it is; one that is too large by itself is looked at
    # row by row. A maximum of numbers some of which are NaN is NaN, less than nothing.
    if gradient.is_cpu and isfinite(gradient.sum().item()):
        return None
    return ~(gradient.abs().amax(-1) < torch.inf)
