"""How much rows count in the cross-entropies: by their class, and by themselves."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float, Int
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


def class_mean(
    losses: PerRow,
    labels: Classes,
    by_class: PerClass | None,
    by_row: PerRow | None = None,
) -> PerCell:
    """Returns the mean loss, in which rows count as much as their labels do, and as
    they do themselves; 0 without rows, or if none counts.

    Sum of w l over sum of w, as torch's `CrossEntropyLoss(weight=w)`.
    """
    if not labels.shape[1]:
        return losses.new_zeros(len(losses))
    share = _weights(labels, by_class, by_row, like=losses)
    if share is None:
        return losses.mean(1)
    return (share * losses).sum(1) / _total(share).squeeze(1)


def class_shares(
    labels: Classes,
    by_class: PerClass | None,
    by_row: PerRow | None = None,
    *,
    like: Tensor,
) -> PerRow:
    """Returns how much each row's loss counts in the mean."""
    share = _weights(labels, by_class, by_row, like=like)
    if share is None:
        return like.new_full(labels.shape, 1 / labels.shape[1])
    return share / _total(share)


def _weights(
    labels: Classes, by_class: PerClass | None, by_row: PerRow | None, *, like: Tensor
) -> PerRow | None:
    """The product of a row's two weights, of which there may be one or none."""
    if by_class is None:
        return None if by_row is None else by_row.to(like)
    of_class = by_class.to(like).gather(1, labels)
    return of_class if by_row is None else of_class * by_row.to(like)


def _total(share: PerRow) -> Float[Tensor, "stack 1"]:
    """The sum of weights, 1 where all of them are 0."""
    total = share.sum(1, keepdim=True)
    return total.where(total > 0, 1)
