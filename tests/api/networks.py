"""Plain torch networks, as people bring them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.builders import normal


def sequential(
    features: int = 4, classes: int = 3, *, dtype: torch.dtype = torch.float64
) -> nn.Sequential:
    """A network with dropout and batch norm: its modes make a difference."""
    net = nn.Sequential(
        nn.Linear(features, 8),
        nn.BatchNorm1d(8),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Linear(8, classes),
    )
    with torch.no_grad():
        for place, values in enumerate(net.parameters()):
            values.copy_(normal(*values.shape, seed=place))
    return net.to(dtype)


def unstacked(weights: Mapping[str, Tensor]) -> nn.Sequential:
    """The network that an MLP of ours is, from the weights of one model."""
    layers: list[nn.Module] = []
    for name in sorted(name for name in weights if name.endswith("weight")):
        weight = weights[name]
        layer = nn.Linear(*reversed(weight.shape), dtype=weight.dtype)
        bias = weights[name.replace("weight", "bias")]
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Answering(nn.Module):
    """A network that answers whatever it is told to."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, rows: Tensor):
        return self.answer(rows)
