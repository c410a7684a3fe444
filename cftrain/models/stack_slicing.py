"""Slices of a stacked classifier."""

import copy
from collections.abc import Callable, Sequence
from itertools import chain

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cftrain.cores import side_by_side
from cftrain.models.classifier import Classifier
from cftrain.models.module import is_shareable
from cftrain.tensors import Classes

PREDICTED_ROWS = 4096
"""Rows of each cell that are predicted at a time, unless they are wide."""

PREDICTED_NUMBERS = 2**20
"""Of each cell that are predicted at a time: some thousand images share the cores."""

ALIKE_ROWS = 256
"""The same where no digit may depend on how many they are."""


def frozen(classifier: Classifier, cells: slice | list[int]) -> Classifier:
    """Returns a classifier for some cells, in the memory of the whole where it can.

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
    """Returns how many cells the classifier holds."""
    held = chain(classifier.parameters(), classifier.buffers())
    return int(next(held).shape[0])


def predict(
    classifier: Classifier, rows: Float[Tensor, "cells row feature"]
) -> Classes:
    """Returns the predicted classes; all cells share rows (1, row, feature)."""
    return _of_logits(classifier, rows, lambda logits: logits.argmax(-1))


def probabilities(
    classifier: Classifier, rows: Float[Tensor, "cells row feature"]
) -> Float[Tensor, "stack row class"]:
    """Returns the probability of each class; all cells share rows (1, row, feature)."""
    return _of_logits(classifier, rows, lambda logits: logits.softmax(-1))


@torch.no_grad()
def logits_alone(
    classifier: Classifier, rows: Float[Tensor, "stack row feature"]
) -> Float[Tensor, "stack row class"]:
    """Returns logits of which no digit depends on the other rows.

    The last digits of a matrix product depend on its size, so all portions are filled
    up to one size.
    """
    stack, count, features = rows.shape
    filler = rows.new_zeros(stack, -count % ALIKE_ROWS, features)
    portions = torch.cat([rows, filler], 1).split(ALIKE_ROWS, 1)
    return torch.cat([classifier(portion) for portion in portions], 1)[:, :count]


def predict_at(
    classifier: Classifier,
    table: Float[Tensor, "place feature"],
    places: Int[Tensor, "stack row"],
) -> Classes:
    """Returns predicted classes of the rows at these places of a table, cell by cell.

    No more rows are gathered at a time than are predicted at a time.
    """
    return _by_portion(
        lambda portion: predict(classifier, table[portion]),
        classifier,
        places.split(_at_a_time(table), 1),
    )


def _of_logits(
    classifier: Classifier, rows: Tensor, found: Callable[[Tensor], Tensor]
) -> Tensor:
    """What is found by the logits of rows, which all cells may share."""
    stack = stack_size(classifier)
    return _by_portion(
        lambda portion: found(classifier(portion.expand(stack, -1, -1))),
        classifier,
        rows.split(_at_a_time(rows), 1),
    )


def _at_a_time(rows: Tensor) -> int:
    """How many rows that are so wide are predicted at a time."""
    return max(1, min(PREDICTED_ROWS, PREDICTED_NUMBERS // rows.shape[-1]))


def _by_portion(
    answer: Callable[[Tensor], Tensor],
    classifier: Classifier,
    portions: Sequence[Tensor],
) -> Tensor:
    """What a classifier answers to portions of rows, in their order."""
    # Threads know nothing of a `no_grad` around them.
    found = side_by_side(
        torch.no_grad()(answer), portions, shared=is_shareable(classifier)
    )
    return torch.cat(found, 1)
