"""The models that are evaluated, and what several metrics ask of them."""

from dataclasses import dataclass, field
from functools import cached_property

from cftrain.data.dataset import Dataset
from cftrain.evaluation.attribution import attributions
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict, probabilities
from cftrain.tensors import Classes, Rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A stack of models and its dataset; what is asked twice is found once."""

    classifier: Classifier
    dataset: Dataset
    _attributions: dict[tuple[int, int], Rows] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def predicted(self) -> Classes:
        """Predicted classes of the test rows."""
        return predict(self.classifier, self.dataset.test_features.unsqueeze(0))

    @cached_property
    def probabilities(self) -> Rows:
        """Probabilities (stack, row, class) of the test rows."""
        return probabilities(self.classifier, self.dataset.test_features.unsqueeze(0))

    def attributions(self, *, steps: int, seed: int) -> Rows:
        """Returns the integrated gradients of all test rows."""
        key = steps, seed
        if key not in self._attributions:
            self._attributions[key] = attributions(
                self.classifier, self.dataset, steps=steps, seed=seed
            )
        return self._attributions[key]
