"""Networks of torch as people bring them: good ones, and one with a fault."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cftrain.models.adopted import NetworkSpec, spec_of


class Tabular(nn.Module):
    """Layer norm, dropout, a way around both, a buffer and a weight that is not
    trained.
    """

    def __init__(
        self, features: int, classes: int, *, width: int = 8, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.inputs = nn.Linear(features, width)
        self.block = nn.Sequential(
            nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        self.outputs = nn.Linear(width, classes)
        self.register_buffer("shift", torch.randn(width))
        self.scale = nn.Parameter(torch.rand(width), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.inputs(x) + self.shift * self.scale
        return self.outputs(hidden + self.block(hidden))


class Pictures(nn.Module):
    """A convolution, group norm and dropout of channels."""

    def __init__(self, row_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(row_shape[0], 4, 3, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.outputs = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.first(x)))
        dropped = functional.dropout2d(hidden, 0.3, self.training)
        return self.outputs(dropped.mean((2, 3)))


class Attention(nn.Module):
    """Which vmap goes through itself."""

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.inputs = nn.Linear(1, 4)
        self.encoder = nn.TransformerEncoderLayer(
            4, 2, 8, dropout=dropout, batch_first=True
        )
        self.outputs = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(self.encoder(self.inputs(x.unsqueeze(-1))).mean(1))


class Deciding(nn.Module):
    """Looks at its numbers, which vmap does not allow."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.outputs = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.outputs(x)
        return 2 * logits if float(self.outputs.bias.detach()[0]) > 9 else logits


FAULTS = {
    "batch_norm": "BatchNorm1d as 'extra'",
    "counting_norm": "another 'extra.running_mean' after a batch",
    "shared": "'outputs.weight' and 'extra.weight', which share",
    "unused": "'extra.weight' without a gradient",
    "loose": "'loose'; register_buffer",
    "not_finite": "finite weights, got others in 'outputs.weight'",
    "counting": "another 'extra'",
    "lazy": "say the sizes of lazy layers",
    "frozen": "parameters to be trained, got none",
    "complex": "floats, got 'extra' of torch.complex64",
    "numpy": "has to come from torch",
    "raising": "RuntimeError: it broke",
    "constructor": "to make a network of features=4.*KeyError",
    "tuple": "returns a tuple",
    "rows": "whatever rows are beside it",
    "learned_rows": "on this row alone",
    "infinite": "finite logits",
    "narrow": r"\(3, 3\) for 3 rows and at least 2 classes, got \(3, 1\)",
    "first": r"\(3, 3\) for 3 rows .* got \(1, 3\)",
    "growing": r"got \(1, 2\)",
    "drawing": "nothing random but dropout",
    "alpha": "nothing random but dropout",
    "half": "logits of torch.float32, .* got torch.float16",
    "whole": "floats, got torch.int64",
}
"""What `Faulty` can be, and what is said of it."""


class Faulty(nn.Module):
    def __init__(self, features: int, classes: int, *, fault: str) -> None:
        super().__init__()
        self.fault, self.outputs = fault, nn.Linear(features, classes)
        if fault == "batch_norm":
            self.extra = nn.BatchNorm1d(features)
        if fault == "counting_norm":
            self.extra = nn.InstanceNorm1d(features, track_running_stats=True)
        if fault in ("shared", "unused"):
            self.extra = nn.Linear(features, classes)
        if fault == "shared":
            self.extra.weight = self.outputs.weight
        if fault == "loose":
            self.loose = torch.ones(classes)
        if fault == "counting":
            self.register_buffer("extra", torch.zeros(()))
        if fault == "lazy":
            self.extra = nn.LazyLinear(3)
        if fault == "complex":
            self.extra = nn.Parameter(torch.ones(1, dtype=torch.complex64))
        if fault == "frozen":
            self.requires_grad_(False)
        if fault == "constructor":
            raise KeyError("width")
        with torch.no_grad():
            if fault == "not_finite":
                self.outputs.weight[0, 0] = torch.inf
            if fault == "numpy":
                self.outputs.weight[0, 0] = np.random.default_rng().random()

    def forward(self, x: Tensor) -> object:
        logits, learns = self.outputs(x), self.training
        if self.fault == "counting" and learns:
            self.extra += 1
        if self.fault == "raising":
            raise RuntimeError("it broke")
        answers = {
            "counting_norm": lambda: self.outputs(
                self.extra(x.unsqueeze(-1).expand(-1, -1, 2))[..., 0]
            ),
            "shared": lambda: logits + self.extra(x),
            "tuple": lambda: (logits, logits),
            "rows": lambda: logits - logits.mean(0),
            "learned_rows": lambda: logits - logits.mean(0) if learns else logits,
            "infinite": lambda: logits / 0,
            "narrow": lambda: logits[:, :1],
            "first": lambda: logits[:1],
            "growing": lambda: logits[:, : 1 + len(x)],
            "drawing": lambda: logits + torch.randn(1) if learns else logits,
            "alpha": lambda: functional.alpha_dropout(logits, 0.5, learns),
            "half": lambda: logits.half(),
            "whole": lambda: logits.long(),
        }
        return answers.get(self.fault, lambda: logits)()


def spec(network: type[nn.Module], **values: object) -> NetworkSpec:
    """The specification of a network, by the name that tests call it."""
    return spec_of(network, f"tests:{network.__name__}")(
        **{"name": network.__name__.lower(), "row_shape": None, **values}
    )
