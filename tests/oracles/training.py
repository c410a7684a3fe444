"""Method.md section 3.7 and 4 for one cell: plain loops and the library's Adam.

It takes the tuples of each epoch as they are; how they come about is not its business.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Tuples:
    """The tuples of one epoch and one cell, in drawing order: (tuple, feature)."""

    nascent: Tensor
    nascent_label: Tensor
    positive: Tensor
    counterfactual: Tensor
    target: Tensor


@dataclass(frozen=True, kw_only=True)
class Weights:
    classification: float
    divergence: float
    adversarial: float
    ridge: float


def train(
    model: nn.Module,
    features: Tensor,
    labels: Tensor,
    *,
    tuples_of: Callable[[int], Tuples | None],
    weights: Weights,
    epochs: int,
    batch_rows: int,
    learning_rate: float,
) -> list[float]:
    """Train an ordinary model (row, feature) -> (row, class); mean losses by epoch."""
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    means = []
    for epoch in range(1, epochs + 1):
        tuples = tuples_of(epoch)
        parts = list(
            zip(features.split(batch_rows), labels.split(batch_rows), strict=True)
        )
        groups = deal(0 if tuples is None else len(tuples.target), len(parts))
        losses = []
        for (rows, classes), group in zip(parts, groups, strict=True):
            loss = weights.classification * nn.functional.cross_entropy(
                model(rows), classes
            )
            if tuples is not None and group:
                loss = loss + extra_terms(model, tuples, group, weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        means.append(sum(losses) / len(losses))
    return means


def extra_terms(
    model: nn.Module, tuples: Tuples, group: Sequence[int], weights: Weights
) -> Tensor:
    divergence = ridge = adversarial = torch.zeros((), dtype=torch.float64)
    for i in group:
        target = tuples.target[i]
        high = model(tuples.positive[i : i + 1])[0, target]
        low = model(tuples.counterfactual[i : i + 1])[0, target]
        divergence = divergence + (-high + low) / len(group)
        ridge = ridge + (high**2 + low**2) / len(group)
        adversarial = adversarial + nn.functional.cross_entropy(
            model(tuples.nascent[i : i + 1]), tuples.nascent_label[i : i + 1]
        ) / len(group)
    return (
        weights.divergence * divergence
        + weights.ridge * ridge
        + weights.adversarial * adversarial
    )


def deal(tuples: int, groups: int) -> list[list[int]]:
    """Contiguous groups; the first (tuples mod groups) have one more."""
    dealt: list[list[int]] = []
    start = 0
    for group in range(groups):
        stop = start + tuples // groups + (1 if group < tuples % groups else 0)
        dealt.append(list(range(start, stop)))
        start = stop
    return dealt
