"""Adam on a whole stack at once, from one flat buffer."""

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


_SMALLEST = 1e-12


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

    def step(self, loss: PerCell) -> Bool[Tensor, " stack"]:
        """One update by the gradient of the loss; True for cells that made it."""
        slopes = torch.autograd.grad(loss.sum(), self.parameters)
        gradient = torch.cat([slope.flatten(1) for slope in slopes], 1)
        # The square: a gradient whose second moment overflows would spoil the weights.
        finite = torch.isfinite(gradient * gradient).all(1)
        made = torch.isfinite(loss.detach()) & finite
        self._update(gradient, made.unsqueeze(1))
        return made

    def _update(self, gradient: Tensor, made: Tensor) -> None:
        """Cells that did not make the step keep weights, moments and powers."""
        settings = self.settings
        gradient = torch.where(made, gradient, 0)
        share = made.to(gradient.dtype)
        self.mean.lerp_(gradient, (1 - settings.beta1) * share)
        self.square.lerp_(gradient * gradient, (1 - settings.beta2) * share)
        self.powers = torch.where(made, self.powers * self._rates, self.powers)
        # A cell that never made a step has powers of one: its share of zero decides.
        mean_bias, square_bias = (1 - self.powers).clamp(min=_SMALLEST).to(share)
        scale = (self.square / square_bias).sqrt_().add_(settings.epsilon)
        rate = settings.learning_rate * share / mean_bias
        self.weights.addcdiv_(rate * self.mean, scale, value=-1)

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


def _flatten(parameters: list[nn.Parameter]) -> Tensor:
    """One (stack, parameter) buffer, of which all parameters become views."""
    flat = torch.cat([p.detach().flatten(1) for p in parameters], 1)
    start = 0
    for parameter in parameters:
        stop = start + parameter[0].numel()
        parameter.data = flat[:, start:stop].view(parameter.shape)
        start = stop
    return flat
