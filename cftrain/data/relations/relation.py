"""A relation between columns in raw units, and which rows break it, exactly."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

WHOLE = 2.0**52
"""Below it float64 sums of whole numbers are exact."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """The sum of factor * column is at most the bound; `text` is how it was said.

    No column is named twice and no factor is 0.
    """

    text: str
    factors: tuple[tuple[str, Fraction], ...]
    bound: Fraction

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.factors)

    @property
    def weights(self) -> np.ndarray:
        """Returns the factors as floats, in the order of the columns."""
        return np.array([float(factor) for _, factor in self.factors])

    def excess(self, measures: np.ndarray) -> np.ndarray:
        """Returns by how much rows (row, column) are over the bound, up to rounding."""
        over: np.ndarray = (measures * self.weights).sum(1) - float(self.bound)
        return over

    def broken(self, measures: np.ndarray) -> np.ndarray:
        """Returns which rows (row, column) are over the bound as they are written.

        A number counts as the shortest decimal text that stands for it: 0.1 + 0.2 is
        0.3. Rows that miss a value break nothing.
        """
        over = self.excess(measures)
        size = np.abs(measures * self.weights).sum(1) + abs(float(self.bound))
        error = (len(self.factors) + 2) * np.finfo(np.float64).eps * size
        whole = (measures == np.rint(measures)).all(1) & (size < WHOLE)
        error[whole & self._whole] = 0.0
        broken: np.ndarray = over > error
        for row in np.flatnonzero((np.abs(over) <= error) & (error > 0)):
            broken[row] = self._exactly_over(measures[row])
        return broken

    @property
    def _whole(self) -> bool:
        numbers = (self.bound, *(factor for _, factor in self.factors))
        return all(number.denominator == 1 for number in numbers)

    def _exactly_over(self, measures: np.ndarray) -> bool:
        total = sum(
            factor * Fraction(repr(measure))
            for (_, factor), measure in zip(
                self.factors, measures.tolist(), strict=True
            )
        )
        return total > self.bound
