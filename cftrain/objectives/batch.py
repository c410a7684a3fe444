"""What the loss of one step is a function of."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from cftrain.tensors import Logits, PerCell, PerRow


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Logits of one step's rows, what they should be, and what goes with them.

    The observed rows come first, then for each of the step's counterfactuals, in equal
    numbers: nascent, positive and counterfactual rows; then the attacked ones, in the
    order of the observed ones, or none. `ridge_share` is 0 for rows that the ridge
    leaves out, else 1. `misalignment` and `squared_slope` have no columns where no
    model has such a term.
    """

    logits: Logits
    observed_label: Int[Tensor, "stack observed"]
    nascent_label: Int[Tensor, "stack tuple"]
    target: Int[Tensor, "stack tuple"]
    ridge_share: Float[Tensor, "stack tuple"]
    margin: Float[Tensor, "stack tuple"]
    misalignment: Float[Tensor, "stack aligned"]
    squared_slope: Float[Tensor, "stack sloped"]

    @property
    def logits_of_kinds(
        self,
    ) -> tuple[
        Float[Tensor, "stack labelled class"],
        Float[Tensor, "stack paired class"],
        Float[Tensor, "stack attacked class"],
    ]:
        """Returns those of labelled rows (observed, then nascent), of pairs (positives,
        then counterfactuals) and of attacked rows.
        """
        count, tuples = self.observed_label.shape[1], self.target.shape[1]
        if count == self.logits.shape[1]:
            # Whole: a part's gradient has another layout, and so other last bits.
            return self.logits, self.logits[:, :0], self.logits[:, :0]
        attacked = self.logits.shape[1] - count - 3 * tuples
        sizes = (count + tuples, 2 * tuples, attacked)
        labelled, pairs, others = self.logits.split(sizes, 1)
        return labelled, pairs, others

    @property
    def attacked_label(self) -> Int[Tensor, "stack attacked"]:
        """Returns the labels of attacked rows: those of all observed ones, or none."""
        attacked = self.logits.shape[1] - self.observed_label.shape[1]
        attacked -= 3 * self.target.shape[1]
        return self.observed_label[:, :attacked]


def mean(values: PerRow) -> PerCell:
    """Returns means over rows, 0 without rows."""
    return values.mean(1) if values.shape[1] else values.new_zeros(len(values))


def no_rows(logits: Logits) -> Float[Tensor, "stack none"]:
    """Returns a quantity of rows where there are none."""
    return logits.new_zeros(len(logits), 0)
