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
    order of the observed ones, or none; those moved towards `recourse_target`; and so
    many that were drawn from the model's own density, whose `drawn_place` is that in
    their buffer. `ridge_share` is 0 for rows that the ridge leaves out, else 1.
    Observed and nascent rows may have weights of their own, or not; attacked rows have
    those of the observed ones. `misalignment`, `squared_slope` and what is told of the
    answers of heads have no columns where no model has such a term.
    """

    logits: Logits
    observed_label: Int[Tensor, "stack observed"]
    nascent_label: Int[Tensor, "stack tuple"]
    observed_weight: Float[Tensor, "stack observed"] | None
    nascent_weight: Float[Tensor, "stack tuple"] | None
    target: Int[Tensor, "stack tuple"]
    ridge_share: Float[Tensor, "stack tuple"]
    margin: Float[Tensor, "stack tuple"]
    misalignment: Float[Tensor, "stack aligned"]
    squared_slope: Float[Tensor, "stack sloped"]
    head_loss: Float[Tensor, "stack answered"]
    head_distance: Float[Tensor, "stack answered"]
    recourse_target: Int[Tensor, "stack moved"]
    drawn_place: Int[Tensor, "stack drawn"]

    @property
    def logits_of_kinds(
        self,
    ) -> tuple[
        Float[Tensor, "stack labelled class"],
        Float[Tensor, "stack paired class"],
        Float[Tensor, "stack attacked class"],
        Float[Tensor, "stack moved class"],
        Float[Tensor, "stack drawn class"],
    ]:
        """Returns those of labelled rows (observed, then nascent), of pairs (positives,
        then counterfactuals), of attacked, of moved and of drawn rows.
        """
        count, tuples = self.observed_label.shape[1], self.target.shape[1]
        if count == self.logits.shape[1]:
            # Whole: a part's gradient has another layout, and so other last bits.
            none = self.logits[:, :0]
            return self.logits, none, none, none, none
        moved, attacked = self.recourse_target.shape[1], self._attacked
        own = self.drawn_place.shape[1]
        sizes = (count + tuples, 2 * tuples, attacked, moved, own)
        labelled, pairs, hit, sent, drawn = self.logits.split(sizes, 1)
        return labelled, pairs, hit, sent, drawn

    @property
    def attacked_label(self) -> Int[Tensor, "stack attacked"]:
        """Returns the labels of attacked rows: those of all observed ones, or none."""
        return self.observed_label[:, : self._attacked]

    @property
    def attacked_weight(self) -> Float[Tensor, "stack attacked"] | None:
        """Returns the weights of attacked rows, where observed ones have any."""
        weight = self.observed_weight
        return None if weight is None else weight[:, : self._attacked]

    @property
    def _attacked(self) -> int:
        others = self.observed_label.shape[1] + 3 * self.target.shape[1]
        others += self.recourse_target.shape[1] + self.drawn_place.shape[1]
        return self.logits.shape[1] - others


def mean(values: PerRow) -> PerCell:
    """Returns means over rows, 0 without rows."""
    return values.mean(1) if values.shape[1] else values.new_zeros(len(values))


def no_rows(logits: Logits) -> Float[Tensor, "stack none"]:
    """Returns a quantity of rows where there are none."""
    return logits.new_zeros(len(logits), 0)
