"""What varies between the rounds of one evaluation."""

from itertools import pairwise

import numpy as np
import pandas as pd


def by_round(rows: pd.DataFrame) -> pd.Series:
    """Returns the mean over energy weights in each round, NaN where none has a value.

    `rows` are those of one metric of one cell. As in the authors' code, a round in
    which some weights have no value is the mean of the others; see `partial_rounds`.
    Metrics without rounds have a single one, -1.
    """
    means: pd.Series = rows.groupby(rows["round"].fillna(-1))["value"].mean()
    return means


def each_by_round(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Returns the same for each of many cells, at once: to the bit what `by_round` has
    for the rows of one, in a hundredth of the time.
    """
    rounds = rows["round"].fillna(-1)
    means = rows.groupby([rows["cell"], rounds])["value"].mean()
    cells = means.index.get_level_values(0)
    numbers = means.index.get_level_values(1)
    starts = np.flatnonzero(~cells.duplicated())
    return {
        str(cells[start]): pd.Series(
            means.to_numpy()[start:end], index=numbers[start:end], name="value"
        )
        for start, end in pairwise([*starts, len(means)])
    }


def partial_rounds(rows: pd.DataFrame) -> int:
    """Returns in how many rounds some energy weights have a value and others none."""
    present = rows["value"].notna().groupby(rows["round"].fillna(-1)).mean()
    return int(((present > 0) & (present < 1)).sum())


def paired(model: pd.Series, baseline: pd.Series) -> pd.DataFrame:
    """Returns the rounds in which both have a value, in columns of these names."""
    return pd.DataFrame({"model": model, "baseline": baseline}).dropna()


def differences(rounds: pd.DataFrame) -> pd.Series:
    """Returns |baseline| - |model| in each of the paired rounds: the model has so much
    less.
    """
    return rounds["baseline"].abs() - rounds["model"].abs()
