"""How much the rows of each class count in the cross-entropies."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Int
from torch import Tensor

from cftrain.config.ranges import PositiveFloat
from cftrain.data.columns import WrittenLevel, listed
from cftrain.errors import ConfigError
from cftrain.tensors import Classes, PerCell, PerClass, PerRow

ClassWeights = (
    Literal["balanced"]
    | tuple[PositiveFloat, ...]
    | dict[WrittenLevel, PositiveFloat]
    | None
)
"""What a configuration says: all the same, by the training rows, in the order of the
classes or by their names.
"""


def mistaken(chosen: ClassWeights, class_names: Sequence[str]) -> str | None:
    """Returns what is wrong with weights of these classes, if anything is."""
    expected = f"expected a weight for each of the classes {listed(class_names)}"
    if isinstance(chosen, tuple) and len(chosen) != len(class_names):
        return f"{expected}, got {len(chosen)} weights"
    if isinstance(chosen, dict) and set(chosen) != set(class_names):
        return f"{expected}, got weights of {listed(list(chosen))}"
    return None


def class_weights(
    chosen: ClassWeights, counts: Int[Tensor, "stack class"], class_names: Sequence[str]
) -> PerClass | None:
    """Returns the weights of each cell, whose training rows are `counts` of each class.

    None without weights. Balanced ones are n / (k n_c) for class c with n_c of n rows
    and k classes, as scikit-learn's. Raises ConfigError for those of other classes.
    """
    if chosen is None:
        return None
    wrong = mistaken(chosen, class_names)
    if wrong is not None:
        raise ConfigError(f"objective.class_weights: {wrong}")
    rows = counts.double()
    if chosen == "balanced":
        # No row has the weight of a class without any.
        return rows.sum(1, keepdim=True) / (rows.shape[1] * rows.clamp(min=1))
    by_class = chosen
    if isinstance(chosen, dict):
        by_class = tuple(chosen[name] for name in class_names)
    return rows.new_tensor(by_class).expand_as(rows)


def class_mean(losses: PerRow, labels: Classes, weights: PerClass | None) -> PerCell:
    """Returns the mean loss, in which rows count as much as their labels do.

    Sum of w l over sum of w, as torch's `CrossEntropyLoss(weight=w)`.
    """
    if weights is None:
        return losses.mean(1)
    share = weights.to(losses).gather(1, labels)
    return (share * losses).sum(1) / share.sum(1)


def class_shares(labels: Classes, weights: PerClass | None, *, like: Tensor) -> PerRow:
    """Returns how much each row's loss counts in the mean."""
    if weights is None:
        return like.new_full(labels.shape, 1 / labels.shape[1])
    share = weights.to(like).gather(1, labels)
    return share / share.sum(1, keepdim=True)
