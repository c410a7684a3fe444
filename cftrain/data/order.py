"""The order of rows: drawn where nobody published one, and judged by its labels."""

import numpy as np
import torch
from torch import Tensor

from cftrain.data.dataset import Dataset
from cftrain.seeding import Stream
from cftrain.tensors import Labels

MIXED_BELOW = 0.5
"""Where `sortedness` is lower than this, batches are taken to be mixed enough."""


def random_order(rows: int, seed: int) -> Tensor:
    """Returns a permutation of row indices, a function of the seed alone."""
    generator = Stream(seed).child("order").generator()
    return torch.randperm(rows, generator=generator)


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns a random order in which any stretch has the classes in their shares.

    The k-th of n rows of a class, in random order, comes at a random place within the
    k-th of n equal parts: a cut anywhere divides every class alike, up to a row.
    """
    random = random_order(len(labels), seed).numpy()
    jitter = torch.rand(
        len(labels),
        generator=Stream(seed).child("order", "jitter").generator(),
        dtype=torch.float64,
    ).numpy()
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = random[labels[random] == label]
        place[members] = (np.arange(len(members)) + jitter[members]) / len(members)
    order: np.ndarray = place.argsort(kind="stable")
    return order


def imbalance(labels: Labels, batch_rows: int) -> float:
    """Returns how far, on average, the label shares of batches are from those of all.

    Batches are consecutive rows; the distance of two lists of shares is their total
    variation, half the sum of absolute differences.
    """
    one_hot = torch.nn.functional.one_hot(labels).double()
    shares = torch.stack([part.mean(0) for part in one_hot.split(batch_rows)])
    return float((shares - one_hot.mean(0)).abs().sum(1).mean() / 2)


def sortedness(labels: Labels, batch_rows: int) -> float:
    """Returns 0 for the imbalance of a random order and 1 for that of a sorted one.

    Both are measured on the same labels, so that neither the number of classes nor the
    size of batches matters; 0 also where the two are hardly different.
    """
    shuffled = labels[random_order(len(labels), seed=0)]
    least = imbalance(shuffled, batch_rows)
    most = imbalance(labels.sort().values, batch_rows)
    if most - least < 0.1:
        return 0.0
    return (imbalance(labels, batch_rows) - least) / (most - least)


def order_warning(dataset: Dataset, batch_rows: int) -> str | None:
    """Returns what to tell of a pool whose batches would hardly mix its classes."""
    labels = dataset.labels.cpu()
    found = sortedness(labels, batch_rows)
    if found < MIXED_BELOW:
        return None
    return (
        f"{dataset.name}: the rows are far from a random order: the class shares of "
        f"{batch_rows} rows in a row differ from those of all rows by "
        f"{imbalance(labels, batch_rows):.2f} on average, and training suffers where "
        "a batch holds few classes; shuffle with a number for the table's "
        "shuffle_seed, or with schedule.shuffle=once, which leaves the test part as "
        "it is"
    )


def absence_warning(dataset: Dataset) -> str | None:
    """Returns what to tell of a test part in which some class has no row."""
    there = set(dataset.test_labels.tolist())
    if not there:  # a test part that nobody wants
        return None
    absent = sorted(set(range(dataset.classes)) - there)
    if not absent:
        return None
    return (
        f"{dataset.name}: the test part has no row of class "
        f"{', '.join(map(str, absent))}, so that nothing can be said of it; a number "
        "for the table's shuffle_seed mixes the rows before they are divided"
    )
