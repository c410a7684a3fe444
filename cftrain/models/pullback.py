"""Logits of rows, and the way back: from gradients by logits to gradients by rows.

Everything that needs gradients by inputs asks here. Stacks of dense layers answer in
closed form, all other classifiers by automatic differentiation; both to rounding the
same.
"""

from collections.abc import Callable

import torch

from cftrain.models.classifier import Classifier
from cftrain.models.dense_stacks.dense import Dense, dense
from cftrain.tensors import Logits, Rows

PullBack = Callable[[Logits], Rows]
"""Returns the gradient by the rows of what has this gradient by their logits."""

Differentiated = Callable[[Rows], tuple[Logits, PullBack]]
"""A classifier that returns logits, and the way back from them to the rows."""


def differentiated(classifier: Classifier) -> Differentiated:
    """Returns the classifier with a way back, in closed form where it has one.

    Its logits carry no graph: gradients come from the way back alone.
    """
    layers = dense(classifier)
    return _by_autograd(classifier) if layers is None else _in_closed_form(layers)


def has_closed_form(classifier: Classifier) -> bool:
    """Returns whether its way back needs no automatic differentiation.

    Such a classifier works in inference mode, and is fastest where narrow rows lie in
    memory column by column.
    """
    return dense(classifier) is not None


def _in_closed_form(layers: Dense) -> Differentiated:
    @torch.no_grad()
    def forward(x: Rows) -> tuple[Logits, PullBack]:
        tape = layers(x)
        return tape.logits, torch.no_grad()(tape.by_inputs)

    return forward


def _by_autograd(classifier: Classifier) -> Differentiated:
    def forward(x: Rows) -> tuple[Logits, PullBack]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = classifier(x)

        def pull_back(by_logits: Logits) -> Rows:
            (by_rows,) = torch.autograd.grad(logits, x, by_logits)
            return by_rows

        return logits.detach(), pull_back

    return forward
