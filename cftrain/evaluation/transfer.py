"""Whether recourse outlives retraining: counterfactuals of one model under others."""

from collections.abc import Iterator
from dataclasses import dataclass

from cftrain.data.dataset import Dataset
from cftrain.evaluation.individuals import draw_individuals
from cftrain.evaluation.protocol import Protocol
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict, stack_size
from cftrain.seeding import Streams


@dataclass(frozen=True, kw_only=True)
class Transferred:
    """Of the `rows` valid counterfactuals of one cell, the share that is valid under
    the other cell too; NaN without any.
    """

    cell: int
    other: int
    energy_weight: float | None
    value: float
    rows: int


def transferred(
    classifier: Classifier, dataset: Dataset, protocol: Protocol, *, streams: Streams
) -> Iterator[Transferred]:
    """Judges the counterfactuals of every cell by every other cell of the stack.

    This is robustness to model change as in Upadhyay et al. (2021), with retrained
    models in the place of worst-case ones.
    """
    for number, (weight, search) in enumerate(protocol.searches()):
        drawn = [stream.child("evaluation", number) for stream in streams]
        individuals = draw_individuals(
            classifier, dataset, protocol, search, streams=drawn
        )
        for cell in range(stack_size(classifier)):
            valid = individuals.valid[cell]
            kept = individuals.found.counterfactual[cell, valid]
            target = individuals.found.target[cell, valid]
            shares = (predict(classifier, kept.unsqueeze(0)) == target).double().mean(1)
            for other, share in enumerate(shares.tolist()):
                if other != cell:
                    yield Transferred(
                        cell=cell,
                        other=other,
                        energy_weight=weight,
                        value=share,
                        rows=len(target),
                    )
