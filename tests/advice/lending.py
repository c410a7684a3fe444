"""A small table of loans and an advisor whose answers are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cftrain.advice.advisor import Advisor
from cftrain.counterfactuals.categories import Snap
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset
from cftrain.data.declarations import declared_constraints
from cftrain.data.encoding import Codec, fit_codec
from cftrain.evaluation.reference import Reference
from tests import builders

KINDS = {"age": "numeric", "debt": "numeric", "rate": "numeric", "job": "categorical"}
ROWS = 200


def frame(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """Whole years, money with cents, a rate on no grid, and a job."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "debt": rng.integers(0, 100_000, rows) / 100,
            "rate": rng.random(rows),
            "job": rng.choice(["baker", "clerk", "nurse"], rows),
        }
    )


def codec() -> Codec:
    return fit_codec(frame(), KINDS, levels={}, standardise=True)


def constraints(**mutability: str) -> Constraints:
    """Age from 18 to 90 and debt that is not negative, in raw units."""
    return declared_constraints(
        codec().encode(frame()),
        codec(),
        deviations=2.0,
        domain={"age": (18, 90), "debt": (0, None)},
        mutability=mutability,
    )


def dataset(limits: Constraints) -> Dataset:
    features = codec().encode(frame())
    labels = (features[:, 1] < 0).long()
    return Dataset(
        name="loans",
        source="generated",
        identity="generated",
        features=features,
        labels=labels,
        test_features=features[:20],
        test_labels=labels[:20],
        validation_rows=20,
        classes=2,
        feature_names=codec().feature_names,
        constraints=limits,
        image_shape=None,
        codec=codec(),
        labelled=("no", "yes"),
    )


def reference(limits: Constraints) -> Reference:
    data = dataset(limits)
    return Reference(data.features, data.labels, data.classes)


def advisor(
    weights: dict[str, float], *, steps: int = 60, **mutability: str
) -> Advisor:
    """A linear model: each named input raises or lowers the logit of `yes`."""
    names = codec().feature_names
    yes = torch.tensor([weights.get(name, 0.0) for name in names])
    weight = torch.stack([-yes, yes]).unsqueeze(0).double() / 2
    model = builders.linear(weight, torch.zeros(1, 2).double()).float()
    limits = constraints(**mutability)
    return Advisor(
        model=model,
        others=None,
        search=builders.search(
            builders.generic(0.001), categories=Snap(), max_steps=steps
        ),
        codec=codec(),
        reference=reference(limits),
        constraints=limits,
        class_names=("no", "yes"),
        sparse=True,
    )


def with_others(each: Advisor, *, agree: int, disagree: int) -> Advisor:
    """The advisor beside models that say the same and some that say the opposite."""
    own = next(each.model.parameters()).detach()
    weight = torch.cat([own] * agree + [-own] * disagree).double()
    size = agree + disagree
    others = builders.linear(_weights(weight), torch.zeros(size, 2).double()).float()
    return replace(each, others=others)


def _weights(stacked: Tensor) -> Tensor:
    """(stack, class, feature), however the layer keeps it."""
    return stacked if stacked.shape[1] == 2 else stacked.transpose(1, 2)
