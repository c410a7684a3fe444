"""Individuals and protocols made by hand; numbers are float64."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset
from cftrain.evaluation.individuals import draw_individuals
from cftrain.evaluation.metric import Individuals
from cftrain.evaluation.protocol import Protocol
from cftrain.evaluation.reference import Reference
from cftrain.evaluation.subject import Subject
from cftrain.seeding import Stream
from tests.builders import CLASSES, free, linear, mlp, streams
from tests.console import read


def individuals(
    counterfactual: Tensor,
    pair_target: Tensor,
    *,
    rounds: int = 1,
    factual: Tensor | None = None,
    predicted: Tensor | None = None,
    present: Tensor | None = None,
    mature: Tensor | None = None,
    held_out: Tensor | None = None,
    classifier: nn.Module | None = None,
    constraints: Constraints | None = None,
    pair_factual: Tensor | None = None,
) -> Individuals:
    """All valid, mature and present, of a free random model, unless said otherwise."""
    stack, _, features = counterfactual.shape
    target = pair_target.repeat(rounds).expand(counterfactual.shape[:2])
    every = torch.ones_like(target, dtype=torch.bool)
    return Individuals(
        found=SearchResult(
            factual=counterfactual if factual is None else factual,
            target=target,
            counterfactual=counterfactual,
            nascent=counterfactual,
            mature=every if mature is None else mature,
            finite=every,
            steps=torch.zeros_like(target),
        ),
        predicted=target if predicted is None else predicted,
        present=every if present is None else present,
        factual_row=torch.arange(target.shape[1]).expand(target.shape),
        held_out=counterfactual if held_out is None else held_out,
        rounds=rounds,
        pair_factual=pair_target if pair_factual is None else pair_factual,
        pair_target=pair_target,
        classifier=classifier or mlp(stack, features=features),
        constraints=constraints or free(features),
    )


def reference(*classes: Tensor) -> Reference:
    """Observed rows, one table for each class."""
    labels = [torch.full((len(rows),), label) for label, rows in enumerate(classes)]
    return Reference(torch.cat(classes), torch.cat(labels), len(classes))


def protocol(**changes: object) -> Protocol:
    """The published protocol, but small."""
    _, options = read(
        "evaluation.sampling=paper",
        "evaluation.rounds=3",
        "evaluation.individuals=12",
        "evaluation.energy_weights=[0.5,5.0]",
        "evaluation.search.max_steps=15",
        "evaluation.maturity.threshold=0.6",
    )
    return replace(options.evaluation, **changes)


def subject(classifier: torch.nn.Module, data: Dataset) -> Subject:
    return Subject(classifier=classifier, dataset=data)


def one_class_only(cells: int = 1) -> torch.nn.Module:
    """Predicts class 0 always, but other classes can be reached."""
    weight = torch.zeros(cells, CLASSES, 4, dtype=torch.float64)
    bias = torch.zeros(cells, CLASSES, dtype=torch.float64)
    weight[:, 1, 0], weight[:, 2, 1] = 1, 1
    bias[:, 0] = 50
    return linear(weight, bias)


def individuals_of(
    classifier: torch.nn.Module,
    data: Dataset,
    made: Protocol,
    drawn: list[Stream] | None = None,
) -> Individuals:
    search = made.searches()[0][1]
    cells = next(classifier.parameters()).shape[0]
    return draw_individuals(
        classifier,
        data,
        made,
        search,
        streams=streams(cells) if drawn is None else drawn,
    )
