"""A stored model that gives advice: what it decides, and what would change that."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cftrain.advice.cutoff import Cutoff, deciding
from cftrain.advice.images.form import ImageForm
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
class Judged:
    """What a model says of rows, each of which is held against a class.

    `probability` is the model's own of that class. `reached` are the rows that are
    decided so, `firm` those that are as sure of it as a search has to be.
    """

    probability: Float[Tensor, " row"]
    reached: Bool[Tensor, " row"]
    firm: Bool[Tensor, " row"]


@dataclass(frozen=True, kw_only=True)
class Advisor:
    """A model (a stack of one), how it is searched, and what it is held against.

    `others` is a stack of models of other training seeds, None if there are none; so is
    the `reference`, the observed rows of training and validation.
    `class_names` are those of the labels, in the order of the classes. `constraints`
    are those of the data or tighter ones; `sparse` puts needless changes back. `image`
    says how a row is an image, None if it is none.

    With a `cutoff`, decisions and searches see its logits, those of other seeds too:
    their stopping rule is held against the probability that follows from these.
    Probabilities that are told are the model's own.
    """

    model: Classifier
    others: Classifier | None
    search: CounterfactualSearch
    codec: Codec
    reference: Reference | None
    constraints: Constraints
    class_names: tuple[str, ...]
    sparse: bool
    cutoff: Cutoff | None = None
    image: ImageForm | None = None

    @cached_property
    def deciding(self) -> Classifier:
        """Returns the model whose largest logit is the decision."""
        return self._deciding(self.model)

    @cached_property
    def others_deciding(self) -> Classifier | None:
        """Returns the same of the other seeds, None if there are none."""
        return None if self.others is None else self._deciding(self.others)

    @cached_property
    def columns(self) -> Tensor:
        """Returns, for every model input, the place of its raw column."""
        places = enumerate(self.codec.inputs.values())
        return torch.tensor([place for place, inputs in places for _ in inputs])

    @cached_property
    def parts(self) -> Tensor:
        """Returns, for every raw column, the part of a row that it belongs to: it is
        one of its own, but pixels are those of a part of their image.
        """
        if self.image is None:
            return torch.arange(len(self.codec.columns))
        return torch.from_numpy(self.image.parts)

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

    def decided(self, probability: Tensor) -> Tensor:
        """Returns probabilities (row, class) of which the largest is the decision: the
        model's own without a cutoff.
        """
        if self.cutoff is None:
            return probability
        return (probability.log() + self.cutoff.shift(self.class_names)).softmax(-1)

    def obeying(self, rows: Told, relations: Relations | None) -> Bool[Tensor, " row"]:
        """Returns which rows break no relation, exactly as they are written."""
        return ~torch.from_numpy(broken_by(rows.raw, relations, self.codec).any(1))

    def judged(self, inputs: Features, target: Labels) -> Judged:
        """Returns what the model says of rows, each held against its target."""
        probability = self.probabilities(inputs)
        decided, place = self.decided(probability), target.unsqueeze(1)
        return Judged(
            probability=probability.gather(1, place)[:, 0],
            reached=decided.argmax(1) == target,
            firm=self.search.maturity(decided.gather(1, place).mT)[0],
        )

    def _deciding(self, classifier: Classifier) -> Classifier:
        if self.cutoff is None:
            return classifier
        return deciding(classifier, self.cutoff.shift(self.class_names))
