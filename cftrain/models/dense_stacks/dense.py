"""Layers of a dense stack, and the way back through them.

Hidden values are held with features first and rows last: `(h, f) @ (f, rows)` is
several times faster than its transpose where layers are narrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cftrain.models.classifier import Classifier, predictor
from cftrain.models.layers import StackedLinear, Swish, swish_curvature, swish_slope
from cftrain.models.module import StackOfOne, is_touched
from cftrain.tensors import Logits, Rows

Columns = Float[Tensor, "stack _ row"]


@dataclass(frozen=True)
class Activation:
    """A function of single numbers and its transposed derivative, as the library's own
    kernels compute them; `back` takes gradient, input and output. `curvature` is the
    second derivative by input and output, None where it is zero.
    """

    function: Callable[[Columns], Columns]
    back: Callable[[Columns, Columns, Columns], Columns]
    curvature: Callable[[Columns, Columns], Columns] | None = None


_KERNELS = torch.ops.aten
ACTIVATIONS: dict[type[nn.Module], Activation] = {
    nn.ReLU: Activation(
        torch.relu, lambda slope, x, y: _KERNELS.threshold_backward(slope, y, 0)
    ),
    nn.Tanh: Activation(
        torch.tanh,
        lambda slope, x, y: _KERNELS.tanh_backward(slope, y),
        lambda x, y: -2 * y * (1 - y * y),
    ),
    Swish: Activation(
        Swish(),
        lambda slope, x, y: slope * swish_slope(x),
        lambda x, y: swish_curvature(x),
    ),
}


@dataclass(frozen=True)
class Dense:
    """Weights (stack, output, input) and biases (stack, output, 1) of dense layers,
    with an activation between each two of them. They are the model's own memory.
    """

    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    activations: Sequence[Activation]

    def __call__(self, x: Rows) -> "Tape":
        """Returns what one forward pass leaves behind."""
        hidden = [x.mT]
        before: list[Columns] = []
        for depth, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            if depth:
                before.append(hidden[-1])
                hidden[-1] = self.activations[depth - 1].function(before[-1])
            hidden.append(torch.baddbmm(bias, weight, hidden[-1]))
        return Tape(self, x, before, hidden)


@dataclass(frozen=True)
class Tape:
    """One forward pass: inputs of the activations, and of the layers, then the logits.

    It holds for as long as the weights stay what they were.
    """

    dense: Dense
    x: Rows
    before: Sequence[Columns]
    inputs: Sequence[Columns]

    @property
    def logits(self) -> Logits:
        return self.inputs[-1].mT

    def by_inputs(self, by_logits: Logits) -> Rows:
        """Returns the gradient by the rows of what has this gradient by the logits.

        It lies in memory as the rows do.
        """
        slope = self.slopes(by_logits)[0]
        if in_columns(self.x):
            return torch.bmm(self.dense.weights[0].mT, slope).mT
        return torch.bmm(slope.mT, self.dense.weights[0])

    def by_weights(self, by_logits: Logits) -> list[Tensor]:
        """Returns the gradients by weight and bias of each layer, sums over rows, of
        what has this gradient by the logits.
        """
        found = []
        for slope, x in zip(self.slopes(by_logits), self.inputs, strict=False):
            found += [torch.bmm(slope, x.mT), slope.sum(2)]
        return found

    def slopes(self, by_logits: Logits) -> list[Columns]:
        """Returns the gradients by what each layer puts out, the first layer first, of
        what has this gradient by the logits.
        """
        found = [by_logits.mT]
        for depth in reversed(range(1, len(self.dense.weights))):
            found.append(self.past(depth, found[-1]))
        return found[::-1]

    def past(self, depth: int, slope: Columns) -> Columns:
        """Returns the gradient by the outputs of the layer before that at this depth,
        from the one by its own outputs.
        """
        slope = torch.bmm(self.dense.weights[depth].mT, slope)
        activation = self.dense.activations[depth - 1]
        return activation.back(slope, self.before[depth - 1], self.inputs[depth])


def dense(classifier: Classifier) -> Dense | None:
    """Returns the dense layers that a classifier consists of, None for other ones.

    Those of a plain network that stands alone are a stack of one. Of a classifier with
    a head they are its predictor's. Layers that somebody listens to by hooks, or has
    parametrised, are other ones.
    """
    network: nn.Module = predictor(classifier)
    kind: type[nn.Module] = StackedLinear
    if isinstance(classifier, StackOfOne) and len(classifier.shape) == 1:
        network, kind = classifier.network, nn.Linear
    if type(network) is not nn.Sequential:
        return None
    modules = list(network)
    layers = [
        module
        for module in modules[::2]
        if isinstance(module, nn.Linear | StackedLinear) and type(module) is kind
    ]
    between = [ACTIVATIONS.get(type(module)) for module in modules[1::2]]
    activations = [each for each in between if each is not None]
    if len(layers) != len(between) + 1 or len(layers) + len(activations) < len(modules):
        return None
    if any(is_touched(module) for module in (network, *modules)):
        return None
    weights, biases = zip(*map(_affine, layers), strict=True)
    return Dense(weights, biases, activations)


def in_columns(x: Rows) -> bool:
    """Returns whether rows lie in memory feature by feature."""
    return x.stride(1) == 1 and x.stride(2) != 1


def _affine(layer: nn.Linear | StackedLinear) -> tuple[Tensor, Tensor]:
    """The weight (stack, output, input) and the bias (stack, output, 1) of a layer."""
    weight, bias = layer.weight.detach(), layer.bias
    shape = (-1, *weight.shape[-2:])
    if bias is None:
        bias = weight.new_zeros(weight.shape[:-1])
    return weight.reshape(shape), bias.detach().reshape(-1, shape[1], 1)
