"""Observed rows of the target class that counterfactuals are held against."""

import torch

from cftrain.data.sampling import TrainingRows
from cftrain.seeding import Streams, children
from cftrain.tensors import Classes, Flags, PerClass, Rows

MATCHED = 32
"""Rows of which the one nearest in protected features is taken."""

ALIGNED = 8
"""Rows of which the nearest one shows the direction that a search should take."""

MOST_ROWS = 1000
"""Rows of a class whose distances stand for those of all of its rows."""


def random_positives(rows: TrainingRows, target: Classes, streams: Streams) -> Rows:
    """Returns for every target an observed training row with that label."""
    return rows.features(rows.draw_labelled(target, streams))


def matched_positives(
    rows: TrainingRows, target: Classes, reached: Rows, streams: Streams
) -> Rows:
    """Returns observed rows of the target classes that are near what was reached in
    protected features: copying the latter then takes little away from their class.
    """
    protected = rows.dataset.constraints.protected
    if not protected.any():
        return random_positives(rows, target, streams)
    return _nearest(rows, target, reached, protected, MATCHED, streams)


def aligned_positives(
    rows: TrainingRows, target: Classes, reached: Rows, streams: Streams
) -> Rows:
    """Returns observed rows of the target classes that are near what was reached."""
    everywhere = torch.ones_like(rows.dataset.constraints.protected)
    return _nearest(rows, target, reached, everywhere, ALIGNED, streams)


def _nearest(
    rows: TrainingRows,
    target: Classes,
    reached: Rows,
    features: Flags,
    candidates: int,
    streams: Streams,
) -> Rows:
    """Returns the nearest of some random rows, by the L1 distance in some features."""
    nearest = random_positives(rows, target, streams)
    least = ((nearest - reached).abs() * features).sum(-1)
    for number in range(1, candidates):
        other = random_positives(rows, target, children(streams, number))
        distance = ((other - reached).abs() * features).sum(-1)
        closer = distance < least
        nearest = torch.where(closer.unsqueeze(-1), other, nearest)
        least = torch.where(closer, distance, least)
    return nearest


def spread(rows: TrainingRows, kind: str) -> PerClass:
    """Returns the mean or the median L2 distance of two training rows of a class.

    The shape is (stack, class). Of many rows evenly spaced ones are compared. It is 1
    where all of them are the same, or there are fewer than two.
    """
    found = [
        [_spread(rows, cell, label, kind) for label in range(rows.dataset.classes)]
        for cell in range(len(rows.training))
    ]
    return torch.tensor(found, dtype=rows.dataset.features.dtype).to(
        rows.dataset.features.device
    )


def _spread(rows: TrainingRows, cell: int, label: int, kind: str) -> float:
    index = rows.training[cell]
    members = index[rows.dataset.labels[index] == label]
    members = members[:: -(-len(members) // MOST_ROWS) or 1]
    distances = torch.pdist(rows.dataset.features[members])
    if not distances.any():
        return 1.0
    return float(distances.mean() if kind == "mean" else distances.median())
