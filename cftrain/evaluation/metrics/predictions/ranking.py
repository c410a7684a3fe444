"""Area under the ROC curve: are rows of a class more probable than others?"""

from dataclasses import dataclass
from typing import ClassVar, final

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("auc")
@final
@dataclass(frozen=True, kw_only=True)
class Auc(ModelMetric):
    """Share of pairs of a row of a class and one of another that the probability of the
    class orders rightly; ties count half (Mann and Whitney, 1947). Unweighted mean over
    classes; NaN where the test rows are all of one class.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        labels = subject.dataset.test_labels
        present = labels.unique()
        if len(present) < 2:
            return torch.full_like(subject.probabilities[:, 0, :1], torch.nan).T
        areas = [
            _area(subject.probabilities[..., label], labels == label)
            for label in present.tolist()
        ]
        return torch.stack(areas).mean(0, keepdim=True)


def _area(
    scores: Float[Tensor, "stack row"], members: Tensor
) -> Float[Tensor, " stack"]:
    """Of the ROC curve of each cell, from the ranks of the members' scores."""
    ranks = torch.tensor(pd.DataFrame(scores.cpu().numpy()).rank(axis=1).to_numpy())
    members = members.cpu()
    inside = int(members.sum())
    outside = len(members) - inside
    below = ranks[:, members].sum(1) - inside * (inside + 1) / 2
    return below / (inside * outside)
