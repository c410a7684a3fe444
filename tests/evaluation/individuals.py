"""Individuals and protocols made by hand; numbers are float64."""

from dataclasses import replace

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.evaluation.metric import Individuals
from cftrain.evaluation.protocol import Protocol
from cftrain.evaluation.reference import Reference
from tests.console import run_of


def individuals(
    counterfactual: Tensor,
    pair_target: Tensor,
    *,
    rounds: int = 1,
    factual: Tensor | None = None,
    predicted: Tensor | None = None,
    present: Tensor | None = None,
) -> Individuals:
    """All valid and present, unless said otherwise."""
    target = pair_target.repeat(rounds).expand(counterfactual.shape[:2])
    every = torch.ones_like(target, dtype=torch.bool)
    return Individuals(
        found=SearchResult(
            factual=counterfactual if factual is None else factual,
            target=target,
            counterfactual=counterfactual,
            nascent=counterfactual,
            mature=every,
            finite=every,
            steps=torch.zeros_like(target),
        ),
        predicted=target if predicted is None else predicted,
        present=every if present is None else present,
        rounds=rounds,
        pair_target=pair_target,
    )


def reference(*classes: Tensor) -> Reference:
    """Observed rows, one table for each class."""
    labels = [torch.full((len(rows),), label) for label, rows in enumerate(classes)]
    return Reference(torch.cat(classes), torch.cat(labels), len(classes))


def protocol(**changes: object) -> Protocol:
    """The published protocol, but small."""
    small = run_of(
        "evaluation.rounds=3",
        "evaluation.individuals=12",
        "evaluation.energy_weights=[0.5,5.0]",
        "evaluation.search.max_steps=15",
        "evaluation.maturity.threshold=0.6",
    ).evaluation
    return replace(small, **changes)
