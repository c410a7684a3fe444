"""Whether counterfactuals could be observed rows of their target class."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count, Seed
from cftrain.evaluation.discrepancy import (
    Discrepancy,
    Members,
    Observed,
    PerSample,
    Samples,
    gaussian,
)
from cftrain.seeding import Stream

TIE = 1e-12
"""Two discrepancies that differ by less are the same but for rounding."""


@named("mmd_p_value")
@final
@dataclass(frozen=True, kw_only=True)
class MmdPValue(Discrepancy):
    """Permutation p-value of the squared MMD (Gretton et al., 2012, section 5).

    The share of random divisions of a sample and its observed rows that are at least as
    far apart; the actual division counts as one of them. Factuals are drawn with
    replacement: where a sample has many repetitions, its p-value is too small.
    """

    unit: ClassVar[str] = "p"
    higher_is_better: ClassVar[bool] = True

    permutations: Count
    seed: Seed

    def of_samples(self, x: Samples, there: Members, observed: Observed) -> PerSample:
        values = [
            self._value(rows[counted], observed)
            for rows, counted in zip(x, there, strict=True)
        ]
        return x.new_tensor(values)

    def _value(self, x: Tensor, observed: Observed) -> float:
        first = len(x)
        if first < 2:
            return torch.nan
        both = torch.cat([x, observed.rows])
        drawn = _divisions(self.permutations, first, len(both), self.seed).to(x)
        actual = (torch.arange(len(both), device=x.device) < first).to(x)
        kernel = gaussian(both, both, observed.length_scale)
        found = _discrepancies(kernel, torch.cat([actual.unsqueeze(0), drawn]), first)
        if not torch.isfinite(found[0]):
            return torch.nan
        return float((found >= found[0] - TIE).double().mean())


@lru_cache(maxsize=256)
def _divisions(
    count: int, first: int, rows: int, seed: int
) -> Bool[Tensor, "division row"]:
    """Returns which rows come `first` in each of some random permutations."""
    generator = Stream(seed).generator()
    return torch.rand(count, rows, generator=generator).argsort(1) < first


def _discrepancies(
    kernel: Float[Tensor, "row row"],
    chosen: Float[Tensor, "division row"],
    first: int,
) -> Float[Tensor, " division"]:
    """Returns the unbiased MMD^2 of the `first` chosen rows to the others."""
    second = len(kernel) - first
    chosen_rows = chosen @ kernel
    among = (chosen_rows * chosen).sum(1)
    between = chosen_rows.sum(1) - among
    others = kernel.sum() - among - 2 * between
    return (
        (among - first) / (first * (first - 1))
        + (others - second) / (second * (second - 1))
        - 2 * between / (first * second)
    )
