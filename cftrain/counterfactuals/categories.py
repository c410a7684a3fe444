"""How a search treats one-hot groups of inputs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.counterfactuals.hyperparameters import PositiveScalar
from cftrain.data.constraints import Constraints
from cftrain.tensors import Mask, Rows, over_features


class Categories(ABC):
    """What the model sees of a state whose groups may have left the corners."""

    @abstractmethod
    def view(self, x: Rows, constraints: Constraints) -> Rows:
        """The seen rows, differentiable by the state."""

    @abstractmethod
    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        """The rows that are reported at the end."""


@named("free")
@final
@dataclass(frozen=True, kw_only=True)
class Free(Categories):
    """One-hot inputs move as numbers do, also at the end (the paper's training)."""

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
    to a change of category; the paper's evaluation snaps the state and freezes it.
    """

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        if not constraints.groups:
            return x
        return x + (snapped(x.detach(), constraints) - x.detach())

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return snapped(x, constraints)


@named("relaxed")
@final
@dataclass(frozen=True, kw_only=True)
class Relaxed(Categories):
    """The model sees a softmax of each free group, and corners at the end."""

    temperature: PositiveScalar

    def view(self, x: Rows, constraints: Constraints) -> Rows:
        free = [group for group in constraints.groups if _moves(group, constraints)]
        if not free:
            return x
        index, real = _padded(free, x.device)
        logits = x[..., index] / _over_groups(over_features(self.temperature))
        shares = torch.softmax(logits.masked_fill(~real, -torch.inf), -1)
        return x.index_copy(-1, index[real], shares[..., real])

    def hard(self, x: Rows, constraints: Constraints) -> Rows:
        return snapped(x, constraints)


def snapped(x: Rows, constraints: Constraints) -> Rows:
    """Every group at its corner of largest value; the first of equal ones."""
    if not constraints.groups:
        return x
    index, real = _padded(list(constraints.groups), x.device)
    values = x[..., index].masked_fill(~real, -torch.inf)
    place = torch.arange(index.shape[1], device=x.device)
    corner = (values.argmax(-1, keepdim=True) == place).to(x.dtype)
    return x.index_copy(-1, index[real], corner[..., real])


def valid_categories(x: Rows, constraints: Constraints) -> Mask:
    """Rows whose groups all have a single 1 and else 0."""
    return (x == snapped(x, constraints)).all(-1)


def _moves(group: tuple[int, ...], constraints: Constraints) -> bool:
    return bool(constraints.may_increase[group[0]])


def _over_groups(scalar: float | Tensor) -> float | Tensor:
    return scalar.unsqueeze(-1) if isinstance(scalar, Tensor) else scalar


def _padded(
    groups: list[tuple[int, ...]], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Indices (group, member), padded with the group's first, and which are real."""
    longest = max(len(group) for group in groups)
    rows = [[*group, *[group[0]] * (longest - len(group))] for group in groups]
    sizes = torch.tensor([len(group) for group in groups])
    real = torch.arange(longest) < sizes.unsqueeze(1)
    return torch.tensor(rows, device=device), real.to(device)
