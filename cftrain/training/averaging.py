"""Averaged weights: what a model ends with in the place of those of its last step."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import Tensor

from cftrain.training.schedule import Schedule

AVERAGE, STEPS = "average", "averaged_steps"
"""The names of the average and of the number of its steps in checkpoints."""


class Average:
    """A moving average of weights (stack, parameter), where the schedule wants one.

    After n steps of a model it is the sum of (1 - d) d^(n - i) w_i over its steps i,
    divided by 1 - d^n, as Adam corrects its moments: the initial weights never count.
    d = 1 - 1/s, with s steps in `schedule.averaging_epochs`. (Polyak and Juditsky,
    1992, let all steps count alike.) Where none is wanted, `weights` are those that
    learn.
    """

    def __init__(self, schedule: Schedule, weights: Tensor, *, batches: int) -> None:
        self._needed = schedule.weights == "averaged"
        self._live = weights
        self._rate = min(1.0, 1 / (schedule.averaging_epochs * batches))
        self.weights = weights.clone() if self._needed else weights
        self._steps = torch.zeros(
            len(weights), 1, dtype=torch.float64, device=weights.device
        )

    def note(self, made: Bool[Tensor, " stack"]) -> None:
        """Look at the weights after a step, of the models that made it."""
        if not self._needed:
            return
        step = made.unsqueeze(1).to(self._steps)
        self._steps += step
        bias = 1 - (1 - self._rate) ** self._steps
        # A model that never made a step has a bias of 0: its share of 0 decides.
        share = step * self._rate / bias.clamp(min=self._rate)
        self.weights.lerp_(self._live, share.to(self.weights))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model itself has the averaged weights meanwhile."""
        if not self._needed:
            yield
            return
        live = self._live.clone()
        self._live.copy_(self.weights)
        try:
            yield
        finally:
            self._live.copy_(live)

    def finish(self) -> None:
        """Give the model the averaged weights for good."""
        if self._needed:
            self._live.copy_(self.weights)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold."""
        return {AVERAGE: self.weights, STEPS: self._steps} if self._needed else {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on after an interruption."""
        for name, held in self.state().items():
            held.copy_(state[name])
