"""Slices of a stacked classifier."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes


def frozen(classifier: Classifier, cells: slice | list[int]) -> Classifier:
    """A classifier for some cells only, sharing memory with the whole where it can.

    Its weights need no gradients: a search differentiates by its inputs alone.
    """
    chosen = copy.copy(classifier)
    for store in ("_parameters", "_buffers"):
        held = getattr(classifier, store)
        sliced = {
            name: None if value is None else value.detach()[cells]
            for name, value in held.items()
        }
        chosen.__dict__[store] = sliced
    chosen.__dict__["_modules"] = {
        name: frozen(module, cells)
        for name, module in classifier._modules.items()
        if module is not None
    }
    return chosen


def stack_size(classifier: nn.Module) -> int:
    """How many cells the classifier holds."""
    return int(next(classifier.parameters()).shape[0])


@torch.no_grad()
def predict(
    classifier: Classifier, rows: Float[Tensor, "cells row feature"]
) -> Classes:
    """Predicted classes (stack, row); rows (1, row, feature) are shared by all."""
    stack = stack_size(classifier)
    if len(rows) != stack:
        rows = rows.expand(stack, -1, -1)
    predicted: Classes = classifier(rows).argmax(-1)
    return predicted
