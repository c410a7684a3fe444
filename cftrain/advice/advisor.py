"""A stored model that gives advice: what it decides, and what would change that."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.columns import listed
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.relations.relations import Relations
from cftrain.data.relations.rows import broken_by
from cftrain.data.told import Told
from cftrain.errors import ConfigError
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.tensors import Features, Labels


@dataclass(frozen=True, kw_only=True)
class Advisor:
    """A model (a stack of one), how it is searched, and what it is held against.

    `others` is a stack of models of other training seeds, None if there are none; so is
    the `reference`, the observed rows of training and validation.
    `class_names` are those of the labels, in the order of the classes. `constraints`
    are those of the data or tighter ones; `sparse` puts needless changes back.
    """

    model: Classifier
    others: Classifier | None
    search: CounterfactualSearch
    codec: Codec
    reference: Reference | None
    constraints: Constraints
    class_names: tuple[str, ...]
    sparse: bool

    @cached_property
    def columns(self) -> Tensor:
        """Returns, for every model input, the place of its raw column."""
        places = enumerate(self.codec.inputs.values())
        return torch.tensor([place for place, inputs in places for _ in inputs])

    def class_of(self, name: str) -> int:
        """Returns the class that a label names. Raises ConfigError."""
        if name not in self.class_names:
            raise ConfigError(
                f"target: expected one of the classes {listed(self.class_names)}, got "
                f"{name!r}"
            )
        return self.class_names.index(name)

    @torch.no_grad()
    def probabilities(self, inputs: Features) -> Tensor:
        """Returns the model's probabilities (row, class)."""
        return self.model(inputs.unsqueeze(0)).softmax(-1)[0]

    def firm(self, probability: Float[Tensor, " row"]) -> Bool[Tensor, " row"]:
        """Returns which rows are as sure of their target as a search has to be."""
        return self.search.maturity(probability.unsqueeze(0))[0]

    def obeying(self, rows: Told, relations: Relations | None) -> Bool[Tensor, " row"]:
        """Returns which rows break no relation, exactly as they are written."""
        return ~torch.from_numpy(broken_by(rows.raw, relations, self.codec).any(1))

    def judged(self, inputs: Features, target: Labels) -> tuple[Tensor, Tensor]:
        """Returns the probability of each row's target (row,), and whether it is the
        class that the model predicts.
        """
        probability = self.probabilities(inputs)
        own = probability.gather(1, target.unsqueeze(1))[:, 0]
        return own, probability.argmax(1) == target
