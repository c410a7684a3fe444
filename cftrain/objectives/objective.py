"""Weights on the terms, and the loss of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Later
from cftrain.counterfactuals.energy import cross_entropy, energy
from cftrain.counterfactuals.hyperparameters import Weight
from cftrain.data.columns import level_text
from cftrain.errors import StackError
from cftrain.objectives.class_weights import (
    ClassWeights,
    PerClass,
    class_mean,
    class_weights,
)
from cftrain.objectives.terms import divergence, ridge
from cftrain.tensors import Logits, PerCell

PARTS = ("class_loss", "divergence", "adversarial_loss", "ridge")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Logits of one step's rows, and what they should be.

    The observed rows come first, then for each of the step's counterfactuals, in equal
    numbers: nascent, positive and counterfactual rows. `ridge_share` is 0 for rows that
    the ridge leaves out, else 1.
    """

    logits: Logits
    observed_label: Int[Tensor, "stack observed"]
    nascent_label: Int[Tensor, "stack tuple"]
    target: Int[Tensor, "stack tuple"]
    ridge_share: Float[Tensor, "stack tuple"]


@named("objective")
@dataclass(frozen=True, kw_only=True)
class Objective:
    """Weights of the class loss, the divergence, the adversarial loss and the ridge.

    full (CT), energy (CD), adversarial (AR) and vanilla (BL) differ in weights only.
    The weights are not normalised. Options that change what the terms see:

    - `nascent_label`: `observed` (final paper) or `predicted` (its drafts);
    - `positive`: an observed row of the `target` class, or the `factual` itself (the
      draft's Eq. 2 read literally: another method);
    - `immature_ridge`: whether the ridge counts counterfactuals that are not mature,
      for which positive and counterfactual are the same row (the authors' code does);
    - `class_weights`: how much rows of each class count in the class loss and in the
      adversarial loss, by the label that these hold it against. Divergence and ridge
      have none: they compare energies, and no prediction with a label.

    `by_class` are the class weights of each cell, once these are `fitted` to its rows.
    """

    class_weight: Weight
    divergence_weight: Weight
    adversarial_weight: Weight
    ridge_weight: Weight
    nascent_label: Literal["observed", "predicted"]
    positive: Literal["target", "factual"]
    immature_ridge: bool
    class_weights: Annotated[ClassWeights, Later(None)]
    by_class: PerClass | None = None

    def __post_init__(self) -> None:
        if isinstance(self.class_weights, dict):
            # YAML has names that look like numbers as such.
            texts = {level_text(key): w for key, w in self.class_weights.items()}
            object.__setattr__(self, "class_weights", texts)

    def fitted(
        self, counts: Int[Tensor, "stack class"], class_names: Sequence[str]
    ) -> "Objective":
        """Returns it with the class weights of cells whose training rows are `counts`
        of each class. Raises ConfigError.
        """
        by_class = class_weights(self.class_weights, counts, class_names)
        return replace(self, by_class=by_class)

    @property
    def weights(self) -> tuple[Weight, Weight, Weight, Weight]:
        """In the order of `PARTS`."""
        return (
            self.class_weight,
            self.divergence_weight,
            self.adversarial_weight,
            self.ridge_weight,
        )

    @property
    def needs_counterfactuals(self) -> bool:
        """Whether any cell does."""
        return any(torch.as_tensor(weight).any() for weight in self.weights[1:])

    def cells_with_counterfactuals(self, stack: int) -> list[int]:
        """Returns the cells of the stack that have a term about counterfactuals."""
        needed = torch.zeros(stack, dtype=torch.bool)
        for weight in self.weights[1:]:
            needed |= torch.as_tensor(weight).flatten().cpu() != 0
        return needed.nonzero().flatten().tolist()

    @property
    def name(self) -> str:
        """full, energy, adversarial or vanilla, by the terms that count."""
        diverges = self.divergence_weight > 0 or self.ridge_weight > 0
        if self.adversarial_weight > 0:
            return "full" if diverges else "adversarial"
        return "energy" if diverges else "vanilla"

    def parts(self, batch: Batch) -> Tensor:
        """Returns the terms' batch means: (part, stack), in the order of `PARTS`."""
        observed, nascent = batch.observed_label, batch.nascent_label
        count, tuples = observed.shape[1], nascent.shape[1]
        shares = self._shares
        if not tuples:
            losses = cross_entropy(batch.logits, observed)
            class_loss = class_mean(losses, observed, shares)
            return torch.stack([class_loss, *3 * [torch.zeros_like(class_loss)]])
        labels = torch.cat([observed, nascent], 1)
        losses = cross_entropy(batch.logits[:, : count + tuples], labels)
        energies = energy(
            batch.logits[:, count + tuples :], torch.cat([batch.target] * 2, 1)
        )
        positive, counterfactual = energies[:, :tuples], energies[:, tuples:]
        return torch.stack(
            [
                class_mean(losses[:, :count], observed, shares),
                divergence(positive, counterfactual).mean(1),
                class_mean(losses[:, count:], nascent, shares),
                (batch.ridge_share * ridge(positive, counterfactual)).mean(1),
            ]
        )

    def total(self, parts: Tensor) -> PerCell:
        """Returns the weighted sum of the parts (paper Eq. 2)."""
        return (self._weights.to(parts) * parts).sum(0)

    @property
    def _shares(self) -> PerClass | None:
        if self.class_weights is not None and self.by_class is None:
            raise StackError(
                "objective.class_weights: expected those of the training rows, got "
                "none; call fitted()"
            )
        return self.by_class

    @cached_property
    def _weights(self) -> Tensor:
        """(part, stack), or (part, 1) for plain numbers."""
        weights = [torch.as_tensor(w, dtype=torch.float64) for w in self.weights]
        return torch.stack([weight.reshape(-1) for weight in weights])
