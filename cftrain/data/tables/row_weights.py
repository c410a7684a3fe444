"""A column that says how much rows count."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cftrain.errors import DataError


def row_weights(frame: pd.DataFrame, name: str | None) -> Tensor | None:
    """Returns the weights (row,) in a column, None without one or if all are equal.

    Raises DataError for what is no number of 0 or more, or if all are 0.
    """
    if name is None:
        return None
    where = f"column {name!r}: expected numbers of 0 or more as weights of rows, got"
    try:
        weights = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where} {error}") from error
    if others := no_weights(weights):
        raise DataError(f"{where} {others}")
    if not weights.any():
        raise DataError(f"{where} 0 in all {len(weights)} rows that train or validate")
    # Weights that change nothing leave the arithmetic as it is, too.
    return None if (weights == weights[0]).all() else torch.tensor(weights)


def no_weights(weights: np.ndarray) -> str | None:
    """Returns what is no number of 0 or more, as messages tell it; None if all are."""
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if not wrong.any():
        return None
    return f"{wrong.sum()} others, such as {weights[wrong][0]:g}"
