"""Gradients by inputs: what moves a row, or what a logit owes to it."""

from collections.abc import Callable

import torch

from cftrain.models.classifier import Classifier
from cftrain.models.pullback import differentiated
from cftrain.tensors import Classes, Logits, PerRow, Rows


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
