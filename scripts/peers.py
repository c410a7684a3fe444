"""Other libraries' searches on one network and its rows, each as its manual has it.

Every one takes the `Task` and returns an answer for each row, NaN where there is none.
All of them get the bounds and the immovable feature if they have words for these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

import cftrain

NEAREST = ("generator.distance_weight=0.1", "search.max_steps=1000")
"""Words for a search that just crosses the boundary, as that of the others."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A network of two classes, rows to explain and what answers have to obey.

    `rows`, `target` and `observed` with its `labels` are what all searches get.
    """

    net: nn.Module
    rows: Tensor
    target: Tensor
    observed: Tensor
    labels: Tensor
    constraints: cftrain.Constraints
    names: tuple[str, ...]

    @property
    def movable(self) -> list[int]:
        free = self.constraints.may_increase & self.constraints.may_decrease
        return free.nonzero().flatten().tolist()

    def first(self, count: int) -> "Task":
        """Returns the task of the first rows."""
        values = {
            **vars(self),
            "rows": self.rows[:count],
            "target": self.target[:count],
        }
        return Task(**values)


Search = Callable[[Task], Tensor]


def ours(*overrides: str, generator: str, threshold: float) -> Search:
    """Our search, of all rows together."""

    def search(task: Task) -> Tensor:
        found = cftrain.search_counterfactuals(
            task.net,
            task.rows,
            task.target,
            constraints=task.constraints,
            generator=generator,
            threshold=threshold,
            overrides=overrides,
        )
        reached = found.mature[0].unsqueeze(1)
        return torch.where(reached, found.counterfactual[0], torch.nan)

    return search


def one_by_one(search: Search) -> Search:
    """The same search, called for each row as those of others are."""

    def each(task: Task) -> Tensor:
        alone = [
            Task(**{**vars(task), "rows": row[None], "target": target[None]})
            for row, target in zip(task.rows, task.target, strict=True)
        ]
        return torch.cat([search(one) for one in alone])

    return each


class ScaledProbability(nn.Module):
    """The probability of class 1 for rows scaled to [0, 1], as DiCE's networks take."""

    def __init__(self, net: nn.Module, low: Tensor, high: Tensor) -> None:
        super().__init__()
        self.net, self.low, self.high = net, low, high

    def forward(self, scaled: Tensor) -> Tensor:
        logits = self.net(self.low + scaled.float() * (self.high - self.low))
        return torch.sigmoid(logits[..., 1:] - logits[..., :1])


def dice(method: str) -> Search:
    """DiCE (Mothilal et al., 2020): one counterfactual for each row."""

    def search(task: Task) -> Tensor:
        import dice_ml

        frame = pd.DataFrame(task.observed.numpy(), columns=list(task.names))
        low, high = (torch.tensor(frame.agg(how).to_numpy()) for how in ("min", "max"))
        data = dice_ml.Data(
            dataframe=frame.assign(label=task.labels.numpy()),
            continuous_features=list(task.names),
            outcome_name="label",
        )
        if method == "gradient":
            net = ScaledProbability(task.net, low, high)
            model = dice_ml.Model(model=net, backend="PYT", func="ohe-min-max")
        else:
            model = dice_ml.Model(model=Predictor(task.net), backend="sklearn")
        explainer = dice_ml.Dice(data, model, method=method)
        limits = task.constraints
        low, high = torch.maximum(limits.lower, low), torch.minimum(limits.upper, high)
        bounds = dict(
            zip(task.names, torch.stack([low, high], 1).tolist(), strict=True)
        )
        free = [task.names[index] for index in task.movable]
        return torch.stack(
            [_dice_row(explainer, task, row, free, bounds) for row in task.rows]
        )

    return search


def _dice_row(
    explainer: Any,
    task: Task,
    row: Tensor,
    free: list[str],
    bounds: dict[str, list[float]],
) -> Tensor:
    query = pd.DataFrame([row.tolist()], columns=list(task.names))
    try:
        found = explainer.generate_counterfactuals(
            query,
            total_CFs=1,
            desired_class="opposite",
            features_to_vary=free,
            permitted_range=bounds,
            verbose=False,
        )
        answers = found.cf_examples_list[0].final_cfs_df
    except Exception as error:
        if "No counterfactuals found" not in str(error):
            raise
        answers = None
    if answers is None or answers.empty:
        return torch.full_like(row, torch.nan)
    return torch.tensor(answers[list(task.names)].to_numpy(float)[0], dtype=row.dtype)


class Predictor:
    """A network with the methods of a scikit-learn classifier."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits = self.net(torch.tensor(np.asarray(rows, dtype=np.float32)))
        return logits.softmax(-1).numpy()

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.predict_proba(rows).argmax(-1)


def mlxtend(task: Task) -> Tensor:
    """mlxtend's search after Wachter et al. (2018), without gradients and limits."""
    from mlxtend.evaluate import create_counterfactual

    found = [
        create_counterfactual(
            x_reference=row.numpy(),
            y_desired=int(target),
            model=Predictor(task.net),
            X_dataset=task.observed.numpy(),
            y_desired_proba=0.51,
            lammbda=1.0,
            random_seed=1,
        )
        for row, target in zip(task.rows, task.target, strict=True)
    ]
    return torch.tensor(np.array(found), dtype=task.rows.dtype)


def foolbox(task: Task) -> Tensor:
    """Foolbox's elastic-net attack (Chen et al., 2018): near in L1, one box for all."""
    import foolbox as fb

    low = float(task.constraints.lower.min())
    high = float(task.constraints.upper.max())
    model = fb.PyTorchModel(task.net.eval(), bounds=(low, high))
    attack = fb.attacks.EADAttack(binary_search_steps=6, steps=500)
    _, found, reached = attack(
        model,
        task.rows,
        fb.criteria.TargetedMisclassification(task.target),
        epsilons=None,
    )
    return torch.where(reached.unsqueeze(1), found, torch.nan)
