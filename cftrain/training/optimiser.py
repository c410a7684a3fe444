"""Adam on a whole stack at once, from one flat buffer."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from cftrain.ranges import Between, PositiveFloat
from cftrain.tensors import PerCell

Decay = Annotated[float, Between(0, 1)]


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
        self.count = torch.zeros(
            stack, 1, dtype=torch.float64, device=self.weights.device
        )

    def step(self, loss: PerCell) -> PerCell:
        """One update by the gradient of the loss; True for cells that made it."""
        slopes = torch.autograd.grad(loss.sum(), self.parameters)
        gradient = torch.cat([slope.flatten(1) for slope in slopes], 1)
        made = torch.isfinite(loss.detach()) & torch.isfinite(gradient).all(1)
        self._update(gradient, made.unsqueeze(1))
        return made

    def _update(self, gradient: Tensor, made: Tensor) -> None:
        settings = self.settings
        gradient = torch.where(made, gradient, 0)
        share = made.to(gradient.dtype)
        self.count += made
        self.mean.lerp_(gradient, (1 - settings.beta1) * share)
        self.square.lerp_(gradient * gradient, (1 - settings.beta2) * share)
        count = self.count.clamp(min=1)
        mean_bias = 1 - settings.beta1**count
        square_bias = (1 - settings.beta2**count).sqrt().to(gradient.dtype)
        rate = (settings.learning_rate / mean_bias).to(gradient.dtype) * share
        scale = self.square.sqrt().div_(square_bias).add_(settings.epsilon)
        with torch.no_grad():
            self.weights.sub_(rate * self.mean / scale)

    def state(self) -> dict[str, Tensor]:
        return {
            "weights": self.weights,
            "mean": self.mean,
            "square": self.square,
            "count": self.count,
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
