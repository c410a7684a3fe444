"""Maximum mean discrepancy of groups of counterfactuals to observed rows."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cftrain.config.ranges import Count, PositiveFloat
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference, ReferenceClass
from cftrain.tensors import Features, PerRow

Groups = Float[Tensor, "group row feature"]
PerGroup = Float[Tensor, " group"]
Members = Bool[Tensor, "group row"]


@dataclass(frozen=True)
class Observed:
    """At least two observed rows of a class under a Gaussian kernel."""

    rows: Features
    length_scale: float

    @cached_property
    def within(self) -> float:
        """Mean of the kernel over all pairs of different rows."""
        count = len(self.rows)
        kernel = gaussian(self.rows, self.rows, self.length_scale)
        return float((kernel.sum() - count) / (count * (count - 1)))


@dataclass(frozen=True, kw_only=True)
class Discrepancy(CounterfactualMetric):
    """A metric of groups of counterfactuals: each row has the value of its group.

    A group holds the counterfactuals of one target, or with `pair` of one target and
    factual class, as the authors group them. Consecutive rounds are pooled until a
    group has `least_rows` rows, so that many classes and few individuals make sensible
    groups too; the rounds of a pool share their value. The pools are the same for all
    cells: rows count for them whether they are present or not. The first `rows` of a
    group are held against as many observed rows of the target. Groups of one, and
    targets with one observed row, have no value (NaN).

    Without a `length_scale` it is the median distance between those observed rows.
    """

    length_scale: PositiveFloat | None
    group: Literal["target", "pair"]
    least_rows: Count
    rows: Count

    @abstractmethod
    def of_groups(self, x: Groups, there: Members, observed: Observed) -> PerGroup:
        """One value for each group of rows x, of which those `there` count."""

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = individuals.found.counterfactual.double()
        values = found.new_full(found.shape[:2], torch.nan)
        by_round = individuals.by_round(values)
        for target, members in self._groups(individuals):
            observed = reference.of(target).once(
                observed_rows, self.rows, self.length_scale
            )
            if len(observed.rows) < 2:
                continue
            pools = pooled_rounds(individuals.rounds, len(members), self.least_rows)
            rows, filled = (
                part.to(found.device)
                for part in self._rows(individuals, members, pools)
            )
            for cell, (x, present) in enumerate(
                zip(found, individuals.present, strict=True)
            ):
                value = self.of_groups(x[rows], present[rows] & filled, observed)
                by_round[cell, :, members] = value[pools].unsqueeze(-1)
        return values

    def _groups(self, individuals: Individuals) -> Iterator[tuple[int, Tensor]]:
        """The target of every group, and which individuals of a round it holds."""
        target, origin = individuals.pair_target, individuals.pair_factual
        if self.group == "target":
            origin = torch.zeros_like(origin)
        keys = torch.stack([target, origin], 1)
        for key in keys.unique(dim=0):
            yield int(key[0]), (keys == key).all(1).nonzero().squeeze(1)

    def _rows(
        self, individuals: Individuals, members: Tensor, pools: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The first rows of every pool (pool, row), padded, and where there are any."""
        starts = torch.arange(individuals.rounds) * len(individuals.pair_target)
        rows = starts.unsqueeze(1) + members
        first = [rows[pools == pool].flatten()[: self.rows] for pool in pools.unique()]
        padded = pad_sequence(first, batch_first=True, padding_value=-1)
        return padded.clamp(min=0), padded >= 0


def pooled_rounds(rounds: int, members: int, least_rows: int) -> Int[Tensor, " round"]:
    """The pool of every round, whose group has so many `members`.

    As many even pools as can have `least_rows` rows each, or a single one.
    """
    needed = -(-least_rows // members)
    pools = max(1, rounds // needed)
    return torch.arange(rounds) * pools // rounds


def observed_rows(
    reference: ReferenceClass, most: int, length_scale: float | None
) -> Observed:
    """The first rows of a class, at most so many, under a kernel."""
    rows = reference.rows[:most].double()
    if length_scale is None:
        length_scale = float(torch.pdist(rows).quantile(0.5)) if len(rows) > 1 else 0.0
    return Observed(rows, length_scale)


def gaussian(
    x: Float[Tensor, "*group row feature"],
    y: Float[Tensor, "... other feature"],
    length_scale: float,
) -> Float[Tensor, "*group row other"]:
    """exp(-|x - y|^2 / (2 l^2)); 1 on the diagonal of k(x, x), but for rounding.

    The exponent x.y - x.x / 2 - y.y / 2 is one product of rows with two more columns.
    """
    x, y = x / length_scale, y / length_scale
    one_x, one_y = torch.ones_like(x[..., :1]), torch.ones_like(y[..., :1])
    half_x, half_y = (-(z * z).sum(-1, keepdim=True) / 2 for z in (x, y))
    left = torch.cat([x, half_x, one_x], -1)
    right = torch.cat([y, one_y, half_y], -1)
    return (left @ right.mT).clamp_(max=0).exp_()
