"""Share of counterfactuals that still reach their target as people are told them."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.data.told import as_given, told
from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.models.stack_slicing import predict
from cftrain.tensors import Features, PerRow

LARGEST = 1e9
"""Inputs farther out are no values that anybody could be told."""


@named("validity_told")
@final
@dataclass(frozen=True, kw_only=True)
class ValidityAsTold(CounterfactualMetric):
    """1 where the predicted class is the target after the way to people and back: raw
    values, rounded, with valid categories, encoded again and judged again, and no
    relation is broken; else 0.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True
    of_valid: ClassVar[bool] = False
    of_tables: ClassVar[bool] = True

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        found, codec = individuals.found, individuals.codec
        assert codec is not None, "only data that people are told have this metric"
        cpu = torch.device("cpu")
        limits = individuals.constraints.to(dtype=found.factual.dtype, device=cpu)
        rows = found.counterfactual
        sayable = (rows.abs() < LARGEST).all(-1)  # false of what is no number
        # Rounds draw the same individuals again and again.
        ways = [
            torch.stack([start[here], end[here]], 1).unique(dim=0, return_inverse=True)
            for start, end, here in zip(found.factual, rows, sayable, strict=True)
        ]
        # Of all cells at once: raw tables are slow to make, whatever their length.
        once = torch.cat([way for way, _ in ways])
        inputs = _told_again(once.cpu(), codec, limits).to(rows)
        of_cells = inputs.split([len(way) for way, _ in ways])
        again = rows.clone()
        for cell, (_, place) in enumerate(ways):
            again[cell, sayable[cell]] = of_cells[cell][place]
        told = individuals.present & sayable
        told &= predict(individuals.classifier, again) == found.target
        relations = individuals.constraints.relations
        if relations is not None:
            told &= ~relations.broken(again)
        return told.double()


def _told_again(ways: Tensor, codec: Codec, limits: Constraints) -> Features:
    """The inputs of counterfactuals as they are told; `ways` (row, 2, feature) lead to
    them from their factuals.
    """
    if not len(ways):
        return ways[:, 1]
    factual = as_given(codec.decode(ways[:, 0]), codec)
    return told(ways[:, 1], factual, codec, limits).inputs
