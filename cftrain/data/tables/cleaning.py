"""Raw rows made complete and balanced, before anything is fitted on them."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import torch

from cftrain.data.columns import MISSING, listed
from cftrain.errors import DataError

MissingRule = Literal["refuse", "drop_rows", "own_level", "median"]


def undersampled(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns indices, shuffled, of equally many rows of each class.

    The smallest class keeps all of its rows.
    """
    generator = torch.Generator().manual_seed(seed)
    classes, counts = np.unique(labels, return_counts=True)
    chosen = []
    for label in classes:
        members = np.flatnonzero(labels == label)
        order = torch.randperm(len(members), generator=generator).numpy()
        chosen.append(members[order[: counts.min()]])
    rows = np.concatenate(chosen)
    shuffled: np.ndarray = rows[torch.randperm(len(rows), generator=generator).numpy()]
    return shuffled


def complete(
    frame: pd.DataFrame, rules: Mapping[str, MissingRule]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Returns the rows that are kept and a mask of them. Raises DataError.

    No value is missing in them but in columns whose rule is the median: what that is
    belongs to the codec.
    """
    refused = []
    kept = np.ones(len(frame), dtype=np.bool_)
    filled = {}
    for name in frame:
        missing = frame[name].isna().to_numpy()
        rule = rules.get(name, "refuse")
        if missing.any() and rule == "refuse":
            refused.append(
                f"column {name!r}: expected no missing values, got {missing.sum()}; "
                f"data.missing.{name} may say what to do: drop_rows, own_level for a "
                "categorical column or median for one of numbers"
            )
        if rule == "drop_rows":
            kept &= ~missing
        filled[name] = (
            frame[name].astype(object).where(~missing, MISSING)
            if rule == "own_level"
            else frame[name]
        )
    if refused:
        raise DataError("\n".join(refused))
    return pd.DataFrame(filled)[kept], kept


def check_classes(labels: np.ndarray, classes: int) -> None:
    """Raises DataError unless the pool has rows of all classes."""
    counts = np.bincount(labels, minlength=classes)
    if (counts == 0).any():
        raise DataError(
            f"expected rows of all {classes} classes in the pool, got "
            f"{counts.tolist()} rows of each"
        )


def from_one_hot(name: str, members: pd.DataFrame) -> pd.Series:
    """Returns the category whose 0/1 columns are given. Raises DataError."""
    values = members.to_numpy()
    one_hot = np.isin(values, (0, 1)).all(1) & ((values == 1).sum(1) == 1)
    if not one_hot.all():
        raise DataError(
            f"data.encoded.{name}: expected a single 1 and else 0 in every row of "
            f"{listed(list(members))}, got {int((~one_hot).sum())} rows without, the "
            f"first {values[~one_hot][0].tolist()}"
        )
    return pd.Series(
        np.array(members.columns, dtype=object)[(values == 1).argmax(1)],
        index=members.index,
    )
