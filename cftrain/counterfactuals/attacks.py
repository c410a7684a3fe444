"""Adversarial attacks on a whole stack; every cell is attacked through itself."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch

from cftrain.config.names import named
from cftrain.config.ranges import Count, PositiveFloat, Seed
from cftrain.counterfactuals.energy import cross_entropy
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.seeding import Stream
from cftrain.tensors import Classes, Features, Rows


class Attack(ABC):
    """Signed ascent of the class loss, inside a ball of the largest norm around a row.

    Concrete attacks say where the ascent starts and which steps it takes.
    """

    @abstractmethod
    def starts(self, rows: Features) -> Features:
        """Returns where each row starts: its offset, in units of epsilon."""

    @abstractmethod
    def step_sizes(self, epsilon: float) -> tuple[float, ...]:
        """Returns how far every feature moves in each step."""

    def __call__(
        self,
        classifier: Classifier,
        x: Rows,
        label: Classes,
        start: Features,
        *,
        epsilon: float,
        constraints: Constraints,
    ) -> Rows:
        """Returns the attacked rows; every step is projected on what is allowed."""
        attacked = _allowed(x + epsilon * start, x, epsilon, constraints)
        for size in self.step_sizes(epsilon):
            gradient = input_gradient(cross_entropy, classifier, attacked, label)
            proposed = attacked + size * gradient.sign()
            attacked = _allowed(proposed, x, epsilon, constraints)
        return attacked


@named("fgsm")
@final
@dataclass(frozen=True, kw_only=True)
class Fgsm(Attack):
    """A single step of epsilon from the row itself (Goodfellow et al., 2015)."""

    def starts(self, rows: Features) -> Features:
        return torch.zeros_like(rows)

    def step_sizes(self, epsilon: float) -> tuple[float, ...]:
        return (epsilon,)


@named("pgd")
@final
@dataclass(frozen=True, kw_only=True)
class Pgd(Attack):
    """Many steps from a uniform place in the ball (Madry et al., 2018).

    A row starts at the same place whatever cell and epsilon it is attacked in.
    """

    steps: Count
    step_size: PositiveFloat
    seed: Seed

    def starts(self, rows: Features) -> Features:
        generator = Stream(self.seed).generator()
        uniform = torch.rand(rows.shape, generator=generator, dtype=rows.dtype)
        return (2 * uniform - 1).to(rows.device)

    def step_sizes(self, epsilon: float) -> tuple[float, ...]:
        return (self.step_size,) * self.steps


def _allowed(attacked: Rows, x: Rows, epsilon: float, constraints: Constraints) -> Rows:
    """Returns attacked rows in the domain and the ball, without forbidden moves from x.

    The ball has the last word: from outside the domain nothing comes in by more than
    epsilon.
    """
    inside = constraints.clamp(x + constraints.restrict(attacked - x), x)
    return torch.clamp(inside, x - epsilon, x + epsilon)
