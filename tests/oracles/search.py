"""The search of method.md section 5, one row at a time.

Slow and plain on purpose: the logits are differentiated one by one and everything
else is written out in numbers, so that no formula is shared with the package.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass(kw_only=True)
class Options:
    """Numbers of one cell. `energy_weight` None is the generic generator."""

    distance_weight: float = 0.001
    energy_weight: float | None = None
    decays: bool = True
    threshold: float = 0.75
    step_size: float = 0.1
    max_steps: int = 20
    epsilon: float = 0.3
    kinds: list[str]
    lower: list[float]
    upper: list[float]


@dataclass
class Found:
    """What became of one row; `path` holds all its states, the factual first."""

    path: list[list[float]] = field(default_factory=list)
    nascent: list[float] = field(default_factory=list)
    mature: bool = False
    finite: bool = True

    @property
    def steps(self) -> int:
        return len(self.path) - 1


def search_row(
    classifier: nn.Module, cell: int, factual: list[float], target: int, s: Options
) -> Found:
    """Search for one row of one cell of a stacked classifier."""
    found = Found(path=[list(factual)], nascent=list(factual))
    while True:
        x = found.path[-1]
        logits, slopes = logits_and_slopes(classifier, cell, x)
        shares = softmax(logits)
        slope = loss_slope(logits, slopes, shares, x, factual, target, found.steps, s)
        found.finite = all(math.isfinite(value) for value in slope)
        found.mature = found.finite and shares[target] >= s.threshold
        if found.mature or not found.finite or found.steps == s.max_steps:
            return found
        found.path.append(moved(x, slope, factual, s))
        gaps = [abs(a - b) for a, b in zip(found.path[-1], factual, strict=True)]
        if max(gaps) <= s.epsilon:
            found.nascent = found.path[-1]


def logits_and_slopes(
    classifier: nn.Module, cell: int, x: list[float]
) -> tuple[list[float], list[list[float]]]:
    """Logits of a row, and the gradient of every logit by the row."""
    stack = next(classifier.parameters()).shape[0]
    row = torch.tensor(x, dtype=torch.float64)
    inputs = torch.zeros(stack, 1, len(x), dtype=torch.float64)
    inputs[cell, 0] = row
    inputs.requires_grad_()
    logits: Tensor = classifier(inputs)[cell, 0]
    slopes = [
        torch.autograd.grad(logit, inputs, retain_graph=True)[0][cell, 0].tolist()
        for logit in logits
    ]
    return logits.tolist(), slopes


def softmax(logits: list[float]) -> list[float]:
    if not all(math.isfinite(logit) for logit in logits):
        return [math.nan] * len(logits)
    shares = [math.exp(logit - max(logits)) for logit in logits]
    return [share / sum(shares) for share in shares]


def loss_slope(
    logits: list[float],
    slopes: list[list[float]],
    shares: list[float],
    x: list[float],
    factual: list[float],
    target: int,
    steps_done: int,
    s: Options,
) -> list[float]:
    """Gradient of the search's loss by the row, by the chain rule."""
    slope = []
    energy = -logits[target]
    for d, (here, start) in enumerate(zip(x, factual, strict=True)):
        value = sum(
            (share - (k == target)) * slopes[k][d] for k, share in enumerate(shares)
        )
        value += s.distance_weight * ((here > start) - (here < start))
        if s.energy_weight is not None:
            weight = s.energy_weight * (decay(steps_done, s) if s.decays else 1)
            value += weight * (1 + 0.002 * energy) * -slopes[target][d]
        slope.append(value)
    return slope


def decay(steps_done: int, s: Options) -> float:
    t = steps_done + 1
    b = round(s.max_steps / 25)
    a = b / 10
    return a * (b + t) ** (-0.9) if a else 0.0


def moved(
    x: list[float], slope: list[float], factual: list[float], s: Options
) -> list[float]:
    """One step of descent; mutability first, then the box."""
    result = []
    for d, kind in enumerate(s.kinds):
        step = -s.step_size * slope[d]
        if kind == "immutable":
            step = 0.0
        if kind == "increase":
            step = max(step, 0.0)
        if kind == "decrease":
            step = min(step, 0.0)
        lower, upper = s.lower[d], s.upper[d]
        if kind != "free":
            lower, upper = min(lower, factual[d]), max(upper, factual[d])
        result.append(min(max(x[d] + step, lower), upper))
    return result
