"""What varies between the rounds of one evaluation.

Plain arrays: a table of ten thousand models asks for tens of thousands of them.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt
import pandas as pd

Array: TypeAlias = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Rounds:
    """A measure by round: numbers of rounds, ascending, and its value in each, NaN
    where it has none.
    """

    numbers: Array
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    def present(self) -> "Rounds":
        """Returns the rounds that have a value."""
        has = ~np.isnan(self.values)
        return self if has.all() else Rounds(self.numbers[has], self.values[has])

    def mean(self) -> float:
        """Returns the mean over the rounds that have a value, NaN if none has."""
        values = self.present().values
        return float(values.mean()) if len(values) else float("nan")


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """A measure of a model and of its baseline, in the rounds in which both have a
    value.
    """

    model: Array
    baseline: Array

    def __len__(self) -> int:
        return len(self.model)

    def means(self) -> "Pairs":
        """Returns the means over the rounds, as those of a single one."""
        return Pairs(self.model.mean(keepdims=True), self.baseline.mean(keepdims=True))


def by_round(rows: pd.DataFrame) -> Rounds:
    """Returns the mean over energy weights in each round, NaN where none has a value.

    `rows` are those of one metric of one cell. As in the authors' code, a round in
    which some weights have no value is the mean of the others; see `partial_rounds`.
    Metrics without rounds have a single one, -1.
    """
    means = rows.groupby(rows["round"].fillna(-1))["value"].mean()
    return Rounds(means.index.to_numpy(np.float64), means.to_numpy(np.float64))


def each_by_round(rows: pd.DataFrame) -> dict[str, Rounds]:
    """Returns the same for each of many cells, at once: to the bit what `by_round` has
    for the rows of one, in a hundredth of the time.
    """
    codes, cells = pd.factorize(rows["cell"])
    means = rows.groupby([codes, rows["round"].fillna(-1)])["value"].mean()
    owners = means.index.get_level_values(0).to_numpy()
    numbers = means.index.get_level_values(1).to_numpy(np.float64)
    values = means.to_numpy(np.float64)
    starts = [*np.flatnonzero(np.diff(owners, prepend=-1)), len(owners)]
    return {
        str(cells[owners[start]]): Rounds(numbers[start:end], values[start:end])
        for start, end in pairwise(starts)
    }


def partial_rounds(rows: pd.DataFrame) -> int:
    """Returns in how many rounds some energy weights have a value and others none."""
    present = rows["value"].notna().groupby(rows["round"].fillna(-1)).mean()
    return int(((present > 0) & (present < 1)).sum())


def paired(model: Rounds, baseline: Rounds) -> Pairs:
    """Returns the rounds in which both have a value."""
    ours, theirs = model.present(), baseline.present()
    if np.array_equal(ours.numbers, theirs.numbers):
        return Pairs(ours.values, theirs.values)
    _, of_ours, of_theirs = np.intersect1d(
        ours.numbers, theirs.numbers, assume_unique=True, return_indices=True
    )
    return Pairs(ours.values[of_ours], theirs.values[of_theirs])


def differences(rounds: Pairs) -> Array:
    """Returns |baseline| - |model| in each of the paired rounds: the model has so much
    less.
    """
    return np.abs(rounds.baseline) - np.abs(rounds.model)
