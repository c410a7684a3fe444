"""Adam on a whole stack at once, from one flat buffer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from cftrain.config.names import named
from cftrain.config.ranges import Between, PositiveFloat
from cftrain.tensors import PerCell

Decay = Annotated[float, Between(0, 1)]


@named("adam")
@dataclass(frozen=True, kw_only=True)
class Adam:
    """Hyperparameters of Adam (Kingma and Ba, 2015)."""

    learning_rate: PositiveFloat
    beta1: Decay
    beta2: Decay
    epsilon: PositiveFloat


class FlatAdam:
    """Adam on parameters that all are views of one (stack, parameter) buffer.

    Six operations a step whatever the number of layers. A library's optimiser would
    not do: a cell whose loss or gradient is not finite skips the step, and only it.
    """

    def __init__(self, settings: Adam, classifier: nn.Module) -> None:
        self.settings = settings
        self.parameters = list(classifier.parameters())
        self.weights = _flatten(self.parameters)
        self.mean = torch.zeros_like(self.weights)
        self.square = torch.zeros_like(self.weights)
        stack = len(self.weights)
        # Powers of the decay rates, which correct the bias of the first steps.
        self.powers = torch.ones(2, stack, 1, dtype=torch.float64)
        self.powers = self.powers.to(self.weights.device)
        rates = [settings.beta1, settings.beta2]
        self._rates = torch.tensor(rates, dtype=torch.float64).view(2, 1, 1)
        self._rates = self._rates.to(self.weights.device)
        self._largest = torch.finfo(self.weights.dtype).max
        # The same in all cells for as long as none of them has missed a step.
        self._common: tuple[float, float] | None = (1.0, 1.0)

    def step(self, size: PerCell, slopes: Sequence[Tensor]) -> Bool[Tensor, " stack"]:
        """One update by the loss's gradients by the parameters, in their order and
        without a graph; True for cells that made it. The size is finite where the loss
        is.
        """
        gradient = torch.cat([slope.flatten(1) for slope in slopes], 1)
        square = gradient * gradient
        # The square: a gradient whose second moment overflows would spoil the weights.
        # What is no number is no less than anything.
        made = square.amax(1) + size.abs() < torch.inf
        if made.all():
            self._update(gradient, square)
        else:
            self._common = None
            before = [held.clone() for held in self.state().values()]
            self._update(gradient, square)
            for held, value in zip(self.state().values(), before, strict=True):
                held.copy_(torch.where(made.unsqueeze(1), held, value))
        return made

    def _update(self, gradient: Tensor, square: Tensor) -> None:
        """Adam's step, whose rate and epsilon correct the biases of both moments."""
        settings = self.settings
        self.mean.lerp_(gradient, 1 - settings.beta1)
        self.square.lerp_(square, 1 - settings.beta2)
        self.powers *= self._rates
        if self._common is not None:
            first, second = self._common
            first, second = first * settings.beta1, second * settings.beta2
            self._common = first, second
            bias = math.sqrt(1 - second)
            scale = self.square.sqrt().add_(self._number(settings.epsilon * bias))
            rate = -settings.learning_rate * bias / (1 - first)
            self.weights.addcdiv_(self.mean, scale, value=self._number(rate))
            return
        biases = (1 - self.powers[1]).sqrt_()
        scale = self.square.sqrt().add_((settings.epsilon * biases).to(gradient))
        rates = -settings.learning_rate * biases / (1 - self.powers[0])
        self.weights.addcdiv_(rates.to(gradient) * self.mean, scale)

    def _number(self, value: float) -> float:
        """What the weights' precision makes of a number, which may be infinite: the
        library refuses to round one that is too large for it.
        """
        return value if abs(value) <= self._largest else math.copysign(math.inf, value)

    def state(self) -> dict[str, Tensor]:
        return {
            "weights": self.weights,
            "mean": self.mean,
            "square": self.square,
            "powers": self.powers,
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        for name, held in self.state().items():
            held.copy_(state[name])
        alike = bool((self.powers == self.powers[:, :1]).all())
        first, second = self.powers[:, 0, 0].tolist()
        self._common = (first, second) if alike else None


def _flatten(parameters: list[nn.Parameter]) -> Tensor:
    """One (stack, parameter) buffer, of which all parameters become views."""
    flat = torch.cat([p.detach().flatten(1) for p in parameters], 1)
    start = 0
    for parameter in parameters:
        stop = start + parameter[0].numel()
        parameter.data = flat[:, start:stop].view(parameter.shape)
        start = stop
    return flat
