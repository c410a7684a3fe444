"""What one forward pass of a step finds, and the batch that all its terms are of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from cftrain.objectives.batch import Batch
from cftrain.tensors import Logits
from cftrain.training.steps.answered import Answered
from cftrain.training.steps.portion import StepRows
from cftrain.training.steps.sloped import Sloped

Back = Callable[[Logits], Sequence[Tensor]]
"""Returns the gradients by the parameters of what has this gradient by the logits."""

Numbers = tuple[Logits, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
"""Logits, terms that are none of their functions, targets and places of moved and of
drawn rows, and the terms of the answers of heads.
"""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One forward pass: logits without a graph and the way back from them, and terms
    of gradients by rows, without columns where no model has them.
    """

    logits: Logits
    back: Back
    misalignment: Sloped
    squared_slope: Sloped
    recourse_target: Int[Tensor, "stack moved"]
    drawn_place: Int[Tensor, "stack drawn"]
    answered: Answered

    @property
    def numbers(self) -> Numbers:
        """What is left of it once the step is made."""
        return (
            self.logits,
            self.misalignment.value.detach(),
            self.squared_slope.value.detach(),
            self.recourse_target,
            self.drawn_place,
            self.answered.missed.detach(),
            self.answered.distance.detach(),
        )

    @property
    def sloped(self) -> dict[str, Sloped]:
        """The terms of gradients by rows that there are, by their names among parts."""
        terms = {
            "misalignment": self.misalignment,
            "squared_slope": self.squared_slope,
        }
        return {name: term for name, term in terms.items() if term.value.shape[1]}


def batch(rows: StepRows, found: Sequence[Numbers]) -> Batch:
    """Returns a batch with a cell for each step and cell."""
    logits, misalignments, squared_slopes, targets, places, missed, distances = map(
        torch.cat, zip(*found, strict=True)
    )
    return Batch(
        logits=logits,
        observed_label=rows.observed_label,
        nascent_label=rows.nascent_label,
        observed_weight=rows.observed_weight,
        nascent_weight=rows.nascent_weight,
        target=rows.target,
        ridge_share=rows.ridge_share,
        margin=rows.margin,
        misalignment=misalignments,
        squared_slope=squared_slopes,
        recourse_target=targets,
        drawn_place=places,
        head_loss=missed,
        head_distance=distances,
    )
