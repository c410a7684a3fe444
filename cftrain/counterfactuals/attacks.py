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
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Features, Rows, Scalar, over_features


class Attack(ABC):
    """Signed ascent of the class loss, inside a ball of the largest norm around a row.

    Concrete attacks say where the ascent starts and which steps it takes.
    """

    @abstractmethod
    def starts(self, rows: Features) -> Features:
        """Returns where each row starts: its offset, in units of epsilon."""

    @abstractmethod
    def step_sizes(self, epsilon: Scalar) -> tuple[Scalar, ...]:
        """Returns how far every feature moves in each step."""

    def __call__(
        self,
        classifier: Classifier,
        x: Rows,
        label: Classes,
        start: Features | Rows,
        *,
        epsilon: Scalar,
        constraints: Constraints,
        towards: bool = False,
    ) -> Rows:
        """Returns the attacked rows; every step is projected on what is allowed.

        They go away from their labels, or `towards` them.
        """
        radius = over_features(epsilon)
        ball = x - radius, x + radius
        attacked = _allowed(x + radius * start, x, ball, constraints)
        for size in self.step_sizes(epsilon):
            gradient = input_gradient(cross_entropy, classifier, attacked, label)
            step = gradient.sign().mul_(over_features(-size if towards else size))
            attacked = _allowed(step.add_(attacked), x, ball, constraints)
        return attacked


@named("fgsm")
@final
@dataclass(frozen=True, kw_only=True)
class Fgsm(Attack):
    """A single step of epsilon from the row itself (Goodfellow et al., 2015)."""

    def starts(self, rows: Features) -> Features:
        return torch.zeros_like(rows)

    def step_sizes(self, epsilon: Scalar) -> tuple[Scalar, ...]:
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

    def step_sizes(self, epsilon: Scalar) -> tuple[Scalar, ...]:
        return (self.step_size,) * self.steps


@final
@dataclass(frozen=True, kw_only=True)
class ScaledPgd(Attack):
    """Steps of 2.5 epsilon / steps from anywhere in the ball, as models are trained by
    it (Madry et al., 2018): from any start all of the ball is within reach.
    """

    steps: Count

    def starts(self, rows: Features) -> Features:
        return torch.zeros_like(rows)

    def random_starts(self, rows: Rows, streams: Streams) -> Rows:
        """Returns where each row of each model starts, drawn from its stream."""
        shape = rows.shape[1:]
        drawn = [torch.rand(shape, generator=stream.generator()) for stream in streams]
        return (2 * torch.stack(drawn) - 1).to(rows)

    def step_sizes(self, epsilon: Scalar) -> tuple[Scalar, ...]:
        return (2.5 * epsilon / self.steps,) * self.steps


def _allowed(
    attacked: Rows, x: Rows, ball: tuple[Rows, Rows], constraints: Constraints
) -> Rows:
    """Returns attacked rows, whose memory is used up, in the domain and the ball,
    without forbidden moves from x.

    The ball has the last word: from outside the domain nothing comes in by more than
    epsilon.
    """
    return constraints.moved(x, attacked.sub_(x), x).clamp_(*ball)
