"""A classifier with a network of its own for its counterfactuals."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from cftrain.config.names import named
from cftrain.errors import ConfigError
from cftrain.models.classifier import Classifier, Headed, ModelSpec
from cftrain.seeding import Streams, children
from cftrain.tensors import Classes, Rows


@named("counternet")
@dataclass(frozen=True, kw_only=True)
class CounterNet(ModelSpec):
    """A predictor and a head that says what a row would be if it were of another class.

    After CounterNet (Guo, Nguyen and Yadav, 2023). The head sees what the predictor's
    last layer sees and the class to reach, which of two is the other one; theirs sees
    two hidden layers of the network. What trains it is an objective's business.
    """

    has_head: ClassVar[bool] = True

    name: str
    predictor: ModelSpec
    head: ModelSpec

    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        """Raises ConfigError for a predictor without layers one after the other."""
        predictor = self.predictor.build(
            features=features, classes=classes, streams=streams
        )
        head = self.head.build(
            features=_seen(predictor) + classes,
            classes=features,
            streams=children(streams, "head"),
        )
        return CounterNetwork(predictor, head, classes)


class CounterNetwork(Headed):
    """A stack of predictors, each with its head."""

    def __init__(self, predictor: Classifier, head: nn.Module, classes: int) -> None:
        super().__init__()
        self.predictor, self.head, self.classes = predictor, head, classes

    def answers(self, rows: Rows, target: Classes) -> Rows:
        seen = rows
        with torch.no_grad():
            for layer in list(self.predictor.children())[:-1]:
                seen = layer(seen)
        wanted = functional.one_hot(target, self.classes).to(rows)
        found: Rows = self.head(torch.cat([seen, wanted], -1))
        return found


def _seen(predictor: Classifier) -> int:
    """How many numbers a predictor's last layer sees. Raises ConfigError."""
    layers = list(predictor.children()) if type(predictor) is nn.Sequential else []
    weight = getattr(layers[-1], "weight", None) if layers else None
    if weight is None or weight.ndim != 3:
        raise ConfigError(
            "model.predictor: expected layers one after the other, the last one dense "
            f"(mlp, linear or lenet), got a {type(predictor).__name__}"
        )
    return int(weight.shape[-1])
