"""Averaged weights: what a model ends with in the place of those of its last step."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import Tensor

from cftrain.tensors import Scalar

AVERAGE, STEPS = "average", "averaged_steps"
"""The names of the average and of the number of its steps in checkpoints."""


class Average:
    """A moving average of weights (stack, parameter), for the models that want one.

    After n steps of a model it is the sum of (1 - d) d^(n - i) w_i over its steps i,
    divided by 1 - d^n, as Adam corrects its moments: the initial weights never count.
    d = 1 - 1/`span`, with a span in steps; of at most one step it is the last weights.
    (Polyak and Juditsky, 1992, let all steps count alike.) Where no model wants one,
    `weights` are those that learn.
    """

    def __init__(self, weights: Tensor, *, span: Scalar) -> None:
        spans = torch.as_tensor(span, dtype=torch.float64).clamp(min=1)
        self._needed = bool((spans > 1).any())
        self._live = weights
        self._rate = 1 / spans.to(weights.device).reshape(-1, 1)
        self.weights = weights.clone() if self._needed else weights
        self._steps = torch.zeros_like(weights[:, :1], dtype=torch.float64)

    def note(self, made: Bool[Tensor, " stack"]) -> None:
        """Look at the weights after a step, of the models that made it."""
        if not self._needed:
            return
        step = made.unsqueeze(1).to(self._steps)
        self._steps += step
        bias = 1 - (1 - self._rate) ** self._steps
        # A model that never made a step has a bias of 0: its share of 0 decides.
        share = step * self._rate / torch.maximum(bias, self._rate)
        self.weights.lerp_(self._live, share.to(self.weights))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The models themselves have the averaged weights meanwhile."""
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
        """Give the models the averaged weights for good."""
        if self._needed:
            self._live.copy_(self.weights)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold."""
        return {AVERAGE: self.weights, STEPS: self._steps} if self._needed else {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on after an interruption."""
        for name, held in self.state().items():
            held.copy_(state[name])
