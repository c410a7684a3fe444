"""Deep ensembles: several networks that were trained apart, and predict together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.models.classifier import Classifier, ModelSpec
from cftrain.seeding import Streams
from cftrain.tensors import Logits, Rows


@named("ensemble")
@dataclass(frozen=True, kw_only=True)
class Ensemble(ModelSpec):
    """Members whose mean probability is the model's (Lakshminarayanan et al., 2017).

    They differ in their initial weights and draws, and are trained on the same rows,
    each by itself (`cftrain.training.stack`). Their paper attacks the training rows of
    each member by FGSM besides; here that is the objective's business.
    """

    name: str
    members: Count
    member: ModelSpec

    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        return EnsembleClassifier(
            [
                self.member.build(
                    features=features,
                    classes=classes,
                    streams=[stream.child("member", number) for stream in streams],
                )
                for number in range(self.members)
            ]
        )


class EnsembleClassifier(nn.Module):
    """The members' stacks; logits are the logarithms of their mean probabilities."""

    def __init__(self, members: list[Classifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Rows) -> Logits:
        logs = [member(x).log_softmax(-1) for member in self.members]
        mean: Tensor = torch.stack(logs).logsumexp(0) - log(len(logs))
        return mean


def taken_apart(state: Mapping[str, Tensor], members: int) -> dict[str, Tensor]:
    """Returns the state of one stack of all members of some ensembles, those of the
    first ensemble first, from that of the ensembles.
    """
    first = "members.0."
    names = [name.removeprefix(first) for name in state if name.startswith(first)]
    return {
        name: torch.stack(
            [state[f"members.{number}.{name}"] for number in range(members)], 1
        ).flatten(0, 1)
        for name in names
    }


def assembled(state: Mapping[str, Tensor], members: int) -> dict[str, Tensor]:
    """Returns the state of ensembles from that of one stack of all of their members:
    what `taken_apart` does, undone.
    """
    return {
        f"members.{number}.{name}": value[number::members]
        for name, value in state.items()
        for number in range(members)
    }
