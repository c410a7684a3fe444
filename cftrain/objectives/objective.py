"""Weights on the terms, and the loss of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Between, Count, Later
from cftrain.counterfactuals.energy import cross_entropy, energy, log_odds_energy
from cftrain.counterfactuals.hyperparameters import PositiveScalar, Weight, counts
from cftrain.data.columns import level_text
from cftrain.errors import StackError
from cftrain.objectives.batch import Batch, mean, no_rows
from cftrain.objectives.class_weights import ClassWeights, class_mean, class_weights
from cftrain.objectives.joint import energy_gap, guarded
from cftrain.objectives.naming import (
    OF_COUNTERFACTUALS,
    PARTS,
    ineffective,
    name_by_terms,
)
from cftrain.objectives.terms import (
    divergence,
    logistic_divergence,
    ridge,
    smoothed_cross_entropy,
)
from cftrain.tensors import Classes, Logits, PerCell, PerClass, PerRow, Scalar

ENERGIES = {"logit": energy, "log_odds": log_odds_energy}

OptionalWeight = Annotated[Weight, Later(0.0)]


@named("objective")
@dataclass(frozen=True, kw_only=True)
class Objective:
    """Weights of the terms of the loss, and options that change what they see.

    full (CT), energy (CD), adversarial (AR) and vanilla (BL) differ in the first four
    weights only, which are not normalised.

    - `nascent_label`: `observed` (final paper) or `predicted` (its drafts).
    - `positive`: an observed row of the `target` class; the one of several that is
      nearest in protected features (`matched`); or the `factual` itself (the draft's
      Eq. 2 read literally: another method).
    - `immature_ridge`: whether the ridge counts counterfactuals that are not mature,
      for which positive and counterfactual are the same row (the authors' code does).
    - `class_weights`: how much rows of each class count in the class loss and in the
      adversarial losses, by the label they are held against, besides weights of their
      own. Divergence and ridge have none: they compare energies.

    What goes beyond the paper has weights of its own, zero where it is published:

    - `energy` and `divergence`, with a `margin`, of which the `relative_margin` part
      grows with the distance of the rows in units of their class's `spread`;
    - `immature`: whether counterfactuals that are not mature take part `as_found`;
    - alignment of the search direction, cross-entropy on rows attacked by PGD, squared
      input gradients, smoothed labels;
    - cross-entropy for another class on rows moved towards it as far as they may
      (recourse), and the energy of observed rows above that of drawn ones (joint);
    - what the head of a model answers: that it is of the target, and close (head);
    - weights averaged over `averaging_epochs`, with which the model ends;
    - `strength` weighs all terms but the class loss once more.

    `by_class` are the class weights of each cell, once these are `fitted` to its rows.
    """

    class_weight: Weight
    divergence_weight: Weight
    adversarial_weight: Weight
    ridge_weight: Weight
    nascent_label: Literal["observed", "predicted"]
    positive: Literal["target", "matched", "factual"]
    immature_ridge: bool
    class_weights: Annotated[ClassWeights, Later(None)]
    energy: Annotated[Literal["logit", "log_odds"], Later("logit")]
    divergence: Annotated[Literal["linear", "logistic"], Later("linear")]
    margin: OptionalWeight
    relative_margin: OptionalWeight
    spread: Annotated[Literal["mean", "median"], Later("mean")]
    immature: Annotated[Literal["as_positive", "as_found"], Later("as_positive")]
    alignment_weight: OptionalWeight
    attack_weight: OptionalWeight
    attack_epsilon: Annotated[PositiveScalar, Later(0.1)]
    attack_steps: Annotated[Count, Later(7)]
    slope_weight: OptionalWeight
    recourse_weight: OptionalWeight
    recourse_epsilon: Annotated[PositiveScalar, Later(0.75)]
    joint_weight: OptionalWeight
    head_weight: OptionalWeight
    head_distance_weight: OptionalWeight
    label_smoothing: Annotated[Scalar, Between(0, 1, closed=True), Later(0.0)]
    averaging_epochs: OptionalWeight
    strength: Annotated[Weight, Later(1.0)]
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
    def weights(self) -> tuple[Weight, ...]:
        """In the order of `PARTS`; `strength` weighs all but the class loss, and what
        is bounded needs no ridge.
        """
        bounded = self.divergence == "logistic"
        others = (
            self.divergence_weight,
            self.adversarial_weight,
            0.0 * self.ridge_weight if bounded else self.ridge_weight,
            self.alignment_weight,
            self.attack_weight,
            self.slope_weight,
            self.recourse_weight,
            self.joint_weight,
            self.head_weight,
            self.head_distance_weight,
        )
        return (self.class_weight, *(self.strength * weight for weight in others))

    @property
    def optional_weights(self) -> dict[str, Weight]:
        """The weights of the terms that are not the paper's, by their parts."""
        return dict(zip(PARTS[4:], self.weights[4:], strict=True))

    @property
    def needs_counterfactuals(self) -> bool:
        """Whether any cell does."""
        return any(counts(weight) for weight in self._of_counterfactuals)

    def cells_with_counterfactuals(self, stack: int) -> list[int]:
        """Returns the cells of the stack that have a term about counterfactuals."""
        needed = torch.zeros(stack, dtype=torch.bool)
        for weight in self._of_counterfactuals:
            needed |= torch.as_tensor(weight).flatten().cpu() != 0
        return needed.nonzero().flatten().tolist()

    @property
    def _of_counterfactuals(self) -> tuple[Weight, ...]:
        return self.weights[1 : 1 + len(OF_COUNTERFACTUALS)]

    @property
    def used(self) -> frozenset[str]:
        """Returns the parts of the loss besides the class loss that count at all."""
        pairs = zip(PARTS[1:], self.weights[1:], strict=True)
        return frozenset(part for part, weight in pairs if counts(weight))

    @property
    def without_effect(self) -> frozenset[str]:
        """Returns the names of settings that change no number, as the weights are."""
        return ineffective(self.used)

    @property
    def name(self) -> str:
        """full, energy, adversarial or vanilla, or another, by the terms that count."""
        return name_by_terms(
            self.used,
            logistic=self.divergence == "logistic",
            smoothed=counts(self.label_smoothing),
        )

    def parts(self, batch: Batch) -> Tensor:
        """Returns the terms' batch means: (part, stack), in the order of `PARTS`."""
        observed, nascent = batch.observed_label, batch.nascent_label
        count, attacked = observed.shape[1], batch.attacked_label
        kinds = batch.logits_of_kinds
        of_labelled, of_pairs, of_attacked, of_moved, of_drawn = kinds
        losses = self._losses(of_labelled, torch.cat([observed, nascent], 1))
        hit = self._losses(of_attacked, attacked)
        gaps, ridges = self._of_pairs(of_pairs, batch)
        return torch.stack(
            [
                self._class_mean(losses[:, :count], observed, batch.observed_weight),
                mean(gaps),
                self._class_mean(losses[:, count:], nascent, batch.nascent_weight),
                mean(ridges),
                mean(batch.misalignment),
                self._class_mean(hit, attacked, batch.attacked_weight),
                mean(batch.squared_slope),
                mean(self._losses(of_moved, batch.recourse_target)),
                guarded(energy_gap(of_labelled[:, :count], of_drawn), self._joint),
                mean(batch.head_loss),
                mean(batch.head_distance),
            ]
        )

    def total(self, parts: Tensor) -> PerCell:
        """Returns the weighted sum of the parts (paper Eq. 2)."""
        return (self.part_weights(parts) * parts).sum(0)

    def part_weights(self, like: Tensor) -> Float[Tensor, "part cells"]:
        """Returns the weights in the order of `PARTS`, of each cell or of all."""
        return self._weights.to(like)

    def _class_mean(
        self, losses: PerRow, labels: Classes, by_row: PerRow | None
    ) -> PerCell:
        if self.class_weights is not None and self.by_class is None:
            raise StackError(
                "objective.class_weights: expected those of the training rows, got "
                "none; call fitted()"
            )
        return class_mean(losses, labels, self.by_class, by_row)

    def _losses(self, logits: Logits, labels: Classes) -> PerRow:
        if labels.shape[1] and counts(self.label_smoothing):
            return smoothed_cross_entropy(logits, labels, self.label_smoothing)
        return cross_entropy(logits, labels) if labels.shape[1] else no_rows(logits)

    def _of_pairs(
        self, logits: Logits, batch: Batch
    ) -> tuple[Float[Tensor, "stack tuple"], Float[Tensor, "stack tuple"]]:
        """Returns divergence and ridge, from the positives and the counterfactuals."""
        if not batch.target.shape[1]:
            return no_rows(logits), no_rows(logits)
        of_target = ENERGIES[self.energy]
        energies = of_target(logits, torch.cat([batch.target] * 2, 1))
        positive, counterfactual = energies.chunk(2, 1)
        if self.divergence == "logistic":
            gaps = logistic_divergence(positive, counterfactual, batch.margin)
        else:
            gaps = divergence(positive, counterfactual)
        return gaps, batch.ridge_share * ridge(positive, counterfactual)

    @property
    def _joint(self) -> Tensor:
        return self._weights[PARTS.index("energy_gap")]

    @cached_property
    def _weights(self) -> Tensor:
        """(part, stack), or (part, 1) for plain numbers."""
        weights = [torch.as_tensor(w, dtype=torch.float64) for w in self.weights]
        return torch.stack([weight.reshape(-1) for weight in weights])
