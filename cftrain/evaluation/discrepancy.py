"""Maximum mean discrepancy of samples of counterfactuals to observed rows."""

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

Samples = Float[Tensor, "sample row feature"]
PerSample = Float[Tensor, " sample"]
Members = Bool[Tensor, "sample row"]


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
    """A metric of samples of counterfactuals: each row has the value of its sample.

    A sample holds the counterfactuals of one target, or with `pair` those of one target
    and factual class, as in the authors' code. Its first `rows` are held against as
    many observed rows of the target. A sample of one row has no value (NaN), nor has
    one whose target has a single observed row.

    Where a round gives a sample fewer than `least_rows` rows, as with many classes and
    few individuals, consecutive rounds are merged: they share a sample and its value.
    Which rounds are merged is the same for all cells, for rows count towards it whether
    they are present or not.

    Without a `length_scale` it is the median distance between those observed rows.
    """

    length_scale: PositiveFloat | None
    sample: Literal["target", "pair"]
    least_rows: Count
    rows: Count

    @abstractmethod
    def of_samples(self, x: Samples, there: Members, observed: Observed) -> PerSample:
        """Returns a value for each sample of rows x, of which those `there` count."""

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found = individuals.found.counterfactual.double()
        values = found.new_full(found.shape[:2], torch.nan)
        by_round = individuals.by_round(values)
        for target, members in self._places(individuals):
            observed = reference.of(target).once(
                observed_rows, self.rows, self.length_scale
            )
            if len(observed.rows) < 2:
                continue
            merged = merged_rounds(individuals.rounds, len(members), self.least_rows)
            rows, filled = (
                part.to(found.device)
                for part in self._rows(individuals, members, merged)
            )
            for cell, (x, present) in enumerate(
                zip(found, individuals.present, strict=True)
            ):
                value = self.of_samples(x[rows], present[rows] & filled, observed)
                by_round[cell, :, members] = value[merged].unsqueeze(-1)
        return values

    def _places(self, individuals: Individuals) -> Iterator[tuple[int, Tensor]]:
        """Yields each sample's target, and where its individuals stand in a round."""
        target, origin = individuals.pair_target, individuals.pair_factual
        if self.sample == "target":
            origin = torch.zeros_like(origin)
        keys = torch.stack([target, origin], 1)
        for key in keys.unique(dim=0):
            yield int(key[0]), (keys == key).all(1).nonzero().squeeze(1)

    def _rows(
        self, individuals: Individuals, members: Tensor, merged: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the places of each sample's first rows (sample, row), padded to the
        longest one, and which of them are real.
        """
        starts = torch.arange(individuals.rounds) * len(individuals.pair_target)
        rows = starts.unsqueeze(1) + members
        first = [rows[merged == s].flatten()[: self.rows] for s in merged.unique()]
        padded = pad_sequence(first, batch_first=True, padding_value=-1)
        return padded.clamp(min=0), padded >= 0


def merged_rounds(rounds: int, members: int, least_rows: int) -> Int[Tensor, " round"]:
    """Returns the number of each round's sample, to which it adds `members` rows.

    There are as many samples of even size as can have `least_rows` rows each, and at
    least one.
    """
    needed = -(-least_rows // members)
    samples = max(1, rounds // needed)
    return torch.arange(rounds) * samples // rounds


def observed_rows(
    reference: ReferenceClass, most: int, length_scale: float | None
) -> Observed:
    """Returns the first rows of a class, at most so many, under a kernel."""
    rows = reference.rows[:most].double()
    if length_scale is None:
        length_scale = median(torch.pdist(rows)) if len(rows) > 1 else 0.0
    return Observed(rows, length_scale)


def median(values: Float[Tensor, " value"]) -> float:
    """Returns the middle one of the values, or the mean of the two in the middle.

    `torch.quantile` gives the same, but takes 2^24 values at most.
    """
    low, high = (len(values) + 1) // 2, len(values) // 2 + 1
    return float(values.kthvalue(low).values.lerp(values.kthvalue(high).values, 0.5))


def gaussian(
    x: Float[Tensor, "*sample row feature"],
    y: Float[Tensor, "... other feature"],
    length_scale: float,
) -> Float[Tensor, "*sample row other"]:
    """Returns exp(-|x - y|^2 / (2 l^2)); but for rounding 1 where x is y.

    The exponent x.y - x.x / 2 - y.y / 2 is one product of rows with two more columns.
    """
    x, y = x / length_scale, y / length_scale
    one_x, one_y = torch.ones_like(x[..., :1]), torch.ones_like(y[..., :1])
    half_x, half_y = (-(z * z).sum(-1, keepdim=True) / 2 for z in (x, y))
    left = torch.cat([x, half_x, one_x], -1)
    right = torch.cat([y, one_y, half_y], -1)
    return (left @ right.mT).clamp_(max=0).exp_()
