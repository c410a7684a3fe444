"""Logits of rows, and the way back: from gradients by logits to gradients by rows.

Everything that needs gradients by inputs asks here. Stacks of dense layers answer in
closed form, all other classifiers by automatic differentiation; both to rounding the
same.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

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


def owed(x: Tensor, seen: Tensor, by_seen: Tensor) -> Tensor:
    """Returns the gradient by `x` of what has a gradient by what is `seen` of it.

    To the bit that of `torch.autograd.grad(seen, x, by_seen)`, which however imports
    sympy where it is given a gradient to go back from: a second of every command.
    """
    with torch.enable_grad():
        number = _Owing.apply(seen, by_seen)  # type: ignore[no-untyped-call]
        (by_x,) = torch.autograd.grad(number, x)
    return by_x


class _Owing(torch.autograd.Function):
    """A number that has a given gradient."""

    @staticmethod
    def forward(ctx: Any, seen: Tensor, by_seen: Tensor) -> Tensor:
        ctx.by_seen = by_seen
        return seen.new_zeros(())

    @staticmethod
    def backward(ctx: Any, _: Tensor) -> Any:
        return ctx.by_seen, None


def _in_closed_form(layers: Dense) -> Differentiated:
    def forward(x: Rows) -> tuple[Logits, PullBack]:
        tape = layers(x.detach())  # as the weights are: nothing has a graph

        def pull_back(by_logits: Logits) -> Rows:
            return tape.by_inputs(by_logits.detach())

        return tape.logits, pull_back

    return forward


def _by_autograd(classifier: Classifier) -> Differentiated:
    def forward(x: Rows) -> tuple[Logits, PullBack]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = classifier(x)

        def pull_back(by_logits: Logits) -> Rows:
            return owed(x, logits, by_logits)

        return logits.detach(), pull_back

    return forward
