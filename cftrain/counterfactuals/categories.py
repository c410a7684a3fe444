"""How a search treats one-hot groups of inputs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.counterfactuals.hyperparameters import PositiveScalar
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.errors import ConfigError, StackError
from cftrain.tensors import Mask, Rows, Scalar, over_features

Groups = tuple[tuple[int, ...], ...]
"""Indices of the one-hot inputs of each category."""


class Categories(ABC):
    """Says how a search moves among categories, whose inputs are 0 but for a single 1.

    Such a row of inputs is a corner of its group.
    """

    def fitted(self, codec: Codec) -> "Categories":
        """Returns it made ready for the columns of the data. Raises ConfigError."""
        return self

    @abstractmethod
    def settled(self, x: Rows, constraints: Constraints) -> Rows:
        """Returns where the search goes on from after a step to x."""

    @abstractmethod
    def view(self, x: Rows, constraints: Constraints) -> Rows:
        """Returns the rows that the model sees, differentiable by x."""

    @abstractmethod
    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        """Returns the rows that are reported at the end."""


@named("free")
@final
@dataclass(frozen=True, kw_only=True)
class Free(Categories):
    """One-hot inputs move as numbers do, also at the end (the paper's training)."""

    def settled(self, x: Rows, constraints: Constraints) -> Rows:
        return x

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        return x

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return x


@named("snap")
@final
@dataclass(frozen=True, kw_only=True)
class Snap(Categories):
    """The model sees the nearest corner; the gradient passes straight through.

    (Bengio et al., 2013.) The state itself stays continuous, so that small steps add up
    to a change of category. This finds better recourse than the paper's evaluation,
    which snaps the state itself (`SnappedState`).
    """

    def settled(self, x: Rows, constraints: Constraints) -> Rows:
        return x

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        if not constraints.groups:
            return x
        return x + (snapped(x.detach(), constraints) - x.detach())

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return snapped(x, constraints)


@named("snapped")
@final
@dataclass(frozen=True, kw_only=True)
class SnappedState(Categories):
    """Each step ends at the nearest corner, where the next one starts (as published).

    A single step seldom reaches another corner, so that categories are all but frozen.
    Inputs that may not move both ways keep their values.

    `extra_members` adds numeric columns to the group of a category: by a slip, that of
    the education in the authors' evaluation of Adult holds `education_num` as well,
    which becomes 0 or 1 like all others.
    """

    extra_members: dict[str, tuple[str, ...]]
    groups: Groups | None = None

    def fitted(self, codec: Codec) -> "SnappedState":
        return replace(self, groups=_extended(self.extra_members, codec))

    def settled(self, x: Rows, constraints: Constraints) -> Rows:
        groups = constraints.groups if self.groups is None else self.groups
        if self.groups is None and self.extra_members:
            raise StackError("categories: expected them fitted to the data, got none")
        if not groups:
            return x
        return torch.where(constraints.protected, x, _at_corners(x, groups))

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        return x

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return x


@named("relaxed")
@final
@dataclass(frozen=True, kw_only=True)
class Relaxed(Categories):
    """The model sees a softmax of each free group, and corners at the end."""

    temperature: PositiveScalar

    def settled(self, x: Rows, constraints: Constraints) -> Rows:
        return x

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        return softened(x, constraints, self.temperature)

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return snapped(x, constraints)


def softened(x: Rows, constraints: Constraints, temperature: Scalar) -> Rows:
    """Returns x with a softmax in the place of every group that may move."""
    moving = tuple(g for g in constraints.groups if _moves(g, constraints))
    if not moving:
        return x
    index, real = _padded(moving, x.device)
    logits = x[..., index] / _over_groups(over_features(temperature))
    shares = torch.softmax(logits.masked_fill(~real, -torch.inf), -1)
    return x.index_copy(-1, index[real], shares[..., real])


def snapped(x: Rows, constraints: Constraints) -> Rows:
    """Returns x with every group at the corner of its largest value.

    The first of equal ones counts.
    """
    return _at_corners(x, constraints.groups) if constraints.groups else x


def valid_categories(x: Rows, constraints: Constraints) -> Mask:
    """Returns which rows have a single 1 and else 0 in all their groups."""
    return (x == snapped(x, constraints)).all(-1)


def _at_corners(x: Rows, groups: Groups) -> Rows:
    index, real = _padded(groups, x.device)
    values = x[..., index].masked_fill(~real, -torch.inf)
    place = torch.arange(index.shape[1], device=x.device)
    corner = (values.argmax(-1, keepdim=True) == place).to(x.dtype)
    return x.index_copy(-1, index[real], corner[..., real])


def _extended(extra_members: dict[str, tuple[str, ...]], codec: Codec) -> Groups:
    """Returns the data's groups with their extra members. Raises ConfigError."""
    inputs, groups = codec.inputs, list(codec.groups)
    mistakes = []
    taken: set[str] = set()
    for category, extras in extra_members.items():
        group = inputs.get(category)
        free = {name for name in extras if len(inputs.get(name, ())) == 1} - taken
        taken |= free
        if group not in groups or len(free) < len(extras):
            mistakes.append(
                "categories.extra_members: expected numeric columns for a category of "
                f"the data, each of them once, got {list(extras)} for {category!r}"
            )
            continue
        members = (*group, *(inputs[name][0] for name in extras))
        groups[groups.index(group)] = tuple(sorted(members))
    if mistakes:
        raise ConfigError(mistakes)
    return tuple(groups)


def _moves(group: tuple[int, ...], constraints: Constraints) -> bool:
    return bool(constraints.may_increase[group[0]])


def _over_groups(scalar: float | Tensor) -> float | Tensor:
    return scalar.unsqueeze(-1) if isinstance(scalar, Tensor) else scalar


def _padded(groups: Groups, device: torch.device) -> tuple[Tensor, Tensor]:
    """Returns the indices (group, member), padded with the first of each group, and
    which of them are real.
    """
    longest = max(len(group) for group in groups)
    rows = [[*group, *[group[0]] * (longest - len(group))] for group in groups]
    sizes = torch.tensor([len(group) for group in groups])
    real = torch.arange(longest) < sizes.unsqueeze(1)
    return torch.tensor(rows, device=device), real.to(device)
