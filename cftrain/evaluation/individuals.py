"""The individuals that an evaluation explains, and their counterfactuals."""

from collections.abc import Callable

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult, concatenate
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import class_index
from cftrain.evaluation.metric import Individuals
from cftrain.evaluation.protocol import Protocol
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen, predict, stack_size
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Mask, Rows


def references(dataset: Dataset, split: str) -> tuple[Reference, Reference]:
    """Returns the observed rows of the evaluated split, and those of the other one."""
    test = Reference(dataset.test_features, dataset.test_labels, dataset.classes)
    training = Reference(dataset.features, dataset.labels, dataset.classes)
    return (test, training) if split == "test" else (training, test)


def draw_individuals(
    classifier: Classifier,
    dataset: Dataset,
    protocol: Protocol,
    search: CounterfactualSearch,
    *,
    streams: Streams,
    on_search: Callable[[], None] = lambda: None,
) -> Individuals:
    """Draws all individuals and searches them; `on_search` follows each cell."""
    reference, other = references(dataset, protocol.split)
    pair_factual, pair_target = pairs(
        protocol.individuals, dataset.classes, Stream(protocol.pair_seed)
    )
    device, stack = reference.features.device, stack_size(classifier)
    wanted = pair_factual.repeat(protocol.rounds).expand(stack, -1).to(device)
    target = pair_target.repeat(protocol.rounds).expand(stack, -1).to(device)
    if protocol.sampling == "paired":
        row, present = _same_rows(classifier, reference, wanted, target, protocol)
    else:
        row, present = _own_rows(classifier, reference, wanted, streams)
    found = _searched(
        classifier,
        reference,
        row,
        target,
        dataset,
        search,
        streams=streams,
        on_search=on_search,
    )
    return Individuals(
        found=found,
        predicted=predict(classifier, found.counterfactual),
        present=present,
        factual_row=row,
        held_out=_held_out(other, target, protocol),
        rounds=protocol.rounds,
        pair_factual=pair_factual,
        pair_target=pair_target,
        classifier=classifier,
        constraints=dataset.constraints,
        codec=dataset.units if dataset.image_shape is None else None,
    )


def pairs(count: int, classes: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """Draws factual classes from all classes, and targets from the other ones."""
    generator = stream.generator()
    factual = torch.randint(classes, (count,), generator=generator)
    offset = torch.randint(1, classes, (count,), generator=generator)
    return factual, (factual + offset) % classes


def _own_rows(
    classifier: Classifier, reference: Reference, wanted: Classes, streams: Streams
) -> tuple[Classes, Mask]:
    """Draws rows that each model predicts to be of the wanted classes, as published.

    A model without such rows has no individual there.
    """
    predicted = predict(classifier, reference.features.unsqueeze(0))
    index = class_index(predicted, reference.classes)
    return index.draw(wanted, streams), index.counts.gather(1, wanted) > 0


def _same_rows(
    classifier: Classifier,
    reference: Reference,
    wanted: Classes,
    target: Classes,
    protocol: Protocol,
) -> tuple[Classes, Mask]:
    """Draws rows labelled as wanted, the same for all models and energy weights.

    Where a model predicts the target already, it has no individual.
    """
    row, there = _labelled(reference, wanted, protocol, "individuals")
    predicted = predict(classifier, reference.features[row[:1]])
    return row, there & (predicted != target)


def _held_out(other: Reference, target: Classes, protocol: Protocol) -> Rows:
    """Draws rows of the other split that have the target as their label.

    They are NaN for a target without rows.
    """
    row, there = _labelled(other, target, protocol, "held out")
    rows = other.features[row[:1]].masked_fill(~there[:1].unsqueeze(-1), torch.nan)
    return rows.expand(len(target), -1, -1)


def _labelled(
    reference: Reference, wanted: Classes, protocol: Protocol, purpose: str
) -> tuple[Classes, Mask]:
    """Draws places of rows with the wanted labels.

    The mask says for which of them there are such rows at all.
    """
    index = class_index(reference.labels.unsqueeze(0), reference.classes)
    stream = Stream(protocol.pair_seed).child(purpose)
    row = index.draw(wanted[:1], [stream])
    there = index.counts.gather(1, wanted[:1]) > 0
    return row.expand_as(wanted), there.expand_as(wanted)


def _searched(
    classifier: Classifier,
    reference: Reference,
    row: Classes,
    target: Classes,
    dataset: Dataset,
    search: CounterfactualSearch,
    *,
    streams: Streams,
    on_search: Callable[[], None],
) -> SearchResult:
    """Searches the counterfactuals of the rows.

    Rounds draw the same individuals again and again. Each of them is searched once,
    unless a repeated search could end elsewhere.
    """
    found = []
    for cell, stream in enumerate(streams):
        key, place = row[cell] * reference.classes + target[cell], None
        if not search.generator.draws:
            key, place = key.unique(return_inverse=True)
        once = search(
            frozen(classifier, slice(cell, cell + 1)),
            reference.features[key // reference.classes].unsqueeze(0),
            (key % reference.classes).unsqueeze(0),
            constraints=dataset.constraints,
            streams=[stream.child("search")],
        )
        found.append(once if place is None else once.rows(place))
        on_search()
    return concatenate(found, 0)
