"""What one forward pass of a step finds, and the batch that all its terms are of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.objectives.batch import Batch
from cftrain.tensors import Logits
from cftrain.training.steps.portion import StepRows

Back = Callable[[Logits], Sequence[Tensor]]
"""Returns the gradients by the parameters of what has this gradient by the logits."""

Numbers = tuple[Logits, Tensor, Tensor, Tensor, Tensor]
"""Logits, terms that are none of their functions, targets and places of moved and of
drawn rows.
"""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One forward pass: logits without a graph and the way back from them, and terms
    that are no functions of the logits, without columns where no model has them.
    """

    logits: Logits
    back: Back
    misalignment: Float[Tensor, "stack aligned"]
    squared_slope: Float[Tensor, "stack sloped"]
    recourse_target: Int[Tensor, "stack moved"]
    drawn_place: Int[Tensor, "stack drawn"]

    @property
    def numbers(self) -> Numbers:
        """What is left of it once the step is made."""
        return (
            self.logits,
            self.misalignment.detach(),
            self.squared_slope.detach(),
            self.recourse_target,
            self.drawn_place,
        )

    @property
    def has_graph(self) -> bool:
        """Whether some terms are to be differentiated by themselves."""
        return self.misalignment.requires_grad or self.squared_slope.requires_grad


def batch(rows: StepRows, found: Sequence[Numbers]) -> Batch:
    """Returns a batch with a cell for each step and cell."""
    logits, misalignments, squared_slopes, targets, places = map(
        torch.cat, zip(*found, strict=True)
    )
    return Batch(
        logits=logits,
        observed_label=rows.observed_label,
        nascent_label=rows.nascent_label,
        target=rows.target,
        ridge_share=rows.ridge_share,
        margin=rows.margin,
        misalignment=misalignments,
        squared_slope=squared_slopes,
        recourse_target=targets,
        drawn_place=places,
    )
